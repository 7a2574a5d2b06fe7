"""docs/PEERS.md, a function of what was counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.counting import PEERS
from benchmarks.peers.stage import MUTANTS, SEEDED

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "PEERS.md"
FOUND = ROOT / "docs" / "evidence" / "peers.json"

Found = Mapping[str, Any]

SHOWN = 12
"""Of kernels that only one side notices, how many are named."""

TITLES = {
    MUTANTS: "Mechanical mutants",
    SEEDED: "Our seeded faults",
}

ABOUT = {
    MUTANTS: "One token of a [textbook](../tests/support/mutants/textbook.py) is another: nobody chose them, "
    "so they favour nobody ([docs/MUTANTS.md](MUTANTS.md)).",
    SEEDED: "These faults are ours: each was seeded with a family of this suite in mind that is to catch it "
    "([docs/POWER.md](POWER.md)), so that they favour us. They say what such tests are blind to, not whose "
    "tests are better. Three that others' tests noticed and `quick` did not (images whose classes are not "
    "the second axis, a mean of many examples, a table of binary16) were made questions of it.",
}

HEAD = """# Would their own tests have noticed?

Wrong kernels are put behind the public names of other projects, and those projects' own tests are run, as \
their wheels ship them. Beside them `quick` of this suite is asked of the same kernels as if they were a \
framework that has no more than those names take: the same operators, attributes and formats, and values \
alone where there are no gradients. A kernel *shows* where one of the two notices it; the rest is the same \
function as far as these names go (a gradient, behind names that have none).

Printed by `.venv/bin/python -m benchmarks.peers`; `--write` writes it. A test of theirs counts where it \
asks the kernel at all, and accuses none of the correct kernels that the wrong ones are made from: behind \
all of the names, and behind those alone that the wrong one stands behind. \
Nothing of theirs is said to be wrong by this page: their tests are made to find a regression in their own \
code, in seconds.
"""


@dataclass(frozen=True)
class Count:
    """Of one set behind one project's names."""

    kernels: int
    shown: int
    theirs: int
    ours: int
    only_theirs: Sequence[str]
    only_ours: Sequence[str]


def count(by_kernel: Mapping[str, Sequence[str]]) -> Count:
    """Who noticed how many."""
    theirs = {name for name, (check, _) in by_kernel.items() if check}
    ours = {name for name, (_, batch) in by_kernel.items() if batch}
    order = list(by_kernel)
    return Count(
        len(order),
        len(theirs | ours),
        len(theirs),
        len(ours),
        [n for n in order if n in theirs - ours],
        [n for n in order if n in ours - theirs],
    )


def page(found: Found) -> str:
    """The page, of the peers that were asked."""
    parts = [HEAD]
    for of, title in TITLES.items():
        parts += [f"## {title}\n", f"{ABOUT[of]}\n", *_table(found, of), ""]
    parts += ["## How each was run\n", *_how(found), *_not_asked(found)]
    return "\n".join(parts).rstrip() + "\n"


def _table(found: Found, of: str) -> Iterator[str]:
    head = ("behind the names of", "kernels", "that show", "their tests notice", "`quick` notices")
    yield f"| {' | '.join(head)} | only they | only `quick` |"
    yield "|---|---|---|---|---|---|---|"
    counts = {name: count(one["sets"][of]) for name, one in found.items()}
    for name, c in counts.items():
        yield (
            f"| {name} | {c.kernels} | {c.shown} | {_share(c.theirs, c.shown)} | {_share(c.ours, c.shown)} "
            f"| {len(c.only_theirs)} | {len(c.only_ours)} |"
        )
    yield ""
    for name, c in counts.items():
        if c.only_theirs:
            yield f"* {name}: only its own tests notice {_named(c.only_theirs, found[name]['sets'][of], 0)}."
        if c.only_ours:
            yield f"* {name}: only `quick` notices {_named(c.only_ours, found[name]['sets'][of], 1)}."


def _share(n: int, of: int) -> str:
    return f"{n} ({100 * n / of:.0f} %)" if of else "0"


def _named(names: Sequence[str], by_kernel: Mapping[str, Sequence[str]], side: int) -> str:
    """Some, spread over all, each with who notices it."""
    some = names[:: max(1, len(names) // SHOWN)][:SHOWN]
    told = [f"`{n}` (`{by_kernel[n][side]}`)" for n in some]
    more = len(names) - len(some)
    return ", ".join(told) + (f" and {more} more" if more else "")


def _how(found: Found) -> Iterator[str]:
    for name, one in found.items():
        versions = ", ".join(f"{d} {v}" for d, v in one["versions"].items())
        yield f"**{name}** ({versions}): {one['how']} {one['checks']} tests ask a kernel."
        if one["not_reached"]:
            yield f"No test of theirs asks {', '.join(f'`{o}`' for o in one['not_reached'])}."
        yield from _left(one["unused"], "fail with a correct kernel, and are not used")
        yield from _left(
            one["alone"],
            "fail with one that stands there alone, beside the project's own, and are not used there",
        )
        yield f"{one['seconds']} s of a processor.\n"
    yield NONE


def _left(unused: Mapping[str, str], why: str) -> Iterator[str]:
    if unused:
        yield f"{len(unused)} {why}:"
    for check, told in unused.items():
        yield f"`{check}` ({told.rstrip(': ')})"


def _not_asked(found: Found) -> list[str]:
    left = [name for name in PEERS if name not in found]
    told = f"\n**Not asked yet**, though their checks are written (`--peer NAME`): {', '.join(left)}."
    return [told] if left else []


NONE = (
    "**None in the wheel**: `jax` ships helpers (`jax.test_util`) and no test of `jax.nn`. `onnxruntime`, "
    "`paddlepaddle` and `tinygrad` ship none."
)


def sentence(found: Found) -> str:
    """What EVIDENCE.md says: of the mutants, who notices how many."""
    told = []
    for name, one in found.items():
        c = count(one["sets"][MUTANTS])
        told.append(f"{name} {c.theirs} of {c.shown} (`quick` {c.ours})")
    return (
        "The same mutants and faults, put behind the public names of other projects, were shown to those "
        f"projects' own tests, as their wheels ship them. Of the mutants that show there: {'; '.join(told)}. "
        "[docs/PEERS.md](PEERS.md) says how each was run, and has our seeded faults apart, which favour us."
    )
