"""Losses whose classes are spread over ranks, shard by shard: what is asked of them, and what they answered.

``python -m docs.ranks`` prints ``examples/cases/ranks.json``: rows of 61 classes, which no number of ranks
divides, with labels on every rank, shards of excluded classes, ignored rows, and maxima on another rank. What
was answered over 1, 2, 4 and 8 ranks is published, and :mod:`docs.devices` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from making.devices import RANKS, TARGETS
from xent_conformance.cases.outside.translated import printed, translation
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import FAULTS, Status
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import listed, plural

RUN = "devices-ranks"
"""The run file of these cases."""

FRAMEWORKS = ("loss-parallel", "jax-sharded", "megatron")

CLASSES = 61
LABELS = (0, 8, 17, 30, 31, 32, 45, 53, 60)
"""On every rank of eight, and on both sides of where two and four of them part."""

SHARDS = {
    "first_of_eight": range(8),
    "sixth_of_eight": range(40, 48),
    "last_of_eight": range(56, 61),
    "second_of_four": range(16, 32),
    "first_of_two": range(31),
    "last_of_two": range(31, 61),
}
"""Classes that are excluded: all that some rank has."""

EXACT = ("float64", "float32")
FORMATS = (*EXACT, "float16", "bfloat16")
IGNORED = -100


def command() -> str:
    """How they are asked."""
    frameworks = " ".join(f"--framework {name}" for name in FRAMEWORKS)
    labels = dict.fromkeys(device for name in FRAMEWORKS for device in TARGETS[name].devices)  # each once
    devices = " ".join(f"--device '{label}'" for label in labels)
    return f"conformance run --cases examples/cases/ranks.json {frameworks} {devices}"


def logits(rows: int, *, less: float = 0.0, without: Sequence[int] = ()) -> list[list[Any]]:
    """Multiples of an eighth between minus eight and eight, which every format has."""
    return [
        ["-inf" if j in without else (7919 * (CLASSES * i + j) % 127 - 63) / 8 - less for j in range(CLASSES)]
        for i in range(rows)
    ]


def document() -> dict[str, Any]:
    """The file of cases."""
    cases = [case for dtype in FORMATS for case in _cases(dtype)]
    source = (
        f"Printed by python -m docs.ranks: {CLASSES} classes over {', '.join(map(str, RANKS))} ranks. The "
        "numbers are multiples of an eighth, so that the order of a sum is what ranks can change."
    )
    return dict(translation("ranks", source, cases, {}).document)


def _cases(dtype: str) -> Iterator[dict[str, Any]]:
    """The loss and the log-softmax of the same rows, in one format."""
    sparse = {"operator": "sparse_softmax_cross_entropy", "dtype": dtype}
    log = {"operator": "log_softmax", "dtype": dtype}
    yield {"id": "labels_on_every_rank", **sparse, "logits": logits(len(LABELS)), "labels": [*LABELS]}
    yield {"id": "uneven_shards", **log, "logits": logits(2)}
    for name, shard in SHARDS.items():
        rows = logits(2, without=shard)
        outside = [label for label in LABELS if label not in shard]
        yield {"id": f"masked_{name}", **sparse, "logits": rows, "labels": [outside[0], outside[-1]]}
        yield {"id": f"masked_{name}", **log, "logits": rows}
    ignored = [label if i % 3 else IGNORED for i, label in enumerate(LABELS)]
    for reduction in ("none", "sum", "mean"):
        told = {"ignore_index": IGNORED, "reduction": reduction}
        yield {
            "id": f"ignored_rows_{reduction}",
            **sparse,
            "logits": logits(len(LABELS)),
            "labels": ignored,
            "attributes": told,
        }
    if dtype in EXACT:
        far = logits(len(LABELS), less=4096.0)
        yield {"id": "common_offset", **sparse, "logits": far, "labels": [*LABELS]}


SECTION = """## Over any number of ranks

[`examples/cases/ranks.json`](../examples/cases/ranks.json) asks what spreading may break: rows of {classes} \
classes, which no number of ranks divides, with labels on every rank, with all classes of a rank excluded, \
with ignored rows, with a common offset. The certified truth and the bounds know no ranks. {changed} Bits \
are recorded: of each implementation, how many of the answers have those of one rank.{place}

| framework | ranks | implementation | verdicts | conform | break must | bits of one rank |
|---|---|---|---|---|---|---|
{rows}
```console
$ {command} --python {python}
```

What breaks a must clause does so over one rank as well: under loss_parallel the gradient of log-softmax \
alone, above; of Megatron the logits of binary32, which it writes over, and the gradient of its fused loss, \
which is bfloat16 whatever the logits are. Of logits of 16 bits it keeps every bound; binary64 it does not \
offer.
"""

ITSELF = "7.4"
"""A row has the same bits wherever it stands (should)."""


def section(run: Run, python: str) -> str:
    """Of docs/DEVICES.md, from the published run file."""
    rows = "".join(f"| {' | '.join(cells)} |\n" for cells in _counted(run.verdicts))
    others = changed(run.verdicts)
    said = "No verdict on a must clause changes with their number."
    if others.height:
        said = f"{plural(others.height, 'verdict')} on must clauses change with their number."
    return SECTION.format(
        classes=CLASSES,
        changed=said,
        place="".join(_moved(run.verdicts)),
        rows=rows,
        command=command(),
        python=python,
    )


def _moved(verdicts: pl.DataFrame) -> Iterator[str]:
    """Of the should clause on bits, which is the network's, what broke it."""
    broken = verdicts.filter((pl.col("clause") == ITSELF) & pl.col("status").is_in(FAULTS))
    for (name,), rows in broken.group_by("framework", maintain_order=True):
        over = listed([str(n) for n in rows.select(_ranks())["ranks"].unique().sort()])
        yield (
            f" Over {over} of them {plural(rows.height, 'answer')} of {name} have other bits where the row "
            f"stands elsewhere (should {ITSELF}): gloo adds a tensor up part by part, in an order for each."
        )


ANSWER = ("framework", "implementation", "output", "case")


def _beside_one(verdicts: pl.DataFrame) -> pl.DataFrame:
    """Each verdict with what one rank, ``alone``, gave: status and bits."""
    rows = verdicts.with_columns(_ranks()).select(*ANSWER, "ranks", "status", "bits")
    alone = rows.filter(pl.col("ranks") == 1).drop("ranks")
    return rows.join(alone, on=ANSWER, how="left", suffix="_alone", validate="m:1")


def _ranks() -> pl.Expr:
    """Their number, of a device's label."""
    return pl.col("device").cast(pl.String).str.extract(r"(\d+)\]$").cast(pl.Int32).alias("ranks")


def changed(verdicts: pl.DataFrame) -> pl.DataFrame:
    """The verdicts that break a must clause and over one rank do not, or the reverse, or are there alone."""
    broken = (pl.col(name) == Status.BREAKS_MUST.value for name in ("status", "status_alone"))
    return _beside_one(verdicts).filter(pl.Expr.ne_missing(*broken))


def _counted(verdicts: pl.DataFrame) -> Iterator[tuple[str, ...]]:
    counts = (
        pl.len().alias("verdicts"),
        *((pl.col("status") == s).sum().alias(s) for s in ("conforms", "breaks_must")),
        (pl.col("bits") == pl.col("bits_alone")).sum().alias("same"),
    )
    of = ("framework", "ranks", "implementation")
    order = pl.col("framework").replace_strict({name: i for i, name in enumerate(FRAMEWORKS)})
    answered = _beside_one(verdicts).filter(pl.col("status") != Status.UNSUPPORTED.value)
    found = answered.group_by(of).agg(counts)
    for row in found.sort(order, "ranks", "implementation").iter_rows(named=True):
        numbers = (count(row[name]) for name in ("verdicts", "conforms", "breaks_must", "same"))
        yield row["framework"], str(row["ranks"]), f"`{row['implementation']}`", *numbers


if __name__ == "__main__":
    print(printed(document()), end="")
