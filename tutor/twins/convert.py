"""Weights between the JAX models and their twins, in both directions, by name.

A twin calls its parts as the JAX model does. What differs is what the two libraries add: a matrix
is the `kernel` (inputs, outputs) of an nnx.Linear and the `weight` (outputs, inputs) of an
nn.Linear, and the parts of an nnx.Sequential are in its `layers`.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn


def to_torch(model: nnx.Module, twin: nn.Module) -> nn.Module:
    """A copy of `twin` with the weights of `model`, rounded to the precision of `twin`.

    Raises:
        ValueError: where names, shapes or settings (cutoff, species, …) of the two differ.
    """
    weights = {name: array for name, array, _ in _weights(model)}
    _compare(model, twin, weights)
    copy = deepcopy(twin)
    copy.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    return copy


def to_jax(twin: nn.Module, model: nnx.Module) -> nnx.Module:
    """A copy of `model` with the weights of `twin`, rounded to the precision of `model`.

    Float64 needs `with tutor.precision.float64():` around the call, and a model in float64.

    Raises:
        ValueError: where names, shapes or settings (cutoff, species, …) of the two differ.
    """
    there = list(_weights(model))
    _compare(model, twin, {name: array for name, array, _ in there})
    state = {name: tensor.detach().cpu().numpy() for name, tensor in twin.state_dict().items()}
    leaves = [
        jnp.asarray(state[name].T if turned else state[name], array.dtype)
        for name, array, turned in there
    ]
    return jax.tree.unflatten(jax.tree.structure(model), leaves)


def _weights(model: nnx.Module) -> Iterator[tuple[str, np.ndarray, bool]]:
    """Each array of a JAX model as torch names and turns it, and whether it was transposed."""
    for path, leaf in jax.tree_util.tree_flatten_with_path(model)[0]:
        name = jax.tree_util.keystr(path, simple=True, separator=".").removesuffix(".value")
        name = re.sub(r"\blayers\.(\d+)", r"\1", name)  # of an nnx.Sequential
        turned = name.endswith(".kernel")
        array = np.asarray(leaf)
        yield re.sub(r"\.kernel$", ".weight", name), array.T if turned else array, turned


def _compare(model: nnx.Module, twin: nn.Module, weights: Mapping[str, np.ndarray]) -> None:
    shapes = {name: array.shape for name, array in weights.items()}
    others = {name: tuple(tensor.shape) for name, tensor in twin.state_dict().items()}
    values, theirs = dict(_settings(model)), dict(_settings(twin))
    complaints = [
        *(f"{name} is only in the JAX model" for name in shapes.keys() - others.keys()),
        *(f"{name} is only in the twin" for name in others.keys() - shapes.keys()),
        *(
            f"{name} has the shape {shapes[name]} in the JAX model and {others[name]} in the twin"
            for name in shapes.keys() & others.keys()
            if shapes[name] != others[name]
        ),
        *(
            f"{name} is {values[name]} in the JAX model and {theirs[name]} in the twin"
            for name in values.keys() & theirs.keys()
            if values[name] != theirs[name]
        ),
    ]
    if complaints:
        more = f"; and {len(complaints) - 3} more" * (len(complaints) > 3)
        raise ValueError(
            f"the twin {type(twin).__name__} is not made as the JAX model {type(model).__name__}: "
            f"{'; '.join(sorted(complaints)[:3])}{more}. Build both with the same arguments"
        )


def _settings(thing: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """What a model holds beside its weights, by name: numbers, tuples, and names of functions."""
    if isinstance(thing, int | float | str | tuple):
        yield name, thing
    elif isinstance(thing, nnx.Module | nn.Module) or dataclasses.is_dataclass(thing):
        parts = vars(thing)
        if isinstance(thing, nnx.Sequential):
            parts = {str(k): part for k, part in enumerate(thing.layers)}
        if isinstance(thing, nn.Module):
            parts = parts | dict(thing.named_children())
        for key, part in parts.items():
            if not key.startswith("_"):
                yield from _settings(part, f"{name}.{key}".removeprefix("."))
    elif callable(thing) and hasattr(thing, "__name__"):
        yield name, thing.__name__
