"""How to read the page: the measure, the grades, the levels, and the words that stand for one thing each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xent_conformance.reports.html.marks import LEVEL, STATUS, Mark
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run.words import OUTPUTS, Grade, Outcome, Status
from xent_conformance.reports.text.wording import DTYPES, plural, words


@dataclass(frozen=True)
class Entry:
    """One word and what it means; ``mark`` where the page has a glyph for it."""

    word: str
    text: str
    mark: Mark | None = None


@dataclass(frozen=True)
class Reading:
    """Chapters of words, in the order in which a reader meets them."""

    chapters: tuple[tuple[str, tuple[Entry, ...]], ...]


GRADES: Mapping[Grade, str] = {
    Grade.EXACT: "no number of the format is nearer: correctly rounded, 0.5 ulp at most",
    Grade.FAITHFUL: "less than 1 ulp off",
    Grade.ACCURATE: "within the accurate bound: relative accuracy, up to the conditioning of the problem",
    Grade.STABLE: "within the stable bound: what the textbook's shifted algorithms reach",
    Grade.DIVERGENT: "beyond the stable bound",
    Grade.WRONG_SPECIAL: "NaN or an infinity where something else is right, or the other way round",
    Grade.NONE: "nothing came back that could be graded",
}
"""How accurate a row is: the grade of its worst element, best first."""

LEVELS = {
    "must": "leaves no choice: broken, it is a defect",
    "should": "what a careful implementation reaches: broken, it is a finding",
    "open": "implementations differ for good reasons: recorded side by side, and never judged",
}
"""What a clause asks."""

STATUSES: Mapping[Status, str] = {
    Status.CONFORMS: "within the bound of its clause, special values right",
    Status.BREAKS_MUST: "wrong by a must clause",
    Status.BREAKS_SHOULD: "short of a should clause",
    Status.OPEN: "recorded, not judged",
    Status.UNSUPPORTED: "not offered by the implementation's declaration, so not asked",
    Status.UNDECIDED: "the reference could not certify it",
}
"""Whether it is right: every verdict has exactly one of these."""

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.RETURNED: "an array came back",
    Outcome.RAISED: "it raised an error, for this input",
    Outcome.REFUSED: "it raised an error, and does so for harmless inputs of the same kind as well",
    Outcome.CRASHED: "the process died; the others were asked in a new one",
    Outcome.TIMED_OUT: "nothing came back in time",
    Outcome.UNSUPPORTED: "it was not asked",
}
"""What happened; it says nothing of right or wrong."""

_OUTPUTS = {
    "value": "the function itself",
    "grad_logits": "its gradient by the logits, for a given cotangent",
    "grad_labels": "its gradient by the labels",
    "grad_hidden": "its gradient by the hidden states of a layer",
    "grad_weight": "its gradient by the weights of a layer",
    "grad_bias": "its gradient by the bias of a layer",
    "hvp": "Hessian-vector product: the gradient's derivative along a tangent",
    "jvp": "Jacobian-vector product: the value's derivative along a tangent",
}

_WORDS = (
    Entry("ulp", "distance between two neighbouring numbers of the format, at the exact value"),
    Entry("right", "the exact value, certified by ball arithmetic, rounded once to the format"),
    Entry("worst", "the worst found: the sweep is not exhaustive, so it is no bound on what was not asked"),
    Entry("case", "one row of logits and labels, to the bit; its path names it on every machine"),
    Entry("verdict", "one case and one output of one implementation, in one mode and on one device"),
    Entry("finding", "verdicts of one implementation, output, clause and symptom, shown by the worst"),
    Entry("cause", "one thing that is wrong, wherever it shows: explained by a hypothesis, or alike"),
    Entry("hypothesis", "an executable model of how code goes wrong, which gives the numbers that came back"),
    Entry("implementation", "one public way to call an operator, by its name"),
    Entry("fused, composed, naive", "one call; from public pieces; as the formula is written, a control"),
    Entry("mode", "eager, graph, xla, jit, compile, …: how the framework runs it"),
    Entry("variant", "a device under a setting that changes its arithmetic, such as cpu[isa=avx2]"),
)

_OF_THE_GATE = (
    Entry("gate", "decides whether the run passes: what breaks a must clause fails it, unless waived"),
    Entry("waiver", "a reviewed entry that accepts one known cause, with its reason and a link"),
)


def view(material: Material) -> Reading:
    """The words of the page; the same for every run but for its formats, its outputs and its decision."""
    verdicts = material.run.verdicts
    dtypes, outputs = set(verdicts["dtype"].unique()), set(verdicts["output"].unique())
    return Reading(
        (
            ("Words", _WORDS if material.gate is None else (*_WORDS, *_OF_THE_GATE)),
            ("Grades, best first", tuple(Entry(words(g), text) for g, text in GRADES.items())),
            ("Levels of a clause", tuple(Entry(k, text, LEVEL[k]) for k, text in LEVELS.items())),
            ("Verdicts", tuple(Entry(s.word, text, STATUS[s]) for s, text in STATUSES.items())),
            ("Outcomes", tuple(Entry(words(o), text) for o, text in OUTCOMES.items())),
            ("Outputs", tuple(Entry(words(o), _OUTPUTS[o]) for o in OUTPUTS if o in outputs)),
            ("Formats", tuple(Entry(DTYPES[d], d) for d in DTYPES if d in dtypes)),
        )
    )


def _about(view: Reading) -> str:
    grades, levels = plural(len(GRADES) - 1, "grade"), plural(len(LEVELS), "level")
    return f"ulps, {grades}, {levels}, and {plural(sum(len(e) for _, e in view.chapters), 'word')} in all"


SECTION = Section("reading", "How to read a verdict", "reading.html", view, folded=True, about=_about)
