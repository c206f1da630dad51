"""Day 1: what a network is shown, and what follows from it, 1.6 to 1.9."""

import numpy as np
from scipy.spatial.distance import pdist

from tutor.exercises.engine import code, number
from tutor.exercises.expect import agree, expect


def _mirror(positions):
    return positions * np.array([1.0, 1.0, -1.0])


@code(
    "1.6",
    "Write a symmetry test",
    points=3,
    hints=(
        "Ask the model twice: once about the positions, once about the transformed positions.",
        "Both answers are arrays with one energy per frame. A change may go up or down, and one "
        "bad frame is enough to break a law.",
        "`np.abs(model(transform(positions)) - model(positions)).max()`",
    ),
)
def largest_change(f, rng):
    law = "the largest absolute change of the energy over all frames"
    for heights in ((0.3, -0.8, 0.5), (-0.3, 0.8, -0.5, 0.2)):  # the largest change: up, then down
        positions = rng.normal(size=(len(heights), 3, 3))
        positions[:, 0, 2] = height = np.array(heights) * rng.uniform(0.5, 2)
        example = {"positions": positions, "model": "E = z of the first atom, in eV",
                   "transform": "reflection, z to -z"}  # fmt: skip
        change = -2 * height
        expect(
            f(lambda r: r[:, 0, 2], positions, _mirror),
            np.abs(change).max(),
            law=law,
            example=example,
            slips={
                "that is the mean change: one bad frame is enough to break a law, so take the "
                "largest": np.abs(change).mean(),
                "a change downwards counts too: take absolute values before the maximum": (
                    change.max()
                ),
                "a change upwards counts too: take absolute values before the maximum": (
                    (-change).max()
                ),
                "you looked at the first frame only": np.abs(change[0]),
                "that is the energy after the transformation, not its change": (
                    np.abs(height).max()
                ),
                "that is one change for each frame; return the largest": np.abs(change),
                "you compared the transformed frames with themselves": 0.0,
            },
        )
    inside = rng.normal(size=(4, 3, 3))
    expect(
        f(lambda r: ((r - r.mean(axis=1, keepdims=True)) ** 2).sum(axis=(1, 2)), inside,
          lambda r: r + 5.0),
        0.0,
        law="a model that keeps the law has no change",
        atol=1e-5,
        example={"model": "E = Σ |r - centre|²", "transform": "a shift by 5 Å"},
    )  # fmt: skip


def _pdist(positions):
    return np.stack([pdist(frame) for frame in positions])


def _table(positions):
    return np.linalg.norm(positions[:, :, None] - positions[:, None, :], axis=-1)


@code(
    "1.7",
    "Distances of all pairs",
    points=2,
    hints=(
        "`np.triu_indices(n, k=1)` gives the indices i and j of all pairs with i < j.",
        "With i and j in hand, `positions[:, j] - positions[:, i]` holds all difference vectors, "
        "shape (frames, pairs, 3).",
        "`i, j = np.triu_indices(positions.shape[1], k=1)`; return "
        "`np.linalg.norm(positions[:, j] - positions[:, i], axis=-1)`.",
    ),
)
def pair_distances(f, rng):
    upper = lambda r, k: _table(r)[:, *np.triu_indices(r.shape[1], k=k)]  # noqa: E731
    agree(
        f,
        _pdist,
        [{"positions": rng.normal(size=shape)} for shape in ((1, 2, 3), (2, 3, 3), (5, 9, 3))],
        law="one distance for each pair i < j, in the order (0,1), (0,2), …, (1,2), …",
        slips={
            "these are squared distances: take the square root": lambda r: _pdist(r) ** 2,
            "you counted each pair twice, and every atom with itself": lambda r: _table(r).reshape(
                len(r), -1
            ),
            "this is the whole table; every pair is in it twice": _table,
            "you included the distance of every atom to itself, i = j": lambda r: upper(r, 0),
            "you left out neighbours in the list, j = i + 1": lambda r: upper(r, 2),
            "you summed |x| + |y| + |z| instead of taking the norm": lambda r: np.stack(
                [pdist(frame, metric="cityblock") for frame in r]
            ),
        },
    )


number(
    "1.8",
    "The price of not tying weights",
    answer=784 * 676,
    unit="weights",
    rtol=1e-6,
    slips={
        "that is the convolution: nine weights, used everywhere": 9,
        "those are the pixels of the image": 784,
        "that counts the outputs twice: the image has 28 × 28 pixels": 676 * 676,
        "that is a map as large as the image; with a 3×3 filter inside, it has 26 × 26": 784 * 784,
        "that includes biases": 784 * 676 + 676,
    },
    hints=(
        "In a fully connected layer every output has a weight for every input.",
        "28 × 28 inputs, 26 × 26 outputs.",
        "(28 · 28) · (26 · 26)",
    ),
    remark="A convolution does the same with 9 weights, and gets translation equivariance as well.",
)


def _screened(positions, jnp):
    """A smooth pair energy Σ_{i<j} exp(-d_ij), written for jax.numpy or numpy."""
    i, j = np.triu_indices(len(positions), k=1)
    return jnp.exp(-jnp.sqrt(((positions[i] - positions[j]) ** 2).sum(-1))).sum()


def _screened_forces(positions):
    forces = np.zeros_like(positions)
    for i in range(len(positions)):
        for j in range(len(positions)):
            if i != j:
                d = positions[i] - positions[j]
                r = np.linalg.norm(d)
                forces[i] += np.exp(-r) * d / r
    return forces


@code(
    "1.9",
    "Forces are minus the gradient",
    points=2,
    library="jax",
    hints=(
        "`jax.grad(energy)` is a function: it takes what `energy` takes, and returns the gradient.",
        "A force pushes downhill: mind the sign.",
        "`return -jax.grad(energy)(positions)`",
    ),
)
def forces(f, rng):
    import jax.numpy as jnp

    law = "F = -dE/dr, for every atom and every direction"
    positions = rng.normal(size=(4, 3)).astype(np.float32)
    expect(
        f(lambda r: 1.5 * (r**2).sum(), positions),
        -3.0 * positions,
        law=law,
        example={"positions": positions, "energy": "E = 1.5 Σ |r|², springs to the origin"},
        slips={
            "the sign: this is the gradient, which points uphill": 3.0 * positions,
            "this is the energy": 1.5 * (positions**2).sum(),
            "you summed over the atoms: every atom has its own force": -3.0 * positions.sum(0),
            "these are the lengths of the forces; a force has three components": (
                np.linalg.norm(3.0 * positions, axis=1)
            ),
        },
    )
    expect(
        f(lambda r: _screened(r, jnp), positions),
        _screened_forces(positions.astype(float)),
        law=law,
        example={"positions": positions, "energy": "E = Σ exp(-|r_i - r_j|) over pairs"},
        rtol=1e-3,
    )
