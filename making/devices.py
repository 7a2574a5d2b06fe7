"""`make report-devices`: install what can be installed of kernels, runtimes and other libraries, and ask it.

They stand in an environment of their own, since some quarrel with what `make report` asks; one that quarrels
with these too has its own beside it. What does not install is said and left out; nothing of it fails the
rest. Standard library alone.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PROFILE = "quick"
TORCH = "torch"

RANKS = (1, 2, 4, 8)
"""Over so many the classes of a loss are spread: their number may change nothing."""


@dataclass(frozen=True)
class Target:
    """What pip installs for it, and how it is asked where that is not by its name alone.

    ``bare``: what is installed without what it requires, which may be gigabytes that no CPU has a use for.
    ``npm``: what npm installs into the environment, beside what pip does.
    ``apart``: what is installed for it stands in the place of what another may need.
    ``seconds``: an answer is waited for so long, where the suite's own patience would cost hours.
    """

    needs: tuple[str, ...]
    bare: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    apart: bool = False
    seconds: int | None = None


TARGETS = {
    "liger": Target(("torch", "numpy", "ml_dtypes"), ("liger-kernel", "triton")),
    "loss-parallel": Target(
        ("torch", "numpy", "ml_dtypes"), devices=tuple(f"cpu[mesh=tp{n}]" for n in RANKS)
    ),
    "jax-sharded": Target(("jax", "ml_dtypes"), devices=tuple(f"cpu[devices={n}]" for n in RANKS)),
    "megatron": Target(
        ("torch", "numpy", "ml_dtypes", "megatron-core"),
        devices=tuple(f"cpu[mesh=tp{n}]" for n in RANKS),
    ),
    "trl": Target(("torch", "trl", "ml_dtypes")),
    "transformers": Target(("torch", "transformers", "ml_dtypes")),
    # of what it requires, what its functions of tensors import; in versions that the others have not
    "verl": Target(
        ("torch", "transformers<5.11", "tensordict<0.11", "ray", "omegaconf", "ml_dtypes"),
        ("verl",),
        apart=True,
    ),
    "sklearn": Target(("scikit-learn", "ml_dtypes")),
    "xgboost": Target(("scipy", "numpy", "ml_dtypes"), ("xgboost",)),
    "openvino": Target(
        ("openvino", "onnx", "ml_dtypes"),
        devices=tuple(f"cpu[runtime=openvino,precision={precision}]" for precision in ("f32", "bf16")),
    ),
    "tract": Target(("tract", "onnx", "ml_dtypes")),
    # it is the module onnxruntime; both need a driver of Vulkan, which no pip installs
    "onnxruntime-webgpu": Target(
        ("onnxruntime-webgpu", "onnx", "ml_dtypes"), devices=("webgpu[swiftshader]",), apart=True
    ),
    "ncnn": Target(
        ("ncnn", "ml_dtypes"),
        devices=("cpu", "vulkan[lavapipe]", "vulkan[lavapipe,fp16]", "vulkan[swiftshader]"),
    ),
    "litert": Target(("ai-edge-litert", "numpy", "ml_dtypes")),
    "executorch": Target(
        ("torch", "executorch", "ml_dtypes"),
        devices=tuple(f"cpu[runtime=executorch,backend={backend}]" for backend in ("portable", "xnnpack")),
    ),
    # both need Chromium, which neither pip nor npm installs
    "onnxruntime-web": Target(
        ("playwright", "onnx", "ml_dtypes"),
        npm=("onnxruntime-web@1.30.0",),
        devices=("cpu[runtime=wasm]", "webgpu[swiftshader]", "webgl[angle=swiftshader]"),
        seconds=10,  # of no class, its Softmax on WebGPU never answers
    ),
    "tfjs": Target(
        ("playwright", "numpy", "ml_dtypes"),
        npm=tuple(
            f"@tensorflow/{name}@4.22.0" for name in ("tfjs", "tfjs-backend-wasm", "tfjs-backend-webgpu")
        ),
        devices=("cpu[runtime=wasm]", "cpu[runtime=js]", "webgpu[swiftshader]", "webgl[angle=swiftshader]"),
    ),
}
"""By framework."""


def environment(name: str, shared: str) -> str:
    """Where a target stands: in the environment that is shared, or in its own beside it."""
    return f"{shared}-{name}" if TARGETS[name].apart else shared


def line(name: str, profile: str = PROFILE) -> str:
    """How a target is asked, for a person."""
    return shlex.join(["conformance", *_words(name, profile)])


def _words(name: str, profile: str) -> list[str]:
    target = TARGETS[name]
    devices = [word for device in target.devices for word in ("--device", device)]
    patience = ["--timeout", str(target.seconds)] if target.seconds else []
    return ["run", "--framework", name, *devices, "--profile", profile, *patience]


def install(python: Path, constraint: Path, names: Iterable[str]) -> list[str]:
    """Install these targets into the environment of ``python``; the names of those that came."""
    came = []
    for name in names:
        target = TARGETS[name]
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        pip += ["--constraint", str(constraint)]
        whole = [*pip, *target.needs]
        if TORCH in target.needs:  # a CPU build, or none
            others = [need for need in target.needs if need != TORCH]
            choosing = str(Path(__file__).with_name("install.py"))
            whole = [str(python), choosing, "--constraint", str(constraint), "--", *others]
        parts = [whole, *([[*pip, "--no-deps", *target.bare]] if target.bare else [])]
        parts += [_npm(python.parents[1], target.npm)] if target.npm else []
        if all(_came(words) for words in parts):
            came.append(name)
        else:
            print(f"{name} is left out: it does not install here", file=sys.stderr, flush=True)
    return came


def _npm(place: Path, packages: Sequence[str]) -> list[str]:
    """How npm is told to install exactly these; no script of a package is run.

    They are saved, or npm would take away what it installed for the target before.
    """
    quiet = ("--silent", "--no-audit", "--no-fund", "--save-exact", "--ignore-scripts")
    return ["npm", "install", "--prefix", str(place), *quiet, *packages]


def _came(words: Sequence[str]) -> bool:
    """Whether it was installed; a program that is not here has installed nothing."""
    try:
        return subprocess.run(words).returncode == 0
    except FileNotFoundError:
        print(f"{words[0]} is not here", file=sys.stderr, flush=True)
        return False


def ask(conformance: Path, python: Path, out: Path, names: Iterable[str]) -> list[Path]:
    """Ask each target that is there; the run files that were written. One that is absent writes none."""
    files = []
    for name in names:
        file = out / f"{name}.parquet"
        words = [str(conformance), *_words(name, PROFILE), "--python", str(python), "-o", str(file)]
        print(f"\n{line(name)}", flush=True)
        subprocess.run(words)
        files += [file] if file.is_file() else []
    return files


def main(arguments: Sequence[str]) -> int:
    """``devices.py CONFORMANCE ENVIRONMENT CONSTRAINT OUT [NAME…]``; 1 where nothing answered."""
    conformance, shared, constraint, out, *named = arguments
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    standing: dict[str, list[str]] = {}
    for name in TARGETS:
        standing.setdefault(environment(name, shared), []).append(name)
    files = []
    for place, names in standing.items():
        asked = [name for name in names if name in (named or TARGETS)]
        python = Path(place) / "bin" / "python"
        if asked and not python.is_file():
            subprocess.run([sys.executable, "-m", "venv", place], check=True)
            install(python, Path(constraint), names)
        files += ask(Path(conformance), python, folder, asked)
    if not files:
        print("nothing that could be asked is installed", file=sys.stderr)
        return 1
    page = f"{folder}.html"
    return subprocess.run([conformance, "report", *map(str, files), "-o", page]).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
