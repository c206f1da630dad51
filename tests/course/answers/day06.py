"""Day 6: other right answers, and planted mistakes with the words that must come back."""

import jax
import jax.numpy as jnp
import numpy as np
from ase import Atoms
from scipy import constants
from scipy.linalg import norm

# 6.1, 6.3 -------------------------------------------------------------------------------------

KCAL = 4184.0 / constants.N_A / constants.e  # eV
K = 529.581 * KCAL


def swing(k, mass, turn=2 * np.pi):
    """In fs, with k in eV/Å² and the mass in amu: SI throughout."""
    return turn * np.sqrt(mass * constants.atomic_mass / (k * constants.e * 1e20)) * 1e15


REDUCED = 1 / (1 / 15.9994 + 1 / 1.008)
PERIOD = {
    "right": [swing(2 * K, REDUCED), 9.19, np.float32(9.191)],
    "wrong": {
        "without the usual ½": swing(K, REDUCED),
        "not that of hydrogen": swing(2 * K, 1.008),
        "not that of oxygen": swing(2 * K, 15.9994),
        "time for one radian": swing(2 * K, REDUCED, turn=1),
        "units.AMU": swing(2 * K, REDUCED) / np.sqrt(103.642697),
        "units.KCAL_PER_MOL": swing(2 * K, REDUCED) * np.sqrt(KCAL),
    },
}
REPORTED = {
    "right": [60.42, 1e3 * 4.18 * KCAL / 3, np.float64(60.4)],
    "wrong": {
        "divide by 3": 4.18e3 * KCAL,
        "asked for in meV/Å": 4.18 / 3 * KCAL,
        "that is in kcal/mol/Å": 4.18 / 3,
        "not by its root": 4.18e3 * KCAL / np.sqrt(3),
        "multiply by it": 4.18 / 3 / KCAL,
    },
}

# 6.2 ------------------------------------------------------------------------------------------


def errors_by_loops(predicted, true):
    found, atoms = np.zeros(3), 0
    for frame, wanted in zip(predicted, true, strict=True):
        for p, t in zip(frame, wanted, strict=True):
            d = [abs(a - b) for a, b in zip(p, t, strict=True)]
            found += [sum(d) / 3, sum(d), sum(x * x for x in d) ** 0.5]
            atoms += 1
    return tuple(found / atoms)


def errors_in_jax(predicted, true):
    d = jnp.abs(jnp.asarray(predicted) - true).reshape(-1, 3)
    return d.mean(), 3 * d.mean(), jnp.sqrt((d**2).sum(axis=1)).mean()


def errors_by_norms(predicted, true):
    d = (predicted - true).reshape(-1, 3)
    one = norm(d, ord=1, axis=1).mean()
    return [one / 3, one, norm(d, axis=1).mean()]


def errors_with(k, wrong):
    def f(predicted, true):
        found = list(errors_by_norms(predicted, true))
        found[k] = wrong(predicted - true)
        return tuple(found)

    return f


ERRORS = {
    "right": [errors_by_loops, errors_in_jax, errors_by_norms],
    "wrong": {
        "root of the mean square": errors_with(0, lambda d: np.sqrt((d**2).mean())),
        "take absolute values first": errors_with(0, lambda d: d.mean()),
        "that is summed over the components": errors_with(0, lambda d: abs(d).sum(-1).mean()),
        "before you average": errors_with(1, lambda d: abs(d).mean()),
        "summed over the atoms too": errors_with(1, lambda d: abs(d).sum((1, 2)).mean()),
        "absolute values before you add": errors_with(1, lambda d: abs(d.sum(-1)).mean()),
        "not the length": errors_with(2, lambda d: abs(d).sum(-1).mean()),
        "one length for each atom": errors_with(2, np.linalg.norm),
        "expected 3 values": lambda p, t: abs(p - t).mean(),
    },
}

# 6.4, 6.5 -------------------------------------------------------------------------------------


def split_by_sorting(run, time, fraction, gap):
    train, test = np.zeros(len(run), bool), np.zeros(len(run), bool)
    for k in set(run.tolist()):
        mine = np.flatnonzero(run == k)
        mine = mine[np.argsort(time[mine])]
        t = time[mine] - time[mine[0]]
        block = t <= fraction * t[-1]
        train[mine[block]] = True
        test[mine[t >= t[block][-1] + gap]] = True
    return train, test


def split_at_once(run, time, fraction, gap):
    same = run[:, None] == run[None]
    start = np.where(same, time, np.inf).min(axis=1)
    end = np.where(same, time, -np.inf).max(axis=1)
    train = time <= start + fraction * (end - start)
    last = np.where(same & train[None], time, -np.inf).max(axis=1)
    return train, time >= last + gap


def split_by_loops(run, time, fraction, gap):
    train, test = [], []
    for k, t in zip(run, time, strict=True):
        clock = [s for r, s in zip(run, time, strict=True) if r == k]
        edge = min(clock) + fraction * (max(clock) - min(clock))
        last = max(s for s in clock if s <= edge)
        train.append(bool(t <= edge))
        test.append(bool(t >= last + gap))
    return np.array(train), np.array(test)


def split_shuffled(run, time, fraction, gap):
    chosen = np.random.default_rng(0).permutation(len(run)) < fraction * len(run)
    return chosen, ~chosen


def split_one_clock(run, time, fraction, gap):
    return split_at_once(np.zeros_like(run), time, fraction, gap)


SPLIT = {
    "right": [split_by_sorting, split_at_once, split_by_loops],
    "wrong": {
        "at least `gap` away": lambda r, t, f, g: split_at_once(r, t, f, 0.1),
        "in every run": split_shuffled,
        "frames are": lambda r, t, f, g: (split_at_once(r, t, f, g)[0], np.ones(len(r), bool)),
        "did you use one clock": split_one_clock,
        "judged differently": lambda r, t, f, g: split_at_once(r, t, f, 2 * g),
        "True or False for every frame": lambda r, t, f, g: tuple(
            np.flatnonzero(part) for part in split_at_once(r, t, f, g)
        ),
    },
}
SHUFFLED = {
    "right": ["B", "(b)"],
    "wrong": {"still has a twin": "a", "It is no lie": "c", "few picoseconds": "d"},
}

# 6.6, 6.7 -------------------------------------------------------------------------------------


def forces_by_loops(slope, r_ij, mask):
    found = np.zeros((len(r_ij), 3))
    for i, k in np.argwhere(mask):
        found[i] += slope[i, k] * r_ij[i, k] / np.sqrt(r_ij[i, k] @ r_ij[i, k])
    return found


def forces_by_einsum(slope, r_ij, mask):
    r = np.sqrt(np.einsum("ika,ika->ik", r_ij, r_ij))
    return np.einsum("ik,ik,ika->ia", mask.astype(float), slope / r, r_ij)


def forces_by_jax(slope, r_ij, mask):
    """By differentiating φ(r) = slope · r with respect to where atom i is."""

    def energy(moved):
        r = jnp.sqrt(((r_ij - moved[:, None]) ** 2).sum(axis=-1))
        return jnp.where(mask, slope * r, 0.0).sum()

    return -jax.grad(energy)(jnp.zeros((len(r_ij), 3)))


def unit(r_ij):
    return r_ij / np.linalg.norm(r_ij, axis=-1, keepdims=True)


FORCES = {
    "right": [forces_by_loops, forces_by_einsum, forces_by_jax],
    "wrong": {
        "the wrong way": lambda s, r, m: -forces_by_loops(s, r, m),
        "a direction has length one": lambda s, r, m: ((m * s)[..., None] * r).sum(1),
        "use the mask": lambda s, r, m: (s[..., None] * unit(r)).sum(1),
        "no ½ is left": lambda s, r, m: forces_by_loops(s, r, m) / 2,
        "keep the last axis": lambda s, r, m: forces_by_loops(s, r, m).sum(1),
        "that is a mean": lambda s, r, m: forces_by_loops(s, r, m) / m.shape[1],
    },
}
LOST = {
    "right": ["C", " c "],
    "wrong": {
        "sum of vectors": "a",
        "stays as it is": "b",
        "is harmless": "d",
    },
}

# 6.8 ------------------------------------------------------------------------------------------


def work_by_einsum(force, path):
    ends = np.concatenate([path[1:], path[:1]])
    return np.einsum("ka,ka", [force(x) for x in (path + ends) / 2], ends - path)


def work_by_loop(force, path):
    total = 0.0
    for k in range(len(path)):
        a, b = path[k - 1], path[k]
        total += float(np.dot(force(0.5 * (a + b)), b - a))
    return total


def work_in_jax(force, path):
    path = np.vstack([path, path[0]])
    return jnp.vdot(
        jnp.array([force(x) for x in (path[1:] + path[:-1]) / 2]), jnp.diff(path, axis=0)
    )


def work_with(where=0.5, close=True, product=np.dot):
    def f(force, path):
        path = np.vstack([path, path[0]]) if close else path
        step = np.diff(path, axis=0)
        return sum(product(force(x + where * d), d) for x, d in zip(path, step, strict=False))

    return f


WORK = {
    "right": [work_by_einsum, work_by_loop, work_in_jax],
    "wrong": {
        "not at its beginning": work_with(where=0.0),
        "not at its end": work_with(where=1.0),
        "back to the first": work_with(close=False),
        "on the way back it is given back": work_with(product=lambda F, d: abs(F @ d)),
        "force times length": work_with(product=lambda F, d: norm(F) * norm(d)),
    },
}

# 6.9 ------------------------------------------------------------------------------------------


def tiled_by_loops(positions, cell, n):
    found = [r + np.array([a, b, c]) @ cell for a in range(n) for b in range(n) for c in range(n)
             for r in positions]  # fmt: skip
    return np.array(found), n * cell


def tiled_by_ase(positions, cell, n):
    large = Atoms(f"H{len(positions)}", positions, cell=cell, pbc=True) * n
    return large.positions, np.array(large.cell)


def tiled_in_fractions(positions, cell, n):
    home = np.linalg.solve(cell.T, positions.T).T
    shifts = np.stack(np.meshgrid(*[np.arange(n)] * 3), axis=-1).reshape(-1, 3)
    return (home[:, None] + shifts[None]).reshape(-1, 3) @ cell, cell * n


def tiled_with(shifted, large=lambda cell, n: n * cell):
    return lambda positions, cell, n: (shifted(positions, cell, n), large(cell, n))


def along_columns(positions, cell, n):
    shifts = np.stack(np.meshgrid(*[np.arange(n)] * 3), axis=-1).reshape(-1, 3)
    return (positions[:, None] + (shifts @ cell.T)[None]).reshape(-1, 3)


TILED = {
    "right": [tiled_by_loops, tiled_by_ase, tiled_in_fractions],
    "wrong": {
        "the old cell": tiled_with(lambda r, c, n: tiled_by_ase(r, c, n)[0], lambda c, n: c),
        "the volume is n³ times": tiled_with(
            lambda r, c, n: tiled_by_ase(r, c, n)[0], lambda c, n: n**3 * c
        ),
        "but the shape is": tiled_with(lambda r, c, n: np.tile(r, (n, 1))),
        "fall on the same place": tiled_with(lambda r, c, n: np.tile(r, (n**3, 1))),
        "no sums of cell vectors": tiled_with(along_columns),
    },
}

# 6.10, 6.11 -----------------------------------------------------------------------------------

CHARGES = constants.e / (4 * np.pi * constants.epsilon_0) * 1e10  # eV Å


def pair_force_in_jax(r, q_i, q_j, sigma, epsilon):
    def energy(x):
        return 4 * epsilon * ((sigma / x) ** 12 - (sigma / x) ** 6) + CHARGES * q_i * q_j / x

    return -jax.vmap(jax.grad(energy))(jnp.asarray(r))


def pair_force_by_powers(r, q_i, q_j, sigma, epsilon):
    a, b = 4 * epsilon * sigma**12, 4 * epsilon * sigma**6
    return 12 * a * r**-13 - 6 * b * r**-7 + CHARGES * q_i * q_j * r**-2


def pair_force_by_differences(r, q_i, q_j, sigma, epsilon, h=1e-4):
    def energy(x):
        return 4 * epsilon * ((sigma / x) ** 12 - (sigma / x) ** 6) + CHARGES * q_i * q_j / x

    return (energy(r - h) - energy(r + h)) / (2 * h)


def pair_energy(r, q_i, q_j, sigma, epsilon):
    x = (sigma / r) ** 6
    return 4 * epsilon * (x**2 - x) + CHARGES * q_i * q_j / r


def parts_of(r, q_i, q_j, sigma, epsilon):
    coulomb = CHARGES * q_i * q_j / r**2
    return pair_force_by_powers(r, q_i, q_j, sigma, epsilon) - coulomb, coulomb


PAIR_FORCE = {
    "right": [pair_force_in_jax, pair_force_by_powers, pair_force_by_differences],
    "wrong": {
        "a force is minus that": lambda *x: -pair_force_by_powers(*x),
        "the energy, not the force": pair_energy,
        "the charges are missing": lambda *x: parts_of(*x)[0],
        "the Lennard-Jones part is missing": lambda *x: parts_of(*x)[1],
        "its energy with r": lambda r, *x: parts_of(r, *x)[0] + parts_of(r, *x)[1] * r,
        "opposite charges attract": lambda *x: parts_of(*x)[0] - parts_of(*x)[1],
        "14.4 eV Å is missing": lambda *x: parts_of(*x)[0] + parts_of(*x)[1] / CHARGES,
        "too flat": lambda *x: parts_of(*x)[0] / 4 + parts_of(*x)[1],
    },
}
ARGON = {
    "right": ["B", "b)"],
    "wrong": {
        "standardises nothing": "a",
        "well inside the cutoff": "c",
        "if the network knew that": "d",
    },
}

PROOFS = {
    "6.1": PERIOD,
    "6.2": ERRORS,
    "6.3": REPORTED,
    "6.4": SPLIT,
    "6.5": SHUFFLED,
    "6.6": FORCES,
    "6.7": LOST,
    "6.8": WORK,
    "6.9": TILED,
    "6.10": PAIR_FORCE,
    "6.11": ARGON,
    "6.12": {"wrong": {"at least 50": "Equivariance helps."}},
}
