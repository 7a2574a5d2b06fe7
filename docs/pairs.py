"""Which runs are compared in docs/UPGRADES.md, and what a person saw who looked at what changed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Two of the runs that are kept under a name, by their places there.

    ``seen`` has no number of its own: the page puts those beside it that the files give.
    """

    name: str
    old: int
    new: int
    seen: str = ""


JAX = "jax"
PUBLISHED_JAX = "published jax"
"""The two run files of ``reports/published`` that are compared there: whole, and not kept twice."""

UPGRADES = (
    Pair(JAX, 0, 1, "What is worse is so where gradients and values cancel."),
    Pair(JAX, 1, 2),
    Pair(JAX, 2, 3, "All are gradients where they cancel."),
    Pair(
        PUBLISHED_JAX,
        0,
        1,
        "For the lowest 64-bit label index the loss composed with `jnp.take_along_axis` was NaN, as it "
        "should be; now it is a number, in all formats: a must clause is broken in a kind of row that kept "
        "it. A waiver that ships with the suite knows the divergence and is named in the reason; it does not "
        "hide it from an upgrade. No test of accuracy on ordinary inputs would show it.",
    ),
    Pair("tensorflow", 0, 1),
    Pair(
        "torch",
        0,
        1,
        "The older is the CUDA build that PyPI has, asked on the CPU "
        "([which build that is](PLATFORMS.md#which-build-of-torch)).",
    ),
    Pair(
        "optax",
        0,
        1,
        "Calls of `softmax_cross_entropy` and `safe_softmax_cross_entropy` that raised are answered "
        "(`softmax_cross_entropy/forms/smoothed_second_axis/float32/n3/r0`).",
    ),
    Pair(
        "keras",
        0,
        1,
        "Both with TensorFlow 2.21.0. A finite number stands for a mask in `keras.layers.Softmax`, in both: "
        "it leaks where the logits are lower or as low. Another number does in the newer, so that other rows "
        "are wrong (`softmax/masks/half/float32/n7/r6`, where a zero came back). The cause was there "
        "before, in the same implementation, format and kind of row, so it is told and does not block.",
    ),
    Pair("onnxruntime", 0, 1),
)

CONTROLS = (
    *(Pair("torch", a, b) for a, b in ((1, 2), (2, 1), (1, 3), (3, 1), (1, 4))),
    *(Pair(JAX, a, b) for a, b in ((5, 6), (6, 5))),
    Pair(
        "tensorflow",
        2,
        3,
        "*Without* oneDNN a softmax of one class is not one, and its gradient not zero: a waiver "
        "(`tensorflow-softmax-one-class`) knows it of other processors.",
    ),
    Pair(JAX, 4, 5),
    Pair("tensorflow", 1, 2),
    Pair(
        "tensorflow",
        3,
        2,
        "*With* oneDNN a softmax loses NaN, which without it is passed on; a waiver knows it.",
    ),
    Pair(
        JAX,
        5,
        7,
        "Under `--xla_cpu_max_isa=SSE4_2` XLA compiles what its linker then does not find.",
    ),
    Pair("tensorflow", 2, 4, "The same compiler, the same linker."),
)

PAIRS = (*UPGRADES, *CONTROLS)
