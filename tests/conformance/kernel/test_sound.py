"""Nothing passes that was not answered: each of these once did. The first line says why it does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.later import Later
from xent_conformance import Checked, Divergence, check

if TYPE_CHECKING:
    import torch
else:
    torch = Later("torch")

Loss = Callable[..., Any]

SPARSE = "sparse_softmax_cross_entropy"


def right(x: Any, y: Any, **given: Any) -> Any:
    return torch.nn.functional.cross_entropy(x, y, reduction="none", **given)


def _check(function: Loss, *families: str, **given: Any) -> Checked:
    asked: dict[str, Any] = {
        "operator": "sparse_softmax_cross_entropy",
        "framework": "torch",
        "dtypes": "float32",
    }
    return check(function, **asked | given, families=families or ("ordinary", "two_classes"))


def _first_line(checked: Checked) -> str:
    assert not checked.conforms
    with pytest.raises(Divergence) as raised:
        checked.raise_on_divergence()
    return str(raised.value).splitlines()[0]


def test_what_is_right_passes() -> None:
    _check(right).raise_on_divergence()


def test_a_loss_that_is_detached() -> None:
    first = _first_line(_check(lambda x, y: right(x.detach(), y), name="detached"))
    assert "detached as sparse" in first and "grad_logits was never answered (" in first
    assert "does not require grad" in first and "differentiable=False" in first


def test_a_function_that_is_said_to_have_no_gradient() -> None:
    checked = _check(lambda x, y: right(x.detach(), y), differentiable=False)
    checked.raise_on_divergence()
    assert set(checked.verdicts["output"]) == {"value"}


def test_a_backward_that_raises() -> None:
    class Broken(torch.autograd.Function):  # type: ignore[misc,name-defined]
        @staticmethod
        def forward(_: Any, x: Any) -> Any:
            return torch.log_softmax(x, -1)

        @staticmethod
        def backward(_: Any, gradient: Any) -> Any:
            raise NotImplementedError("left for later")

    checked = _check(lambda x: Broken.apply(x), operator="log_softmax")
    assert re.search(r"grad_logits was never answered .*left for later", _first_line(checked))


def test_a_kernel_that_begins_to_raise() -> None:
    """After some calls every call fails, on harmless numbers too."""
    calls: list[int] = []

    def dies(x: Any, y: Any) -> Any:
        calls.append(1)
        if len(calls) > 6:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return right(x, y)

    first = _first_line(_check(dies, "ordinary", "two_classes", "huge_logits", "special_values"))
    assert "raised in" in first and "illegal memory access" in first


def test_a_loss_that_refuses_what_it_takes() -> None:
    def unsmoothed(x: Any, y: Any, label_smoothing: float = 0.0, **given: Any) -> Any:
        if label_smoothing:
            raise ValueError("label smoothing is not written yet")
        return right(x, y, **given)

    checked = _check(unsmoothed, "attributes", takes=("label_smoothing",))
    first = _first_line(checked)
    assert "refused in" in first and "label smoothing is not written yet" in first
    assert set(checked.findings.filter(level="must")["clause"]) == {"1.7"}


def test_an_error_that_depends_on_the_shape() -> None:
    """Harmless numbers of that shape fail as well: it is no lack of support."""

    def even(x: Any, y: Any) -> Any:
        if x.shape[-1] % 2:
            raise RuntimeError("the block does not divide the row")
        return right(x, y)

    assert "the block does not divide the row" in _first_line(_check(even, "ordinary", "widths"))


def test_a_format_that_is_offered_and_refused() -> None:
    def no_half(x: Any, y: Any) -> Any:
        if x.dtype == torch.float16:
            raise RuntimeError('"loss" not implemented for Half')
        return right(x, y)

    assert "not implemented for Half" in _first_line(_check(no_half, "ordinary", dtypes=None))
    _check(no_half, "ordinary", dtypes=["float32", "float64"]).raise_on_divergence()


def test_a_compiled_loss_that_is_wrong_only_where_it_is_compiled() -> None:
    """By itself PyTorch compiles a function eight times, and then runs it eagerly without a word."""
    import torch  # the module itself: what is compiled may not look through the stand-in

    def branches(x: Any, y: Any) -> Any:
        loss = torch.logsumexp(x, -1) - x.gather(1, y[:, None]).squeeze(1)
        return loss * 1.5 if torch.compiler.is_compiling() else loss

    compiled = torch.compile(branches, backend="eager", dynamic=False)  # a shape, a compilation
    checked = _check(compiled, "ordinary", "widths", profile="standard", name="compiled")
    assert "compiled as sparse" in _first_line(checked)
    values = checked.verdicts.filter(output="value")
    assert values["n"].n_unique() > 8
    broken = values.filter(status="breaks_must")  # a loss of zero is what it is, however often it is taken
    assert set(broken["n"]) == set(values.filter(values["n"] > 1)["n"])
