"""Modes and devices on the page: what changes under XLA, and whether a GPU differs from the CPU."""

from __future__ import annotations

import re
from typing import Any

from tests.support.small_run import Page, header, run_of, verdict
from xent_conformance.reports.html.marks import cause_id
from xent_conformance.reports.html.report import render
from xent_conformance.reports.run.file import Run, merge
from xent_conformance.reports.run.findings import findings

Rows = list[dict[str, Any]]

CAUSES = {"0-is-nan": {"hypothesis": "0·∞ is NaN", "sentence": "…", "source": "…", "conforming": 0}}


def shown(run: Run) -> tuple[Page, str]:
    """The page, and the text of the section."""
    html = render(run, findings(run.verdicts))
    (part,) = re.findall(r'<section class="wrap" id="modes">.*?</section>', html, re.DOTALL)
    return Page(html), Page(part).text


def xla() -> Rows:
    return [
        verdict(case="a"),
        verdict(case="a", mode="xla"),
        verdict(case="b", status="breaks_must", cause="0-is-nan"),
        verdict(case="b", mode="xla", bits="other"),
        verdict(case="c"),
        verdict(case="c", mode="xla", bits="other", status="breaks_should"),
    ]


def test_what_changes_under_xla_leads_to_its_cause() -> None:
    page, text = shown(run_of(xla(), header(causes=CAUSES)))
    assert "torch 2.13.0 eager → xla 3 33.3 % 1 1 must 0·∞ is NaN 1 1 clause 1.2, values of softmax" in text
    assert f"#{cause_id('0-is-nan')}" in page.links
    assert "makes no difference" not in text


def test_a_difference_in_bits_alone_is_said_to_be_none_in_the_verdicts() -> None:
    rows = [verdict(case="a"), verdict(case="a", mode="xla", bits="other")]
    _, text = shown(run_of(rows))
    assert "Other bits, and not one verdict better or worse: torch eager → xla." in text
    assert "Other bits in 1 call, the same verdict on every one." in text


def test_my_gpu_gives_the_same_bits_as_my_cpu() -> None:
    cpu = run_of([verdict(case="a", machine="home", version="2.13.0+cpu")])
    gpu = run_of([verdict(case="a", machine="away", version="2.13.0+cu130", device="cuda")])
    _, text = shown(merge([cpu, gpu]))
    assert (
        "The device makes no difference, to the bit: "
        "torch cpu, home, 2.13.0+cpu → cuda, away, 2.13.0+cu130." in text
    )
    assert "100 %" in text and "No GPU was asked" not in text


def test_my_gpu_differs_from_my_cpu() -> None:
    cpu = run_of([verdict(case="a", machine="home"), verdict(case="b", machine="home")])
    gpu = run_of(
        [
            verdict(case="a", machine="home", device="cuda"),
            verdict(case="b", machine="home", device="cuda", bits="other", status="breaks_must"),
        ]
    )
    _, text = shown(merge([cpu, gpu]))
    assert (
        "torch 2.13.0 cpu → cuda 2 50.0 % 0 1 1 must clause 1.1, values of softmax: beyond the stable" in text
    )


def test_a_run_without_a_gpu_says_how_to_have_one() -> None:
    _, text = shown(run_of(xla()))
    assert "No GPU was asked" in text and "conformance report" in text


def test_one_mode_on_one_device_is_a_sentence() -> None:
    page, text = shown(run_of([verdict()]))
    assert "Every framework was asked in one mode, on one device and on one machine." in text
    assert ("section", {"class": "wrap", "id": "modes"}) in page.tags


def test_nearly_all_is_not_all() -> None:
    rows = [verdict(case=f"c{i}", mode=m) for i in range(3000) for m in ("eager", "xla")]
    rows[-1]["bits"] = "other"
    _, text = shown(run_of(rows))
    assert "99.9 %" in text and "100 %" not in text


def test_many_causes_are_counted() -> None:
    rows = [verdict(case=f"c{i}") for i in range(8)]
    rows += [
        verdict(case=f"c{i}", mode="xla", bits="other", status="breaks_should", cause=f"cause-{i}")
        for i in range(8)
    ]
    _, text = shown(run_of(rows))
    assert text.count("unexplained 1") == 3 and text.endswith("5 more causes 5")


def test_what_of_an_interpreter_and_of_ranks_is_a_gpus_is_said() -> None:
    """Once for the settings of one framework; of a setting that nobody takes for a GPU there is nothing."""
    said = {"transfers": "the shards", "stays": "a network"}
    devices = ["mesh=tp1", "mesh=tp4", "isa=avx2"]
    told = [{"about": "one rank", **said}, {"about": "four ranks", **said}]
    told.append({"about": "kernels for AVX2", "transfers": "", "stays": ""})
    (usual,) = header()["frameworks"]
    workers = [{**usual, "variant": v, "setting": s} for v, s in zip(devices, told, strict=True)]
    rows = [verdict(device=f"cpu[{v}]") for v in devices]
    _, text = shown(run_of(rows, header(frameworks=workers)))
    assert "Asked on What it is Is a GPU’s too Is not" in text
    assert text.endswith("torch cpu[mesh=tp1], cpu[mesh=tp4] one rank; four ranks the shards a network")
    _, text = shown(run_of(rows, header(frameworks=[{**usual, "variant": "isa=avx2", "setting": told[2]}])))
    assert "GPU’s too" not in text


def test_a_device_that_answered_no_call_of_another_is_named() -> None:
    """One format alone, say, which no other has."""
    half = verdict(case="a16", device="vulkan[fp16]", dtype="float16")
    rows = [verdict(case="a"), verdict(case="a", device="vulkan"), half]
    rows += [verdict(case="a", device="vulkan[fp16]", status="unsupported")]
    text = shown(run_of(rows))[1]
    assert "so in no line: torch vulkan[fp16] (f16)." in text
    assert "so in no line" not in shown(run_of(rows[:2]))[1]
    assert "so in no line" not in shown(run_of([verdict(), verdict(mode="xla")]))[1]
