"""Case and Batch: one row that is asked, and the stack of rows that makes one call.

A case is named by a readable path and by a hash of its bits. Two runs compare a case only where both
agree: the same path with another hash is not comparable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from xent_conformance.cases.form import PLAIN_FORM, Again, Form
from xent_conformance.reference.attributes import PLAIN, Attributes
from xent_conformance.reference.formats import Floats
from xent_conformance.reference.inputs import Inputs

_AGAIN: Mapping[Again, str] = {
    "twice": "asked twice",
    "alone": "asked again, each row alone",
    "other_between": "asked again after a call of another shape",
    "threads": "asked again by two threads at once",
    "inference": "the value asked again without gradients",
    "second_backward": "a second backward through one graph",
    "accumulated": "two backwards that add up",
    "shared": "asked again with one array for two arguments",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """What a family writes: one row with the clause it tests.

    ``logits`` has N elements; ``labels`` N (dense), one (index) or None for the family's default;
    ``clauses`` names outputs whose clause is another than ``clause``. ``unit_cotangent`` asks the
    gradients themselves, for rows where a smaller cotangent would bring an overflow back into range;
    ``cotangent`` gives it outright. ``tangent`` (N elements) asks for ``jvp`` and ``hvp`` instead.

    With ``attributes`` that group examples, a row is a group: ``examples · N`` logits and its labels.
    Rows of a variant share attributes and form.
    """

    variant: str
    logits: Floats
    clause: str
    labels: Floats | None = None
    clauses: Mapping[str, str] = field(default_factory=dict)
    unit_cotangent: bool = False
    cotangent: Floats | None = None
    tangent: Floats | None = None
    attributes: Attributes = PLAIN
    form: Form = PLAIN_FORM
    copies: int = 1

    @property
    def manner(self) -> tuple[Attributes, Form, int, bool, str]:
        """What rows of one call must share; a tensor of more axes has room for the rows of one variant."""
        full = bool(self.form.shape) and not self.attributes.grouped
        return self.attributes, self.form, self.copies, self.tangent is not None, self.variant if full else ""


@dataclass(frozen=True, slots=True)
class Case:
    """One row of a batch: what is asked, and by which clause its answer is judged."""

    id: str
    hash: str
    variant: str
    row: int
    clause: str
    clauses: Mapping[str, str]

    def clause_of(self, output: str) -> str:
        """The clause that judges ``output``."""
        return self.clauses.get(output, self.clause)


def _plainly(value: object) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(_plainly(v) if isinstance(v, tuple) else f"{v:g}" for v in value) + ")"
    return str(value)


@dataclass(frozen=True)
class Batch:
    """Rows of equal operator, family, format, length and manner: one call of an implementation.

    ``outside``: it is of a file of anybody's, named ``family``, and not of the corpus.
    """

    family: str
    inputs: Inputs
    asks: Sequence[Ask]
    outside: bool = False

    @property
    def operator(self) -> str:
        return self.inputs.operator

    @cached_property
    def form(self) -> Form:
        return self.asks[0].form

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        i = self.inputs
        return sum(a.nbytes for a in (i.logits, i.labels, i.cotangent, i.tangent))

    @cached_property
    def stacked(self) -> bool:
        """Whether it is a stack of rows and nothing else, which may be filled up with more of them.

        A product with a matrix is one of matrices, whose order of summation may hang on the place of a row.
        """
        shaped, a = replace(self.form, again="") != PLAIN_FORM, self.inputs.attributes
        return not (shaped or a.grouped or a.matrix) and self.inputs.copies == 1

    @cached_property
    def id(self) -> str:
        """``softmax/huge_logits/float32/n10``; with the first variant where the rows are asked apart."""
        path = f"{self.operator}/{self.family}/{self.inputs.format.name}/n{self.inputs.n}"
        plain = self.form == PLAIN_FORM and self.inputs.attributes == PLAIN and self.inputs.copies == 1
        common = plain and not self.inputs.tangent.size and not self.outside
        return path if common else f"{path}/{self.asks[0].variant}"

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """``softmax/huge_logits/at_exp_overflow/float32/n10/r3``: ``r`` counts within the variant."""
        seen: dict[str, int] = {}
        cases = []
        for row, ask in enumerate(self.asks):
            r = seen[ask.variant] = seen.get(ask.variant, -1) + 1
            tail = f"{self.inputs.format.name}/n{self.inputs.n}/r{r}"
            path = f"{self.operator}/{self.family}/{ask.variant}/{tail}"
            cases.append(Case(path, self._hash(row), ask.variant, row, ask.clause, ask.clauses))
        return tuple(cases)

    def clauses_of(self, output: str) -> tuple[str, ...]:
        """Of each case, the clause that judges ``output``."""
        if output not in self._clauses:
            self._clauses[output] = tuple(case.clause_of(output) for case in self.cases)
        return self._clauses[output]

    @cached_property
    def _clauses(self) -> dict[str, tuple[str, ...]]:
        return {}

    @property
    def mixed(self) -> bool:
        """Whether labels or weights are of another type than the logits (6.5)."""
        return bool(self.form.label_dtype or self.inputs.attributes.weight_dtype)

    @property
    def manner(self) -> str:
        """Attributes and form in words, as they are called; empty for a plain stack of rows."""
        a, form = self.inputs.attributes, self.form
        told = [f"{name} = {_plainly(value)}" for name, value in a.given.items()]
        if a.grouped:
            told.append(f"a group of {a.examples} examples of {self.inputs.n} classes")
        if self.inputs.copies > 1:
            told.append(f"every logit stands for {self.inputs.copies} equal classes")
        if form.shape is not None:
            shape = list(form.shape)
            if form.class_shape is None:
                shape.insert(form.class_axis, self.inputs.classes)
                told.append(f"shape {tuple(shape)}, classes on axis {form.class_axis}")
            else:
                whole, k = (*shape, *form.class_shape), len(form.class_shape)
                told.append(
                    f"shape {whole}, " + (f"classes on the last {k} axes" if shape and k else "all one row")
                )
        if form.layout != "contiguous":
            told.append(f"memory layout: {form.layout.replace('_', ' ')}")
        if form.each:
            told.append("every row in a call of its own")
        if form.filled:
            told.append(f"repeated in turn up to {form.filled} rows")
        if form.again:
            told.append(_AGAIN[form.again])
        if form.out:
            told.append("written into a given buffer")
        if form.wrong:
            told.append(f"wrong on purpose: {form.wrong.replace('_', ' ')}")
        if form.keepdims:
            told.append("keepdims")
        if form.logits_dtype:
            told.append(f"logits in {form.logits_dtype}, the result asked for in {self.inputs.format.name}")
        if form.label_dtype:
            told.append(f"labels of type {form.label_dtype}")
        return "; ".join(told)

    def _hash(self, row: int) -> str:
        """Of the bits, and of the form where it is not the plain one."""
        digest = self.inputs.row_digests[row]
        if self.form == PLAIN_FORM:
            return digest
        filled = f" {self.form.filled}" if self.form.filled else ""
        return hashlib.sha256(f"{digest} {self.form}{filled}".encode()).hexdigest()[:16]
