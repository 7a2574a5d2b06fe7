"""Every command line that is shown, on a page, in a terminal or by a test: they are written here alone.

Each repeats what it stands beside: the implementation, the device with its variant, the plug-ins, the file
that the case is from. A function of one's own has no name that a command knows; what repeats it is the Python
call, narrowed.
"""

from __future__ import annotations

import glob
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xent_conformance.reports.run.words import OWN, Row

if TYPE_CHECKING:
    from xent_conformance.reports.run.file import Run

Header = Mapping[str, Any]

PLAIN_DEVICE = "cpu"
"""``explain`` asks the devices as they are by itself; another, or a variant, has to be named."""

_SELECTED = {
    "framework": "frameworks",
    "operator": "operators",
    "dtype": "dtypes",
    "family": "families",
    "device": "devices",
    "plugin": "plugins",
    "cases": "cases",
    "exclude": "exclude",
    "shard": "shard",
}
"""Options that may be given more than once, and what a selection calls their values."""


def line(verb: str, *words: str) -> str:
    """``conformance VERB WORDS``, as a shell takes it."""
    return shlex.join(["conformance", verb, *words])


def option(name: str, values: Iterable[str]) -> list[str]:
    """``--name`` before each of the values."""
    return [word for value in values for word in (f"--{name}", value)]


def words(name: str, values: Iterable[str]) -> str:
    """An option with its values, as a shell takes them."""
    return shlex.join(option(name, values))


# --- to see ---


def explain(run: Run, case: str, implementation: str = "", device: str = PLAIN_DEVICE) -> str:
    """Shows one case whole: inputs, certified value, and what is returned; by all, if none is named."""
    own = _own(run, implementation)
    if own is not None:
        return _call(own, **{name: asked for name, asked in narrowed(case).items() if name != "operators"})
    return _explain(run.headers, case, implementation, device)


def explain_early(row: Row, asked: Header) -> str:
    """Shows the case of a verdict, and whose it is, while a run goes on.

    ``asked``: what of its header is known then, the selection and the files of cases.
    """
    return _explain([asked], row["case"], row["implementation"], row["device"])


def _explain(headers: Sequence[Header], case: str, implementation: str, device: str) -> str:
    rest = [*_named(implementation), *_device(device), *_plugins(headers), *_cases(headers, case)]
    return line("explain", case, *rest)


def script(run: Run, row: Row) -> str:
    """Prints what repeats a verdict with its framework alone; empty for a function of one's own.

    One script shows one output of one implementation, named as it is, in one mode.
    """
    if _own(run, row["implementation"]) is not None:
        return ""
    named = ("implementation", "framework", "mode", "output")
    target = [w for name in named for w in option(name, [row[name]])]
    rest = [*_device(row["device"]), *_plugins(run.headers), *_cases(run.headers, row["case"])]
    return line("explain", row["case"], *target, *rest, "--script")


def implementations(run: Run) -> str:
    """Lists what there is to name."""
    return line("list", "implementations", *_plugins(run.headers))


def doctor() -> str:
    """Says what can be asked here, and how to get what cannot."""
    return line("doctor")


def adopt(runs: Sequence[str]) -> str:
    """Makes a run the baseline; empty for several, of which none is it."""
    return line("adopt", *runs) if len(runs) == 1 else ""


def report(runs: Iterable[str], out: str) -> str:
    """Writes the page of these run files."""
    return line("report", *runs, "-o", out)


def compare(old: str, new: str, *words: str) -> str:
    """Shows what became of every verdict."""
    return line("compare", old, new, *words)


# --- to ask ---


def ask_again(header: Header) -> str:
    """Asks once more what a run file's header says was asked."""
    if OWN in header:
        s = header["selection"]
        device = s["devices"][0] if s["devices"] else PLAIN_DEVICE
        given = {"operator": s["operators"][0], "framework": s["frameworks"][0]}
        given |= {} if device == PLAIN_DEVICE else {"device": device}
        given |= {name: s[name] for name in ("families", "dtypes", "exclude") if s.get(name)}
        return _call(header[OWN], **given, profile=s["profile"])
    return line("run", *selected(header["selection"]))


def ask(framework: str, profile: str, run: Run | None = None) -> str:
    """Asks a framework; with the plug-ins of ``run``, if any."""
    plugins = [] if run is None else _plugins(run.headers)
    return line("run", "--framework", framework, "--profile", profile, *plugins)


def run_cases(file: str, framework: str) -> str:
    """Asks a framework the cases of a file."""
    return line("run", "--cases", file, "--framework", framework)


def selected(selection: Mapping[str, Any]) -> list[str]:
    """The options that ask what a selection asks."""
    words = ["--profile", selection["profile"]]
    for name, values in chosen(selection).items():
        words += option(name, values)
    return words


def chosen(selection: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """By option, the values that narrow a selection; those that may be given more than once."""
    listed = {name: selection[key] for name, key in _SELECTED.items() if selection.get(key)}
    named = selection["implementation"]
    if isinstance(named, str):  # as files before 0.3 have it: one pattern, ``*`` for all
        named = [] if named == "*" else [named]
    return listed | ({"implementation": named} if named else {})


def narrowed(case: str) -> dict[str, list[str]]:
    """What of a selection asks no more than one case needs, from its path: operator, family and format."""
    parts = case.split("/")
    asked = {"operators": parts[:1], "families": parts[1:2], "dtypes": parts[3:4]}
    return asked if len(parts) == 6 else {}


# --- to decide ---

NEW_WAIVERS = "new-waivers.toml"
"""Where stubs are written, if nobody names another file."""


@dataclass(frozen=True)
class Files:
    """The files of a decision, as its commands name them; ``known``: with the waivers of the suite.

    ``fail_on``: what blocked beside what always does.
    """

    runs: tuple[str, ...] = ("RUN.parquet",)
    baseline: tuple[str, ...] = ()
    waivers: tuple[str, ...] = ()
    known: bool = True
    fail_on: tuple[str, ...] = ()

    def gate(self) -> str:
        """Decides again."""
        return line("gate", *self.runs, *self._against(), *self._accepted(), *option("fail-on", self.fail_on))

    def waive(self, out: str = NEW_WAIVERS, level: str = "must") -> str:
        """Writes stubs of waivers for what none accepts yet; with a baseline, for what blocks against it."""
        at = [] if level == "must" else ["--level", level]
        policy = option("fail-on", self.fail_on) if self.baseline else []
        return line("waive", *self.runs, *self._against(), *self._accepted(), "-o", out, *at, *policy)

    def _against(self) -> list[str]:
        return option("baseline", self.baseline)

    def _accepted(self) -> list[str]:
        return [*option("waivers", self.waivers), *(() if self.known else ("--no-known",))]


# --- inside ---


def _named(implementation: str) -> list[str]:
    return option("implementation", [glob.escape(implementation)] if implementation else [])


def _device(device: str) -> list[str]:
    return [] if device == PLAIN_DEVICE else ["--device", device]


def _plugins(headers: Iterable[Header]) -> list[str]:
    named = [p for h in headers for p in h["selection"].get("plugins", ())]
    return option("plugin", dict.fromkeys(named))


def _cases(headers: Iterable[Header], case: str) -> list[str]:
    """The file that the case is from; none for a case of the corpus."""
    family = "".join(case.split("/")[1:2])
    named = [f["file"] for h in headers for f in h.get("cases", ()) if f["name"] == family]
    return option("cases", dict.fromkeys(named))


def _own(run: Run, implementation: str) -> str | None:
    """The function of one's own that the name is, in any of the runs that were merged."""
    return next((h[OWN] for h in run.headers if implementation and h.get(OWN) == implementation), None)


def _call(function: str, **given: Any) -> str:
    """``check(my_loss, …, families=["ordinary"])``: whatever else was given is given again."""
    named = [function] if all(part.isidentifier() for part in function.split(".")) else []
    told = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in given.items()]
    return f"check({', '.join([*named, '…', *told])})"
