"""Files of cases by name: which of the three kinds one is, its batches, and what of it could not be asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from xent_conformance.cases.case import Batch, Case
from xent_conformance.cases.corpus import digest_of, families
from xent_conformance.cases.outside.batches import batch, expected
from xent_conformance.cases.outside.numbers import CasesError
from xent_conformance.cases.outside.onnx_tests import read_folder
from xent_conformance.cases.outside.schema import Document, document, read_document
from xent_conformance.cases.outside.translated import Translation, path_safe
from xent_conformance.cases.outside.webnn import is_javascript, read_script, read_tests
from xent_conformance.reference.formats import Floats

MAX_BYTES = 2**28

LONGEST = 2000
"""Characters of a refusal: a name in a file may be endless."""


@dataclass(frozen=True)
class CaseFile:
    """A file of cases as it was named; ``refused``: what of another project's tests is no case, and why."""

    path: str
    document: Document
    refused: tuple[tuple[str, str], ...] = field(default=(), hash=False)

    @property
    def name(self) -> str:
        """The family of its batches."""
        return self.document.name

    @cached_property
    def batches(self) -> tuple[Batch, ...]:
        """One a case."""
        return tuple(batch(call, self.name) for call in self.document.calls)

    @cached_property
    def digest(self) -> str:
        """Hash of every id, clause and bit that is asked."""
        return digest_of(self.batches)

    @cached_property
    def claims(self) -> dict[str, Floats]:
        """By batch, the value that the file itself says is right."""
        pairs = zip(self.batches, map(expected, self.document.calls), strict=True)
        return {b.id: claim for b, claim in pairs if claim is not None}

    @property
    def about(self) -> str:
        """What is said of its family."""
        return self.document.source or f"cases of {Path(self.path).name}"


def read_files(paths: Iterable[str | Path]) -> tuple[CaseFile, ...]:
    """The files, in their order. Raises :class:`CasesError`, with the name of the file."""
    files: list[CaseFile] = []
    for path in paths:
        found = read_file(path)
        for other in files:
            if other.name == found.name:
                raise CasesError(
                    f"{path}: its name is {found.name!r}, as that of {other.path}; a name is part of every id"
                )
        files.append(found)
    return tuple(files)


def read_file(path: str | Path) -> CaseFile:
    """One file, or one folder of ONNX's backend tests. Raises :class:`CasesError`."""
    try:
        return _read(Path(path), str(path))
    except CasesError as error:
        raise CasesError(f"{path}: {error}"[:LONGEST]) from None


def find_in(files: Sequence[CaseFile], case_id: str) -> tuple[Batch, Case]:
    """The case of that id in one of the files. Raises LookupError for any other id."""
    for file in files:
        for found in file.batches:
            if case_id.startswith(f"{found.operator}/{found.family}/"):
                for case in found.cases:
                    if case.id == case_id:
                        return found, case
    raise LookupError(case_id)


def _read(path: Path, named: str) -> CaseFile:
    if path.is_dir():
        return _translated(read_folder(path), named)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise CasesError(f"it has {size} bytes, a file of cases at most {MAX_BYTES}: give several files")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise CasesError("no such file") from None
    except OSError as error:
        raise CasesError(f"it cannot be read: {error.strerror}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CasesError("it is no text in UTF-8, so no file of cases") from None
    if is_javascript(text):
        return _translated(read_script(text, _stem(path), f"WebNN's tests in {path.name}"), named)
    if '"tests"' in text and (tests := _tests(text)) is not None:
        return _translated(read_tests(tests, _stem(path), f"WebNN's tests in {path.name}"), named)
    return CaseFile(named, read_document(text, families()))


def _tests(text: str) -> object:
    """The tests of WebNN that a JSON file holds; None if it is another file."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None  # whoever reads it next says what is wrong with it
    return found.get("tests") if isinstance(found, dict) and "schema" not in found else None


def _translated(found: Translation, named: str) -> CaseFile:
    refused = tuple(found.refused.items())
    if not found.document["cases"]:
        why = "; ".join(f"{name}: {reason}" for name, reason in refused[:3])
        raise CasesError(f"none of its {len(refused)} tests can be asked ({why})")
    return CaseFile(named, document(dict(found.document), families()), refused)


def _stem(path: Path) -> str:
    """``softmax.https.any.js`` is ``softmax``: the name of a family that there is not already."""
    return path_safe(f"webnn_{path.name.partition('.')[0]}".replace("webnn_webnn", "webnn"))
