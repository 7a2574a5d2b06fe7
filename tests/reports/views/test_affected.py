"""Whom a cause reaches: the same rows asked of everybody, and the state of each framework by them."""

from __future__ import annotations

from tests.support.small_run import run_of, verdict
from xent_conformance.reports.views.affected import Share, reaches

FRAMEWORKS = ("torch", "jax", "tensorflow", "numpy")


def test_every_framework_has_its_share_of_the_rows_in_which_the_cause_shows() -> None:
    rows = [
        verdict(case="a", status="breaks_must", cause="one"),
        verdict(case="b", status="breaks_must", cause="one"),
        verdict(case="a", framework="jax", implementation="jax.nn.softmax"),
        verdict(
            case="b", framework="jax", implementation="jax.nn.softmax", status="breaks_must", cause="one"
        ),
        verdict(
            case="a",
            framework="tensorflow",
            implementation="tf.nn.softmax",
            status="breaks_should",
            cause="two",
        ),
        verdict(case="c", framework="numpy", implementation="numpy.softmax"),
    ]
    torch, jax, tensorflow, numpy = reaches(run_of(rows), FRAMEWORKS)["one"].frameworks
    assert torch == Share("torch", asked=2, broken=2) and torch.state == "all"
    assert jax == Share("jax", asked=2, broken=1) and jax.state == "some"
    assert tensorflow == Share("tensorflow", asked=1, broken=0, otherwise=1) and tensorflow.state == "other"
    assert numpy == Share("numpy", asked=0, broken=0) and numpy.state == "none"


def test_who_conforms_throughout_is_named_and_who_is_wrong_for_another_cause_is_not() -> None:
    rows = [
        verdict(case="a", status="breaks_must", cause="one"),
        verdict(case="a", implementation="torch.other", mode="eager"),
        verdict(case="a", implementation="torch.other", mode="compile"),
        verdict(case="a", implementation="torch.third", status="breaks_must", cause="two"),
        verdict(case="a", implementation="torch.fourth", status="unsupported"),
        verdict(case="a", implementation="torch.naive", formulation="naive"),
    ]
    reach = reaches(run_of(rows), ("torch",))["one"]
    assert reach.right == (("torch", "torch.other", 2),)
    assert reach.frameworks[0] == Share("torch", asked=4, broken=1, otherwise=1)


def test_another_output_of_the_case_is_another_question() -> None:
    rows = [
        verdict(case="a", status="breaks_must", cause="one", output="value"),
        verdict(case="a", framework="jax", output="grad_logits"),
    ]
    assert reaches(run_of(rows), ("torch", "jax"))["one"].frameworks[1].state == "none"
