"""The variants of devices that our adapters are asked under, framework by framework.

A setting of one framework means nothing to another, so each has its own; the order is that of asking. What is
no variable of the framework itself is one of ours, ``CONFORMANCE_…``, which its adapter reads.
"""

from __future__ import annotations

from collections.abc import Mapping

from xent_conformance.devices.variant import Variant

Variants = Mapping[str, Variant]
"""By name: ``isa=avx2`` of ``cpu[isa=avx2]``."""

DETERMINISTIC, THREADS = "CONFORMANCE_DETERMINISTIC", "CONFORMANCE_THREADS"
RANKS = "CONFORMANCE_RANKS"
PRECISION = "CONFORMANCE_OPENVINO_PRECISION"
EXECUTORCH_BACKEND = "CONFORMANCE_EXECUTORCH_BACKEND"
LITERT_KERNELS = "CONFORMANCE_LITERT_KERNELS"
BROWSER_BACKEND = "CONFORMANCE_BROWSER_BACKEND"
CHROMIUM, NODE_MODULES = "CONFORMANCE_CHROMIUM", "CONFORMANCE_NODE_MODULES"
INTERPRET = "TRITON_INTERPRET"
DRIVER = "CONFORMANCE_VULKAN_DRIVER"
NCNN_PRECISION = "CONFORMANCE_NCNN_PRECISION"

TF32_OFF = Variant({"NVIDIA_TF32_OVERRIDE": "0"}, "products of binary32 in binary32, not TF32", device="cuda")

TORCH: Variants = {
    "isa=default": Variant(
        {"ATEN_CPU_CAPABILITY": "default"}, "kernels without AVX", ("eager",), needs="avx2", since="standard"
    ),
    "isa=avx2": Variant(
        {"ATEN_CPU_CAPABILITY": "avx2"},
        "kernels for AVX2, not AVX-512",
        ("eager",),
        needs="avx512f",
        since="standard",
    ),
    "threads=4": Variant({THREADS: "4"}, "four threads within one operator", ("eager",)),
    "deterministic": Variant(
        {DETERMINISTIC: "1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"},
        "torch.use_deterministic_algorithms(True)",
        ("eager",),
        device="cuda",  # CPU kernels are deterministic by themselves
    ),
    "cublas=deterministic": Variant(
        {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"},
        "cuBLAS with a workspace of fixed size, and the algorithms that PyTorch chooses",
        ("eager",),
        device="cuda",
    ),
    "tf32": Variant(
        {"NVIDIA_TF32_OVERRIDE": "1", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1"},
        "products of binary32 in TF32, ten bits of fraction",
        ("eager",),
        device="cuda",
    ),
}

LIGER: Variants = {
    "triton=interpret": Variant(
        {INTERPRET: "1"},
        "Triton's interpreter, in NumPy",
        ("interpreted",),
        since="quick",
        transfers=(
            "a kernel's algorithm, its masks, strides and tiles, the labels that it reads, and the code on "
            "the host that calls it, with what they get wrong"
        ),
        stays=(
            "the last bits of exp and log, the order of a sum within a block, flushed subnormal numbers, "
            "races, and bfloat16, to which the interpreter converts by a routine of its own and which is not "
            "asked: it is NumPy's arithmetic, one program after the other"
        ),
    ),
}

LOSS_PARALLEL: Variants = {
    f"mesh=tp{n}": Variant(
        {RANKS: str(n)},
        f"classes spread over {n} rank{'s' if n > 1 else ''} in one process",
        transfers="the shards, and the collectives over them: a sum over ranks is that of the mesh",
        stays="the kernels of one rank, and a network, its failures and its order of arrival",
    )
    for n in (4, 2, 8, 1)
}

MEGATRON: Variants = {
    f"mesh=tp{n}": Variant(
        {RANKS: str(n)},
        f"classes spread over {n} process{'es' if n > 1 else ''}, a rank each, over gloo",
        since="quick" if n == 4 else "full",
        transfers="the shards, and the collectives that are called over them",
        stays="the kernels of one rank, NCCL's order of summation, and a network",
    )
    for n in (4, 2, 8, 1)
}

JAX: Variants = {
    **{
        f"isa={isa.lower()}": Variant(
            {"XLA_FLAGS": f"--xla_cpu_max_isa={isa}"}, f"code for {isa} at most", ("jit",), needs=needs
        )
        for isa, needs in (("SSE4_2", "avx"), ("AVX2", "avx512f"))
    },
    "fast_math": Variant(
        {"XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}, "reassociation, no NaN, no infinity", ("jit",)
    ),
    "deterministic": Variant(
        {"XLA_FLAGS": "--xla_gpu_deterministic_ops=true"},
        "code that gives the same bits again",
        ("jit",),
        device="cuda",
    ),
    "tf32=off": TF32_OFF,
}

JAX_SHARDED: Variants = {
    f"devices={n}": Variant(
        {"XLA_FLAGS": f"--xla_force_host_platform_device_count={n}"},
        f"classes spread over {n} device{'s' if n > 1 else ''} that XLA makes of the host",
        transfers="the program that is divided among devices, and its collectives",
        stays="the kernels of one device, which are the CPU's, and a network",
    )
    for n in (8, 4, 2, 1)
}

TENSORFLOW: Variants = {
    "onednn=off": Variant(
        {"TF_ENABLE_ONEDNN_OPTS": "0"}, "without oneDNN's kernels", ("eager",), since="standard"
    ),
    "isa=sse4_2": Variant(
        {"XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2"}, "XLA code for SSE4.2 at most", ("xla",), needs="avx"
    ),
    "deterministic": Variant(
        {"TF_DETERMINISTIC_OPS": "1"}, "kernels that give the same bits again", ("eager",), device="cuda"
    ),
    "tf32=off": TF32_OFF,
}

OPENVINO: Variants = {
    f"runtime=openvino,precision={precision}": Variant(
        {PRECISION: precision}, f"INFERENCE_PRECISION_HINT={precision}", since=since
    )
    for precision, since in (("f32", "quick"), ("bf16", "standard"))
}

TRACT: Variants = {"runtime=tract": Variant({}, "tract, a runtime of ONNX models in Rust", since="quick")}

_SHADERS = "the shaders, their order of summation, and the code on the host that calls them"
_ARITHMETIC = "the last bits of exp and log, NaN and infinities in them, subnormal numbers, and what races"

WEBGPU: Variants = {
    "swiftshader": Variant(
        {DRIVER: "swiftshader"},
        "SwiftShader, a driver of Vulkan on the CPU",
        device="webgpu",
        transfers=_SHADERS,
        stays=f"{_ARITHMETIC}; half precision, which it has not",
    ),
}

_FP16 = {NCNN_PRECISION: "fp16"}

NCNN: Variants = {
    "fp16": Variant(_FP16, "use_fp16_packed, use_fp16_storage, use_fp16_arithmetic", device="vulkan"),
    "lavapipe": Variant(
        {DRIVER: "lavapipe"},
        "lavapipe, Mesa's driver of Vulkan on the CPU",
        device="vulkan",
        transfers=_SHADERS,
        stays=_ARITHMETIC,
    ),
    "lavapipe,fp16": Variant(
        {DRIVER: "lavapipe", **_FP16},
        "lavapipe with ncnn's fp16 options, which are on by themselves where a device can",
        device="vulkan",
        transfers=f"{_SHADERS}; what is kept in binary16, sums among it",
        stays=_ARITHMETIC,
    ),
    "swiftshader": Variant(
        {DRIVER: "swiftshader"},
        "SwiftShader, a driver of Vulkan on the CPU",
        device="vulkan",
        transfers=_SHADERS,
        stays=_ARITHMETIC,
    ),
}
"""SwiftShader stores no binary16, so the options would be of no account there."""

EXECUTORCH: Variants = {
    f"runtime=executorch,backend={backend}": Variant({EXECUTORCH_BACKEND: backend}, about, since="quick")
    for backend, about in (
        ("portable", "the kernels that come with the runtime"),
        ("xnnpack", "XNNPACK, for what its partitioner takes; for the rest the runtime's own kernels"),
    )
}

LITERT: Variants = {
    f"runtime=litert,kernels={kernels}": Variant({LITERT_KERNELS: kernels}, about, since="quick")
    for kernels, about in (
        ("xnnpack", "XNNPACK, the default, for what it takes; for the rest the runtime's own kernels"),
        ("builtin", "the runtime's own kernels"),
        ("reference", "the runtime's kernels that were written for clarity"),
    )
}

ONNXRUNTIME_WEB: Variants = {
    "runtime=wasm": Variant({BROWSER_BACKEND: "wasm"}, "WebAssembly in a browser, one thread", since="quick"),
    "swiftshader": Variant(
        {BROWSER_BACKEND: "webgpu", DRIVER: "swiftshader"},
        "WebGPU in a browser, on SwiftShader, which computes on the CPU",
        device="webgpu",
        transfers=_SHADERS,
        stays=f"{_ARITHMETIC}; half precision, which it has not",
    ),
    "angle=swiftshader": Variant(
        {BROWSER_BACKEND: "webgl", DRIVER: "swiftshader"},
        "WebGL in a browser, by ANGLE on SwiftShader, which computes on the CPU",
        device="webgl",
        transfers=_SHADERS,
        stays=_ARITHMETIC,
    ),
}
"""A name is of one setting, so WebGL's says whose SwiftShader it is: Chromium's flag is --use-angle."""

TFJS: Variants = {
    **ONNXRUNTIME_WEB,
    "runtime=js": Variant(
        {BROWSER_BACKEND: "cpu"}, "JavaScript in a browser, the backend that is called cpu", since="quick"
    ),
}

TINYGRAD: Variants = {
    "renderer=llvm": Variant({"DEV": "CPU:LLVM"}, "kernels by LLVM's library, not by clang"),
    "renderer=x86": Variant({"DEV": "CPU:X86"}, "kernels by its own assembler", needs="avx2"),
}
