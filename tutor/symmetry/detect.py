"""Which library a map belongs to, from its code or from what it returns."""

import sys
from collections.abc import Mapping
from types import ModuleType


def uses(function: object, package: str, depth: int = 3) -> bool:
    """Whether the code of a function, or of functions that it names, refers to a package."""
    if package in {cls.__module__.split(".")[0] for cls in type(function).__mro__}:
        return True
    function = getattr(function, "__wrapped__", getattr(function, "func", function))
    if not hasattr(function, "__code__"):
        function = vars(type(function)).get("__call__")
    if not hasattr(function, "__code__"):
        return False
    code, known = function.__code__, function.__globals__
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
    things = [known[n] for n in code.co_names if n in known] + [c.cell_contents for _, c in cells]
    for thing in things:
        home = getattr(thing, "__name__", "") if isinstance(thing, ModuleType) else ""
        home = home or getattr(thing, "__module__", "") or type(thing).__module__
        if home.split(".")[0].removesuffix("lib") == package:
            return True
        if depth and callable(thing) and uses(thing, package, depth - 1):
            return True
    return False


def library_of(answer: object) -> str:
    """The library of the first array in an answer."""
    while isinstance(answer, Mapping | list | tuple) and len(answer):
        answer = next(iter(answer.values() if isinstance(answer, Mapping) else answer))
    return {"jax": "jax", "jaxlib": "jax", "torch": "torch"}.get(
        type(answer).__module__.split(".")[0], "numpy"
    )


def is_torch_module(thing: object) -> bool:
    """Whether this is a torch module, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(thing, torch.nn.Module)
