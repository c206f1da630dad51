"""Neural-network interatomic potentials, hands on.

    import tutor
    ethanol = tutor.data.load("ethanol")      # arrays with units
    tutor.view(ethanol[0])                    # a molecule to turn with the mouse
    tutor.check("1.2", my_function)           # which law of physics does it break?

Units everywhere: eV, Å, fs, amu, K, e·Å. Importing `tutor` imports no other package.
"""

from importlib import import_module as _import_module

__version__ = "0.1.0"

_EXPORTS = {
    "check": "tutor.exercises",
    "hint": "tutor.exercises",
    "progress": "tutor.exercises",
    "show": "tutor.figure",
    "view": "tutor.viewer",
    "System": "tutor.system",
}
_ROOMS = {
    "angular",
    "ase",
    "data",
    "exercises",
    "graph",
    "jax_md",
    "md",
    "models",
    "neighbors",
    "plot",
    "potential",
    "precision",
    "radial",
    "symmetry",
    "table",
    "train",
    "twins",
    "units",
}

# without what needs torch or JAX MD: `from tutor import *` must work where they are missing
__all__ = sorted({*_EXPORTS, *_ROOMS, "__version__"} - {"jax_md", "twins"})


def __getattr__(name: str):
    if name in _EXPORTS:
        return getattr(_import_module(_EXPORTS[name]), name)
    if name in _ROOMS:
        return _import_module(f"tutor.{name}")
    raise AttributeError(f"module 'tutor' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return __all__
