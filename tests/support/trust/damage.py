"""Damaged and hostile files by the thousand, over everything that reads one, and what came of each.

Some are damaged as a disk does it: flipped bits, torn ends, bytes that are another's. Some are made by who
can seal a file: another header or table, with a digest that fits. Each is refused in the reader's own words,
or read as what it was; what is read is shown by every renderer, and no failing run passes for it.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import random
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from tests.support import outside
from tests.support.hostile_parquet import hostile
from tests.support.small_gate import broken
from tests.support.small_run import header, run_of, verdict
from xent_conformance.cases.outside.files import read_file
from xent_conformance.cases.outside.numbers import CasesError
from xent_conformance.configuration.file import nearest
from xent_conformance.configuration.settings import ConfigurationError
from xent_conformance.decision.gate import decide
from xent_conformance.decision.waivers import WaiverError, read_waivers
from xent_conformance.reports.atomic import journal_of
from xent_conformance.reports.ci import data, junit, markdown
from xent_conformance.reports.html.report import render
from xent_conformance.reports.run.file import SCHEMA, Run, merge, read_run, write_run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.run.parquet import NoParquet, table
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.reports.terminal import causes as terminal_causes
from xent_conformance.reports.terminal import gate as terminal_gate
from xent_conformance.reports.terminal import run as terminal_run
from xent_conformance.reports.views.causes import causes
from xent_conformance.running.distances import ANSWERS, Measured
from xent_conformance.running.journal import Journal

SECONDS = 20
"""No file may keep a reader longer."""

OPERATORS = "softmax"


@dataclass
class Damage:
    """What came of it; everything but ``refused`` and ``read`` is to be zero."""

    refused: Counter[str] = field(default_factory=Counter)
    """By reader."""
    read: Counter[str] = field(default_factory=Counter)
    """By reader, what was read, and is what it was or what it may be."""
    tracebacks: int = 0
    changed: int = 0
    """Damaged, and read as something else."""
    passed: int = 0
    """Gates that passed a run that fails."""
    hung: int = 0
    told: list[str] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many there were."""
        return self.refused.total() + self.read.total() + self.wrong

    @property
    def wrong(self) -> int:
        """What must not be."""
        return self.tracebacks + self.changed + self.passed + self.hung


class _Hung(BaseException):
    """It took too long."""


@contextlib.contextmanager
def _within(seconds: int) -> Iterator[None]:
    def over(*_: object) -> None:
        raise _Hung

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# --- bytes ---


def damaged(draw: random.Random, held: bytes) -> bytes:
    """As a disk, a copy or a person does it."""
    kind = draw.choice(("bit", "bit", "bits", "torn", "cut", "zeros", "noise", "twice", "begins", "empty"))
    at = draw.randrange(len(held))
    width = draw.choice((1, 8, 64, 512))
    if kind in ("bit", "bits"):
        changed = bytearray(held)
        for _ in range(1 if kind == "bit" else draw.randint(2, 16)):
            changed[draw.randrange(len(held))] ^= 1 << draw.randrange(8)
        return bytes(changed)
    return {
        "torn": held[:at],
        "cut": held[:at] + held[at + width :],
        "zeros": held[:at] + b"\0" * width + held[at + width :],
        "noise": held[:at] + draw.randbytes(width) + held[at + width :],
        "twice": held[:at] + held[at : at + width] + held[at:],
        "begins": held[at:],
        "empty": b"",
    }[kind]


# --- documents ---

HOSTILE: tuple[Any, ...] = (
    None, True, -1, 3.5, 2**63, 1e308, float("nan"), "", "x" * 100_000, "\x1b[31m\x00", "\u202egnp.exe",
    "::error title=x::pwned", "<script>alert(1)</script>", "$(rm -rf /)", [], {}, [[[[]]]], ["a"] * 3,
    {"a": {"b": None}}, "../../etc/passwd", "must", "torch", "1.1", "?",
)  # fmt: skip


def mutated(draw: random.Random, document: Any) -> Any:
    """The document with something else, nothing or too much at one of its places."""
    made = copy.deepcopy(document)
    places: list[tuple[Any, Any]] = []

    def collect(node: Any) -> None:
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            places.append((node, key))
            collect(node[key])

    collect(made)
    for _ in range(draw.choice((1, 1, 2))):
        holder, key = draw.choice(places)
        with contextlib.suppress(KeyError, IndexError):  # taken away before
            what = draw.choice(("other", "other", "other", "gone", "renamed", "twice"))
            if what == "other":
                holder[key] = copy.deepcopy(draw.choice(HOSTILE))
            elif what == "gone":
                del holder[key]
            elif what == "renamed" and isinstance(holder, dict):
                holder[str(draw.choice(HOSTILE))[:500]] = holder.pop(key)
            elif isinstance(holder, list):
                holder.insert(key, holder[key])
    return made


# --- the files that are damaged ---


def failing() -> Run:
    """A run that breaks a must clause."""
    rows = [broken(), verdict(case="softmax/ordinary/spread1/float32/n3/r1", output="grad_logits")]
    rows += [verdict(case=f"softmax/ordinary/spread1/float32/n3/r{i}") for i in range(2, 12)]
    gap = {"framework": "jax", "message": "No module named 'jax'", "install": "pip install jax"}
    return run_of(rows, header(not_installed=[gap]))


def shown(run: Run, before: Run | None = None) -> int:
    """Shown by every renderer; the status of its gate."""
    gate = decide(run, baseline=before, waivers=[])
    told = causes(run)
    render(run, findings(run.verdicts), gate)
    paper = Console(file=io.StringIO(), width=160)
    terminal_run.summary(run, paper, verbose=True)
    terminal_causes.show(told, paper, whole=True)
    terminal_gate.show(gate, paper, whole=True)
    markdown.summary(gate)
    markdown.comment(gate)
    markdown.workflow_commands(gate)
    junit.render(gate, run)
    json.dumps(data.run(run, "run.parquet", told, gate), allow_nan=False)
    json.dumps(data.gate(gate), allow_nan=False)
    return gate.status


WAIVERS = """
[[waiver]]
name = "torch-nan"
framework = "torch"
versions = ">=1,<3"
operators = ["softmax"]
implementations = ["torch.*"]
outputs = ["value"]
clause = "2.5"
symptom = "NaN"
cases = ["softmax/two_classes/*"]
witnesses = ["softmax/two_classes/confident_wrong/float32/n2/r0"]
reason = "it is known and documented upstream"
link = "https://example.org/issue/1"
expires = 2030-01-01
"""

CONFIG = """
[project]
name = "anything"

[tool.conformance]
profile = "quick"
frameworks = ["torch", "jax"]
fail-on = ["drift"]
"""

CASES = outside.held(
    outside.case(logits=[[0.0, 1.0, -1.5], [1024.0, "inf", "nan"]]),
    outside.loss(id="two", expected=[0.125, 0.25]),
)


def deep(opening: str, closing: str, middle: str = "", depth: int = 100_000) -> str:
    """Nested without end."""
    return opening * depth + middle + closing * depth


class Campaign:
    """Damage in a folder, by a seed."""

    def __init__(self, folder: Path, seed: int = 16) -> None:
        self._folder, self._draw, self.found = folder, random.Random(seed), Damage()
        folder.mkdir(parents=True, exist_ok=True)

    def _try(self, reader: str, read: Callable[[], bool], refuses: type[Exception], what: Any = "") -> None:
        """Count what a reader does; ``read`` gives whether what it read is as it may be."""
        try:
            with _within(SECONDS):
                right = read()
        except refuses as refused:
            words = str(refused)
            if not words or len(words) > 20_000:
                self.found.told.append(f"{reader}: refused in {len(words)} characters")
                self.found.tracebacks += 1
            else:
                self.found.refused[reader] += 1
        except _Hung:
            self.found.hung += 1
            self.found.told.append(f"{reader}: hung ({str(what)[:200]})")
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a traceback
            place = traceback.extract_tb(error.__traceback__)[-1]
            self.found.tracebacks += 1
            where = f"{Path(place.filename).name}:{place.lineno}"
            self.found.told.append(
                f"{reader}: {type(error).__name__}: {error} at {where} ({str(what)[:200]})"
            )
        else:
            if right:
                self.found.read[reader] += 1
            else:
                self.found.told.append(f"{reader}: read as something else ({str(what)[:200]})")

    def _whole(self, reader: str, read: Callable[[], bool]) -> None:
        """What is damaged next is right before: else the refusals below would say nothing."""
        if not read():
            raise AssertionError(f"{reader}: the file that is to be damaged is wrong already")

    # --- run files and baselines ---

    def run_files(self, number: int) -> None:
        """Run files as a disk damages them."""
        whole, path = failing(), self._folder / "run.parquet"
        write_run(path, whole)
        held, before = path.read_bytes(), read_run(path)
        for _ in range(number):
            path.write_bytes(damaged(self._draw, held))

            def read() -> bool:
                found = read_run(path)
                same = found.verdicts.equals(before.verdicts, null_equal=True)
                self.found.changed += not (same and found.header == before.header)
                return same and found.header == before.header

            self._try("run file", read, RunFileError)

    def sealed_headers(self, number: int, reader: str = "sealed header") -> None:
        """Headers of whoever can seal a file; the verdicts stay, and one of them breaks a must clause."""
        whole, path = failing(), self._folder / "sealed.parquet"
        write_run(self._folder / "new.parquet", whole)
        new = read_run(self._folder / "new.parquet")
        if reader == "baseline":  # of before anything was broken
            right = whole.verdicts.filter(pl.col("status") == "conforms")
            whole = Run(right, ({**whole.header, "created": "2026-11-01T00:00:00+00:00"},))
        for _ in range(number):
            made = mutated(self._draw, dict(whole.header))

            def read(made: Mapping[str, Any] = made) -> bool:
                with contextlib.suppress(OSError):
                    path.unlink()
                write_run(path, Run(whole.verdicts, (made,)))
                found = read_run(path)
                if reader == "baseline":
                    status = shown(new, merge([found]))
                else:
                    status = shown(found)
                self.found.passed += status == 0
                return status != 0

            self._try(reader, read, RunFileError, _difference(whole.header, made))

    def sealed_tables(self, number: int) -> None:
        """Tables of whoever can seal a file: any value in any column."""
        whole, path = failing(), self._folder / "table.parquet"
        odd: Mapping[pl.DataType, tuple[Any, ...]] = {
            pl.String(): tuple(v for v in HOSTILE if v is None or isinstance(v, str)),
            pl.Float64(): (None, float("nan"), float("inf"), -1.0, 1e308, 5e-324, -0.0),
            pl.Int32(): (None, -1, 0, 2**31 - 1, -(2**31)),
        }
        for _ in range(number):
            rows = whole.verdicts.to_dicts()
            column = self._draw.choice(list(SCHEMA))
            value = self._draw.choice(odd[SCHEMA[column]])
            for row in self._draw.sample(rows, self._draw.choice((1, 3, len(rows)))):
                row[column] = value

            def read(rows: list[dict[str, Any]] = rows) -> bool:
                write_run(path, Run(pl.DataFrame(rows, schema=SCHEMA, orient="row"), whole.headers))
                shown(read_run(path))
                return True

            self._try("sealed table", read, RunFileError, f"{column} = {value!r:.100}")

    def inflating(self) -> None:
        """Small files that read to very many rows, or to texts of megabytes; headers nested without end.

        And tables that lie, to whoever unpacks them, of what they hold.
        """
        whole, path = failing(), self._folder / "inflating.parquet"
        row = whole.verdicts.head(1)
        million = pl.concat([row] * 1000).select(pl.all().repeat_by(200).explode())
        long = whole.verdicts.with_columns(message=pl.lit("x" * 30_000_000))
        for what, frame in (("rows", million), ("texts", long)):

            def read(frame: pl.DataFrame = frame) -> bool:
                write_run(path, Run(frame, whole.headers))
                read_run(path)
                return False

            self._try("inflating", read, RunFileError, what)
        for text in (deep("[", "]"), deep('{"a":', "}", "1"), "[]", "null", "{", "9" * 10_000):

            def read_deep(text: str = text) -> bool:
                row.write_parquet(path, metadata={"xent-conformance": text})
                read_run(path)
                return False

            self._try("inflating", read_deep, RunFileError, text[:20])
        for lie, (held, words) in hostile().items():
            path.write_bytes(held)

            def read_table(words: str = words) -> bool:
                try:
                    table(path, {"case": pl.String()})
                except NoParquet as refused:
                    if words in str(refused):
                        raise
                return False

            self._try("inflating", read_table, NoParquet, lie)

    # --- journals ---

    def journals(self, number: int) -> None:
        """Journals of an interrupted run, damaged in any of their files, or written by somebody else."""
        out, identity = self._folder / "journal.parquet", {"suite": "x", "selection": {"profile": "quick"}}
        journal = Journal(out, identity, force=True)
        journal.met("torch", {"version": "2.13.0", "devices": ["cpu"]})
        statuses = ("conforms", "breaks_must", "breaks_should", "open", "unsupported")
        for batch in "abcd":
            rows = [verdict(case=f"{batch}/r{i}", status=statuses[i % 5], got=i / 7) for i in range(10)]
            answers = pl.DataFrame(
                [
                    (
                        batch,
                        "value",
                        "torch",
                        "torch.softmax",
                        "eager",
                        "cpu",
                        "float32",
                        1,
                        b"\0" * 8,
                        b"\1\1",
                    )
                ],
                schema=ANSWERS,
                orient="row",
            )
            frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
            journal.add([("torch", batch)], frame, Measured(answers))
        files = {path.name: path.read_bytes() for path in journal_of(out).iterdir()}
        whole = journal.verdicts()
        for i in range(number):
            for path in journal_of(out).iterdir():
                path.unlink()
            for name, held in files.items():
                (journal_of(out) / name).write_bytes(held)
            victim = self._draw.choice(sorted(files))
            if i % 4 == 0:
                self._reseal(journal_of(out), victim)
            else:
                (journal_of(out) / victim).write_bytes(damaged(self._draw, files[victim]))

            def read(victim: str = victim, sealed: bool = i % 4 == 0) -> bool:
                found = Journal(out, identity, resume=True)
                for measured in found.measured():
                    measured.answers.height  # noqa: B018  # it is read
                rows, done = found.verdicts(), found.done("torch")
                kept = whole.filter(pl.col("case").cast(pl.String).str.slice(0, 1).is_in(list(done)))
                same = rows.equals(kept, null_equal=True)
                self.found.changed += not (same or sealed)
                return same or sealed

            self._try("journal", read, RunFileError, victim)

    def _reseal(self, folder: Path, victim: str) -> None:
        """Other words beside the table, or other values in it, with a name whose digest fits."""
        import hashlib

        path = folder / victim
        if not victim.endswith(".parquet"):
            path.write_text(json.dumps(mutated(self._draw, json.loads(path.read_text()))))
            return
        told = {k: v for k, v in pl.read_parquet_metadata(path).items() if k != "ARROW:schema"}
        key = self._draw.choice(sorted(told))
        told[key] = json.dumps(mutated(self._draw, {"": json.loads(told[key])}).get("", None))
        held = io.BytesIO()
        pl.read_parquet(path).write_parquet(held, metadata=told)
        path.unlink()
        name = "-".join(path.stem.split("-")[:2])
        digest = hashlib.sha256(held.getvalue()).hexdigest()[:32]
        (folder / f"{name}-{digest}.parquet").write_bytes(held.getvalue())

    # --- what people write ---

    def texts(self, waivers: int, cases: int, config: int) -> None:
        """Waivers, files of cases and settings: damaged, mutated, nested without end, enormous."""
        path = self._folder / "waivers.toml"

        def waiver() -> bool:
            read_waivers([path])
            return True

        path.write_text(WAIVERS)
        self._whole("waivers", waiver)
        for text in self._texts(WAIVERS, waivers):
            path.write_bytes(text)
            self._try("waivers", waiver, WaiverError, text[:80])

        settings = self._folder / "settings"
        settings.mkdir(exist_ok=True)

        def configuration() -> bool:
            nearest(settings)
            return True

        (settings / "pyproject.toml").write_text(CONFIG)
        self._whole("settings", configuration)
        for text in self._texts(CONFIG, config):
            (settings / "pyproject.toml").write_bytes(text)
            self._try("settings", configuration, ConfigurationError, text[:80])

        file = self._folder / "cases.json"

        def case() -> bool:
            found = read_file(file)
            return bool(found.digest) and found.claims is not None

        whole = json.dumps(CASES)
        file.write_text(whole)
        self._whole("cases", case)
        for i in range(cases):
            held = damaged(self._draw, whole.encode()) if i % 2 else b""
            file.write_bytes(held or json.dumps(mutated(self._draw, CASES)).encode())
            self._try("cases", case, CasesError, file.read_bytes()[:200])
        for text in (deep("[", "]"), deep('{"cases":', "}", "1"), '{"cases": [' + "{}," * 100_000 + "{}]}"):
            file.write_text(text)
            self._try("cases", case, CasesError, text[:20])

    def _texts(self, whole: str, number: int) -> Iterator[bytes]:
        """TOML damaged, with lines of others, nested, enormous."""
        lines = whole.splitlines()
        odd = (
            *("[[waiver]]", "[tool.conformance]", 'a = "\\u202e"', "ulps = inf", "ulps = nan", "x = 1e400"),
            *(f"a = {deep('[', ']', depth=2000)}", f"n = {'9' * 5000}", 'reason = ""', "cases = [1]", "= 1"),
            *("versions = 7", 'link = "javascript:x"', "expires = 1", "profile = []", "framework = [[]]"),
        )
        for i in range(number - 3):
            if i % 2:
                yield damaged(self._draw, whole.encode())
                continue
            made = list(lines)
            for _ in range(self._draw.choice((1, 2, 4))):
                at = self._draw.randrange(len(made))
                made[at : at + self._draw.choice((0, 1))] = [self._draw.choice(odd)]
            yield "\n".join(made).encode()
        yield f"a = {deep('[', ']')}".encode()
        yield ("a" + deep(".a", "", depth=50_000) + " = 1").encode()
        yield b"# nothing\n" * 1_000_000

    def onnx(self, number: int) -> None:
        """Folders of ONNX's tests."""
        folder = self._folder / "onnx" / "test_softmax"
        data_set = folder / "test_data_set_0"
        data_set.mkdir(parents=True, exist_ok=True)
        model, inputs, outputs = onnx_test()

        def case() -> bool:
            return bool(read_file(self._folder / "onnx").digest)

        files = {
            folder / "model.onnx": model,
            data_set / "input_0.pb": inputs,
            data_set / "output_0.pb": outputs,
        }
        for path, held in files.items():
            path.write_bytes(held)
        self._whole("ONNX", case)
        for _ in range(number):
            victim = self._draw.choice(sorted(files))
            for path, held in files.items():
                path.write_bytes(damaged(self._draw, held) if path == victim else held)
            self._try("ONNX", case, CasesError, victim.name)


def onnx_test() -> tuple[bytes, bytes, bytes]:
    """A test of ONNX's kind: a model of one node, its input and its output."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    x = np.array([[0.0, 1.0, 2.0]], dtype=np.float32)
    y = np.array([[0.09003057, 0.24472848, 0.66524094]], dtype=np.float32)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in ("x", "y")]
    node = helper.make_node("Softmax", ["x"], ["y"], axis=1)
    graph = helper.make_graph([node], "test", ends[:1], ends[1:])
    return (
        helper.make_model(graph).SerializeToString(),
        numpy_helper.from_array(x, "x").SerializeToString(),
        numpy_helper.from_array(y, "y").SerializeToString(),
    )


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    return str({k: v for k, v in after.items() if before.get(k) != v} or "something is missing")
