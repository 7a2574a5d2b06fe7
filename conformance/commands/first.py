"""``conformance torch``: the first answer about what is installed, in whichever environment it is."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xent_conformance.commands import completing
from xent_conformance.commands.answers import answers, opening
from xent_conformance.commands.base import (
    ANSWER_SECONDS,
    EVIDENCE,
    INTERRUPTED,
    USAGE,
    Baseline,
    Device,
    Dtype,
    Exclude,
    FailOns,
    FamilyName,
    Glob,
    Jobs,
    Known,
    NoCache,
    Operator,
    Plugin,
    ProfileName,
    Quiet,
    Timeout,
    Waivers,
    app,
    console,
    ends,
    errors,
    fail,
    plug_in,
    refused,
    select,
    verbs,
)
from xent_conformance.commands.configured import otherwise, settle
from xent_conformance.commands.deciding import deciding
from xent_conformance.commands.estimating import DryRun, estimate, show_estimate
from xent_conformance.commands.files import STANDARD, check_outputs, write
from xent_conformance.commands.group import FIRST, First
from xent_conformance.commands.where import Python, needs, target_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xent_conformance.reports.run.file import Run
    from xent_conformance.versions.target import Target


@app.command(
    FIRST,
    cls=First,
    epilog=ends(
        {
            0: "passed",
            1: "the gate failed",
            2: "wrong usage",
            3: "evidence is missing: what was named is absent, or nothing is installed",
            130: "interrupted",
        }
    ),
)
def first(
    frameworks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FRAMEWORK]...",
            help="torch, jax, tensorflow, …; default: what is installed.",
            autocompletion=completing.frameworks,
        ),
    ] = None,
    python: Python = None,
    profile: ProfileName = "quick",
    operator: Operator = None,
    dtype: Dtype = None,
    family: FamilyName = None,
    implementation: Glob = None,
    exclude: Exclude = None,
    device: Device = None,
    plugin: Plugin = None,
    timeout: Timeout = ANSWER_SECONDS,
    jobs: Jobs = None,
    no_cache: NoCache = False,
    baseline: Baseline = None,
    waivers: Waivers = None,
    known: Known = True,
    fail_on: FailOns = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where page and run file are written.")
    ] = Path("conformance-out"),
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """The first answer: ask what is installed, decide, write the page. `conformance torch` is enough.

    The environment that is asked is not changed: what a worker lacks is lent to it.
    """
    frameworks = otherwise(frameworks, "frameworks")
    settle(quiet=quiet)
    plug_in(plugin)
    frameworks = _meant(frameworks)
    if not frameworks and not quiet:
        errors.print("[dim]asking what is installed; `conformance --help` lists the commands[/dim]")
    asked_for = (operator, dtype, family, implementation, device, plugin)
    selection = select(profile, frameworks, *asked_for, exclude=exclude)
    where = target_of(python, selection.frameworks)
    if out == STANDARD:
        told = "page and run file go into a folder: name one; a document alone is printed by: conformance run"
        raise fail(f"--out -: {told} --format json", USAGE)
    file = out / f"{_stem(frameworks or (), selection.as_dict())}.parquet"
    read = [*(baseline or ()), *(waivers or ())]
    check_outputs({"--out": file}, read, force=True, tried=not dry_run)  # what is there: by check_run
    asked = [f.name for f in selection.chosen_frameworks()]
    interpreters = where.interpreters(asked)
    from xent_conformance.discovery.names import UnknownName
    from xent_conformance.reports.run.unusable import RunFileError
    from xent_conformance.running import keeping

    how: dict[str, Any] = {"timeout": timeout, "jobs": jobs, "cache": not no_cache}
    try:
        selection.seats(interpreters)  # refuses an interpreter of what is not asked
        if dry_run:
            show_estimate(estimate(selection, interpreters, file), file)(console)
            return
        keeping.check_run(file, selection.as_dict())
        with opening(selection, interpreters, **how) as there:
            decided = deciding(baseline, waivers, known, fail_on)
            result = answers(selection, interpreters, quiet=quiet, there=there, **how)
        if result.verdicts.is_empty():
            raise fail(nothing(result, where), EVIDENCE)
        from xent_conformance.reports.run.file import write_run

        _keep(out)
        file = keeping.place_of(file, result)
        write_run(file, result)
    except (UnknownName, keeping.Occupied) as wrong:
        raise fail(str(wrong), USAGE) from None
    except RunFileError as error:
        raise fail(str(error), EVIDENCE) from None
    except OSError as error:
        raise fail(refused(error, "written"), EVIDENCE) from None
    except KeyboardInterrupt:
        raise fail("interrupted; nothing is written", INTERRUPTED) from None
    from xent_conformance.reports.html.report import render
    from xent_conformance.reports.run.findings import findings
    from xent_conformance.reports.terminal import first as terminal
    from xent_conformance.reports.terminal import gate as terminal_gate
    from xent_conformance.reports.views.causes import causes

    decision = decided(result, [file])
    from xent_conformance.commands.show import extras

    page = file.with_suffix(".html")
    write(page, render(result, findings(result.verdicts), decision, extras(result, waivers, known, False)))
    by = where.by(f["framework"] for f in result.header["frameworks"])
    if quiet:
        terminal_gate.sentence(decision, console)
    else:
        terminal.show(result, decision, causes(result), str(page), str(file), by, console)
    if gaps := absent(result, where):
        raise fail(gaps, EVIDENCE)
    raise typer.Exit(decision.status)


def _meant(words: Sequence[str] | None) -> list[str] | None:
    """The frameworks by their names; status 2 for a word that names neither one nor a command."""
    from xent_conformance.discovery.framework import FRAMEWORKS
    from xent_conformance.discovery.names import meant

    found = None if words is None else [meant("framework", word, FRAMEWORKS) for word in words]
    for word in found or ():
        if word in FRAMEWORKS:
            continue
        if word.endswith(".parquet"):
            hint = f"a run file is shown by: conformance report {word}"
        else:
            near = difflib.get_close_matches(word.lower(), [*FRAMEWORKS, *verbs()], n=3, cutoff=0.5)
            near += [n for n in FRAMEWORKS if n in word.lower() and n not in near]
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(FRAMEWORKS)}"
        raise fail(
            f"{word!r} is no command and no framework: {hint} (`conformance --help` lists the commands, "
            "`conformance list devices` the frameworks; one of your own is named with --plugin as well)",
            USAGE,
        )
    return found


LONGEST = 60
"""Letters of a name of a file; what asks in more words has a digest of them."""


def _stem(frameworks: Sequence[str], asked: Mapping[str, Any]) -> str:
    """``torch``, ``torch-jax``, ``installed-standard-softmax``: another question has another name."""
    profile = asked["profile"]
    narrowed = [] if profile == "quick" else [profile]
    narrowed += [
        word for k, found in asked.items() if k not in ("frameworks", "profile", "plugins") for word in found
    ]
    told = "-".join(re.sub(r"[^\w.]+", "-", word).strip("-") for word in narrowed)
    if len(told) > LONGEST:
        told = hashlib.sha256(json.dumps(narrowed).encode()).hexdigest()[:8]
    return "-".join([*(frameworks or ("installed",)), *([told] if told else [])])


def _keep(folder: Path) -> None:
    """The folder, which a repository need not know."""
    if not folder.exists():
        folder.mkdir(parents=True)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def nothing(run: Run, where: Target) -> str:
    """Why nothing was asked at all, and what to type."""
    missing = [gap["framework"] for header in run.headers for gap in header["not_installed"]]
    install = "install one there, or " if where.takes else ""
    which = "no other" if where.named else "no"
    apart = "".join(f", nor {name} in {python}" for name, python in where.named.items())
    return absent(run, where) or (
        f"{which} framework is installed in {where.where}{apart}; {install}name the Python that has one: "
        f"--python {where.another(needs(missing).values())}"
    )


def absent(run: Run, where: Target) -> str:
    """What was named and is not there, why, and what to do; empty where nothing is missing."""
    gaps = [gap for header in run.headers for gap in header["absent"]]
    if not gaps:  # another Python is not looked for where nothing is missed: that starts some
        return ""
    told = [f"{gap['framework']} was asked for and is not there: {_gap(gap, where)}" for gap in gaps]
    at = "there" if where.takes else "in an environment of yours, and activate that"
    another = where.another(needs(gap["framework"] for gap in gaps).values())
    way = f"install it {at}, leave its name out, or name the Python that has it: --python {another}"
    return f"{'; '.join(told)}. To go on, {way}"


def _gap(gap: Mapping[str, str], where: Target) -> str:
    """Why, where, and the line that adds it there, if that is a place to which a person adds anything."""
    place = where.place(gap["framework"].partition("[")[0])
    add = f" ({gap['install']})" if where.takes or place != where.where else ""
    return f"{gap['message']}, in {place}{add}"
