"""Gradient descent on any model and any loss, compiled as one loop."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key


class Fit(NamedTuple):
    """A trained model and the loss of every step."""

    model: Any
    losses: Float[Array, "steps"]


def fit(
    model: Any,
    loss: Callable[[Any, Any], Float[Array, ""]],
    data: Any,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float = 1e-3,
    anneal: float = 0.4,
    key: Key[Array, ""],
) -> Fit:
    """Adam on random batches; the learning rate falls linearly to zero over the last `anneal`.

    Args:
        model: any pytree of parameters, such as an nnx module; it is not changed.
        loss: `loss(model, batch)`, a scalar. Pass the same function each time: it is compiled once.
        data: a pytree of arrays with the samples along the first axis; `batch` looks the same.
        key: decides which sample is seen when.

    Raises:
        ValueError: where the arrays of `data` differ in length, or a batch exceeds the data.
    """
    lengths = {len(leaf) for leaf in jax.tree.leaves(data)}
    if len(lengths) != 1:
        raise ValueError(
            f"data holds arrays of lengths {sorted(lengths)}: every array needs one row a sample"
        )
    (samples,) = lengths
    if not 1 <= batch_size <= samples:
        raise ValueError(f"batch_size = {batch_size} with {samples} samples: choose 1 to {samples}")
    data = jax.tree.map(jnp.asarray, data)
    return Fit(*_run(model, data, key, loss, steps, batch_size, learning_rate, anneal))


@partial(jax.jit, static_argnums=(3, 4, 5, 6, 7))
def _run(model, data, key, loss, steps, batch_size, learning_rate, anneal):
    flat = round(steps * (1 - anneal))
    schedule = optax.join_schedules(
        [
            optax.constant_schedule(learning_rate),
            optax.linear_schedule(learning_rate, 0.0, max(steps - flat, 1)),
        ],
        [flat],
    )
    optimizer = optax.adam(schedule)

    def step(carry, batch):
        model, state = carry
        value, gradient = jax.value_and_grad(loss)(model, jax.tree.map(lambda a: a[batch], data))
        updates, state = optimizer.update(gradient, state, model)
        return (optax.apply_updates(model, updates), state), value

    samples = len(jax.tree.leaves(data)[0])
    batches = _batches(key, samples, batch_size, steps)
    (model, _), losses = jax.lax.scan(step, (model, optimizer.init(model)), batches)
    return model, losses


def _batches(key, samples, size, steps):
    """Indices (steps, size): shuffled anew for every pass over the data."""
    per_epoch = samples // size
    keys = jax.random.split(key, -(-steps // per_epoch))
    shuffled = jax.vmap(lambda k: jax.random.permutation(k, samples))(keys)
    return shuffled[:, : per_epoch * size].reshape(-1, size)[:steps]
