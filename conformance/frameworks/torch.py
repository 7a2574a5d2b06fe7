"""PyTorch: eager, through ``torch.func``, row by row through ``vmap``, under autocast, compiled."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from xent_conformance.devices.variants import DETERMINISTIC, THREADS, TORCH
from xent_conformance.frameworks.interface import (
    STATES,
    Array,
    Call,
    Glance,
    Implementation,
    NotOffered,
    Unsupported,
    dtype_of,
    holds_numbers,
    type_of,
)
from xent_conformance.frameworks.torch_doors import FIRST, LINEAR, OTHERS
from xent_conformance.frameworks.torch_inductor import Begun
from xent_conformance.frameworks.torch_layers import COMPOSED, LAYERS
from xent_conformance.frameworks.torch_moved import moved

_BY_BITS = ("bfloat16", "float8")

_COMPILED = (
    "torch.softmax",
    "torch.nn.functional.cross_entropy:indices",
    "torch.nn.functional.binary_cross_entropy_with_logits",
)
"""Doors that are compiled, and asked of plain rows: a compiler run takes seconds."""


class Torch:
    """Needs ``torch``; asks ``cpu`` and every CUDA or MPS device there is."""

    name = "torch"
    distribution = "torch"
    imports: ClassVar[Sequence[str]] = ("torch",)
    modes: ClassVar = {
        "eager": "quick",
        "func": "standard",
        "autocast": "standard",
        "vmap": "full",
        "compile": "full",
    }
    restricted: ClassVar[Mapping[str, frozenset[str]]] = {
        "compile": frozenset({*_COMPILED, COMPOSED}),
        "autocast": frozenset(i.name for i in FIRST),
        "func": frozenset(i.name for i in FIRST),
        "vmap": frozenset(i.name for i in FIRST),
    }
    # the loss that everybody trains with, compiled once, and in mixed precision; for a single class
    # other code is made, the graph of ten classes answers for a thousand
    glances: ClassVar[Mapping[str, Glance]] = {
        "compile": Glance(("torch.nn.functional.cross_entropy:indices",), lengths=(10, 1000), apart=True),
        "autocast": Glance(("torch.nn.functional.cross_entropy:indices",), dtype="bfloat16"),
    }
    formats: ClassVar = {"autocast": frozenset({"float16", "bfloat16"})}
    widening: ClassVar = frozenset({"autocast"})
    # a graph of the first shape answers for the shapes that come after
    in_order: ClassVar = frozenset({"compile"})
    variants: ClassVar = TORCH
    autodiff = True
    sparse = True
    moving: ClassVar[Sequence[str]] = ("jvp", "hvp")
    from_eight_bits: ClassVar = frozenset({"torch.softmax", "torch.log_softmax"})
    layouts: ClassVar = frozenset(
        {
            "transposed",
            "strided",
            "sliced",
            "misaligned",
            "broadcast",
            "class_last",
            "cotangent_broadcast",
            "logits_broadcast",
        }
    )  # NumPy's negative strides have no counterpart in torch
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset(STATES)}
    implementations: ClassVar[Sequence[Implementation]] = (*FIRST, *OTHERS, *LAYERS)
    not_offered: ClassVar[Sequence[NotOffered]] = (
        NotOffered(
            'kl_div has no derivative by the target: "element 0 of tensors does not require grad"',
            implementations=("torch.nn.LogSoftmax+torch.nn.KLDivLoss+entropy",),
            outputs=("grad_labels",),
        ),
        NotOffered(
            "the gradient of a linear loss depends on nothing, and autograd makes no second one of it: "
            '"element 0 of tensors does not require grad and does not have a grad_fn"',
            implementations=LINEAR,
            modes=("eager", "autocast"),
            outputs=("hvp",),
        ),
        NotOffered(
            "torch.vmap maps a function of one row, which sees neither the other axes nor the other rows: "
            "what has axes of its own, or is reduced, is another question there "
            "(https://docs.pytorch.org/docs/stable/generated/torch.vmap.html)",
            modes=("vmap",),
            manners=("shape", "out", "group"),
        ),
        NotOffered(
            "torch.compile is asked of plain rows: it traces a graph for each attribute, a quarter of a "
            "minute each (https://docs.pytorch.org/docs/stable/generated/torch.compile.html)",
            implementations=_COMPILED,
            modes=("compile",),
            manners=("shape", "out", "group", "dtype", "attributes"),
        ),
        NotOffered(
            'no second derivative of compiled code: "torch.compile with aot_autograd does not currently '
            'support double backward"; and the tangent of forward mode is lost there',
            modes=("compile",),
            outputs=("jvp", "hvp"),
        ),
    )

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(int(os.environ.get(THREADS, "1")))
        if DETERMINISTIC in os.environ:
            torch.use_deterministic_algorithms(True)
        self._torch = self._library = torch
        self._compiled: dict[Any, Callable[..., Any]] = {}
        self._inductor: Begun | None = None

    def version(self) -> str:
        return str(self._torch.__version__)

    def environment(self) -> Mapping[str, str]:
        torch = self._torch
        found = {
            "cpu capability": torch.backends.cpu.get_cpu_capability(),
            "threads": str(torch.get_num_threads()),
            "oneDNN": str(torch.backends.mkldnn.is_available()),
            "machine": platform.machine(),
        }
        if torch.cuda.is_available():
            found["cuda"] = str(torch.version.cuda)
            for i in range(torch.cuda.device_count()):
                found[f"cuda:{i}"] = torch.cuda.get_device_name(i)
        return found

    def devices(self) -> Sequence[str]:
        torch = self._torch
        cuda = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
        mps = ["mps"] if torch.backends.mps.is_available() else []
        return ["cpu", *cuda, *mps]

    def missing(self) -> Mapping[str, str]:
        """``torch.compile`` compiles C++: a machine without the tools for that says nothing of it."""
        compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
        if shutil.which(compiler) is None:
            return {"compile": f"torch.compile needs a C++ compiler, and there is no {compiler} on the path"}
        headers = Path(sysconfig.get_path("include"))
        if not (headers / "Python.h").is_file():
            return {"compile": f"torch.compile needs Python's headers, and there is no Python.h in {headers}"}
        return {}

    def keep_compiled(self, folder: str) -> None:
        """TorchInductor's folder of generated code, which otherwise is one for all of a user's programs."""
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder

    def begin(self, mode: str) -> None:
        """TorchInductor's beginnings take longer than the rest of what is compiled."""
        if mode == "compile" and self._inductor is None:
            self._inductor = Begun()

    def run(self, call: Call) -> Mapping[str, Array]:
        if call.mode == "compile":
            self.begin(call.mode)
            assert self._inductor is not None
            self._inductor.wait()
        _compile_always()
        given = self._tensors(call)
        *arguments, cotangent = given[: len(call.arguments) + 1]
        if call.sparse:
            arguments[0] = arguments[0].to_sparse()
        tangent = None if call.tangent is None else given[-1]
        keywords = self._keywords(call, arguments[0], cotangent)

        compute = self._compute(call, keywords)
        if "out" not in keywords:  # what is written there counts, whatever is returned
            compute = self._of_tensors(compute)
        with self._context(call, arguments[0].dtype):
            if call.mode in ("func", "vmap"):
                results = self._functional(compute, arguments, cotangent, tangent, call.outputs)
            elif tangent is not None:
                results = self._along(compute, arguments, cotangent, tangent, call.outputs)
            else:
                results = self._gradients(compute, arguments, cotangent, call)
        if call.device != "cpu":  # there a tensor is the array's own memory
            for array, tensor in zip(call.given, given, strict=True):
                np.copyto(array, self._array(tensor))
        if "out" in keywords:
            results["value"] = keywords["out"]
        return {o: self._array(results[o]) for o in call.outputs}

    def _compute(self, call: Call, keywords: Mapping[str, Any]) -> Callable[..., Any]:
        """The implementation as a function of tensors, in the call's mode."""
        torch = self._torch
        plain = functools.partial(call.implementation.call, self._library, **keywords)
        if call.mode == "vmap":
            return lambda *tensors: torch.vmap(plain)(*tensors)
        if call.mode != "compile":
            return plain
        key = (call.implementation, tuple(call.keywords.items()))
        if key not in self._compiled:

            def compiled(*tensors: Any) -> Any:
                if not torch.compiler.is_compiling():  # it is while it is traced: a constant of what answers
                    raise RuntimeError("torch.compile ran the function eagerly: nothing compiled answered")
                return plain(*tensors)

            self._compiled[key] = torch.compile(compiled, dynamic=True)
        assert self._inductor is not None
        self._inductor.header(made=key != next(iter(self._compiled)))  # the first may be the only one
        return self._compiled[key]

    def _of_tensors(self, compute: Callable[..., Any]) -> Callable[..., Any]:
        """The same function; what it returns and is no tensor is an error, which says what it is."""

        def tensor(*arguments: Any) -> Any:
            value = compute(*arguments)
            if not isinstance(value, self._torch.Tensor):
                raise TypeError(f"returned {_named(value)}, not a tensor")
            return value

        return tensor

    def _context(self, call: Call, dtype: Any) -> Any:
        if call.mode != "autocast":
            return contextlib.nullcontext()
        return self._torch.autocast(call.device.partition(":")[0], dtype=dtype)

    def _functional(
        self,
        compute: Callable[..., Any],
        arguments: list[Any],
        cotangent: Any,
        tangent: Any,
        outputs: Sequence[str],
    ) -> dict[str, Any]:
        """By ``torch.func``: ``vjp``, ``jvp``, and forward over reverse."""
        func, (x, *labels) = self._torch.func, arguments
        if tangent is not None:

            def once(x: Any) -> Any:
                return compute(x, *labels)

            def gradient(x: Any) -> Any:
                return func.vjp(once, x)[1](cotangent)[0]

            of = {"jvp": once, "hvp": gradient}
            return {o: func.jvp(of[o], (x,), (tangent,))[1] for o in outputs}
        if outputs == ("value",):
            return {"value": compute(*arguments)}
        if "grad_labels" in outputs:
            value, pull = func.vjp(compute, *arguments)
        else:
            value, pull = func.vjp(lambda x: compute(x, *labels), x)
        return {"value": value, **dict(zip(("grad_logits", "grad_labels"), pull(cotangent), strict=False))}

    def _keywords(self, call: Call, like: Any, cotangent: Any) -> dict[str, Any]:
        torch = self._torch
        own = str(like.dtype).removeprefix("torch.")
        keywords = {
            name: torch.tensor(
                given, dtype=getattr(torch, type_of(name, call.keywords, own)), device=like.device
            )
            if holds_numbers(name, given)
            else given
            for name, given in call.keywords.items()
            if name != "weight_dtype"
        }
        if "dtype" in keywords:
            keywords["dtype"] = getattr(torch, keywords["dtype"])
        if "out" in keywords:
            keywords["out"] = torch.full(cotangent.shape, 7.0, dtype=like.dtype, device=like.device)
        return keywords

    def _gradients(
        self, compute: Callable[..., Any], arguments: list[Any], cotangent: Any, call: Call
    ) -> dict[str, Any]:
        torch = self._torch
        if call.state == "inference":
            with torch.inference_mode():
                return {"value": compute(*arguments)}
        tensors = dict(zip(("grad_logits", "grad_labels"), arguments, strict=False))
        wanted = [o for o in call.outputs if o != "value"]
        by = [tensors[o].requires_grad_() for o in wanted]
        value = compute(*arguments)
        if not wanted:
            return {"value": value}
        cotangent = cotangent.to(value.dtype)
        if call.state == "accumulated":
            for once_more in (value, compute(*arguments)):
                once_more.backward(cotangent)
            return {o: tensor.grad for o, tensor in zip(wanted, by, strict=True)}
        twice = call.state == "second_backward"
        gradients = torch.autograd.grad(value, by, cotangent, retain_graph=twice)
        if twice:
            gradients = torch.autograd.grad(value, by, cotangent)
        return {"value": value, **dict(zip(wanted, gradients, strict=True))}

    def _along(
        self,
        compute: Callable[..., Any],
        arguments: list[Any],
        cotangent: Any,
        tangent: Any,
        outputs: Sequence[str],
    ) -> dict[str, Any]:
        """``jvp`` in forward mode, ``hvp`` as the gradient of the gradient.

        Each as far as it is wanted: much has the second and no forward mode.
        """
        torch, (x, *labels) = self._torch, arguments
        found = {}
        if "jvp" in outputs:
            with torch.autograd.forward_ad.dual_level():
                moved = compute(torch.autograd.forward_ad.make_dual(x, tangent), *labels)
                found["jvp"] = torch.autograd.forward_ad.unpack_dual(moved).tangent
            if found["jvp"] is None:
                raise Unsupported("forward mode gave no tangent")
        if "hvp" in outputs:
            x = x.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(compute(x, *labels), x, cotangent, create_graph=True)
            (found["hvp"],) = torch.autograd.grad(gradient, x, tangent)
        return found

    def _tensors(self, call: Call) -> list[Any]:
        """A tensor for each array; of an array that is given twice, two tensors of one memory."""
        made: dict[int, Any] = {}
        for array in call.given:
            if id(array) not in made:
                made[id(array)] = self._tensor(array, call.device)
        return [made[id(array)].detach() for array in call.given]

    def _tensor(self, array: Array, device: str) -> Any:
        torch, name = self._torch, array.dtype.name
        # NumPy and PyTorch do not know each other's bfloat16 and float8
        bits = array.view(f"i{array.itemsize}") if name.startswith(_BY_BITS) else array
        # strides are kept: a layout is part of what is asked
        host = torch.from_numpy(bits if bits.flags.writeable else bits.copy())
        tensor = host.view(getattr(torch, name)) if bits is not array else host
        return tensor if device == "cpu" else moved(tensor, device)

    def _array(self, tensor: Any) -> Array:
        dense = tensor.detach().to_dense() if tensor.is_sparse else tensor.detach()
        host, name = dense.cpu().contiguous(), str(tensor.dtype).removeprefix("torch.")
        if name.startswith(_BY_BITS):
            bits: Array = host.view(getattr(self._torch, f"int{8 * host.itemsize}")).numpy()
            return bits.view(dtype_of(name))
        array: Array = host.numpy()
        return array


RECOMPILATIONS = 4096
"""Of one function: more than the shapes and formats that it can be asked."""


def _named(value: object) -> str:
    """``a NumPy array``, ``None``, ``a tuple``: what was returned, as people say it."""
    if value is None:
        return "None"
    name = "NumPy array" if isinstance(value, np.ndarray) else type(value).__qualname__
    return f"{'an' if name[0] in 'aeiouAEIO' else 'a'} {name}"


def _compile_always() -> None:
    """A function that is compiled, by us or by whoever wrote it, answers as compiled, each time.

    By itself PyTorch compiles a function for eight shapes and then runs it eagerly without a word.
    """
    if "torch._dynamo" in sys.modules:
        config = sys.modules["torch._dynamo"].config
        config.recompile_limit = config.accumulated_recompile_limit = RECOMPILATIONS
        config.fail_on_recompile_limit_hit = True
