"""What TorchInductor does once for all that a process compiles, begun before the first of it is asked.

It compiles a trial program for every instruction set of the processor, takes the first that compiler and
libraries can, and precompiles a header: seconds of a C++ compiler, in which a process can do other things.
What it generates, and how that is compiled, stays its own affair: nothing here chooses another than it does.
"""

from __future__ import annotations

import os
import threading


class Begun:
    """Its modules, the instruction set and the header, in a thread."""

    def __init__(self) -> None:
        self._chosen = threading.Event()
        threading.Thread(target=self._begin, name="begin-inductor", daemon=True).start()

    def wait(self) -> None:
        """Until the instruction set is chosen, by one thread alone; the header has a lock of its own."""
        self._chosen.wait()

    def _begin(self) -> None:
        try:
            try:
                from torch._inductor import compile_fx  # noqa: F401  # and with it all that a compilation loads

                choose()
            finally:
                self._chosen.set()
            precompile()
        except Exception:  # noqa: BLE001  # another version, or no compiler: what is asked says so itself
            return


def choose() -> None:
    """The processor's best instruction set, if its trial succeeds: the others are then not tried.

    Where it does not, none is tried, or one is named, the choice is left to TorchInductor.
    """
    from torch._inductor import config, cpu_vec_isa

    if "ATEN_CPU_CAPABILITY" in os.environ or config.cpp.simdlen is not None:
        return
    there = set(cpu_vec_isa.x86_isa_checker())
    best = next(
        (isa for isa in cpu_vec_isa.supported_vec_isa_list if there.issuperset(str(isa).split())), None
    )
    if best:  # this is its trial
        with config.patch({"cpp.vec_isa_ok": True}):
            cpu_vec_isa.valid_vec_isa_list()  # remembered by TorchInductor, whose choice is its first


def precompile() -> None:
    """The header of every kernel, by loading one that is never made."""
    from torch._inductor.codecache import CppPythonBindingsCodeCache

    CppPythonBindingsCodeCache.load_pybinding_async([], "")
