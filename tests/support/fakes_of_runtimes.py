"""Stand-ins for runtimes of phones: they run what they are given, and check it where the real ones would."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.support.fakes_of_libraries import softmax

# --- LiteRT -----------------------------------------------------------------------------------------------


def _object(**usual: Any) -> Any:
    """A class of the schema: attributes that one sets, and a way into a builder."""
    return type("T", (SimpleNamespace,), {"Pack": lambda self, builder: self, **usual})


class Builder:
    """Of flatbuffers: what it has finished is known by the bytes that it gives out."""

    finished: list[Any]

    def __init__(self, size: int) -> None:
        self.place = len(Builder.finished)

    def Finish(self, model: Any, file_identifier: bytes) -> None:
        assert file_identifier == b"TFL3" and model.version == 3
        Builder.finished.append(model)

    def Output(self) -> bytearray:
        return bytearray(str(self.place), "ascii")


OPERATORS = {"LOGISTIC": 14, "SOFTMAX": 25, "LOG_SOFTMAX": 50}
TYPES = {"FLOAT32": 0, "FLOAT16": 1}


class Interpreter:
    """Of one model, whose tensors have a shape and a type; a NaN it refuses, and answers nothing after."""

    told: list[tuple[str, int]]

    def __init__(self, model_content: bytes, num_threads: int, experimental_op_resolver_type: str) -> None:
        Interpreter.told.append((experimental_op_resolver_type, num_threads))
        (self.graph,) = Builder.finished[int(model_content)].subgraphs
        (code,) = Builder.finished[int(model_content)].operatorCodes
        (self.node,) = self.graph.operators
        self.kind, self.tensors = code.builtinCode, {}
        assert code.deprecatedBuiltinCode == code.builtinCode

    def allocate_tensors(self) -> None:
        self.allocated, self.broken = True, False

    def set_tensor(self, index: int, array: np.ndarray) -> None:
        expected = self.graph.tensors[index]
        assert self.allocated and array.flags.c_contiguous
        assert (list(array.shape), TYPES[array.dtype.name.upper()]) == (expected.shape, expected.type)
        self.tensors[index] = array

    def invoke(self) -> None:
        (i,), (o,), x = self.node.inputs, self.node.outputs, self.tensors[self.node.inputs[0]]
        self.broken |= bool(np.isnan(x).any())
        if self.broken:
            raise RuntimeError(f"Node number {i} failed to invoke.")
        if self.kind == OPERATORS["SOFTMAX"]:
            assert (self.node.builtinOptionsType, self.node.builtinOptions.beta) == (9, 1.0)
        s = 1 / (1 + np.exp(-x)) if self.kind == OPERATORS["LOGISTIC"] else softmax(x)
        self.tensors[o] = np.log(s) if self.kind == OPERATORS["LOG_SOFTMAX"] else s

    def get_tensor(self, index: int) -> np.ndarray:
        return self.tensors[index].copy()


def litert() -> dict[str, Any]:
    """Modules by their names, with nothing in them yet."""
    Builder.finished, Interpreter.told = [], []
    names = ("Operator", "OperatorCode", "SubGraph", "Model", "Buffer", "Tensor", "SoftmaxOptions")
    resolvers = ("BUILTIN", "BUILTIN_REF", "BUILTIN_WITHOUT_DEFAULT_DELEGATES")
    return {
        "flatbuffers": {"Builder": Builder},
        "ai_edge_litert__interpreter": {
            "Interpreter": Interpreter,
            "OpResolverType": SimpleNamespace(**{name: name for name in resolvers}),
        },
        "ai_edge_litert__schema_py_generated": {
            "BuiltinOperator": SimpleNamespace(**OPERATORS),
            "BuiltinOptions": SimpleNamespace(SoftmaxOptions=9),
            "TensorType": SimpleNamespace(**TYPES),
            **{f"{name}T": _object() for name in names},
        },
    }


# --- ExecuTorch -------------------------------------------------------------------------------------------


class Exported:
    """What PyTorch exports: a function whose sizes are dynamic, so that an example may have others."""

    def __init__(self, module: Any, examples: tuple[Any, ...], dynamic_shapes: tuple[Any, ...]) -> None:
        (of_each,) = dynamic_shapes
        assert [len(sizes) for sizes in of_each] == [example.ndim for example in examples]
        self.function = module
        self.bounds = {dim.__name__: dim.max for sizes in of_each for dim in sizes.values()}
        for example, sizes in zip(examples, of_each, strict=True):
            assert all(size <= sizes[i].max for i, size in enumerate(example.shape)), "a violated constraint"
        self.function(*examples)


class Lowered:
    """A program as bytes: what was exported, the partitioners that it was lowered for beside it."""

    made: list[tuple[Any, list[Any]]]

    def __init__(self, exported: Any, partitioner: list[Any]) -> None:
        Lowered.made.append((exported, partitioner))
        self.buffer = str(len(Lowered.made) - 1).encode("ascii")

    def to_executorch(self) -> Lowered:
        return self


class Method:
    """What it returns is its own memory, which the next call writes over."""

    def __init__(self, exported: Any) -> None:
        self.exported, self.memory = exported, {}

    def execute(self, given: list[Any]) -> list[Any]:
        assert all(tensor.is_contiguous() for tensor in given)
        if any(tensor.isnan().any() for tensor in given):
            raise RuntimeError("method->execute() failed with error 0x12")
        assert all(map(int.__le__, given[0].shape, self.exported.bounds.values()))
        found = self.exported.function(*given)
        held = self.memory.setdefault(found.shape, found.clone())
        return [held.copy_(found)]


class Program:
    def __init__(self, data: bytes) -> None:
        self.method = Method(Lowered.made[int(data)][0])

    def load_method(self, name: str) -> Method:
        assert name == "forward"
        return self.method


class Threads:
    count = 0

    @classmethod
    def reset(cls, count: int) -> None:
        cls.count = count


def executorch() -> dict[str, Any]:
    """Modules by their names, with nothing lowered yet."""
    Lowered.made, Threads.count = [], 0
    registry = SimpleNamespace(registered_backend_names=["XnnpackBackend"])
    runtime = SimpleNamespace(load_program=Program, backend_registry=registry)
    partitioner = {"XnnpackPartitioner": lambda: "xnnpack"}
    return {
        "executorch__exir": {"to_edge_transform_and_lower": Lowered},
        "executorch__extension__pybindings__portable_lib": {"_unsafe_reset_threadpool": Threads.reset},
        "executorch__runtime": {"Runtime": SimpleNamespace(get=lambda: runtime)},
        "executorch__backends__xnnpack__partition__xnnpack_partitioner": partitioner,
    }
