"""Day 1: other right answers, and planted mistakes with the words that must come back."""

from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np
from scipy.interpolate import lagrange
from scipy.linalg import lstsq
from scipy.spatial.distance import pdist

TORCH = find_spec("torch") is not None

# 1.1 ------------------------------------------------------------------------------------------


def well_by_solve(distance, energy):
    k = int(np.argmin(energy))
    x, y = distance[k - 1 : k + 2], energy[k - 1 : k + 2]
    c, b, a = np.linalg.solve(np.vander(x, increasing=True), y)
    bond = -b / (2 * a)
    return np.array([bond, energy[-1] - (a * bond**2 + b * bond + c)])


def well_by_lagrange(distance, energy):
    k = int(np.argmin(energy))
    parabola = lagrange(distance[k - 1 : k + 2], energy[k - 1 : k + 2])
    bond = parabola.deriv().roots[0]
    return float(bond), float(energy[-1] - parabola(bond))


def well_in_jax(distance, energy):
    k = int(energy.argmin())
    x, y = jnp.array(distance[k - 1 : k + 2]), jnp.array(energy[k - 1 : k + 2] - energy[k])
    s, t = (y[1] - y[0]) / (x[1] - x[0]), (y[2] - y[1]) / (x[2] - x[1])
    a = (t - s) / (x[2] - x[0])
    bond = (x[0] + x[1]) / 2 - s / (2 * a)
    return bond, float(energy[-1] - energy[k]) - (a * (bond - x[0]) * (bond - x[1])
                                                  + y[0] + s * (bond - x[0]))  # fmt: skip


def well_changed(distance, energy, *, bond=lambda r: r, depth=lambda d: d):
    r, d = well_by_lagrange(distance, energy)
    return bond(r), depth(d)


WELL = {
    "right": [well_by_solve, well_by_lagrange, well_in_jax],
    "wrong": {
        "lowest grid point itself": lambda r, e: (r[np.argmin(e)], e[-1] - e.min()),
        "subtract it from the energy at the largest": lambda r, e: (
            well_by_lagrange(r, e)[0],
            e[-1] - well_by_lagrange(r, e)[1],
        ),
        "sign": lambda r, e: well_changed(r, e, depth=lambda d: -d),
        "expected 2 values": lambda r, e: well_by_lagrange(r, e)[0],
        "this is an index": lambda r, e: (np.argmin(e), e[-1] - e.min()),
        "at the smallest distance": lambda r, e: (
            well_by_lagrange(r, e)[0],
            e[0] - (e[-1] - well_by_lagrange(r, e)[1]),
        ),
    },
}

# 1.2 ------------------------------------------------------------------------------------------


def rhf_error():
    from tutor.data import load

    h2 = load("h2")
    return float((h2.properties["energy_rhf"] - h2.energy)[-1])


RHF = {
    "right": [rhf_error(), np.float32(rhf_error()), jnp.array(rhf_error())],
    "wrong": {
        "the sign": -rhf_error(),
        "Hartree": rhf_error() / 27.211386,
        "one number": "four",
    },
}

# 1.3 ------------------------------------------------------------------------------------------


def fit_by_pinv(counts, energy):
    return np.linalg.pinv(counts) @ energy


def fit_by_qr(counts, energy):
    q, r = np.linalg.qr(counts)
    return np.linalg.solve(r, q.T @ energy)


def fit_by_scipy(counts, energy):
    return lstsq(counts, energy)[0]


def fit_by_torch(counts, energy):
    import torch

    return torch.linalg.lstsq(counts, energy.reshape(-1, 1)).solution.reshape(-1)


def fit_with_intercept(counts, energy):
    return fit_by_pinv(np.column_stack([counts, np.ones(len(counts))]), energy)[:-1]


def fit_mutating(counts, energy):
    energy -= energy.mean()
    return fit_by_pinv(counts, energy)


FIT = {
    "right": [fit_by_pinv, fit_by_qr, fit_by_scipy, *([fit_by_torch] if TORCH else [])],
    "wrong": {
        "intercept as well": fit_with_intercept,
        "subtracted the mean": lambda c, e: fit_by_pinv(c, e - e.mean()),
        "first molecules only": lambda c, e: np.linalg.solve(c[: c.shape[1]], e[: c.shape[1]]),
        "these are the predicted energies": lambda c, e: c @ fit_by_pinv(c, e),
        "changed its input `energy`": fit_mutating,
    },
}

# 1.4, 1.5 -------------------------------------------------------------------------------------

WATER = {
    "right": [-76.4, np.array(-76.4), jnp.float32(-76.4)],
    "wrong": {
        "slide's number": 151.12,
        "the sign": 76.4,
        "one H and one O": -75.8,
        "that is H₂O₂": -151.6,
    },
}

INTERCEPT = {
    "right": ["B", " (b) "],
    "wrong": {"harmless for one molecule": "a", "never sees": "c", "does not depend": "d"},
}

# 1.6 ------------------------------------------------------------------------------------------


def change_by_loop(model, positions, transform):
    before, after = model(positions), model(transform(positions))
    return max(abs(float(a) - float(b)) for a, b in zip(after, before, strict=True))


def change_by_norm(model, positions, transform):
    return np.linalg.norm(model(positions) - model(transform(positions)), ord=np.inf)


def change_in_jax(model, positions, transform):
    positions = jnp.asarray(positions)
    return jnp.max(jnp.abs(model(transform(positions)) - model(positions)))


CHANGE = {
    "right": [change_by_loop, change_by_norm, change_in_jax],
    "wrong": {
        "that is the mean change": lambda m, r, t: np.abs(m(t(r)) - m(r)).mean(),
        "counts too": lambda m, r, t: (m(t(r)) - m(r)).max(),
        "first frame only": lambda m, r, t: np.abs(m(t(r[:1])) - m(r[:1])).max(),
        "not its change": lambda m, r, t: np.abs(m(t(r))).max(),
        "return the largest": lambda m, r, t: np.abs(m(t(r)) - m(r)),
        "with themselves": lambda m, r, t: np.abs(m(t(r)) - m(t(r))).max(),
    },
}

# 1.7 ------------------------------------------------------------------------------------------


def pairs_by_pdist(positions):
    return np.array([pdist(frame) for frame in positions])


def pairs_by_loops(positions):
    n = positions.shape[1]
    columns = [
        np.sqrt(((positions[:, j] - positions[:, i]) ** 2).sum(axis=1))
        for i in range(n)
        for j in range(i + 1, n)
    ]
    return np.stack(columns, axis=1)


def pairs_by_torch(positions):
    import torch

    return torch.stack([torch.nn.functional.pdist(torch.as_tensor(r)) for r in positions])


def pairs_in_jax(positions):
    i, j = jnp.triu_indices(positions.shape[1], k=1)
    return jnp.linalg.norm(positions[:, j] - positions[:, i], axis=-1)


def table(positions):
    return np.linalg.norm(positions[:, :, None] - positions[:, None], axis=-1)


PAIRS = {
    "right": [
        pairs_by_pdist,
        pairs_by_loops,
        pairs_in_jax,
        *([pairs_by_torch] if TORCH else []),
    ],
    "wrong": {
        "squared distances": lambda r: pairs_by_pdist(r) ** 2,
        "every pair is in it twice": table,
        "each pair twice": lambda r: table(r).reshape(len(r), -1),
        "every atom to itself": lambda r: table(r)[:, *np.triu_indices(r.shape[1])],
        "instead of taking the norm": lambda r: np.stack(
            [pdist(frame, metric="cityblock") for frame in r]
        ),
    },
}

# 1.8 ------------------------------------------------------------------------------------------

WEIGHTS = {
    "right": [529984, 529984.0, np.int64(529984)],
    "wrong": {
        "that is the convolution": 9,
        "pixels of the image": 784,
        "counts the outputs twice": 676**2,
        "includes biases": 784 * 676 + 676,
    },
}

# 1.9 ------------------------------------------------------------------------------------------


def forces_by_vjp(energy, positions):
    value, pull = jax.vjp(energy, positions)
    return -pull(jnp.ones_like(value))[0]


def forces_of_minus_energy(energy, positions):
    return jax.grad(lambda r: -energy(r))(positions)


def forces_forward(energy, positions):
    return np.asarray(-jax.jacfwd(energy)(positions))


def forces_by_columns(energy, positions):
    push = jnp.eye(positions.size).reshape(-1, *positions.shape)
    slope = jax.vmap(lambda v: jax.jvp(energy, (positions,), (v,))[1])(push)
    return -slope.reshape(positions.shape)


FORCES = {
    "right": [forces_by_vjp, forces_of_minus_energy, forces_forward, forces_by_columns],
    "wrong": {
        "points uphill": lambda energy, r: jax.grad(energy)(r),
        "this is the energy": lambda energy, r: energy(r),
        "every atom has its own force": lambda energy, r: -jax.grad(energy)(r).sum(axis=0),
        "three components": lambda energy, r: jnp.linalg.norm(jax.grad(energy)(r), axis=1),
        "got function": lambda energy, r: jax.grad(energy),
    },
}

# 1.10 -----------------------------------------------------------------------------------------


def split_test_first(n_frames, n_train, n_test, gap):
    return np.arange(n_test + gap, n_test + gap + n_train), np.arange(n_test)


def split_at_the_ends(n_frames, n_train, n_test, gap):
    return list(range(n_train)), list(range(n_frames - n_test, n_frames))


def split_in_jax(n_frames, n_train, n_test, gap):
    frames = jnp.arange(n_frames)
    return frames[:n_train], frames[n_train + gap : n_train + gap + n_test]


def split_shuffled(n_frames, n_train, n_test, gap):
    shuffled = np.random.default_rng(0).permutation(n_frames)
    return shuffled[:n_train], shuffled[n_train : n_train + n_test]


SPLIT = {
    "right": [split_test_first, split_at_the_ends, split_in_jax],
    "wrong": {
        "near-copies": split_shuffled,
        "only 0 frame(s) lie between": lambda n, a, b, gap: (np.arange(a), np.arange(a, a + b)),
        "is in both": lambda n, a, b, gap: (np.arange(a), np.arange(a - 1, a - 1 + b)),
        "at least `gap` frames": lambda n, a, b, gap: (
            np.arange(a),
            np.arange(a + gap - 1, a + gap - 1 + b),
        ),
        "different frames, expected": lambda n, a, b, gap: (np.arange(a), np.arange(a + gap, n)),
        "from 0 to n_frames - 1": lambda n, a, b, gap: (np.arange(a), np.arange(n, n + b)),
        "expected 2 values": lambda n, a, b, gap: np.arange(a),
    },
}

PROOFS = {
    "1.1": WELL,
    "1.2": RHF,
    "1.3": FIT,
    "1.4": WATER,
    "1.5": INTERCEPT,
    "1.6": CHANGE,
    "1.7": PAIRS,
    "1.8": WEIGHTS,
    "1.9": FORCES,
    "1.10": SPLIT,
    "1.11": {"wrong": {"at least 40": "Forces, of course."}},
}
