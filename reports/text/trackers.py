"""The trackers of the frameworks: what each asks for in a report of a bug, by the headings of its own form.

A form's headings are data, in its own words and order; what stands under each is a part of an
:class:`~xent_conformance.reports.text.issue.Issue`. Fields that nobody but the reporter knows are left as the
form leaves them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What stands under a heading."""

    ALL = "what was asked, what came back, what is right and why, and the script"
    BUG = "the same without the script"
    BUG_AND_VERSIONS = "the same, and the versions that the form has no field for"
    ASKED = "what was asked"
    CURRENT = "what was asked and what came back"
    EXPECTED = "what is right and why"
    SCRIPT = "the script"
    PRINTED = "what was returned and what is right, as lines of a log"
    VERSIONS = "framework, Python, NumPy, system and processor"
    FRAMEWORK = "the framework's version"
    PYTHON = "the version of Python"
    SYSTEM = "the operating system"
    DEVICE = "the graphics processor; nothing for a CPU"
    PROVIDER = "the device, as ONNX Runtime names what runs on it"
    ARCHITECTURE = "of the processor, as ONNX Runtime names it"
    OPEN = "left to whoever reports"


@dataclass(frozen=True)
class Tracker:
    """``sections``: a heading with its mark-up, and what stands under it (or the words themselves).

    ``frameworks``: whose implementations are reported there, a name ending in ``-`` for all that begin so.
    """

    repository: str
    frameworks: tuple[str, ...]
    sections: tuple[tuple[str, Part | str], ...]
    before_title: str = ""

    def has(self, framework: str) -> bool:
        """Whether implementations of a framework are reported there."""
        return any(framework == f or (f.endswith("-") and framework.startswith(f)) for f in self.frameworks)


_NONE = (("### Description", Part.BUG), ("### Reproduction", Part.SCRIPT), ("### Versions", Part.VERSIONS))
"""Of a tracker without a form of its own."""

TRACKERS: Mapping[str, Tracker] = {
    "pytorch": Tracker(
        "pytorch/pytorch",
        ("torch",),
        (("### 🐛 Describe the bug", Part.ALL), ("### Versions", Part.VERSIONS)),
    ),
    "jax": Tracker(
        "jax-ml/jax",
        ("jax",),
        (
            ("### Description", Part.ALL),
            ("### System info (python version, jaxlib version, accelerator, etc.)", Part.VERSIONS),
        ),
    ),
    "tensorflow": Tracker(
        "tensorflow/tensorflow",
        ("tensorflow",),
        (
            ("### Issue type", "Bug"),
            ("### Have you reproduced the bug with TensorFlow Nightly?", "No"),
            ("### Source", Part.OPEN),
            ("### TensorFlow version", Part.FRAMEWORK),
            ("### Custom code", "Yes"),
            ("### OS platform and distribution", Part.SYSTEM),
            ("### Mobile device", Part.OPEN),
            ("### Python version", Part.PYTHON),
            ("### Bazel version", Part.OPEN),
            ("### GCC/compiler version", Part.OPEN),
            ("### CUDA/cuDNN version", Part.OPEN),
            ("### GPU model and memory", Part.DEVICE),
            ("### Current behavior?", Part.BUG_AND_VERSIONS),
            ("### Standalone code to reproduce the issue", Part.SCRIPT),
            ("### Relevant log output", Part.OPEN),
        ),
    ),
    "keras": Tracker(
        "keras-team/keras",
        ("keras-",),
        (
            ("**System information**.", Part.VERSIONS),
            ("**Describe the problem**.", Part.ASKED),
            ("**Describe the current behavior**.", Part.PRINTED),
            ("**Describe the expected behavior**.", Part.EXPECTED),
            ("**Standalone code to reproduce the issue**.", Part.SCRIPT),
        ),
    ),
    "onnxruntime": Tracker(
        "microsoft/onnxruntime",
        ("onnxruntime",),
        (
            ("### Describe the issue", Part.BUG_AND_VERSIONS),
            ("### To reproduce", Part.SCRIPT),
            ("### Urgency", Part.OPEN),
            ("### Platform", Part.SYSTEM),
            ("### OS Version", Part.OPEN),
            ("### ONNX Runtime Installation", Part.OPEN),
            ("### ONNX Runtime Version or Commit ID", Part.FRAMEWORK),
            ("### ONNX Runtime API", "Python"),
            ("### Architecture", Part.ARCHITECTURE),
            ("### Execution Provider", Part.PROVIDER),
            ("### Execution Provider Library Version", Part.OPEN),
        ),
    ),
    "onnx": Tracker(
        "onnx/onnx",
        ("onnx",),
        (
            ("# Bug Report", ""),
            ("### Is the issue related to model conversion?", "No."),
            ("### Describe the bug", Part.CURRENT),
            ("### System information", Part.VERSIONS),
            ("### Reproduction instructions", Part.SCRIPT),
            ("### Expected behavior", Part.EXPECTED),
        ),
    ),
    "optax": Tracker("google-deepmind/optax", ("optax",), _NONE),
    "scipy": Tracker(
        "scipy/scipy",
        ("scipy",),
        (
            ("### Describe your issue.", Part.BUG),
            ("### Reproducing Code Example", Part.SCRIPT),
            ("### Error message", Part.PRINTED),
            ("### SciPy/NumPy/Python version and system information", Part.VERSIONS),
        ),
        before_title="BUG: ",
    ),
    "numpy": Tracker(
        "numpy/numpy",
        ("numpy",),
        (
            ("### Describe the issue:", Part.BUG),
            ("### Reproduce the code example:", Part.SCRIPT),
            ("### Error message:", Part.PRINTED),
            ("### Python and NumPy Versions:", Part.VERSIONS),
            ("### Runtime Environment:", Part.OPEN),
            ("### Context for the issue:", Part.OPEN),
        ),
        before_title="BUG: ",
    ),
    "paddle": Tracker(
        "PaddlePaddle/Paddle",
        ("paddle",),
        (
            ("### bug描述 Describe the Bug", Part.ALL),
            ("### 其他补充信息 Additional Supplementary Information", Part.VERSIONS),
        ),
    ),
    "tinygrad": Tracker("tinygrad/tinygrad", ("tinygrad",), _NONE),
}
"""By the name that ``--issue`` takes. MLX has none here: its form wants every word from a person."""


class UnknownTracker(LookupError):
    """No tracker of that name, or none for a framework; the message lists those there are."""


def tracker_of(name: str, framework: str) -> Tracker:
    """The tracker of that name; that of the framework where it is empty. Raises :class:`UnknownTracker`."""
    known = ", ".join(TRACKERS)
    if name:
        if name not in TRACKERS:
            raise UnknownTracker(f"unknown tracker {name!r}; there are {known}")
        return TRACKERS[name]
    found = next((t for t in TRACKERS.values() if t.has(framework)), None)
    if found is None:
        raise UnknownTracker(f"no tracker is known for {framework}; name one of {known}")
    return found
