"""How places are called: names differ where places do, however short they must be."""

from __future__ import annotations

import pytest

from tests.support.small_run import run_of
from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.html.places import place_apart, place_names, short_names
from xent_conformance.reports.html.strips import NAME
from xent_conformance.reports.views.fair import Place

ONE = Naming.of(run_of([]))


def places(framework: str, *devices: str) -> list[Place]:
    return [Place(framework, "1", "eager", device, "here") for device in devices]


@pytest.mark.parametrize(
    ("framework", "devices", "short"),
    [
        ("torch", ["cpu[isa=avx2]"], ["torch"]),
        ("torch", ["cpu", "cuda:0"], ["torch cpu", "torch cuda:0"]),
        ("jax-sharded", ["cpu[devices=8]", "cpu[devices=4]"], [f"jax-sharded devices={n}" for n in (8, 4)]),
        ("loss-parallel", ["cpu[mesh=tp1]", "cpu[mesh=tp4]"], ["loss-parallel tp1", "loss-parallel tp4"]),
        (
            "openvino",
            ["cpu[runtime=openvino,precision=f32]", "cpu[runtime=openvino,precision=bf16]"],
            ["openvino f32", "openvino bf16"],
        ),
        (
            "ncnn",
            ["cpu", "vulkan[lavapipe,fp16]", "vulkan[swiftshader]"],
            ["ncnn cpu", "ncnn lavapipe,fp16", "ncnn swiftshader"],
        ),
        (
            "a-very-long-framework-of-mine",
            ["cpu", "gpu", "gpv"],
            ["a-very-lon…f-mine cpu", "a-very-lon…f-mine gpu", "a-very-lon…f-mine gpv"],
        ),
        ("x", ["a" * 11 + c + "a" * 11 for c in "bc"], ["x aaaaaaaa…aaaaaaaaaa", "x aaaaaa…aaaaaaaa (2)"]),
    ],
)  # fmt: skip
def test_short_names_differ_where_places_do(framework: str, devices: list[str], short: list[str]) -> None:
    mine = places(framework, *devices)
    found = short_names(mine, ONE, NAME)
    assert [found[place] for place in mine] == short
    assert all(len(name) <= NAME for name in short) and len(set(short)) == len(mine)


def test_what_tells_a_place_apart_is_empty_where_nothing_has_to() -> None:
    mine = [*places("torch", "cpu"), *places("jax", "cpu", "cuda")]
    assert list(place_apart(mine, ONE).values()) == ["", "cpu", "cuda"]
    assert list(place_names(mine, ONE).values()) == ["torch", "jax cpu", "jax cuda"]
