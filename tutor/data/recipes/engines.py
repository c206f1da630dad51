"""Quantum-chemistry engines, imported late and with one thread each."""

import os
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import numpy as np

Progress = Callable[[str, int, int], None]
"""Called as `progress(what, done, total)` during long work."""


def require(module: str) -> ModuleType:
    """Import an engine. One thread, because with one a run repeats bit for bit on one machine.

    Raises:
        ImportError: where it is not installed, saying what to install.
    """
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{module.partition('.')[0]} is needed to make or audit this data set: "
            "pip install 'nnp-tutor[data]' (tblite and pyscf exist for Linux and macOS only)"
        ) from error


def missing(packages) -> list[str]:
    """Those of `packages` that are not installed."""
    return [package for package in packages if find_spec(package) is None]


def silent(what: str, done: int, total: int) -> None:
    """A progress callback that shows nothing."""


def on_grid(values: np.ndarray, step: float) -> np.ndarray:
    """Round to multiples of `step`, to the very floats that the stored integers turn into."""
    return np.round(values / step) * step
