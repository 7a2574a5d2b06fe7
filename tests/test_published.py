"""What is published is what the run files beside it give, and answers plain questions where one looks.

The questions are those of somebody who has README and page alone. What is read here without a browser stands
open on the page, or in a line that opens; ``tests/reports/html/test_answers.py`` looks with one.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from docs.findings import page as findings_page
from docs.published import DEVICES, FIRST, HERE, PAGES, Page, placeless, read, rendered
from docs.ranks import RUN
from making.devices import RANKS
from tests.support.small_run import Page as Read
from xent_conformance.decision.compare import compare
from xent_conformance.reports.html.comparison import OPEN
from xent_conformance.reports.run.file import SLIM, Run, called
from xent_conformance.reports.views.causes import causes, worst_cases
from xent_conformance.reports.views.comparison import LISTED
from xent_conformance.running.costs import Costs

SIZES = {page.name: 500_000 if page.before else 1_500_000 for page in PAGES}
"""Bytes at most."""

README = (HERE.parents[1] / "README.md").read_text(encoding="utf-8")

NODES = {page.name: 26_000 if page.name == "devices" else 25_000 for page in PAGES}
"""Elements at most; the page of devices has twice the frameworks of any other."""


def published(name: str) -> str:
    return (HERE / f"{name}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_what_its_run_files_give(page: Page) -> None:
    assert page.file.read_text(encoding="utf-8") == rendered(page), "run: python -m docs.published"
    assert page.file.stat().st_size < SIZES[page.name]
    text = page.file.read_text(encoding="utf-8")
    assert str(HERE.parents[1]) not in text and len(re.findall("<[a-z]", text)) < NODES[page.name]


@pytest.mark.parametrize("file", sorted(HERE.glob("*.parquet")), ids=lambda file: file.stem)
def test_a_run_file_does_not_say_where_it_was_made(file: Path) -> None:
    """Of an environment that was asked, where it lies in a checkout at most."""
    run = read((file.stem,))
    assert re.findall(r"(?<![\w.])/[\w./-]*\.venv[\w./-]*", str(run.headers)) == []
    words = " ".join(run.verdicts["message"].cast(str).drop_nulls().unique())
    assert re.findall(r"/\S*/lib/python3|/\S*\.venv", words) == []


def test_of_a_message_the_folders_go_and_the_rest_stays() -> None:
    said = 'File "/a/b/conformance/worker/serve.py", line 3 | /c/.venv/lib/python3.11/x.so(+1) | /d'
    header = {"a": [f"{HERE.parents[1]}/.venv is not there", "pip --prefix /x/y/.venv", 1]}
    told = placeless(Run(pl.DataFrame({"message": [said, None]}), (header,)))
    kept = 'File "conformance/worker/serve.py", line 3 | .venv/lib/python3.11/x.so(+1) | /d'
    assert told.verdicts["message"].to_list() == [kept, None]
    assert told.headers == ({"a": [".venv is not there", "pip --prefix .venv", 1]},)


def test_the_page_of_findings_has_an_entry_a_cause() -> None:
    text = (HERE.parents[1] / "docs" / "FINDINGS.md").read_text(encoding="utf-8")
    assert text == findings_page(), "run: python -m docs.findings > docs/FINDINGS.md"
    ids = set(Read(published("report")).ids)
    linked = re.findall(r"report\.html#(cause-[a-z0-9-]+)", text)
    assert len(linked) == len(set(linked)) == len(causes(read(("run",)))) and set(linked) <= ids


def test_the_worst_cases_of_causes_are_those_that_the_causes_name() -> None:
    """Which a header carries along: they are looked for alone, without what else is said of a cause."""
    run = read(("run",))
    assert sorted(worst_cases(run)) == sorted(cause.worst for cause in causes(run))


def test_nothing_else_lies_there() -> None:
    runs = {FIRST, RUN, *(name for page in PAGES for name in (*page.runs, *page.before))}
    known = {f"{page.name}.html" for page in PAGES} | {f"{name}.parquet" for name in runs}
    assert {file.name for file in HERE.iterdir()} == known | {"README.md"}


@pytest.mark.parametrize("name", [name for page in PAGES for name in (*page.runs, *page.before)])
def test_no_message_says_where_the_suite_lies(name: str) -> None:
    messages = read((name,)).verdicts["message"].unique().to_list()
    assert not [
        text for text in messages if re.search(r"File \"/(?!usr|opt/python)[^\"]*/conformance/", text)
    ]


def test_the_run_says_that_it_was_made_small() -> None:
    assert read(("run",)).header[SLIM] and SLIM not in read(("jax-0.9.2",)).header
    assert "was made small" in Read(published("report")).text


def test_every_page_leads_to_how_evidence_is_tried() -> None:
    assert (HERE / "../../docs/RELIABILITY.md").exists()
    for page in PAGES:
        assert page.before or '<a href="../../docs/RELIABILITY.md">' in published(page.name)


def sentence(text: str, start: str) -> str:
    """From those words to the full stop."""
    found = re.search(re.escape(start) + r".*?[^.\d]\.(?= |$)", text)
    assert found, f"{start!r} is nowhere"
    return found[0]


def test_whose_softmax_in_bfloat16_is_least_accurate_and_by_how_much() -> None:
    text = sentence(Read(published("report")).text, "bfloat16 softmax")
    assert "torch is within 0.50 ulp" in text and "onnx reaches 87.4, beyond its bound" in text


def test_which_losses_return_nan_for_a_masked_class_and_who_is_right() -> None:
    html = published("report")
    text = sentence(Read(html).text, "A masked class makes a loss NaN")
    assert "in 14 of 15 implementations" in text and "optax.safe_softmax_cross_entropy is right" in text
    cause = re.search(r'<a href="#(cause-[^"]+)"><b>A masked class', html)
    assert cause
    body = html[html.index(f'id="{cause[1]}"') :].partition('<details class="cause"')[0]
    for name in (
        "torch.nn.functional.cross_entropy:probabilities",
        "tf.nn.softmax_cross_entropy_with_logits",
    ):
        assert name in body


def test_what_changes_under_xla() -> None:
    (line,) = re.findall(r"<tr>(?:(?!</tr>).)*?eager → xla.*?</tr>", published("report"), re.DOTALL)
    assert re.search(r"\d\d\.\d %", line) and line.count('href="#cause-') >= 6


def test_may_i_upgrade_jax() -> None:
    text = Read(published("upgrade-jax")).text
    assert "May I upgrade? jax 0.9.2 → jax 0.10.2 No: 1 reason against it." in text
    assert "must 6.4 An index out of range is never silent" in text


def test_no_line_of_an_upgrade_sets_two_elements_side_by_side() -> None:
    """Where another element is the worst now, both numbers stand with their right results, and it is said."""
    page = next(page for page in PAGES if page.before)
    groups = compare(called(read(page.before)), called(read(page.runs))).told().groups
    lines = re.findall(r"<tr><td><span class=\"nw.*?</tr>", published(page.name), re.DOTALL)
    listed = [
        group for change in sorted(LISTED, key=lambda c: c not in OPEN) for group in groups[change].listed
    ]
    apart = 0
    for group, line in zip(listed, lines, strict=True):
        cells = Read(line).text
        sides = [side for side in (group.before, group.now) if side and side.answer.right]
        own = [f"{side.answer.returned} right {side.answer.right}" for side in sides]
        differ = len({side.element for side in sides}) > 1
        apart += differ
        assert differ == ("another element now" in cells), cells
        assert not differ or all(told in cells.partition("see it")[2] for told in own), cells
    assert apart > 40


def test_which_binary_cross_entropy_to_use_in_torch_float16() -> None:
    html = published("report")
    table = html[html.index('aria-label="Implementations of sigmoid_cross_entropy"') :]
    table = table[: table.index("</table>")]
    torch = table[table.index(">torch") :]
    best = [row for row in re.findall(r"<tr>.*?</tr>", torch, re.DOTALL) if "★" in row]
    assert any("torch.nn.MultiLabelSoftMarginLoss" in row for row in best)


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("gpu", ["jax", "torch"]),
        ("gpu-h200", ["jax", "optax", "torch"]),
        ("gpu-h200-standard", ["jax", "optax"]),
    ],
)
def test_does_my_gpu_differ_from_my_cpu(page: str, asked: list[str]) -> None:
    rows = re.findall(r"<tr>(?:(?!</tr>).)*?cpu → cuda:0.*?</tr>", published(page), re.DOTALL)
    assert [re.search(r"<b>(\w+)</b>", row)[1] for row in rows] == asked  # type: ignore[index]
    assert all(re.search(r"\d\d\.\d %", row) for row in rows)


SAME_CALL = ["case", "framework", "implementation", "output", "mode"]


def test_no_must_clause_is_broken_on_the_gpu_alone() -> None:
    """README says so of what was asked on an H200 and on the CPU beside it."""
    asked = read(("gpu-h200-jax", "gpu-h200-optax", "gpu-h200-torch")).verdicts
    must, cpu = pl.col("status") == "breaks_must", pl.col("device") == "cpu"
    on_gpu = asked.filter(must & ~cpu)
    assert on_gpu.height and on_gpu.join(asked.filter(must & cpu), on=SAME_CALL, how="anti").height == 0
    assert "no must clause is broken there by PyTorch, JAX or Optax that the CPU beside it keeps" in README


def test_what_a_run_on_a_gpu_takes() -> None:
    """YOUR_DEVICE says so."""
    header = read(("gpu-h200-torch",)).header
    (worker,), parts = header["frameworks"], header["parts"]
    longest = max(part["seconds"] for part in parts)
    told = f"On {header['created'][:10]} PyTorch's `quick` on an {worker['environment']['cuda:0']} "
    told += f"with {worker['cores']} cores took {worker['starts']} starts, "
    told += f"in {len(parts)} parts side by side, the longest of which took {longest:.0f} s"
    page = (HERE.parents[1] / "docs/YOUR_DEVICE.md").read_text(encoding="utf-8")
    assert told in page
    assert f"at {Costs.read().restart:.0f} s of a core a start" in page


def test_what_the_interpreter_says_of_liger_is_what_a_gpu_says() -> None:
    """KERNELS counts it, of the verdicts of which both have one."""
    on = [read((name,)).verdicts for name in ("gpu-h200-liger", "devices-liger")]
    key = [name for name in SAME_CALL if name != "mode"]
    both = on[0].join(on[1].filter(pl.col("status") != "unsupported"), on=key)
    same = both.filter(pl.col("status") == pl.col("status_right"))
    assert f"{same.height:,} of {both.height:,} verdicts" in (HERE.parents[1] / "docs/KERNELS.md").read_text(
        encoding="utf-8"
    )


LABELS = 8
"""Of devices, which stand side by side at least."""


def test_devices_stand_side_by_side_and_say_what_a_gpu_has_of_them() -> None:
    """All in the scorecard; those of several labels are held against each other; the gate has decided."""
    html = published("devices")
    text = Read(html).text
    card = html[html.index('class="card"') :]
    told = re.findall(r"<small>[^<]* · (.+?)</small></th>", card[: card.index("</tbody>")])
    labels = {label.replace("<wbr>", "") for label in told}
    assert labels == set(read(DEVICES.runs).verdicts["device"]) and len(labels) >= LABELS
    assert f"({len(labels)} device labels)" in text
    assert "gate passed" in text and "a must clause" in text
    for ranks in RANKS[1:]:  # whether their number changes bits is recorded
        assert f"cpu[mesh=tp1] → cpu[mesh=tp{ranks}]" in text
        assert f"cpu[devices=1] → cpu[devices={ranks}]" in text
    assert "in no line: ncnn vulkan[lavapipe,fp16] (f16)." in text
    told = text[text.index("What transfers to a GPU, and what does not") :]
    for name in ("liger cpu[triton=interpret]", "loss-parallel cpu[mesh=tp1]", "jax-sharded cpu[devices=1]"):
        assert name in told


def test_no_two_lanes_of_a_chart_have_the_same_label() -> None:
    for chart in re.findall(r"<svg.*?</svg>", published("devices"), re.DOTALL):
        for lanes in re.split(r'class="t1"', chart)[1:]:
            names = re.findall(r'<text x="-6" class="t2"[^>]*>(?:<title>[^<]*</title>)?([^<]+)<', lanes)
            assert len(names) == len(set(names)), names


def test_an_issue_is_of_the_case_and_the_implementation_of_the_script_that_it_is_copied_with() -> None:
    script, issue = (
        r"# case: +(\S+)\n.*?\n# asked: +(\S+) of ",
        r"copied with the script.*?<pre[^>]*>(.*?)</pre>",
    )
    together = re.findall(f"{script}.*?{issue}", published("report"), re.DOTALL)
    assert len(together) == published("report").count("copied with the script") > 30
    for case, implementation, text in together:
        assert f"`{implementation}` (" in text and "Asked for " in text, case
