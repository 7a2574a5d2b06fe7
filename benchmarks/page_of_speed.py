"""docs/SPEED.md, a function of what was measured, and the sentence of README."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "SPEED.md"
FOUND = ROOT / "docs" / "evidence" / "speed.json"

Found = Mapping[str, Any]


def page(found: Found) -> str:
    """The page."""
    versions = ", ".join(f"{name} {v}" for name, v in found["versions"].items())
    lines = [
        "# How fast, beside what people use",
        "",
        f"Measured in one process on one core, with {versions}. Printed by `make bench`; "
        "`.venv/bin/python -m benchmarks.speed --write` writes it. Ratios are of seconds of a processor, so "
        "that they mean something elsewhere, and beside other work; above 1 this suite is the faster.",
    ]
    for part, (title, told) in PARTS.items():
        lines += ["", f"## {title}", ""]
        if part in found["parts"]:
            measured = found["parts"][part]
            lines += told(measured["found"])
            where = f"{measured['machine']} ({measured['cores']} cores)"
            lines += ["", f"Measured on {measured['day']}: {where}, whose load was {measured['load']}."]
        else:
            lines += [f"Not measured: `.venv/bin/python -m benchmarks.speed --part {part} --write` does."]
    return "\n".join(lines) + "\n"


def beside(found: Found, library: str) -> Mapping[str, float]:
    """By operator: how many times the rate of mpmath or gmpy2 the reference has."""
    by = found["parts"]["reference"]["found"]["operators"]
    return {operator: rates["certified"] / rates[library] for operator, rates in by.items()}


def _reference(found: Found) -> Iterator[str]:
    yield (
        "Rows of 1000 classes in binary32. Here an element is a value or a gradient, certified to 100 bits; "
        "there it is a value, computed in the same 128 bits and uncertified, and no gradient. Of a "
        "cross-entropy, whose value is one a row, logits are counted. Millions a second:"
    )
    yield ""
    yield "| | certified here | gmpy2 | mpmath | times gmpy2 | times mpmath |"
    yield "|---|---|---|---|---|---|"
    for operator, r in found["operators"].items():
        ours = r["certified"]
        rates = f"{ours:.2f} | {r['gmpy2']:.3f} | {r['mpmath']:.3f}"
        yield f"| `{operator}` | {rates} | {ours / r['gmpy2']:.1f} | {ours / r['mpmath']:.1f} |"
    yield ""
    yield (
        f"The ball arithmetic alone (convert, exp, sum, divide at 128 bits) does {found['core']:.2f} million "
        "elements a second. mpmath counts with the integers of gmpy2. Elements of the sigmoid family, beside "
        f"those of the softmax family: `sigmoid` {_times(found, 'sigmoid', 'softmax')} of the rate of "
        f"`softmax`, `log_sigmoid` {_times(found, 'log_sigmoid', 'log_softmax')} of that of `log_softmax`, "
        f"`sigmoid_cross_entropy` {_times(found, 'sigmoid_cross_entropy', 'softmax_cross_entropy')} of that "
        "of `softmax_cross_entropy`: a logarithm an element, where a softmax has one a row."
    )


def _times(found: Found, one: str, other: str) -> str:
    by = found["operators"]
    return f"{by[one]['certified'] / by[other]['certified']:.2f}"


def _judging(found: Found) -> Iterator[str]:
    yield (
        "Answers in binary32 to rows of ten classes, value and gradient. A verdict has a grade, a status, a "
        "clause, the error in ulps and where the worst element is; a comparison says yes or no. "
        f"{1 / found['judged']:,.0f} verdicts a second."
    )
    yield ""
    yield "| compared by | a row and output, µs | times a verdict |"
    yield "|---|---|---|"
    yield f"| a verdict of this suite | {1e6 * found['judged']:.2f} | 1 |"
    for name, seconds in found.items():
        if name != "judged":
            function, _, what = name.partition(" ")
            module = "numpy" if function == "assert_allclose" else "torch"
            yield (
                f"| `{module}.testing.{function}`, {what} a call | {1e6 * seconds:.2f} "
                f"| {seconds / found['judged']:.1f} |"
            )


def _quick(found: Found) -> Iterator[str]:
    ours, verdicts = (found["suite"] + found["workers"]) / found["verdicts"], found["verdicts"]
    yield (
        "As people write it today: parametrised pytest, truths by mpmath, a row a test, its value and its "
        f"gradient. A sample of {found['sample']} verdicts, even over the finite plain rows of `quick` in "
        f"binary32 ({found['told']}): {1e3 * found['by hand']:.2f} ms each, without what is paid once. "
        f"Nobody writes all {verdicts:,} verdicts of `quick` so; they would take "
        f"{found['by hand'] * verdicts:.0f} s of a processor. This suite took {ours * verdicts:.0f} s, "
        f"{1e3 * ours:.2f} ms each, of everything, with no truth remembered: "
        f"{found['by hand'] / ours:.1f} times less."
    )
    yield ""
    own, rest = found["suite"] / (ours * verdicts), found["suite"] - found["reference"]
    yield (
        f"Of those {ours * verdicts:.0f} s PyTorch's process had {found['workers']:.0f} s (starting, "
        f"answering) and the suite's {found['suite']:.0f} s: truths {found['reference']:.0f} s, which a "
        f"second run remembers, and the rest (starting, selecting, judging, diagnosis) {rest:.0f} s. The "
        f"suite's own share is {_percent(own)}, and {_percent(rest / (rest + found['workers']))} where "
        "truths are remembered. Nothing is compiled for PyTorch here; [docs/COST.md](COST.md) has the share "
        "in the published run of all frameworks, most of which is compiling."
    )


def _percent(of: float) -> str:
    return f"{100 * of:.0f} %"


def _slopes(found: Found) -> Iterator[str]:
    yield "The exponent with which seconds grow: 1 is linear, below is better."
    yield ""
    yield "| of | sizes | exponent |"
    yield "|---|---|---|"
    for name, s in found.items():
        yield f"| {name} | {', '.join(map(str, s['sizes']))} | {s['exponent']:.2f} |"


def _waiting(found: Found) -> Iterator[str]:
    yield (
        "Whole commands, from a shell to their last line, on all cores. In the beginning nothing is "
        "remembered and nothing compiled; *again*, it is. The imports in the end ask nothing of this suite, "
        "and no run of three is without them: by them seconds of one machine are compared with another's. "
        "Seconds, of so many times the least and the most:"
    )
    yield ""
    yield "| | times | least | most | asked on two cores | of a processor |"
    yield "|---|---|---|---|---|---|"
    for name, w in found.items():
        asked = "" if w["asked"] is None else f"{w['asked']:g}"
        seconds = f"{w['least']:.2f} | {w['most']:.2f} | {asked} | {w['cores']:.1f}"
        yield f"| {name}: `{w['words']}` | {w['times']} | {seconds} |"


PARTS: Mapping[str, tuple[str, Callable[[Found], Iterator[str]]]] = {
    "reference": ("Truths", _reference),
    "judging": ("Judging", _judging),
    "quick": ("`quick` of PyTorch", _quick),
    "slopes": ("As it grows", _slopes),
    "waiting": ("What one waits for", _waiting),
}
"""By what is measured: its title, and what is told of it."""


def sentence(found: Found) -> str:
    """README's figures."""
    softmax, mp = beside(found, "gmpy2")["softmax"], beside(found, "mpmath")["softmax"]
    judged = found["parts"]["judging"]["found"]
    row = judged["assert_close a row"] / judged["judged"]
    told = (
        f"* It is *fast*: certified values and gradients of softmax come {softmax:.1f} times as fast as "
        f"uncertified values by gmpy2 and {mp:.0f} times as fast as mpmath's; a verdict costs "
        f"{_fraction(row)} of `torch.testing.assert_close` on the row"
    )
    if "quick" in found["parts"]:
        quick = found["parts"]["quick"]["found"]
        hand = quick["by hand"] / ((quick["suite"] + quick["workers"]) / quick["verdicts"])
        told += (
            f"; `quick` of PyTorch costs {_fraction(hand)} of the same as parametrised pytest with mpmath, "
            "by a sample of it"
        )
    return f"{told}: [docs/SPEED.md](docs/SPEED.md)."


def _fraction(times: float) -> str:
    return f"1/{times:.0f}" if times >= 2 else f"{1 / times:.1f}"
