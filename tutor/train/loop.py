"""Gradient descent on any model and any loss, compiled as one loop."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key


class Fit(NamedTuple):
    """A trained model and the loss of every step."""

    model: Any
    losses: Float[Array, "steps"]


class State(NamedTuple):
    """What one step hands to the next.

    Attributes:
        model: as the last step left it.
        moments: what Adam remembers of the gradients.
        average: the running mean of the models; it has forgotten where training began.
        step: how many steps have been done.
    """

    model: Any
    moments: Any
    average: Any
    step: Int[Array, ""]


class Schedule(NamedTuple):
    """A learning rate that is constant, then falls linearly to zero over the last `anneal`."""

    learning_rate: float
    steps: int
    anneal: float

    def adam(self) -> optax.GradientTransformation:
        flat = round(self.steps * (1 - self.anneal))
        falling = optax.linear_schedule(self.learning_rate, 0.0, max(self.steps - flat, 1))
        constant = optax.constant_schedule(self.learning_rate)
        return optax.adam(optax.join_schedules([constant, falling], [flat]))


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
    samples = count(data)
    check_batch(batch_size, samples)
    schedule = Schedule(learning_rate, steps, anneal)
    batches = shuffled(key, samples, batch_size, steps)
    data = jax.tree.map(jnp.asarray, data)
    state, losses = descend(begin(model, schedule), data, batches, loss, schedule)
    return Fit(state.model, losses)


def begin(model: Any, schedule: Schedule) -> State:
    """The state before the first step."""
    model = jax.tree.map(lambda x: jnp.asarray(x, jnp.result_type(x)), model)  # also bare numbers
    return State(model, schedule.adam().init(model), model, jnp.zeros((), jnp.int32))


@partial(jax.jit, static_argnames=("loss", "schedule"))
def descend(
    state: State,
    data: Any,
    batches: Int[Array, "steps size"],
    loss: Callable[[Any, Any], Float[Array, ""]],
    schedule: Schedule,
) -> tuple[State, Float[Array, "steps"]]:
    """One step of Adam for each row of `batches`, which are indices into `data`."""
    adam = schedule.adam()

    def step(state, batch):
        chosen = jax.tree.map(lambda a: a[batch], data)
        value, gradient = jax.value_and_grad(loss)(state.model, chosen)
        updates, moments = adam.update(gradient, state.moments, state.model)
        model = optax.apply_updates(state.model, updates)
        average = jax.tree.map(partial(_mix, decay(state.step)), state.average, model)
        return State(model, moments, average, state.step + 1), value

    return jax.lax.scan(step, state, batches)


def decay(step: Int[Array, ""]) -> Float[Array, ""]:
    """How much of the average stays at each step: little at first, so that it has no bias."""
    return jnp.minimum(0.999, (1 + step) / (20 + step))


def _mix(kept: Array, old: Array, new: Array) -> Array:
    return (kept * old + (1 - kept) * new).astype(new.dtype)


def shuffled(
    key: Key[Array, ""], samples: int, size: int, steps: int
) -> Int[Array, "{steps} {size}"]:
    """Batches as indices: every sample once in each pass, shuffled anew for the next."""
    per_epoch = samples // size
    keys = jax.random.split(key, -(-steps // per_epoch))
    order = jax.vmap(lambda k: jax.random.permutation(k, samples))(keys)
    return order[:, : per_epoch * size].reshape(-1, size)[:steps]


def count(data: Any) -> int:
    """How many samples there are; every array of `data` must say the same."""
    lengths = {len(leaf) for leaf in jax.tree.leaves(data)}
    if len(lengths) != 1:
        raise ValueError(
            f"data holds arrays of lengths {sorted(lengths)}: every array needs one row a sample"
        )
    return lengths.pop()


def check_batch(size: int, samples: int) -> None:
    """Refuses a batch that is empty or larger than the data."""
    if not 1 <= size <= samples:
        raise ValueError(f"batch_size = {size} with {samples} samples: choose 1 to {samples}")
