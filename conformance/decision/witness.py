"""What asks a waiver's witness once more: the smallest profile whose run has a verdict in its place."""

from __future__ import annotations

from xent_conformance.asking.questions import questions
from xent_conformance.cases.corpus import find_case, smallest_profile
from xent_conformance.cases.profile import Profile
from xent_conformance.decision.waivers import Waiver, matching
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.discovery.seats import seats, wanted_devices
from xent_conformance.reports.run.file import Run


def asked_in(waiver: Waiver, case: str, run: Run) -> str:
    """The smallest profile that asks the case of whom the waiver names, as it names them; empty for none.

    On the devices that the framework had in the run. Of a plug-in that is not known here nobody knows the
    modes: then it is the first profile that asks the case at all.
    """
    try:
        batch, _ = find_case(case)
    except LookupError:  # of a file of cases, which no profile asks
        return ""
    since = Profile(smallest_profile(batch.operator, batch.family, batch.inputs.format.name, batch.inputs.n))
    framework = FRAMEWORKS.get(waiver.framework)
    if framework is None:
        return since
    names = matching([i.name for i in framework.declaration.implementations], waiver.implementations)
    told = [f for h in run.headers for f in h["frameworks"] if f["framework"] == framework.name]
    there = list(dict.fromkeys(device for f in told for device in f["devices"]))

    def asks(profile: Profile) -> bool:
        return any(
            matching([question.mode], waiver.modes)
            and matching([seat.device(question.device)], waiver.devices)
            and matching(question.outputs, waiver.outputs)
            for seat in seats(framework, (), profile, by_name=True)
            for question in questions(seat, batch, wanted_devices(seat, there, ()), names, profile)
        )

    return next((profile for profile in Profile if profile >= since and asks(profile)), "")
