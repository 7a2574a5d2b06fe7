"""Wrong adapters, one fault each; ``check-plugin`` must find it and say what to do."""

# ruff: noqa: RUF012  # written as a stranger would

from __future__ import annotations

import dataclasses

import numpy as np
from right_plugin import Right, softmax

from xent_conformance.frameworks.interface import Implementation, Unsupported, Variant


def door(**changes):
    """One implementation that is right but for what is changed."""
    whole = {"name": "wrong.softmax", "operator": "softmax", "formulation": "composed", "call": softmax}
    return (Implementation(**whole | changes),)


class MissingRun:
    name = distribution = "wrong"
    modes = {"eager": "quick"}
    autodiff = False
    implementations = door()

    def version(self):
        return "1.0"

    def environment(self):
        return {}

    def devices(self):
        return ["cpu"]


class NameOfNumber(Right):
    name = 7


class NameWithSpace(Right):
    name = "two words"


class NoDistribution(Right):
    distribution = ""


class ModesAreAList(Right):
    modes = ["eager"]


class UnknownProfile(Right):
    modes = {"eager": "quik"}


class AutodiffIsText(Right):
    autodiff = "no"


class VersionIsText(Right):
    version = "1.0"


class NoImplementations(Right):
    implementations = ()


class NotAnImplementation(Right):
    implementations = (("wrong.softmax", softmax),)


class UnknownOperator(Right):
    implementations = door(operator="softmx")


class UnknownFormulation(Right):
    implementations = door(formulation="fusd")


class UnknownSince(Right):
    implementations = door(since="sometimes")


class CameWithNoVersion(Right):
    implementations = door(came="of late")


class UnknownClassAxis(Right):
    implementations = door(class_axis="third")


class CallIsText(Right):
    implementations = door(call="softmax")


class Twice(Right):
    implementations = door() * 2


class UnknownKeyword(Right):
    implementations = door(takes=frozenset({"weigth"}))


class TakesWhatItDoesNotAccept(Right):
    implementations = door(takes=frozenset({"out"}))


class TakesAList(Right):
    implementations = door(takes=["axis"])


class UnknownLayout(Right):
    layouts = frozenset({"diagonal"})


class UnknownState(Right):
    states = {"eager": frozenset({"thread"})}


class StatesAreASet(Right):
    states = {"threads"}


class StateOfAnUnknownMode(Right):
    states = {"compiled": frozenset({"threads"})}


class UnknownMoving(Right):
    moving = ("jpv",)


class RestrictsAnUnknownMode(Right):
    restricted = {"compiled": frozenset({"right.softmax"})}


class RestrictsToAnUnknownDoor(Right):
    restricted = {"eager": frozenset({"right.sofmax"})}


class UnknownFormat(Right):
    formats = {"eager": frozenset({"float31"})}


class WidensAnUnknownMode(Right):
    widening = {"autocast"}


class AnUnknownModeInOrder(Right):
    in_order = {"compiled"}


class VariantIsADict(Right):
    variants = {"slow": {"SLOW": "1"}}


class VariantSetsANumber(Right):
    variants = {"slow": Variant({"SLOW": 1}, "slowly")}


class EnvironmentBeforeIsAList(Right):
    environment_before = ["SLOW=1"]


class ImportsIsText(Right):
    imports = "numpy"


class WithoutIsText(Right):
    without = "jax"


class DoesWithoutWhatItImports(Right):
    imports = ("numpy", "colorsys")
    without = ("colorsys",)


class NotInstalled(Right):
    def __init__(self):
        import no_such_framework  # noqa: F401


class DoesNotStart(Right):
    def __init__(self):
        raise AttributeError("module 'numpy' has no attribute 'bool8'")


class VersionIsATuple(Right):
    def version(self):
        return (1, 0)


class VersionRaises(Right):
    def version(self):
        raise KeyError("version")


class EnvironmentHoldsANumber(Right):
    def environment(self):
        return {"threads": 1}


class DevicesAreText(Right):
    def devices(self):
        return "cpu"


class NoDevices(Right):
    def devices(self):
        return []


class RunRaises(Right):
    def run(self, call):
        raise IndexError("too many indices")


class AnswersNothing(Right):
    def run(self, call):
        raise Unsupported("not today")


class ReturnsTheArray(Right):
    def run(self, call):
        return super().run(call)["value"]


class MissingValue(Right):
    def run(self, call):
        return {"values": super().run(call)["value"]}


class ReturnsAList(Right):
    def run(self, call):
        return {"value": super().run(call)["value"].tolist()}


class WrongShape(Right):
    def run(self, call):
        return {"value": super().run(call)["value"][..., None]}


class WrongDtype(Right):
    def run(self, call):
        return {"value": super().run(call)["value"].astype(np.float64)}


class Mutates(Right):
    def run(self, call):
        found = super().run(call)
        call.logits[...] = 0
        return found


class Nondeterministic(Right):
    calls = 0

    def run(self, call):
        type(self).calls += 1
        found = super().run(call)["value"]
        return {"value": np.nextafter(found, np.inf) if self.calls % 2 else found}


class ForgetsAfterwards(Right):
    """Answers once."""

    def __init__(self):
        self.asked = set()

    def run(self, call):
        if call.implementation.name in self.asked:
            raise RuntimeError("the graph was freed")
        self.asked.add(call.implementation.name)
        return super().run(call)


class ClaimsAutodiff(Right):
    """The gradient is not in what it returns."""

    autodiff = True


class RefusesGradients(Right):
    """The gradient cannot be had at all."""

    autodiff = True

    def run(self, call):
        if call.outputs != ("value",):
            raise Unsupported("no tape")
        return super().run(call)


class SigmoidByHand(Right):
    """Has a gradient, and every state of it."""

    autodiff = True
    implementations = door(operator="sigmoid", call=lambda np, x: 1 / (1 + np.exp(-x)))
    states = {"eager": frozenset({"inference", "second_backward", "accumulated"})}

    def run(self, call):
        value = super().run(call)["value"]
        times = 2 if call.state == "accumulated" else 1
        return {"value": value, "grad_logits": times * call.cotangent * value * (1 - value)}


class PassesOverAState(SigmoidByHand):
    def run(self, call):
        return super().run(dataclasses.replace(call, state=""))


class RaisesInAState(SigmoidByHand):
    def run(self, call):
        if call.state == "second_backward":
            raise RuntimeError("the graph was freed")
        return super().run(call)


class AnswersNothingInAState(SigmoidByHand):
    def run(self, call):
        return {} if call.state == "inference" else super().run(call)


class WrongValue(Right):
    implementations = door(call=lambda np, x: np.exp2(x) / np.exp2(x).sum(axis=-1, keepdims=True))


class IgnoresKeywords(Right):
    """Declares ``weight`` and does not pass it on."""

    def run(self, call):
        return super().run(dataclasses.replace(call, keywords={}))


class RefusesKeywords(Right):
    def run(self, call):
        if call.keywords:
            raise TypeError("run() takes no keywords")
        return super().run(call)
