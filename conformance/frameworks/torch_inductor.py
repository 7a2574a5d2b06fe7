"""What TorchInductor does once for all that a process compiles, begun before the first of it is asked.

It compiles a trial program for every instruction set of the processor, takes the first that compiler and
libraries can, and precompiles a header: seconds of a C++ compiler, in which a process can do other things,
or which it can do without. What it generates, and how that is compiled, stays its own affair: nothing here
chooses another than it does.
"""

from __future__ import annotations

import os
import threading

_HEADER = "cpp_cache_precompile_headers"


class Begun:
    """Its modules and the instruction set, in threads: the trial is another process, so both take the time
    of one."""

    def __init__(self) -> None:
        self._chosen = threading.Event()
        self._with_header: bool | None = None
        threading.Thread(target=self._begin, name="begin-inductor", daemon=True).start()

    def wait(self) -> None:
        """Until the instruction set is chosen, by one thread alone."""
        self._chosen.wait()

    def header(self, made: bool) -> None:
        """Whether what is compiled from now on includes a header that is compiled before.

        That takes as long as three kernels: who compiles one function and no more is done sooner without.
        Where the header is switched off, or a version has none, it stays so.
        """
        from torch._inductor import config

        if self._with_header is None:
            self._with_header = getattr(config, _HEADER, False)
        if self._with_header:
            setattr(config, _HEADER, made)

    def _begin(self) -> None:
        try:
            from torch._inductor import codecache  # noqa: F401  # what a trial uses: no import waits for it

            trial = threading.Thread(target=_tried, name="try-instructions", daemon=True)
            trial.start()
            try:
                from torch._inductor import compile_fx  # noqa: F401  # and with it all that a compilation loads
            finally:
                trial.join()
        except Exception:  # noqa: BLE001  # another version: what is asked says so itself
            return
        finally:
            self._chosen.set()


def _tried() -> None:
    try:
        choose()
    except Exception:  # noqa: BLE001  # another version, or no compiler: what is asked says so itself
        return


def choose() -> None:
    """The processor's best instruction set, if its trial succeeds: the others are then not tried.

    Where it does not, there is none, or one is named, the choice is left to TorchInductor.
    """
    from torch._inductor import config, cpu_vec_isa

    if "ATEN_CPU_CAPABILITY" in os.environ or config.cpp.simdlen is not None:
        return
    there = set(cpu_vec_isa.x86_isa_checker())
    best = next(
        (isa for isa in cpu_vec_isa.supported_vec_isa_list if there.issuperset(str(isa).split())), None
    )
    if best:  # this is its trial
        every = cpu_vec_isa.supported_vec_isa_list
        cpu_vec_isa.supported_vec_isa_list = [best]
        try:
            cpu_vec_isa.valid_vec_isa_list()  # remembered by TorchInductor, whose choice is its first
        finally:
            cpu_vec_isa.supported_vec_isa_list = every
