"""What is published: run files, made small, and the pages made from them, in ``reports/published``.

``python -m docs.published run=out/run.parquet`` keeps a run file under that name, with a script for each of
its causes where its frameworks are installed, and writes all pages again; without arguments it writes the
pages again from the files that are there. ``tests/test_published.py`` compares.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from docs.sweep import kept as sweeps
from making.devices import TARGETS
from xent_conformance.decision.compare import compare
from xent_conformance.decision.gate import decide
from xent_conformance.decision.stubs import by_cause
from xent_conformance.decision.waivers import known_files, read_waivers
from xent_conformance.explain.script.of_causes import scripts
from xent_conformance.reports.html.comparison import render_comparison
from xent_conformance.reports.html.report import render
from xent_conformance.reports.html.section import Extras
from xent_conformance.reports.run.beside import beside
from xent_conformance.reports.run.commands import Files
from xent_conformance.reports.run.file import SLIM, Run, called, read_run, write_run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.views.slim import slim

HERE = Path(__file__).resolve().parents[1] / "reports" / "published"

TRUST = "docs/RELIABILITY.md"
"""Of which a page says that it tells how evidence is tried: here it is a link."""

ENVIRONMENT = r'/[^\s"|()]*?/(lib/python3|\.venv)'
"""What stands before the folders of an environment."""

SCRIPTS = "scripts"
"""Of a header: by cause, the script that shows it."""


@dataclass(frozen=True)
class Page:
    """A page and the run files that it is made from; with ``before``, of what became of each verdict."""

    name: str
    runs: tuple[str, ...]
    before: tuple[str, ...] = ()
    command: str = ""

    @property
    def file(self) -> Path:
        """Where it lies."""
        return HERE / f"{self.name}.html"


DEVICES = Page("devices", tuple(f"devices-{name}" for name in TARGETS))
"""Of the run files that ``make report-devices`` writes."""

PAGES = (
    Page("report", ("run",)),
    DEVICES,
    Page("gpu", ("gpu-jax", "gpu-torch")),
    Page("gpu-h200", ("gpu-h200-jax", "gpu-h200-liger", "gpu-h200-optax", "gpu-h200-torch")),
    Page("gpu-h200-standard", ("gpu-h200-standard-jax", "gpu-h200-standard-optax")),
    Page(
        "upgrade-jax",
        ("jax-0.10.2",),
        ("jax-0.9.2",),
        "conformance upgrade 'jax==0.9.2' 'jax==0.10.2' --profile quick --html upgrade.html",
    ),
)

FIRST = "first"
"""The run file of ``conformance torch``, of which README shows the five lines."""


def run_file(name: str) -> Path:
    """Where a run file lies."""
    return HERE / f"{name}.parquet"


def read(names: Sequence[str]) -> Run:
    """Those run files, merged."""
    files = [run_file(name) for name in names]
    return _beside(tuple((file, file.stat().st_mtime_ns) for file in files))


@functools.cache
def _beside(files: Sequence[tuple[Path, int]]) -> Run:
    """Read once, as long as they are what they were: a dozen sentences and pages are of one run."""
    return beside([file for file, _ in files])


def keep(name: str, run: Run) -> None:
    """Write a run file with its scripts: small, but where verdicts are compared, which needs all numbers.

    Raises ValueError if the page of what is left is not that of the whole.
    """
    run = placeless(run)
    compared = any(name in (*page.runs, *page.before) for page in PAGES if page.before)
    small = run if compared else slim(run)
    told = {SLIM: small.header.get(SLIM)} if small is not run else {}
    whole = replace(run, headers=tuple({**h, **told} for h in run.headers))
    if render(small, findings(small.verdicts)) != render(whole, findings(run.verdicts)):
        raise ValueError(f"the page of the slim {name} is not that of the whole")
    header = {**small.header, SCRIPTS: dict(scripts(run))}
    write_run(run_file(name), replace(small, headers=(header,)))


def placeless(run: Run) -> Run:
    """The run without where this checkout, its caller and the libraries of an environment lie.

    Of a framework's own words the folders go in which those of ours, of Python or of an environment are.
    """
    words = (
        pl.col("message").cast(pl.String).str.replace_all(r'File "/[^"]*?/conformance/', 'File "conformance/')
    )
    words = words.str.replace_all(ENVIRONMENT, "$1")
    return Run(run.verdicts.with_columns(words), tuple(_elsewhere(h) for h in run.headers))


def _elsewhere(told: Any) -> Any:
    """What a header says, without where this checkout lies, or another that was asked."""
    match told:
        case str():
            return re.sub(ENVIRONMENT, r"\1", told.replace(f"{HERE.parents[1]}/", ""))
        case Mapping():
            return {key: _elsewhere(value) for key, value in told.items()}
        case list() | tuple():
            return [_elsewhere(value) for value in told]
    return told


def extras(run: Run) -> Extras:
    """What one takes away of each cause: the scripts that the files carry, and entries of waivers."""
    carried = {cause: text for h in run.headers for cause, text in h.get(SCRIPTS, {}).items()}
    return Extras(carried, by_cause(run, read_waivers(known_files())), _swept(run))


def _swept(run: Run) -> list[Mapping[str, Any]]:
    """The sweeps of 32 bits of what the run has asked: the same framework, version and device."""
    asked = {(f["framework"], f["version"]) for h in run.headers for f in h["frameworks"]}
    devices = set(run.verdicts["device"].unique())
    return [
        d
        for d in sweeps()
        if d["asked"]["dtype"] == "float32"
        and d["asked"]["device"] in devices
        and (d["answered"]["framework"], d["answered"]["version"]) in asked
    ]


def rendered(page: Page) -> str:
    """The page, from the run files that are kept; it does not say where it was made."""
    text = _rendered(page).replace(f"{HERE.parents[1]}/", "")
    return text.replace(f"<code>{TRUST}</code>", f'<a href="../../{TRUST}">{TRUST}</a>')


def _rendered(page: Page) -> str:
    run, waivers = read(page.runs), read_waivers(known_files())
    files = Files(tuple(str(run_file(name).relative_to(HERE.parents[1])) for name in page.runs))
    if not page.before:
        gate = replace(decide(run, waivers=waivers), files=files)
        return render(run, findings(run.verdicts), gate, extras(run))
    before = read(page.before)
    gate = decide(run, baseline=before, waivers=waivers)
    return render_comparison(compare(called(before), called(run)).told(), gate, page.command)


def main(arguments: Sequence[str]) -> None:
    """Keep the files that are named, then write every page."""
    for argument in arguments:
        name, _, path = argument.partition("=")
        keep(name, read_run(Path(path)))
    for page in PAGES:
        page.file.write_text(rendered(page), encoding="utf-8")
        print(f"{page.file.relative_to(HERE.parents[1])}: {page.file.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
