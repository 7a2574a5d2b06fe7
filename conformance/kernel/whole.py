"""One case of a check whole, as ``conformance explain`` has it, and a script that shows it.

No command knows a function of one's own, so it is asked here again, in the process that has it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from xent_conformance.asking.asker import ask
from xent_conformance.asking.inside import InProcess
from xent_conformance.cases.case import Batch, Case
from xent_conformance.explain.case import chosen, judged_of, near_cases
from xent_conformance.explain.printing import show_answers, show_changed, show_question
from xent_conformance.explain.script.showing import shown_by
from xent_conformance.explain.script.write import written
from xent_conformance.explain.wanted import Wanted
from xent_conformance.judging.judge import Judge
from xent_conformance.kernel.function import Kernel
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import Row

WIDTH = 100


@dataclass(frozen=True)
class Asked:
    """The function, and the process that has it: this one."""

    kernel: Kernel
    inside: InProcess

    def explained(self, case_id: str, judged: Sequence[Row] = ()) -> str:
        """Inputs to the last bit, certified values, and what the function returns. Raises ValueError.

        ``judged``: the verdicts that it got on the case before. Where an answer is another now, that is said
        first.
        """
        batch, case = self._case(case_id)
        seat, hello, wanted = self.kernel.seat, self.inside.hello, Wanted(devices=self.kernel.devices)
        oracle = Oracle(default_cache())
        judge = Judge(oracle.truth(batch.inputs))
        questions = chosen(seat, batch, hello["devices"], wanted)
        if not questions:
            raise ValueError(
                f"{self._name} is not asked about {case_id}: it does not take what that gives it"
            )
        answers = ask(self.inside, batch, questions)
        answered = judged_of(seat, hello, batch, case, judge, oracle, answers, wanted)
        told = io.StringIO()
        console = Console(file=told, width=WIDTH, highlight=False, emoji=False, no_color=True)
        show_changed(judged, answered.rows, console)
        show_question(batch, case, [answered], console)
        show_answers([answered], console)
        return told.getvalue()

    def script(self, case_id: str, output: str = "", judged: Sequence[Row] = ()) -> str:
        """A script that shows the worst output of the case, or the named one, without this suite.

        ``judged`` as :meth:`explained` has it: an answer that is another now is asked again and again.
        Raises :class:`~xent_conformance.explain.wanted.Refused` where none can show it.
        """
        batch, case = self._case(case_id)
        kernel, (device, *_) = self.kernel, self.kernel.devices
        return written(
            shown_by(
                self.inside,
                kernel.seat,
                kernel.implementation,
                batch,
                case,
                kernel.mode,
                device,
                output,
                judged,
            )
        )

    @property
    def no_script(self) -> str:
        """Why no script can import the function; empty where one can."""
        return getattr(self.kernel.implementation.call, "missing", "")

    @property
    def _name(self) -> str:
        return self.kernel.implementation.name

    def _case(self, case_id: str) -> tuple[Batch, Case]:
        try:
            return self.kernel.find(case_id)
        except LookupError:
            raise ValueError(f"no case {case_id!r}; {near_cases(case_id)}") from None
