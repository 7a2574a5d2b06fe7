"""What a function of one's own is called, and how another program imports it."""

from __future__ import annotations

import functools
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from xent_conformance.frameworks.own import Own

Function = Callable[..., Any]


def name_of(function: Function) -> str:
    """``my_cross_entropy``, ``MyLoss``, ``MyFunction.apply``, ``<lambda>``: as its author would say it.

    A bound method is named by whom it is bound to: every autograd function inherits its ``apply``.
    """
    if isinstance(function, functools.partial):
        return name_of(function.func)
    holder = _holder(function)
    if holder is not None and not holder.__name__.startswith("_"):
        return f"{_local(holder.__qualname__)}.{function.__name__}"
    if holder is not None:  # a class of a library's own, that nobody names
        return str(function.__name__)
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return _local(str(name))


def own(function: Function) -> Own:
    """The function as an implementation's call, with the name by which a script imports it, if it has one."""
    for module, name in _names(function):
        if _found(module, name) is not function and _found(module, name) != function:
            continue
        if module == "__main__":
            missing = (
                f"{name} is defined in the program that was started: put it into a module, and import it"
            )
            return Own(function, missing=missing)
        return Own(function, module, name, _folder(module))
    return Own(function, missing=_why(function))


def _names(function: Function) -> Iterator[tuple[str, str]]:
    """Modules and names under which it may be found."""
    holder = _holder(function)
    if isinstance(getattr(function, "__self__", None), type) and holder is not None:
        yield holder.__module__, f"{holder.__qualname__}.{function.__name__}"
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if module and name:
        yield str(module), str(name)
    # an object, as a module of torch or a function that was wrapped, has the name that its module gives it
    base = function.func if isinstance(function, functools.partial) else function
    for place in dict.fromkeys((getattr(base, "__module__", None), type(function).__module__)):
        held = vars(sys.modules[place]) if place in sys.modules else {}
        yield from ((str(place), name) for name, value in held.items() if value is function)


def _holder(function: Function) -> type | None:
    """The class that a method is bound to, or to an object of which."""
    bound = getattr(function, "__self__", None)
    if bound is None or isinstance(bound, ModuleType) or not hasattr(function, "__name__"):
        return None
    return bound if isinstance(bound, type) else type(bound)


def _local(qualified: str) -> str:
    return qualified.rpartition("<locals>.")[2]


def _found(module: str, name: str) -> Any:
    """What the name is in the module; None where it is nothing there."""
    try:
        return functools.reduce(getattr, name.split("."), sys.modules[module])
    except (AttributeError, KeyError):
        return None


def _folder(module: str) -> str:
    """Where a program must look for the module; empty where it looks anyway."""
    file = getattr(sys.modules[module], "__file__", None)
    if file is None:
        return ""
    path = Path(file).resolve()
    depth = module.count(".") + (path.stem == "__init__")
    folder = path.parents[depth]
    installed = {*site.getsitepackages(), site.getusersitepackages(), *sysconfig.get_paths().values()}
    return "" if folder in {Path(place).resolve() for place in installed} else str(folder)


def _why(function: Function) -> str:
    name = name_of(function)
    return (
        f"no module has {name} by a name, as a function defined inside another has none: a script imports it "
        "by module and name, so define it at the top of a module"
    )
