"""One implementation that is asked about one case: what it answers to its row, its batch, and once more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xent_conformance.asking.answer import Answer, Failure
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.connection import Connection, WorkerLost
from xent_conformance.cases.case import Batch, Case
from xent_conformance.discovery.framework import Seat
from xent_conformance.frameworks.interface import Array, Implementation, Question
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import answered, asked_and_judged, verdicts
from xent_conformance.reports.run.words import Outcome, Row
from xent_conformance.worker.bits import other_bits

TRIES = 200
"""So often a call is repeated to see whether few rows show what differs from call to call."""


@dataclass
class Asked:
    """One implementation in one mode, and its worker."""

    seat: Seat
    connection: Connection
    batch: Batch
    case: Case
    door: Implementation
    question: Question
    """As a run asks it, all outputs together."""

    def every(self, judge: Judge) -> list[Row]:
        """The case's verdicts in a run."""
        asked = asked_and_judged(self.seat, self.connection, self.batch, [self.question], judge)
        return [r for r in asked.rows() if r["case"] == self.case.id]

    def ways(self) -> list[Array]:
        """Which rows to call with: the row alone where rows are by themselves; all; as many as in a run."""
        every, form = np.arange(len(self.batch.inputs)), self.batch.form
        alone = np.array([self.case.row])
        if form.each or self.batch.inputs.attributes.grouped or self.batch.inputs.copies > 1:
            return [alone]
        if form.shape is not None:
            return [every]
        filled = np.resize(every, max(form.filled or 64, len(every)))
        ways = [every] if form.layout != "contiguous" else [alone, every]
        repeated = self.batch.stacked or form.filled
        return [*ways, filled] if repeated and len(filled) > len(every) else ways

    def row(self, judge: Judge, question: Question, take: Array) -> tuple[Row, np.dtype[Any]]:
        """The verdict on the case where these rows are asked."""
        arrays = {name: a[take] for name, a in arrays_of(self.batch).items()}
        total, (output,) = len(self.batch.inputs), question.outputs
        answer = Answer(question)
        try:
            (reply,) = self.connection.ask([question], arrays)
        except WorkerLost as lost:
            self.connection.restart()
            outcome = Outcome.TIMED_OUT if lost.timed_out else Outcome.CRASHED
            answer.failures[output] = {self.case.row: Failure(outcome, str(lost))}
        else:
            for name, failure in reply.failures.items():
                told = Failure(Outcome(failure["outcome"]), failure["message"])
                answer.failures[name] = dict.fromkeys(range(total), told)
            for name, got in reply.results.items():
                whole = got.ndim and len(got) == len(take)
                answer.results[name] = np.resize(got, (total, *got.shape[1:])) if whole else got
        returned = answer.results.get(output)
        (row,) = self._judged(judge, answer)
        return row, self.batch.inputs.format.dtype if returned is None else returned.dtype

    def returned(self, question: Question, take: Array) -> Array | None:
        """The output of one call with these rows, a row each."""
        try:
            (reply,) = self.connection.ask([question], {n: a[take] for n, a in arrays_of(self.batch).items()})
        except WorkerLost:
            self.connection.restart()
            return None
        got = reply.results.get(question.outputs[0])
        return got if got is not None and got.ndim and len(got) == len(take) else None

    def once_more(self, question: Question, take: Array, again: str) -> Mapping[str, Array]:
        """What a new process answers to these rows; nothing where it is lost."""
        self.connection.restart()
        manner = replace(question.manner, again=again, rows=len(take))
        arrays = {name: a[take] for name, a in arrays_of(self.batch).items()}
        try:
            (reply,) = self.connection.ask([replace(question, manner=manner)], arrays)
        except WorkerLost:
            return {}
        results: Mapping[str, Array] = reply.results
        return results

    def changes(self, question: Question, take: Array) -> bool:
        """Whether one of many calls with these rows gives other bits than the first."""
        first = self.returned(question, take)
        for _ in range(TRIES):
            second = self.returned(question, take)
            if first is None or second is None or first.shape != second.shape:
                if first is not second:
                    return True
            elif other_bits(first, second).any():
                return True
        return False

    def _judged(self, judge: Judge, answer: Answer) -> Iterator[Row]:
        mine = answered(self.seat, self.connection.hello, self.batch, judge, answer)
        return (r for r in verdicts([mine]).rows() if r["case"] == self.case.id)
