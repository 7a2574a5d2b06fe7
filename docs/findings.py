"""What is wrong in the published run, a cause an entry, with what upstream says of it.

``python -m docs.findings`` prints docs/FINDINGS.md. Whether it was reported is what the waivers say that
accept it: their links were looked up. ``tests/test_published.py`` compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl
from packaging.version import Version

from docs.published import SCRIPTS, read
from xent_conformance.decision.gate import decide
from xent_conformance.decision.waivers import Waiver, known_files, read_waivers
from xent_conformance.reports.html.marks import cause_id
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import capital, dtypes_text, listed, plural
from xent_conformance.reports.views.causes import Cause, causes

HEAD = """# Findings

What the published run has wrong, each thing once, the most harmful first: {number} causes, {must} of \
which break a must clause, in {tested}. Printed by `.venv/bin/python -m docs.findings` from \
[`reports/published/run.parquet`](../reports/published); a test compares. A name lasts from run to run, \
and is the end of a link to the [page](../reports/published/report.html), which has the inputs to the \
last bit and everybody's answer. *Upstream* is what the waivers that accept it link to, each looked up \
by a person; where they link to nothing, nobody is known to have reported it.
"""

WRONG = """## Where we were wrong

Each of these accused somebody who was right, or let somebody pass who was not.

* A loss that was composed here for JAX wrapped unsigned 8-bit labels around, and the finding was \
charged to JAX: the labels are converted first now, as Optax does (clause 6.5).
* Bounds underflowed where gradients are subnormal: at four places a result that is right could have \
been called wrong. They were derived again ([SPEC.md 8.11](../reference/clauses/SPEC.md)).
* Beside an exact value that is subnormal, an error in binary64 that is too large to be counted in ulps \
was taken for one within its bound, and a wrong number for a loss of relative accuracy.
* On a GPU an index out of range breaks the process, and every later call fails. Rows of the same run \
that were asked after it were said to be refused, thousands of them, of implementations that answer \
them. A process is tried with harmless rows now, before and after.
* What came back when a call was made again was compared and not graded: a wrong number passed for other \
bits. It is graded too.
* Waivers were true of one instruction set only: TensorFlow's softmax with oneDNN passes NaN on where \
there is AVX-512, and not elsewhere. They name the instruction sets they were seen with.
"""


def page() -> str:
    """All of docs/FINDINGS.md."""
    run = read(("run",))
    links, versions = _known(run)
    scripts = {cause for h in run.headers for cause in h.get(SCRIPTS, {})}
    found = causes(run)
    head = HEAD.format(
        number=len(found), must=sum(c.level == "must" for c in found), tested=listed(run.tested)
    )
    entries = [
        "\n".join(_entry(c, run, links.get(c.id, ()), versions.get(c.id, ()), c.id in scripts)) for c in found
    ]
    return "\n".join([head, *entries, WRONG])


def _known(run: Run) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]]:
    """By cause, what the waivers that accept it link to, and since which versions it is known."""
    waivers: Mapping[str, Waiver] = {w.name: w for w in read_waivers(known_files())}
    links: dict[str, dict[str, None]] = {}
    versions: dict[str, dict[str, None]] = {}
    for kept in decide(run, waivers=list(waivers.values())).accepted:
        waiver = waivers[kept.waiver]
        versions.setdefault(kept.cause, {})[f"{waiver.framework} {waiver.versions or 'any'}"] = None
        if waiver.link.startswith("https://"):
            links.setdefault(kept.cause, {})[waiver.link] = None
    return _listed(links), {cause: _since(texts) for cause, texts in versions.items()}


def _since(ranges: Iterable[str]) -> tuple[str, ...]:
    """``jax >=0.4.35``: of each framework the widest range."""
    widest: dict[str, str] = {}
    for text in ranges:
        name, _, versions = text.partition(" ")
        if name not in widest or _first(versions) < _first(widest[name]):
            widest[name] = versions
    return tuple(f"{name} {versions}" for name, versions in sorted(widest.items()))


def _first(versions: str) -> Version:
    found = [Version(part.removeprefix(">=")) for part in versions.split(",") if part.startswith(">=")]
    return min(found, default=Version("0"))


def _listed(found: Mapping[str, Mapping[str, None]]) -> Mapping[str, tuple[str, ...]]:
    return {cause: tuple(sorted(texts)) for cause, texts in found.items()}


def _entry(c: Cause, run: Run, links: Iterable[str], ranges: Iterable[str], scripted: bool) -> Iterable[str]:
    rows = run.broken.filter(pl.col("cause") == c.id)
    versions = rows.select("framework", "version").unique().sort("framework", "version").iter_rows()
    names = rows.group_by("implementation").len().sort("len", "implementation", descending=[True, False])
    shown = names["implementation"].to_list()
    more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
    yield f"## {capital(c.title)}"
    yield ""
    where = f"clauses {', '.join(c.clauses)} · {plural(c.verdicts, 'verdict')}, {c.symptom}"
    yield f"`{c.id}` · {c.level} · {where}"
    yield ""
    if c.sentence:
        held = f" {count(c.conforming)} conforming rows of the same calls do not contradict it."
        yield f"{capital(c.sentence)}.{held if c.conforming else ''}"
        yield ""
    yield f"* Seen in {listed([f'{name} {version}' for name, version in versions])}, {dtypes_text(c.dtypes)}."
    yield f"* In {', '.join(f'`{name}`' for name in shown[:6])}{more}."
    if c.right:
        answer = f"`{c.implementation}` returns `{c.returned}`, right is `{c.right}`"
    else:
        answer = f"`{c.implementation}`: {c.answer.returned}"
    yield f"* For instance `{c.worst}`: {answer}."
    known = ", ".join(ranges)
    if known:
        yield f"* Known of {known}: the versions in which a waiver's witnesses were seen to fail."
    upstream = ", ".join(f"<{link}>" for link in links)
    yield f"* Upstream: {upstream or 'not reported, as far as we know'}."
    link = f"[everybody's answer](../reports/published/report.html#{cause_id(c.id)})"
    row = {"case": c.worst, "implementation": c.implementation, "framework": c.framework, "mode": c.mode}
    script = commands.script(run, {**row, "device": c.device, "output": c.output})
    yield f"* {'A script that shows it, and ' if scripted else ''}{link}; `{script}`."
    yield ""


if __name__ == "__main__":
    print(page(), end="")
