"""The complete state of a run as bytes: what went in comes out bit by bit."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import UInt8

Leaves = list[dict[str, Any]]


def pack(state: Any) -> tuple[UInt8[np.ndarray, "bytes"], Leaves]:
    """The arrays of a pytree end to end, and what is needed to find them again."""
    parts, leaves = [], []
    for path, leaf in jax.tree_util.tree_flatten_with_path(state)[0]:
        key = jnp.issubdtype(getattr(leaf, "dtype", None), jax.dtypes.prng_key)
        array = np.asarray(jax.random.key_data(leaf) if key else leaf)
        if array.dtype == object:
            raise ValueError(
                f"restart{jax.tree_util.keystr(path)} is {leaf!r:.60}: give arrays, random keys or "
                "numbers"
            )
        parts.append(array.tobytes())
        leaves.append(
            {
                "path": jax.tree_util.keystr(path),
                "dtype": array.dtype.name,
                "shape": array.shape,
                "kind": f"key {jax.random.key_impl(leaf)}" if key else type(leaf).__name__,
            }
        )
    return np.frombuffer(b"".join(parts), np.uint8), leaves


def unpack(blob: bytes, leaves: Leaves, like: Any) -> Any:
    """The pytree again, in the structure of `like`; its arrays may have other shapes.

    Raises:
        ValueError: where a leaf of `like` is not there, or has another dtype.
    """
    wanted, structure = jax.tree_util.tree_flatten_with_path(like)
    ours = [jax.tree_util.keystr(path) for path, _ in wanted]
    theirs = [leaf["path"] for leaf in leaves]
    if ours != theirs:
        differ = sorted(set(ours) ^ set(theirs)) or ours
        raise ValueError(
            f"the stored state differs from `like` in {differ[0]}: it holds {theirs}, and not "
            f"{ours}. Continue with the program and the settings that wrote it"
        )
    found, start = [], 0
    for leaf, (_, model) in zip(leaves, wanted, strict=True):
        dtype = np.dtype(jnp.dtype(leaf["dtype"]))
        size = int(np.prod(leaf["shape"])) * dtype.itemsize
        array = np.frombuffer(blob[start : start + size], dtype).reshape(leaf["shape"]).copy()
        start += size
        found.append(_as(leaf, array, model))
    return jax.tree.unflatten(structure, found)


def _as(leaf: dict[str, Any], array: np.ndarray, model: Any) -> Any:
    kind, _, implementation = leaf["kind"].partition(" ")
    if kind == "key":
        return jax.random.wrap_key_data(array, impl=implementation)
    if kind in ("int", "float", "bool", "complex"):
        return array.item()
    if np.asarray(model).dtype != array.dtype:
        raise ValueError(
            f"{leaf['path']} was stored as {array.dtype}, but `like` has "
            f"{np.asarray(model).dtype}: continue in the same precision"
        )
    return array
