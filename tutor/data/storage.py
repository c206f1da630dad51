"""Data sets on disk: integers times a step, compressed. Small, exact, the same on any machine."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tutor.data.dataset import Dataset

_SPLIT = "split."


def write(data: Dataset, path: Path, steps: Mapping[str, float]) -> str:
    """Write `data` as an .npz whose floats are integers times `steps[name]`; return its SHA-256.

    Raises:
        ValueError: for a float array without a step.
        FileExistsError: where `path` is taken.
    """
    if path.exists():
        raise FileExistsError(f"{path} exists: remove it, or choose another folder")
    arrays = {key: _pack(key, value, steps) for key, value in data.arrays().items()}
    arrays |= {_SPLIT + key: _smallest(value) for key, value in data.splits.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.npz")
    try:
        np.savez_compressed(temporary, **arrays)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return sha256(path)


def read(path: Path, name: str, steps: Mapping[str, float], units: Mapping[str, str]) -> Dataset:
    """The inverse of `write`."""
    with np.load(path, allow_pickle=False) as file:
        stored = dict(file)
    arrays = {
        key: _unpack(value, steps.get(key))
        for key, value in stored.items()
        if not key.startswith(_SPLIT)
    }
    splits = {
        key.removeprefix(_SPLIT): value.astype(int)
        for key, value in stored.items()
        if key.startswith(_SPLIT)
    }
    own = {key: arrays.pop(key) for key in Dataset.__dataclass_fields__ if key in arrays}
    return Dataset(name=name, **own, properties=arrays, units=units, splits=splits)


def sha256(path: Path) -> str:
    """The checksum of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _pack(key, value, steps):
    if value.dtype.kind == "U":
        return value.astype("S")
    if value.dtype.kind in "iu":
        return _smallest(value)
    if key not in steps:
        raise ValueError(f"steps has no entry for {key}: say in the card to what step to round it")
    return _smallest(np.round(value / steps[key]).astype(np.int64))


def _unpack(value, step):
    if value.dtype.kind == "S":
        return value.astype("U")
    return value.astype(int) if step is None else value * step


def _smallest(integers):
    """The same integers in the narrowest type that holds them."""
    low, high = int(integers.min(initial=0)), int(integers.max(initial=0))
    return integers.astype(np.min_scalar_type(high if low >= 0 else min(low, -high - 1)))
