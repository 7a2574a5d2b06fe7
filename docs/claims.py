"""What README and the pages say of the pinned versions, from the run file that is published.

``python -m docs.claims`` prints the blocks that stand between ``<!-- name -->`` and ``<!-- /name -->``; with
``--write`` it puts them there. ``tests/test_readme.py`` compares.
"""

from __future__ import annotations

import functools
import io
import json
import re
import sys
from collections.abc import Mapping

import polars as pl
from rich.console import Console

from benchmarks import page_of_speed
from benchmarks.peers import page as page_of_peers
from docs.published import FIRST, PAGES, SCRIPTS, read
from tests.support.faults.seeded import FAULTS
from tests.support.faults.variants import VARIANTS
from tests.support.mutants.mutate import mutants
from tests.support.paths import ROOT
from xent_conformance.cases.families.historical import entries
from xent_conformance.decision.gate import decide
from xent_conformance.decision.waivers import known_files, read_waivers
from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.words import NAIVE, ORDINARY, Symptom
from xent_conformance.reports.terminal import first
from xent_conformance.reports.text.numbers import count, seconds, ulps
from xent_conformance.reports.text.wording import DTYPES, capital, dtypes_text, in_order, listed, words
from xent_conformance.reports.views.causes import causes
from xent_conformance.reports.views.know import know
from xent_conformance.versions.target import Target

HOMES = {
    "found": ROOT / "README.md",
    "first": ROOT / "README.md",
    "tested": ROOT / "README.md",
    "speed": ROOT / "README.md",
    "ordinary": ROOT / "docs" / "EVIDENCE.md",
    "peers": ROOT / "docs" / "EVIDENCE.md",
    "cost": ROOT / "docs" / "COST.md",
}
"""By block, the page it stands on."""
POWER = ROOT / "docs" / "POWER.md"

WIDTH = 110
"""Letters of a line of the first answer."""

SHOWN = 8
"""Causes in the table of README; the page has all."""


@functools.cache
def blocks() -> Mapping[str, str]:
    """By name, what stands on its page."""
    run = read(("run",))
    return {
        "found": _found(run),
        "first": _first(),
        "tested": _tested(),
        "speed": page_of_speed.sentence(json.loads(page_of_speed.FOUND.read_text(encoding="utf-8"))),
        "ordinary": _ordinary(run),
        "peers": page_of_peers.sentence(json.loads(page_of_peers.FOUND.read_text(encoding="utf-8"))),
        "cost": _cost(run),
    }


def _found(run: Run) -> str:
    """What there is to know, then the most harmful causes that a hypothesis explains."""
    lines = []
    every = causes(run)
    for line in know(run, every):
        lines.append(f"* **{line.what}**{line.joint}{line.sentence}")
    shown = [c for c in every if c.level == "must" and c.hypothesis and c.right][:SHOWN]
    lines += ["", "| what is wrong | returned | right | whose | clauses |", "|---|---|---|---|---|"]
    for c in shown:
        cells = [
            f"**{capital(c.hypothesis)}**: {c.sentence}",
            f"`{c.returned}`",
            f"`{c.right}`",
            ", ".join(c.frameworks),
            ", ".join(c.clauses),
        ]
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    must = sum(c.level == "must" for c in every)
    lines += [
        "",
        f"{len(shown)} of {len(every)} causes, {must} of which break a must clause; the page has all, each "
        f"with inputs to the last bit and everybody's answer, and a script of {len(run.header[SCRIPTS])}.",
    ]
    return "\n".join(lines)


def _ordinary(run: Run) -> str:
    """Who exceeds the stable bound on ordinary inputs of two classes or more."""
    rows = called(run).verdicts.filter(
        (pl.col("family") == ORDINARY) & (pl.col("n") > 1) & (pl.col("status") == "breaks_must")
    )
    wrong = rows.filter(
        pl.col("symptom").is_in([Symptom.BEYOND_BOUND.value, Symptom.INFINITE.value, Symptom.NAN.value])
    )
    told = []
    for (name, output), found in wrong.sort("implementation").group_by(
        "implementation", "output", maintain_order=True
    ):
        far = found["ulps"].filter(found["ulps"].is_finite()).max()
        infinite = (found["symptom"] != Symptom.BEYOND_BOUND.value).any()
        number = f"{ulps(float(far))} ulp" if isinstance(far, float) else ""
        size = listed([part for part in (number, "NaN or ∞" if infinite else "") if part])
        where = in_order(found["dtype"].unique().to_list(), list(DTYPES))
        told.append(f"`{name}` ({words(str(output))} in {dtypes_text(where)}: {size})")
    asked = called(run).verdicts["implementation"].n_unique()
    doors = wrong["implementation"].n_unique()
    return (
        f"On ordinary inputs of two classes or more, {doors} of the {asked} implementations that users call "
        f"exceed the stable bound: {listed(told)}. The bound is tight enough to catch a sum kept in bfloat16 "
        "and fair to every textbook form."
    )


HERE = Target(".venv/bin/python", "$VIRTUAL_ENV")
"""Whom somebody asks who has activated an environment."""


def _first() -> str:
    """What ``conformance torch`` said of the pinned version, by the run file that it wrote."""
    run, out = read((FIRST,)), io.StringIO()
    page, file = (f"conformance-out/torch.{kind}" for kind in ("html", "parquet"))
    decision = decide(run, waivers=read_waivers(known_files()))
    screen = Console(file=out, width=WIDTH, no_color=True, highlight=False)
    first.show(run, decision, causes(run), page, file, HERE.by(()), screen)
    return f"```text\n{out.getvalue().rstrip()}\n```"


def _tested() -> str:
    """How the instrument was tested by breaking it."""
    silent = len(re.findall(r"^\| `\w+` \|.*\| nothing \|$", POWER.read_text(encoding="utf-8"), re.MULTILINE))
    seen = sum(fault.beyond is None for fault in FAULTS)
    return (
        "* The instrument is *tested by breaking it*: of "
        f"{len(FAULTS)} seeded faults, each a defect that real code has had, {seen} are caught in `quick`; "
        f"of {len(VARIANTS)} correct variants {silent} raise no alarm at all, and the other "
        f"{len(VARIANTS) - silent} break no must clause; {len(mutants())} [mutants](docs/MUTANTS.md) of a "
        f"textbook; {len(entries())} [defects](docs/HISTORICAL.md) that were reported against real "
        "frameworks. [docs/EVIDENCE.md](docs/EVIDENCE.md) has all of it, with who catches whom."
    )


def _cost(run: Run) -> str:
    """What the published run took, as its file says."""
    spent = run.header["seconds"]
    parts = ", ".join(f"{name} {seconds(s)}" for name, s in spent.items() if name != "total")
    own = sum(spent[part] for part in ("reference", "judging", "diagnosis"))
    share = own / sum(s for name, s in spent.items() if name != "total")
    naive = run.verdicts.filter(pl.col("formulation") == NAIVE).height
    page = next(p for p in PAGES if p.name == "report").file.stat().st_size
    names = run.verdicts["framework"].n_unique()
    total, verdicts = seconds(spent["total"]), count(run.verdicts.height)
    return (
        f"The published run, `standard` of {names} frameworks on two cores, took {total} for {verdicts} "
        f"verdicts ({count(naive)} of naive controls): {parts}, of workers that run side by side. "
        f"The suite's own share (reference, judging, diagnosis, in the driver) is {100 * share:.0f} %. Its "
        f"page is {page / 1e6:.2f} MB; one that would be larger than 1.5 MB says what it shortens."
    )


def within(name: str) -> re.Pattern[str]:
    """Where a block stands."""
    return re.compile(f"(<!-- {name} -->\n).*?(\n?<!-- /{name} -->)", re.DOTALL)


def with_block(text: str, name: str, block: str) -> str:
    """The text of a page with this block in the place of the one that stands there."""
    return within(name).sub(lambda found: f"{found[1]}{block}\n{found[2].lstrip()}", text)


def main(arguments: list[str]) -> None:
    """Print the blocks, or write them."""
    for name, block in blocks().items():
        if "--write" in arguments:
            text = HOMES[name].read_text(encoding="utf-8")
            HOMES[name].write_text(with_block(text, name, block), encoding="utf-8")
        else:
            print(block, end="\n\n")


if __name__ == "__main__":
    main(sys.argv[1:])
