"""Libraries of JavaScript in a browser: what goes in and comes out, what is absent, and who ends with it."""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import fakes_of_libraries as fakes
from tests.support.by_hand import batch, question
from tests.support.fakes_of_browser import Answer, Error, Playwright
from tests.support.living import wait_for
from xent_conformance.asking import kin
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.connection import WorkerLost
from xent_conformance.asking.process import Process
from xent_conformance.devices.variants import BROWSER_BACKEND, DRIVER
from xent_conformance.discovery import problems as declaration
from xent_conformance.discovery.framework import FRAMEWORKS, Launch
from xent_conformance.discovery.seats import seats
from xent_conformance.frameworks import browser
from xent_conformance.frameworks.interface import Call
from xent_conformance.frameworks.onnxruntime_web import OnnxRuntimeWeb
from xent_conformance.frameworks.tfjs import SCRIPTS, TfJs

KINDS: Mapping[str, Any] = {"onnxruntime-web": OnnxRuntimeWeb, "tfjs": TfJs}
LABELS = {"onnxruntime-web": ["cpu[runtime=wasm]"], "tfjs": ["cpu[runtime=wasm]", "cpu[runtime=js]"]}
SWIFTSHADER = {"webgpu": "google swiftshader", "webgl": "ANGLE (Google, SwiftShader Device)"}
X = np.array([[1.0, 2.0, 4.0], [0.5, -3.0, 0.0]], np.float32)

Start = Callable[[Answer], Playwright]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Put a browser there that answers so, with every package of npm; what it began is closed after it."""
    for name in ("onnxruntime-web", *SCRIPTS):
        told = tmp_path / "node_modules" / name / "package.json"
        told.parent.mkdir(parents=True)
        told.write_text(json.dumps({"version": f"1 of {name}"}), encoding="utf-8")
    monkeypatch.setenv(browser.NODE_MODULES, str(tmp_path / "node_modules"))
    monkeypatch.setenv(browser.CHROMIUM, sys.executable)
    monkeypatch.setenv(BROWSER_BACKEND, "wasm")
    monkeypatch.setenv(DRIVER, "")
    closing: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "register", closing.append)

    def begun(answer: Answer) -> Playwright:
        fake = Playwright(answer)
        fakes.installed(monkeypatch, playwright__sync_api=fake.module)
        return fake

    yield begun
    for close in closing:
        close()


def _door(kind: Any, operator: str) -> Any:
    (door,) = [i for i in kind.implementations if i.operator == operator]
    return door


@pytest.mark.parametrize("name", list(KINDS))
def test_it_is_declared_as_it_should_be(name: str) -> None:
    framework = FRAMEWORKS[name]
    assert framework.adapter_class() is KINDS[name] and declaration.problems(KINDS[name]) == []
    assert framework.optional and framework.install.startswith("pip install playwright")
    assert [seat.device("cpu") for seat in seats(framework, (), "quick")] == LABELS[name]
    for device in ("webgpu[swiftshader]", "webgl[angle=swiftshader]"):
        (seat,) = seats(framework, (device,), "quick")
        assert seat.environment[DRIVER] == "swiftshader"
        assert seat.environment[BROWSER_BACKEND] == device.partition("[")[0]


# --- bits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "bool"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_arrays_go_and_come_by_their_bits(dtype: str, shape: tuple[int, ...]) -> None:
    """A NaN keeps its payload, a zero its sign, an array without axes its rank."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    bits = np.arange(size, dtype=np.uint8) % 2 if dtype == "bool" else np.arange(size, dtype=np.uint8) + 250
    given = bits.view(dtype).reshape(shape)
    found = browser.taken(json.loads(json.dumps(browser.sent({"x": given, "axis": None}))))
    assert found["axis"] is None and (found["x"].dtype, found["x"].shape) == (given.dtype, shape)
    assert found["x"].tobytes() == given.tobytes() and found["x"].flags.writeable


# --- adapters ------------------------------------------------------------------------------------------


def test_onnxruntime_web_is_given_the_models_of_onnx(start: Start) -> None:
    """One model for many shapes; and dense arrays, whatever layout they were in."""
    onnx = pytest.importorskip("onnx")
    models: list[Any] = []

    def answer(told: str, given: Mapping[str, Any]) -> Any:
        if "model" in given:
            models.append(onnx.load_from_string(browser.taken(given["model"]).tobytes()))
            assert given["backend"] == "wasm"
            return len(models) - 1
        (node,) = models[given["number"]].graph.node
        assert node.op_type == "Softmax"
        return browser.sent(fakes.softmax(browser.taken(given["feeds"]["x"])))

    start(answer)
    adapter = OnnxRuntimeWeb()
    assert adapter.version() == "1 of onnxruntime-web" and adapter.devices() == ["cpu"]
    assert adapter.environment()["browser"] == "Chromium 150.0"
    for x in (X, np.asfortranarray(X), X[:1]):
        call = Call(_door(OnnxRuntimeWeb, "softmax"), "eager", "cpu", x, None, x, ("value",))
        assert adapter.run(call)["value"] == pytest.approx(fakes.softmax(x), rel=1e-6)
    assert len(models) == 1


def test_tfjs_is_asked_for_the_gradients_that_are_wanted(start: Start) -> None:
    def answer(told: str, given: Mapping[str, Any]) -> Any:
        if "backend" in given:
            return {}
        assert "tf.losses.softmaxCrossEntropy(p, x, undefined, label_smoothing" in told
        return {"value": given["cotangent"], **dict.fromkeys(given["gradients"], given["x"])}

    fake = start(answer)
    adapter = TfJs()
    assert [url.partition("/@")[2] for url in fake.page.scripts] == [
        f"{name[1:]}/dist/{script}" for name, script in SCRIPTS.items()
    ]
    door, c = _door(TfJs, "softmax_cross_entropy"), np.ones(2, np.float32)
    for outputs in (("value",), ("value", "grad_logits"), ("value", "grad_logits", "grad_labels")):
        call = Call(door, "eager", "cpu", X, X, c, outputs, keywords={"label_smoothing": 0.5})
        found = adapter.run(call)
        assert tuple(found) == outputs and found["value"].tolist() == [1, 1]
        assert fake.page.asked[-1]["gradients"] == list(outputs[1:])
        assert fake.page.asked[-1]["given"] == {"label_smoothing": 0.5}


# --- what is absent, and what goes wrong ----------------------------------------------------------------


def test_a_package_that_is_absent_says_how_it_comes(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    start(lambda told, given: {})
    monkeypatch.setenv(browser.NODE_MODULES, "/nowhere/node_modules")
    with pytest.raises(ModuleNotFoundError, match=r"npm install --prefix /nowhere @tensorflow/tfjs@4\.22"):
        TfJs()
    pytest.importorskip("onnx")
    with pytest.raises(ModuleNotFoundError, match=r"not in /nowhere.* onnxruntime-web@1\.30\.0; or name"):
        OnnxRuntimeWeb()


def test_a_browser_that_is_absent_says_who_brings_it(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    start(lambda told, given: {})
    monkeypatch.setenv(browser.CHROMIUM, "/nowhere/chromium")
    with pytest.raises(ImportError, match=r"/nowhere/chromium, which CONFORMANCE_CHROMIUM names, is no prog"):
        TfJs()
    monkeypatch.delenv(browser.CHROMIUM)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ImportError, match=r"no Chromium is here: apt-get install chromium, or .*playwright"):
        TfJs()


def test_a_browser_that_does_not_start_says_why(start: Start) -> None:
    start(lambda told, given: {}).refuses = "Missing X server"
    with pytest.raises(ImportError, match="the browser does not start: Missing X server"):
        TfJs()


def test_what_a_page_complains_of_is_an_error(start: Start) -> None:
    said = {"error": "no kernel", "complaint": "a shader does not compile", "lost": ""}
    start(lambda told, given: said)
    with pytest.raises(browser.Complaint, match="no kernel: a shader does not compile"):
        browser.Page().ask("() => 0")
    said |= {"error": "", "found": 1}  # it answers: what it complained of may be why the answer is wrong
    with pytest.raises(browser.Complaint, match=r"^a shader"):
        browser.Page().ask("() => 0")


def test_a_page_that_is_no_more_ends_its_worker(start: Start) -> None:
    def crashed(told: str, given: Any) -> Any:
        raise Error("Page.evaluate: Target crashed\nCall log")

    start(crashed)
    with pytest.raises(SystemExit, match=r"the page is gone: Page\.evaluate: Target crashed$"):
        browser.Page().ask("() => 0")
    start(lambda told, given: {"found": 1, "complaint": "", "lost": "WebGL's context was lost"})
    with pytest.raises(SystemExit, match="WebGL's context was lost"):
        browser.Page().ask("() => 0")


def test_what_computes_on_the_cpu_passes_for_no_gpu(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = dict(SWIFTSHADER)
    fake = start(lambda told, given: gpus)
    monkeypatch.setenv(BROWSER_BACKEND, "")
    with pytest.raises(
        ImportError, match=r"Chromium 150\.0 has no GPU here: --device 'webgpu\[swiftshader\]'"
    ):
        TfJs()
    assert not set(browser.SOFTWARE) <= set(fake.flags)
    gpus["webgl"] = "ANGLE (NVIDIA, H100)"
    assert TfJs().devices() == ["webgl"]
    monkeypatch.setenv(BROWSER_BACKEND, "webgpu")
    monkeypatch.setenv(DRIVER, "swiftshader")
    adapter = TfJs()
    assert adapter.devices() == ["webgpu"] and set(browser.SOFTWARE) <= set(fake.flags)
    assert adapter.environment()["gpu of webgpu"] == "google swiftshader"


def test_the_server_hands_out_files_of_npm_alone(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "a.mjs").write_text("export {}", encoding="utf-8")
    (tmp_path / "secret").touch()
    server = browser.served(tmp_path / "node_modules")
    at = f"http://127.0.0.1:{server.server_port}"
    try:
        for path, kind in (("/", "text/html"), ("/a.mjs", "text/javascript")):
            with urllib.request.urlopen(at + path) as answer:
                assert answer.headers["Content-Type"] == kind
                assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        for path in ("/../secret", "/%2e%2e/secret", "/absent"):
            with pytest.raises(urllib.error.HTTPError, match="404") as refused:
                urllib.request.urlopen(at + path)
            refused.value.close()
    finally:
        server.shutdown()
        server.server_close()


# --- a real one ------------------------------------------------------------------------------------------


def _there() -> str:
    """What is lacking for a real page; nothing where all is there."""
    try:
        import playwright.sync_api  # noqa: F401

        browser.executable("")
        browser.package("onnxruntime-web", "")
    except ImportError as absent:
        return str(absent)
    return ""


@pytest.mark.skipif(bool(lacks := _there()) or sys.platform != "linux", reason=lacks or "Linux tells marks")
@pytest.mark.parametrize("how", ["closed", "killed"])
def test_a_real_page_answers_and_ends_with_its_worker(how: str) -> None:
    pytest.importorskip("onnx")
    adapter = "xent_conformance.frameworks.onnxruntime_web:OnnxRuntimeWeb"
    worker = Process(Launch(adapter, environment={BROWSER_BACKEND: "wasm"}))
    mark = worker._mark
    asked = replace(question("sigmoid", "value"), implementation="onnxruntime-web:Sigmoid")
    rows = arrays_of(batch("sigmoid", [[0.0, float("-inf")]]))
    (reply,) = worker.ask([asked], rows)
    assert reply.results["value"].tolist() == [[0.5, 0.0]] and len(kin._marked(mark)) > 2
    if how == "killed":
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerLost):
            list(worker.ask([asked], rows))
    worker.close()
    wait_for(lambda: not kin._marked(mark), seconds=20)
