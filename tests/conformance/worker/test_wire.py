"""What crosses between driver and worker keeps every bit, and a cut stream says so."""

from __future__ import annotations

import io
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from xent_conformance.reference.formats import FORMATS
from xent_conformance.worker.wire import Closed, receive, send


def _round_trip(**arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
    stream = io.BytesIO()
    send(stream, {"kind": "answer"}, arrays)
    stream.seek(0)
    header, found = receive(stream)
    assert header == {"kind": "answer"}
    assert list(found) == list(arrays)
    assert stream.read() == b""
    return found


def _same(found: NDArray[Any], sent: NDArray[Any]) -> None:
    assert found.dtype == sent.dtype
    assert found.shape == sent.shape
    assert found.tobytes() == sent.tobytes()


@pytest.mark.parametrize("dtype", FORMATS)
def test_every_bit_pattern_crosses(dtype: str) -> None:
    """All 65 536 patterns of a 16-bit format: every NaN payload, both zeros, all subnormals."""
    fmt = FORMATS[dtype]
    if fmt.dtype.itemsize == 2:
        bits = np.arange(2**16, dtype=np.uint16)
    else:
        words = np.random.Generator(np.random.Philox(key=7)).integers(0, 2**63, 4096, dtype=np.uint64)
        bits = (words * 2 + 1).view(np.uint32 if fmt.dtype.itemsize == 4 else np.uint64)
    sent = bits.view(fmt.dtype)
    _same(_round_trip(x=sent)["x"], sent)


@pytest.mark.parametrize("dtype", FORMATS)
def test_special_values_cross(dtype: str) -> None:
    fmt = FORMATS[dtype]
    values = [
        0.0,
        -0.0,
        np.inf,
        -np.inf,
        np.nan,
        fmt.smallest_subnormal,
        -fmt.smallest_subnormal,
        fmt.largest,
    ]
    sent = np.array(values).astype(fmt.dtype)
    sent = np.concatenate([sent, -sent[4:5]])  # a NaN with its sign set
    found = _round_trip(x=sent)["x"]
    _same(found, sent)
    assert float(found[5]) == fmt.smallest_subnormal
    assert np.signbit(found[1]) and not np.signbit(found[0])


@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 10), (3, 0), (2, 3), (2, 3, 4)])
@pytest.mark.parametrize("dtype", [*FORMATS, "int64", "bool"])
def test_every_shape_crosses(dtype: str, shape: tuple[int, ...]) -> None:
    kind = FORMATS[dtype].dtype if dtype in FORMATS else np.dtype(dtype)
    sent = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(kind)
    _same(_round_trip(x=sent)["x"], sent)


def test_views_cross_as_what_they_show() -> None:
    """Transposed, strided and reversed arrays have other bytes in memory than in the frame."""
    a = np.arange(24, dtype=np.float32).reshape(4, 6)
    for view in (a.T, a[::2, ::3], a[:, ::-1], np.broadcast_to(a[0], (5, 6))):
        _same(_round_trip(x=view)["x"], np.ascontiguousarray(view))


def test_several_arrays_in_one_frame() -> None:
    sent = {
        "empty": np.zeros((0, 3), dtype=np.float16),
        "half": np.array([1.5, -2.0], dtype=ml_dtypes.bfloat16),
        "scalar": np.array(3.25),
        "labels": np.array([0, 2**40], dtype=np.int64),
    }
    found = _round_trip(**sent)
    for name, array in sent.items():
        _same(found[name], array)


def test_frames_follow_one_another() -> None:
    stream = io.BytesIO()
    for i in range(3):
        send(stream, {"i": i}, {"x": np.full(i, i, dtype=np.float64)})
    send(stream, {"i": "last"})
    stream.seek(0)
    for i in range(3):
        header, arrays = receive(stream)
        assert header == {"i": i}
        assert arrays["x"].tolist() == [i] * i
    assert receive(stream) == ({"i": "last"}, {})
    with pytest.raises(Closed):
        receive(stream)


def test_a_stream_cut_anywhere_is_closed() -> None:
    """At every byte of a frame: in the length, in the header, in the arrays."""
    whole = io.BytesIO()
    send(whole, {"kind": "answer"}, {"x": np.arange(5, dtype=np.float32)})
    frame = whole.getvalue()
    for cut in range(len(frame)):
        with pytest.raises(Closed):
            receive(io.BytesIO(frame[:cut]))


def test_a_stream_that_comes_in_pieces() -> None:
    """A pipe gives as many bytes as it has, not as many as were asked for."""

    class Dribble(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 3))

    whole = io.BytesIO()
    send(whole, {"kind": "answer"}, {"x": np.arange(50, dtype=np.int64)})
    _, arrays = receive(Dribble(whole.getvalue()))
    assert arrays["x"].tolist() == list(range(50))


def test_big_endian_arrays_cross_as_their_values() -> None:
    found = _round_trip(x=np.array([1.0, 2.0], dtype=">f4"))["x"]
    assert found.tolist() == [1.0, 2.0]
