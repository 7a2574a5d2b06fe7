"""Stubs of waivers: an entry for each cause that no waiver accepts, all written but its reason and link.

A cause that a hypothesis explains is one entry for a framework, wherever it shows; what none explains has an
entry for each finding.

A stub is invalid until a person has written those two, so nothing is ever accepted by running a command.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import tomli_w
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from xent_conformance.cases.corpus import smallest_profile
from xent_conformance.cases.profile import Profile
from xent_conformance.decision.gate import blocking_faults, marked_faults
from xent_conformance.decision.places import Places
from xent_conformance.decision.policy import Policy
from xent_conformance.decision.waivers import MEASURED, Waiver, of_fields
from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.findings import TARGETS
from xent_conformance.reports.text.wording import Answer, plural

_FINDING = ["framework", "implementation", "output", "clause", "symptom"]

_ORDINARY = re.compile(r"[^a-z0-9]+")

HEAD = """\
# Stubs of waivers. Each names one known cause and accepts it, and nothing else in its place.
# Write `reason` (why it is accepted, a sentence) and `link` (where upstream documents or tracks it, or
# "none") of each, and take out what is not to be accepted. Until both are written the file is refused.
"""


@dataclass(frozen=True)
class Stub:
    """One entry: its fields in the order in which they are written, and what was found, in words.

    ``count`` verdicts it was written for; taken as it stands it ``accepts`` so many of the run: those of
    other levels, and of other waivers, among them.
    """

    fields: Mapping[str, Any]
    found: tuple[str, ...]
    count: int
    accepts: int
    cause: str
    """By its lasting name; empty where nobody diagnosed it."""


def stubs(
    run: Run,
    waivers: Sequence[Waiver],
    levels: Collection[str] = ("must",),
    *,
    baseline: Run | None = None,
    policy: Policy | None = None,
) -> list[Stub]:
    """A stub for each cause of these levels that none of ``waivers`` accepts, worst first.

    With a ``baseline``, for each that blocks against it, which one of the suite may know.
    """
    verdicts = called(run).verdicts
    marked, _ = marked_faults(run, waivers)
    if baseline is None:
        faults = marked.filter(pl.col("waiver").is_null())
    else:
        faults = blocking_faults(marked, run, baseline, policy or Policy())
    ordered = faults.filter(pl.col("level").is_in(list(levels))).sort(
        ["level", *_FINDING, "ulps", "n", "case"],
        descending=[False] * 6 + [True, False, False],
        nulls_last=True,
    )
    names = {w.name for w in waivers}
    found = []
    explained = pl.col("cause").is_in(list(run.causes))
    for _, rows in ordered.filter(explained).group_by("framework", "cause", maintain_order=True):
        found.append(_of_a_cause(rows, marked, names, run))
        names.add(found[-1].fields["name"])
    for _, rows in ordered.filter(~explained).group_by(_FINDING, maintain_order=True):
        found.append(_stub(rows, verdicts, marked, names))
        names.add(found[-1].fields["name"])
    return found


def known_to_the_suite(run: Run, waivers: Sequence[Waiver]) -> int:
    """How many verdicts of broken must clauses a waiver of the suite accepts."""
    marked, _ = marked_faults(run, waivers)
    return marked.filter("shipped", pl.col("level") == "must").height


def by_cause(run: Run, waivers: Sequence[Waiver]) -> Mapping[str, str]:
    """By the id of a cause, the entries that would accept what no waiver does, to be completed."""
    found: dict[str, list[Stub]] = {}
    for stub in stubs(run, waivers):
        found.setdefault(stub.cause, []).append(stub)
    return {cause: "\n".join(map(_entry, entries)) for cause, entries in found.items() if cause}


def _of_a_cause(rows: pl.DataFrame, faults: pl.DataFrame, taken: Collection[str], run: Run) -> Stub:
    """The entry of one explained cause in one framework."""
    rows = rows.sort("ulps", "n", "case", descending=[True, False, False], nulls_last=True)
    worst = rows.row(0, named=True)
    versions, remark = _range(rows["version"].unique().to_list())
    implementations = _sorted(rows["implementation"])
    here = pl.col("implementation").is_in(implementations)
    told = run.causes[worst["cause"]]
    fields: dict[str, Any] = {
        "name": _free(_slug(f"{worst['framework']}-{worst['cause']}"), taken),
        "framework": worst["framework"],
        "versions": versions,
        "cause": worst["cause"],
        "implementations": implementations,
        "witnesses": _witnesses(rows, faults.filter(here)),
        "reason": "",
        "link": "",
    }
    formula = f"{told['hypothesis']}: {told['sentence']}"
    return _written(fields, rows, faults, [formula], remark)


def _stub(rows: pl.DataFrame, verdicts: pl.DataFrame, faults: pl.DataFrame, taken: Collection[str]) -> Stub:
    """The entry of one finding; ``rows`` has its worst verdict first, ``faults`` all, accepted or not."""
    worst = rows.row(0, named=True)
    here = pl.all_horizontal(pl.col(c) == worst[c] for c in ("framework", "implementation", "output"))
    asked = verdicts.filter(here & pl.col("case").is_in(rows["case"].unique().to_list()))
    versions, remark = _range(rows["version"].unique().to_list())
    fields: dict[str, Any] = {
        "name": _free("-".join(_slug(str(worst[c])) for c in _FINDING), taken),
        "framework": worst["framework"],
        "versions": versions,
        "operators": _sorted(rows["operator"]),
        "implementations": [worst["implementation"]],
        "outputs": [worst["output"]],
    }
    for field, column in (("modes", "mode"), ("devices", "device")):
        failing = _sorted(rows[column])
        if failing != _sorted(asked[column]):
            fields[field] = failing
            here &= pl.col(column).is_in(failing)
    fields |= {"clause": worst["clause"], "symptom": worst["symptom"]}
    if worst["symptom"] in MEASURED:
        fields["ulps"] = ceiling(worst["ulps"])
    families = sorted(set(rows.select("operator", "family").iter_rows()))
    fields |= {
        "cases": [f"{operator}/{family}/*" for operator, family in families],
        "witnesses": _witnesses(rows, faults.filter(here)),
        "reason": "",
        "link": "",
    }
    return _written(fields, rows, faults, [], remark)


def _written(
    fields: Mapping[str, Any],
    rows: pl.DataFrame,
    faults: pl.DataFrame,
    formula: Sequence[str],
    remark: Sequence[str],
) -> Stub:
    """The stub for ``rows``, the worst first; what it accepts is asked of the waiver that it will be."""
    waiver = of_fields(fields, SpecifierSet(fields["versions"]))
    taken = Places(faults).of(waiver).filter(waiver.accepts())
    counted = [f"accepts {plural(taken.height, 'verdict')} of this run: {_spread(taken)}"]
    if taken.height != rows.height:
        counted.append(f"written for {rows.height} of them: {_spread(rows)}")
    found = (*formula, *counted, _worst(rows), *remark)
    return Stub(fields, found, rows.height, taken.height, rows["cause"][0])


def _spread(rows: pl.DataFrame) -> str:
    """``bfloat16, float32; eager cpu``: the formats, modes and devices of some verdicts."""
    return f"{', '.join(_sorted(rows['dtype']))}; {', '.join(rows.select(TARGETS)['targets'])}"


def _worst(rows: pl.DataFrame) -> str:
    """Whose they are, and the worst, which is the first."""
    worst = rows.row(0, named=True)
    return (
        f"in {worst['framework']} {', '.join(_sorted(rows['version']))}; {worst['level']} {worst['clause']}; "
        f"at worst {Answer.of(worst).with_message(worst['message'])}"
    )


def ceiling(ulps: float) -> float:
    """The next power of two: room for another machine's rounding, and none for another fault."""
    if not math.isfinite(ulps):
        return math.inf
    mantissa, exponent = math.frexp(ulps)
    try:
        return math.ldexp(1.0, exponent - 1 if mantissa == 0.5 else exponent)
    except OverflowError:
        return math.inf


def _range(versions: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """From the oldest version that was run; every version, with a remark, where they have no order."""
    try:
        return f">={min(map(Version, versions)).public}", ()
    except InvalidVersion:
        return "", ("its version is none that has an order (PEP 440), so no range can be given",)


def _witnesses(rows: pl.DataFrame, there: pl.DataFrame) -> list[str]:
    """The worst case, and with it the worst of those that the smallest profile asks.

    A case that fails in another way too, in another mode perhaps, would say of the waiver that it has
    worsened: it is taken only if there is no other. ``there``: all faults in the waiver's place.
    """
    mixed = there.join(rows, on=["clause", "symptom"], how="anti")["case"].unique().to_list()
    clean = rows.filter(~pl.col("case").is_in(mixed))
    rows = clean if clean.height else rows
    keys = rows.select("operator", "family", "dtype", "n").iter_rows()
    profiles = pl.Series("_profile", [_asked_since(*key).rank for key in keys])
    order = rows.with_columns(profiles).sort("_profile", maintain_order=True)
    return list(dict.fromkeys([rows["case"][0], order["case"][0]]))


def _asked_since(operator: str, family: str, dtype: str, n: int) -> Profile:
    """The smallest profile that asks such cases; those of a file are asked in any."""
    try:
        return Profile(smallest_profile(operator, family, dtype, n))
    except LookupError:
        return Profile.QUICK


def _sorted(column: pl.Series) -> list[str]:
    return list(column.unique().sort().to_list())


def _slug(text: str) -> str:
    return _ORDINARY.sub("-", text.lower()).strip("-") or "x"


def _free(name: str, taken: Collection[str]) -> str:
    """The name, with a number where it is taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


# --- TOML ----------------------------------------------------------------------------------------------


def in_words(found: Sequence[Stub]) -> str:
    """``1 stub for 3 verdicts``."""
    return f"{plural(len(found), 'stub')} for {plural(sum(stub.count for stub in found), 'verdict')}"


def toml(found: Sequence[Stub]) -> str:
    """The stubs as a file that ``read_waivers`` reads, once a person has ended it."""
    return "\n".join([HEAD, *(_entry(stub) for stub in found)])


def _entry(stub: Stub) -> str:
    lines = ["[[waiver]]", *(f"# {_comment(line)}" for line in stub.found)]
    for name, value in stub.fields.items():
        remark = "  # to be written by a person" if name in ("reason", "link") else ""
        lines.append(f"{name} = {literal(value)}{remark}")
    return "\n".join(lines) + "\n"


def literal(value: str | float | Sequence[str]) -> str:
    """A value in TOML: a basic string, a float, or a list of strings, one a line where there are several."""
    if isinstance(value, str | float):
        # a lone surrogate is no character of TOML's
        plain = value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        return tomli_w.dumps({"_": plain}).removeprefix("_ = ").removesuffix("\n")
    if len(value) == 1:
        return f"[{literal(value[0])}]"
    return "[\n" + "".join(f"    {literal(v)},\n" for v in value) + "]"


def _comment(text: str) -> str:
    """A comment has no control characters, and ends with its line."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(line.encode("utf-8", "replace").decode().split())[:400]
