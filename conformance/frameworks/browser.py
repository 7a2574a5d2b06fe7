"""A page of a browser that computes: arrays go in and come out by their bits.

A worker of a library in JavaScript starts one headless Chromium by Playwright, with an empty page of a server
of its own on the loopback, isolated as WebAssembly's threads and WebGPU want it, which hands out the files of
npm's packages and nothing else. What the page complains of while it answers is the call's error; a page that
has died, or has lost its GPU, takes the worker with it.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from xent_conformance.devices.names import kind_of
from xent_conformance.devices.variants import BROWSER_BACKEND, CHROMIUM, DRIVER, NODE_MODULES
from xent_conformance.frameworks.interface import Array

COMMANDS = ("chromium", "chromium-browser", "google-chrome")

SECONDS = 240.0
"""An answer of the page is waited for so long: less than a worker is waited for, which has no words."""

QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")

SOFTWARE = (
    "--use-angle=swiftshader",
    "--use-webgpu-adapter=swiftshader",
    "--enable-unsafe-webgpu",
    "--enable-unsafe-swiftshader",
)
"""WebGL and WebGPU by SwiftShader, which Chromium brings, whatever GPU there is."""

HARDWARE = ("--enable-unsafe-webgpu",)

ON_A_CPU = re.compile("swiftshader|llvmpipe|basic render", re.IGNORECASE)
"""What GPUs are called that are none; the browser takes one by itself where it finds no other."""

ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}

EMPTY = b"<!doctype html><title>conformance</title><link rel=icon href=data:,>"

SCRIPT = Path(__file__).with_suffix(".js")
"""What a page knows before anything is loaded into it."""


GPUS = """async () => {
  const adapter = await navigator.gpu?.requestAdapter();
  const context = new OffscreenCanvas(1, 1).getContext("webgl2");
  const told = context?.getExtension("WEBGL_debug_renderer_info");
  return {
    webgpu: adapter ? `${adapter.info.vendor} ${adapter.info.architecture}` : "",
    webgl: context ? context.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : context.RENDERER) : "",
  };
}"""
"""What there is of GPUs, and what they are called."""

WITHOUT_A_GPU = frozenset({"wasm", "cpu"})
"""Backends that need no GPU: WebAssembly and, of TensorFlow.js, JavaScript."""


class Complaint(Exception):
    """What a page threw, or complained of, while it answered."""


def folder() -> Path:
    """Where npm's packages lie."""
    return Path(os.environ.get(NODE_MODULES) or Path(sys.prefix) / "node_modules")


def package(name: str, version: str) -> str:
    """The version of an npm package that is there. Raises ModuleNotFoundError with how to get it."""
    file = folder() / name / "package.json"
    if not file.is_file():
        raise ModuleNotFoundError(
            f"{name}, a package of npm, is not in {folder()}: npm install --prefix {folder().parent} "
            f"{name}@{version}; or name a folder that has it in {NODE_MODULES}"
        )
    return str(json.loads(file.read_text(encoding="utf-8"))["version"])


def executable(own: str) -> str:
    """The browser: the one that is named, the system's, or Playwright's ``own``. Raises ImportError."""
    named = os.environ.get(CHROMIUM)
    for command in (named,) if named else (*COMMANDS, own):
        if found := shutil.which(command):
            return found
    raise ImportError(
        f"{named}, which {CHROMIUM} names, is no program"
        if named
        else f"no Chromium is here: apt-get install chromium, or {sys.executable} -m playwright install "
        f"chromium, or name one in {CHROMIUM}"
    )


def flags() -> tuple[str, ...]:
    """What the browser is told of a GPU: SwiftShader where our setting says so, else the machine's own."""
    return (*QUIET, *(SOFTWARE if os.environ.get(DRIVER) == "swiftshader" else HARDWARE))


class _Files(SimpleHTTPRequestHandler):
    """An empty page, and npm's files."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(EMPTY)))
        self.end_headers()
        self.wfile.write(EMPTY)

    def list_directory(self, path: Any) -> None:
        self.send_error(404)

    def end_headers(self) -> None:
        for name, value in ISOLATED.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *given: Any) -> None:
        """Nobody reads it."""


def served(files: Path) -> ThreadingHTTPServer:
    """A server of these files, on the loopback, by a thread of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(files)))
    threading.Thread(target=server.serve_forever, args=(0.05,), name="npm's files", daemon=True).start()
    return server


class Page:
    """An open page, in which ``scripts`` of npm's packages are loaded, one after the other."""

    def __init__(self, scripts: Sequence[str] = ()) -> None:
        from playwright import sync_api

        self._error = sync_api.Error
        self._server = served(folder())
        self._playwright = sync_api.sync_playwright().start()
        atexit.register(self.close)
        chromium = self._playwright.chromium
        try:
            self._browser = chromium.launch(
                executable_path=executable(chromium.executable_path), args=list(flags())
            )
            self._page = self._browser.new_page()
            self._page.add_init_script(path=SCRIPT)
            self._page.goto(self._at(""))
            for script in scripts:
                self._page.add_script_tag(url=self._at(script))
        except self._error as error:
            raise ImportError(f"the browser does not start: {error.message}") from None

    @property
    def browser(self) -> str:
        """``Chromium 150.0.7871.100``."""
        return f"Chromium {self._browser.version}"

    def ask(self, function: str, **given: Any) -> Any:
        """What ``function``, of JavaScript, returns of the arguments.

        An array is ``{dtype, shape, data}`` there.

        Raises :class:`Complaint` with what it throws or the page complains of. A page that is no more ends
        this process: nothing that is asked of it afterwards could be answered.
        """
        told = f"(given) => conformance.answer({function}, given, {SECONDS})"
        try:
            answer: Mapping[str, Any] = self._page.evaluate(told, sent(given))
        except self._error as error:
            raise SystemExit(f"the page is gone: {error.message.splitlines()[0]}") from None
        return found(answer)

    def close(self) -> None:
        """End the browser."""
        with contextlib.suppress(self._error):  # it is gone, which is what closing is for
            self._playwright.stop()
        self._server.shutdown()
        self._server.server_close()

    def _at(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{path}"


def backend_of(device: str) -> str:
    """What computes on a device: what our setting says, or else the GPU as it is called."""
    return os.environ.get(BROWSER_BACKEND) or kind_of(device)


def devices(page: Page) -> dict[str, str]:
    """The devices of our setting, each with what the page calls its GPU. Raises ImportError without one.

    What computes on the CPU passes for a GPU where our setting says so, and nowhere else.
    """
    backend, wanted = os.environ.get(BROWSER_BACKEND, ""), bool(os.environ.get(DRIVER))
    if backend in WITHOUT_A_GPU:
        return {"cpu": ""}
    there = {
        kind: name
        for kind, name in page.ask(GPUS).items()
        if name and backend in ("", kind) and wanted == bool(ON_A_CPU.search(name))
    }
    if not there:
        raise ImportError(
            f"{page.browser} has no {backend or 'GPU'} here: --device 'webgpu[swiftshader]' and "
            "--device 'webgl[angle=swiftshader]' ask a driver on the CPU, --device 'cpu[runtime=wasm]' none"
        )
    return there


def found(answer: Mapping[str, Any]) -> Any:
    """What a page has answered. Raises :class:`Complaint`; SystemExit where its GPU is lost."""
    if answer["lost"]:
        raise SystemExit(answer["lost"])
    words = [word for word in (answer.get("error"), answer["complaint"]) if word]
    if words:
        raise Complaint(": ".join(words))
    return taken(answer["found"])


def sent(given: Any) -> Any:
    """Arguments as a page takes them: arrays by their bits."""
    if isinstance(given, np.ndarray):
        bits = base64.b64encode(given.tobytes()).decode("ascii")
        return {"dtype": given.dtype.name, "shape": list(given.shape), "bits": bits}
    if isinstance(given, bytes):
        return sent(np.frombuffer(given, np.uint8))
    if isinstance(given, Mapping):
        return {name: sent(value) for name, value in given.items()}
    return given


def taken(found: Any) -> Any:
    """What a page has sent: arrays of their own, of the shape and format that it says they have."""
    if isinstance(found, Mapping) and "bits" in found:
        flat: Array = np.frombuffer(base64.b64decode(found["bits"]), np.dtype(found["dtype"]))
        return flat.reshape(found["shape"]).copy()
    if isinstance(found, Mapping):
        return {name: taken(value) for name, value in found.items()}
    return found
