"""What is missing for any decision: in the run itself, and since the baseline."""

from __future__ import annotations

import polars as pl

from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.findings import TARGETS
from xent_conformance.reports.run.words import JUDGED, NAIVE, Outcome, Row, Status
from xent_conformance.reports.text.asked import excluded
from xent_conformance.reports.text.wording import listed, plural
from xent_conformance.reports.views.comparison import Change, Comparison
from xent_conformance.reports.views.gate import Answered
from xent_conformance.reports.views.reasons import Kind, Reason

USERS = pl.col("formulation") != NAIVE
"""Of the verdicts those that are not of controls."""

SMALL = "it was made small to be published, and has not all the bits; compare what was asked itself"
"""Why a slim run file is not compared with one that is whole."""


def evidence(run: Run) -> list[Reason]:
    """What is missing for any decision."""
    reasons = []
    if not run.verdicts.select((USERS & pl.col("status").is_in(JUDGED)).any()).item():
        reasons.append(_nothing_judged(run))
    else:
        reasons += _unanswered(run)
    for header in run.headers:
        absent = {gap["framework"]: gap for gap in header["absent"]}
        for name, gap in absent.items():
            reasons.append(
                Reason(
                    Kind.ABSENT,
                    True,
                    f"{name} was asked for and is absent",
                    gap["message"],
                    gap["install"],
                    framework=name,
                )
            )
        for name, planned in header["planned"].items():
            done = header["finished"].get(name, 0)
            if done != planned and name not in absent:
                reasons.append(
                    Reason(
                        Kind.UNFINISHED,
                        True,
                        f"{name} answered {done} of {planned} batches",
                        "the run ended before everything was asked; run again",
                        commands.ask_again(header),
                        framework=name,
                    )
                )
        reasons += _left_out(header)
    undecided = run.verdicts.filter(USERS & (pl.col("status") == Status.UNDECIDED.value))
    if not undecided.is_empty():
        title = f"the reference could not certify {undecided.height} verdicts"
        reasons.append(_shown(Kind.UNDECIDED, title, "what is right is not known there", run, undecided))
    return reasons


def _nothing_judged(run: Run) -> Reason:
    """Nothing was answered, or there is no clause that judges any of it."""
    opened = run.verdicts.filter(USERS & (pl.col("status") == Status.OPEN.value))
    if opened.is_empty():
        return Reason(
            Kind.NO_VERDICTS,
            True,
            "the run has no answer of an implementation that users call",
            "nothing was answered and judged, so nothing is shown to conform",
            commands.ask_again(run.header),
        )
    title = "all that was answered is open, so nothing is judged"
    told = "no rule says what is right there (clause {clause}): it is recorded, and nothing shown to conform"
    return _shown(Kind.NO_VERDICTS, title, told, run, opened)


def _shown(kind: Kind, title: str, detail: str, run: Run, rows: pl.DataFrame) -> Reason:
    """What blocks for want of evidence in these rows, with their first case, of which ``detail`` may tell."""
    row = rows.sort("case").row(0, named=True)
    return Reason(
        kind,
        True,
        title,
        detail.format_map(row),
        commands.explain(run, row["case"], row["implementation"], row["device"]),
        rows.height,
        case=row["case"],
        operator=row["operator"],
        output=row["output"],
    )


def frameworks_of(header: Row) -> list[str]:
    """The frameworks of whose seats something was planned."""
    return list(dict.fromkeys(key.partition("[")[0].partition(" ")[0] for key in header["planned"]))


def answered(run: Run) -> list[Answered]:
    """How much of what each framework offered it answered; controls are nobody's offer."""
    offered = pl.col("status") != Status.UNSUPPORTED.value
    by_right = (pl.col("outcome") == Outcome.RETURNED.value) | (pl.col("status") == Status.CONFORMS.value)
    users = run.verdicts.select("framework", answered=USERS & offered & by_right, offered=USERS & offered)
    counted = users.group_by("framework").agg(pl.col("answered", "offered").sum())
    found = {name: (of, out) for name, of, out in counted.iter_rows()}
    asked = dict.fromkeys(name for header in run.headers for name in frameworks_of(header))
    return [Answered(name, *found.get(name, (0, 0))) for name in asked]


def _unanswered(run: Run) -> list[Reason]:
    """Frameworks that were there and answered nothing: what stands beside them says nothing of them.

    What is declared not to be offered is not due, unless the framework was asked for by name. One of which
    controls alone were asked has nothing that users call.
    """
    headers = {name: header for header in run.headers for name in frameworks_of(header)}
    absent = {g["framework"].partition("[")[0] for h in run.headers for g in h["absent"]}
    rows = dict(run.verdicts["framework"].value_counts().iter_rows())
    controls = run.verdicts.group_by("framework").agg((pl.col("formulation") == NAIVE).all())
    controls_alone = {name for name, alone in controls.iter_rows() if alone}
    reasons = []
    for a in answered(run):
        header = headers[a.framework]
        if a.answered or a.framework in absent | controls_alone:
            continue
        if a.offered:
            words = f"{a.framework} answered none of {plural(a.offered, 'verdict')} that it offers"
            told = "it raised, crashed or did not come back, whatever it was given"
            reasons.append(_nothing(Kind.UNANSWERED, True, words, told, a.framework, header))
        elif a.framework not in rows:
            words = f"{a.framework} is there, and was asked nothing"
            told = "of its devices and modes none was asked; nothing is shown to conform"
            reasons.append(_nothing(Kind.NO_VERDICTS, True, words, told, a.framework, header))
        else:
            named = a.framework in header["selection"]["frameworks"]
            words = f"{a.framework} offers nothing of what was asked"
            told = "its declaration says so: nothing of it is shown to conform"
            reasons.append(_nothing(Kind.NO_VERDICTS, named, words, told, a.framework, header))
    return reasons


def _nothing(kind: Kind, blocking: bool, title: str, detail: str, framework: str, header: Row) -> Reason:
    return Reason(kind, blocking, title, detail, commands.ask_again(header), framework=framework)


def _left_out(header: Row) -> list[Reason]:
    """What was not asked because somebody said so: nothing is decided on it."""
    pattern = commands.words("exclude", header["selection"].get("exclude", ()))
    again = {**header, "selection": {**header["selection"], "exclude": ()}}
    return [
        Reason(
            Kind.EXCLUDED,
            False,
            f"{framework}: {plural(len(names), 'implementation')} not asked",
            f"{pattern} left out {listed(names)}: whether they conform is not known",
            commands.ask_again(again),
            framework=framework,
            implementation=names[0],
        )
        for framework, names in excluded(header).items()
    ]


def since(comparison: Comparison) -> list[Reason]:
    """What the baseline has not, or has and this run has not."""
    reasons: list[Reason] = []
    if comparison.old.verdicts.is_empty():
        reasons.append(
            Reason(
                Kind.NO_VERDICTS,
                True,
                "the baseline has no verdict of an implementation that users call",
                "against nothing, nothing can be worse; make a baseline that asks something",
                commands.ask_again(comparison.old.header),
            )
        )
    reasons += _unfit(comparison)
    if comparison.old.is_slim != comparison.new.is_slim:
        # what is left of a hash is another hash: every pair would be said to have changed
        which, run = (
            ("the run", comparison.new) if comparison.new.is_slim else ("the baseline", comparison.old)
        )
        title, command = f"{which} is a slim run file", commands.ask_again(run.header)
        return [*reasons, Reason(Kind.NOT_COMPARABLE, True, title, SMALL, command)]
    for change, kind in ((Change.MISSING, Kind.MISSING), (Change.NOT_COMPARABLE, Kind.NOT_COMPARABLE)):
        reasons += _gaps(comparison, change, kind)
    return reasons


def _unfit(comparison: Comparison) -> list[Reason]:
    """Why the baseline says less than a run of before would: it is unfinished, or was judged otherwise."""
    reasons, old, new = [], comparison.old, comparison.new
    anew = "make a new baseline, with the suite and the cases of the run"
    for header in old.headers:
        gaps = [f"{g['framework']} is absent" for g in header["absent"]]
        gaps += [
            f"{name} answered {header['finished'].get(name, 0)} of {planned} batches"
            for name, planned in header["planned"].items()
            if header["finished"].get(name, 0) != planned
        ]
        if gaps:
            told = f"{listed(gaps)}: what is not in it cannot have become worse; finish it, or make a new one"
            command = commands.ask_again(header)
            reasons.append(Reason(Kind.UNFINISHED, True, "the baseline is unfinished", told, command))
    if {h["reference"] for h in old.headers} != {h["reference"] for h in new.headers}:
        told = f"what is right, or how far is right, may be another; {anew}"
        title = "the baseline was judged by another reference"
        command = commands.ask_again(old.header)
        reasons.append(Reason(Kind.NOT_COMPARABLE, True, title, told, command))
    for profile in _other_corpora(old, new):
        told = f"its cases are not those of the run; {anew}"
        title = f"the baseline asked another corpus ({profile})"
        command = commands.ask_again(old.header)
        reasons.append(Reason(Kind.NOT_COMPARABLE, True, title, told, command))
    return reasons


SUITE = ("suite", "reference", "instrument")
"""What of a header is another, whatever was asked, where another version of the suite has asked it."""


FILES = "files of cases"
"""In place of a profile, for what they ask."""


def another_suite(old: Run, new: Run) -> bool:
    """Whether another version of the suite has asked, or judged, any of the older run.

    Files of cases are their author's, whichever suite asks them.
    """
    of_old, of_new = ({tuple(h.get(name, "") for name in SUITE) for h in run.headers} for run in (old, new))
    return not of_old <= of_new or any(profile != FILES for profile in _other_corpora(old, new))


def _other_corpora(old: Run, new: Run) -> list[str]:
    """The profiles that both have asked, of other cases."""
    of_new = _corpora(new)
    return [profile for profile, digests in _corpora(old).items() if digests != of_new.get(profile, digests)]


def _corpora(run: Run) -> dict[str, set[str]]:
    """The digests of what was asked, by profile: each profile has its own."""
    found: dict[str, set[str]] = {}
    for header in run.headers:
        asked = FILES if header["selection"].get("cases") else header["selection"]["profile"]
        found.setdefault(asked, set()).add(header["corpus"])
    return found


def _asked_of(run: Run, framework: str) -> Row:
    """The header of the run file, among those merged, that asked a framework."""
    found = (h for h in run.headers if any(f["framework"] == framework for f in h["frameworks"]))
    return next(found, run.header)


def _gaps(comparison: Comparison, change: Change, kind: Kind) -> list[Reason]:
    """One reason for each implementation of which verdicts are missing or not comparable."""
    reasons = []
    another = another_suite(comparison.old, comparison.new)
    left_out = {f: names for h in comparison.new.headers for f, names in excluded(h).items()}
    gone = comparison.of(change).sort("case").with_columns(_rows=pl.len().over("framework", "implementation"))
    gone = gone.sort("_rows", descending=True, maintain_order=True)
    for (framework, name), rows in gone.group_by("framework", "implementation", maintain_order=True):
        targets = rows.select(TARGETS)["targets"].to_list()
        what = {
            Kind.MISSING: "the baseline has verdicts that this run has not; ask the same profile, frameworks "
            "and devices, or make a new baseline"
            + (": another version of the suite has asked it, and may ask more" if another else ""),
            Kind.NOT_COMPARABLE: "the corpus or a clause has changed; make a new baseline with this suite",
        }[kind]
        if kind is Kind.MISSING and name in left_out.get(str(framework), ()):
            what = "the baseline has verdicts of it, and --exclude left it out of this run; ask it too"
        reasons.append(
            Reason(
                kind,
                True,
                f"{name}: {rows.height} verdicts {kind.value}",
                what,
                commands.ask_again(_asked_of(comparison.old, str(framework))),
                rows.height,
                framework=str(framework),
                implementation=str(name),
                targets=tuple(targets),
                case=rows["case"][0],
            )
        )
    return reasons
