"""What a seat is asked about a batch: by what an implementation takes, and by what its framework computes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence, Set

from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import compiled_at_once, compiled_in_quick, smallest_profile
from xent_conformance.cases.profile import Profile
from xent_conformance.discovery.declaration import Declaration
from xent_conformance.discovery.framework import Seat
from xent_conformance.frameworks.interface import (
    GRADIENT_STATES,
    SPARSE,
    STATES,
    Implementation,
    Manner,
    Question,
)
from xent_conformance.reference.formats import EIGHT_BITS
from xent_conformance.reference.operators import MOVING


def questions(
    seat: Seat, batch: Batch, devices: Sequence[str], names: Collection[str], profile: str
) -> list[Question]:
    """What the named implementations are asked about ``batch``, in the modes of a profile."""
    declared = seat.declaration
    named = [i for i in declared.of_operator.get(batch.operator, ()) if i.name in names]
    needs = needs_of(batch) if named else set()
    asked_of = [i for i in named if _takes(declared, i, batch, needs)]
    if not asked_of:
        return []
    due, dtype, manner = outputs(declared, batch), batch.inputs.format.name, manner_of(batch)
    since = asked_since(batch)
    at_once = batch.outside or compiled_at_once(*_group(batch))
    if profile == Profile.QUICK and not batch.outside:
        at_once = at_once and compiled_in_quick(*_group(batch))

    of_profile: dict[str, Sequence[str]] = {}
    for i in asked_of:
        if i.since not in of_profile:
            of_profile[i.since] = _modes(seat, profile, since, i.since, at_once=at_once)

    def question(i: Implementation, mode: str, device: str) -> Question:
        lacks = {o: declared.withheld(i.name, mode, dtype, manner, o, seat.variant) for o in due}
        withheld = tuple((o, source) for o, source in lacks.items() if source is not None)
        asked = tuple(o for o in due if lacks[o] is None)
        return Question(i.name, i.operator, mode, device, asked, manner, withheld)

    asked = [
        question(i, mode, device)
        for i in asked_of
        if due
        for mode in (*of_profile[i.since], *_glanced(seat, i, batch, since, of_profile[i.since]))
        if declared.asks(i.name, mode, dtype) and _has_state(declared, mode, batch)
        for device in devices
    ]
    return [q for q in asked if set(q.outputs) - {"value"}] if _is_of_gradients(batch) else asked


def _modes(seat: Seat, profile: str, since: str, door_since: str, *, at_once: bool) -> Sequence[str]:
    """The modes of the profile; a seat that is for a mode of glances has none."""
    if seat.apart:
        return ()
    return seat.modes(profile, asked_since=since, door_since=door_since, at_once=at_once)


def _glanced(seat: Seat, i: Implementation, batch: Batch, since: str, modes: Sequence[str]) -> Iterator[str]:
    """The modes beside these that every profile glances at with what ``quick`` asks."""
    glances = seat.declaration.glances
    if not glances or seat.variant or batch.outside or since != Profile.QUICK:
        return
    for mode in seat.declaration.glanced(i.name, batch.family, batch.inputs.format.name, batch.inputs.n):
        if mode == seat.apart if seat.apart else mode not in modes and not glances[mode].apart:
            yield mode


def asked_since(batch: Batch) -> str:
    """The smallest profile that asks the batch; one from a file is asked whatever the profile."""
    if batch.outside:
        return Profile.QUICK
    return smallest_profile(*_group(batch))


def _group(batch: Batch) -> tuple[str, str, str, int]:
    """What a profile asks whole: operator, family, format, row length."""
    return batch.operator, batch.family, batch.inputs.format.name, batch.inputs.n


def manner_of(batch: Batch) -> Manner:
    """The manner of a batch, as it goes to a worker."""
    attributes = batch.inputs.attributes
    return Manner(
        **vars(batch.form),
        rows=len(batch.inputs) if batch.form.again else 0,
        examples=attributes.examples,
        n=batch.inputs.n if attributes.grouped else 0,
        copies=batch.inputs.copies,
        attributes=tuple(attributes.given.items()),
    )


def takes(declared: Declaration, implementation: Implementation, batch: Batch) -> bool:
    """Whether the implementation can be put to the batch in its manner at all."""
    return _takes(declared, implementation, batch, needs_of(batch))


def _takes(declared: Declaration, implementation: Implementation, batch: Batch, needs: Set[str]) -> bool:
    form, op = batch.form, batch.inputs.definition
    if implementation.operator != batch.operator or not needs <= implementation.takes:
        return False
    if form.wrong == SPARSE and not declared.sparse:
        return False
    if form.logits_dtype in EIGHT_BITS and implementation.name not in declared.from_eight_bits:
        return False
    if form.layout not in {"contiguous", *declared.layouts}:
        return False
    if form.shape is None or op.elementwise or "axis" in implementation.takes:
        return True
    if implementation.class_axis == "second" and form.shape:
        return form.class_axis == 1
    return implementation.class_axis is not None and form.class_axis_is_last


def needs_of(batch: Batch) -> Set[str]:
    """The keywords that an implementation must take to be put to the batch: its attributes, and its form's.

    A reduction is one, where examples are grouped.
    """
    form, elementwise = batch.form, batch.inputs.definition.elementwise
    due = {
        "out": form.out,
        "keepdims": form.keepdims,
        "dtype": bool(form.logits_dtype),
        "axes": form.class_shape is not None and not elementwise,
    }
    return {*batch.inputs.attributes.given, *(name for name, there in due.items() if there)}


def _has_state(declared: Declaration, mode: str, batch: Batch) -> bool:
    """Whether the rows can be asked once more in the way of the batch, in this mode."""
    again = batch.form.again
    return again not in STATES or again in declared.states.get(mode, frozenset())


def _is_of_gradients(batch: Batch) -> bool:
    """Whether what is asked once more concerns nobody of whom no gradient is asked.

    Logits that are the cotangent too are of no account to a value.
    """
    again = batch.form.again
    return again in GRADIENT_STATES or (again == "shared" and batch.inputs.definition.labels == "none")


def outputs(declared: Declaration, batch: Batch) -> tuple[str, ...]:
    """What of the batch's outputs the framework computes; writing into a buffer is for values."""
    form = batch.form
    # a gradient has its own argument's type, and there is none of a buffer
    values_alone = form.out or form.wrong or form.logits_dtype
    asked = ("value",) if values_alone else batch.inputs.outputs
    if form.label_dtype:
        asked = tuple(o for o in asked if o != "grad_labels")  # a gradient has its own argument's type
    able = {"value", *(declared.moving)} | (set(asked) - set(MOVING) if declared.autodiff else set())
    return tuple(o for o in asked if o in able)
