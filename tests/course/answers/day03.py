"""Day 3: other right answers, and planted mistakes with the words that must come back."""

from importlib.util import find_spec
from itertools import combinations

import jax.numpy as jnp
import numpy as np
from scipy.spatial.distance import cdist, pdist, squareform

from tutor.radial import cosine_cutoff

TORCH = find_spec("torch") is not None

# 3.1 ------------------------------------------------------------------------------------------

RANGE = {
    "right": [10, 10.0, np.float32(10.0)],
    "wrong": {"these look further": 5.0, "not two": 15.0, "one number": "ten"},
}

# 3.2 ------------------------------------------------------------------------------------------


def end_by_clip(r, cutoff):
    return np.cos(np.pi / 2 * np.clip(r / cutoff, 0, 1)) ** 2


def end_by_mask(r, cutoff):
    return (r < cutoff) * (1 + np.cos(r / cutoff * np.pi)) / 2


def end_in_jax(r, cutoff):
    return cosine_cutoff(jnp.asarray(r), cutoff)


def end_by_piecewise(r, cutoff):
    return np.piecewise(
        r, [r < cutoff], [lambda x: 1 - np.sin(np.pi * x / (2 * cutoff)) ** 2, lambda x: 0 * x]
    )


def end_by_torch(r, cutoff):
    import torch

    r = torch.as_tensor(r)
    return torch.where(r < cutoff, 0.5 * (torch.cos(torch.pi * r / cutoff) + 1), torch.zeros(()))


END = {
    "right": [
        end_by_clip,
        end_by_mask,
        end_in_jax,
        end_by_piecewise,
        *([end_by_torch] if TORCH else []),
    ],
    "wrong": {
        "comes back up": lambda r, c: 0.5 * (1 + np.cos(np.pi * r / c)),
        "this is a step": lambda r, c: (r < c).astype(float),
        "halve it": lambda r, c: np.where(r < c, 1 + np.cos(np.pi * r / c), 0),
        "takes radians": lambda r, c: np.where(r < c, 0.5 + 0.5 * np.cos(180 * r / c), 0),
        "must have gone through half a turn": lambda r, c: np.cos(np.pi / 2 * np.clip(r / c, 0, 1)),
        "a straight line": lambda r, c: np.clip(1 - r / c, 0, None),
        "upside down": lambda r, c: 1 - end_by_clip(r, c),
    },
}

# 3.3 ------------------------------------------------------------------------------------------

JUMP = {
    "right": [np.pi**2 / 32, 0.308, jnp.float32(0.3084)],
    "wrong": {
        "jump of the slope": 0,
        "the cutoff is 4 Å": np.pi**2 / 50,
        "factor ½": np.pi**2 / 16,
        "two of them give its square": np.pi / 8,
        "cos(π) = -1": -(np.pi**2) / 32,
    },
}

# 3.4 ------------------------------------------------------------------------------------------


def radial_by_loops(positions, numbers, element, eta, shift, cutoff):
    found = []
    for i, r_i in enumerate(positions):
        total = 0.0
        for j, r_j in enumerate(positions):
            if i == j or numbers[j] != element:
                continue
            r = np.sqrt(((r_j - r_i) ** 2).sum())
            if r < cutoff:
                total += np.exp(-eta * (r - shift) ** 2) * (1 + np.cos(np.pi * r / cutoff)) / 2
        found.append(total)
    return found


def radial_by_columns(positions, numbers, element, eta, shift, cutoff):
    chosen = np.flatnonzero(numbers == element)
    r = cdist(positions, positions[chosen])
    seen = np.exp(-eta * (r - shift) ** 2) * end_by_clip(r, cutoff)
    seen[chosen, np.arange(len(chosen))] = 0
    return seen.sum(axis=1)


def radial_minus_itself(positions, numbers, element, eta, shift, cutoff):
    r = np.linalg.norm(positions[:, None] - positions, axis=-1)
    table = np.exp(-eta * (r - shift) ** 2) * end_by_mask(r, cutoff)
    np.fill_diagonal(table, 0)
    return table @ (numbers == element)


def radial_in_jax(positions, numbers, element, eta, shift, cutoff):
    positions, numbers = jnp.asarray(positions), jnp.asarray(numbers)
    d = positions[:, None] - positions
    other = ~jnp.eye(len(numbers), dtype=bool)
    r = jnp.sqrt(jnp.where(other, (d**2).sum(-1), 1.0))
    seen = jnp.exp(-eta * (r - shift) ** 2) * cosine_cutoff(r, cutoff)
    return jnp.where(other & (numbers == element), seen, 0.0).sum(axis=1)


def radial_wrong(envelope=end_by_mask, own=False, among="neighbours", power=2, centre=1.0):
    def answer(positions, numbers, element, eta, shift, cutoff):
        r = np.linalg.norm(positions[:, None] - positions, axis=-1)
        table = np.exp(-eta * (r - centre * shift) ** power) * envelope(r, cutoff)
        table = table * (own | ~np.eye(len(r), dtype=bool))
        is_element = (numbers == element).astype(float)
        if among == "neighbours":
            return table @ is_element
        return table.sum(axis=1) * (is_element if among == "centres" else 1.0)

    return answer


RADIAL = {
    "right": [radial_by_loops, radial_by_columns, radial_minus_itself, radial_in_jax],
    "wrong": {
        "counts itself": radial_wrong(own=True),
        "counts itself as a neighbour": radial_wrong(own=True, envelope=lambda r, c: 1.0),
        "still see each other": radial_wrong(envelope=lambda r, c: 1.0),
        "that is a step": radial_wrong(envelope=lambda r, c: r < c),
        "neighbours of every element": radial_wrong(among="all"),
        "atoms in the centre": radial_wrong(among="centres"),
        "centred on r_s": radial_wrong(centre=0.0),
        "with a square": radial_wrong(power=1),
    },
}

# 3.5 ------------------------------------------------------------------------------------------

MEET = {
    "right": [16 * np.log(2), 11.09, np.float32(11.09)],
    "wrong": {
        "Δ/2 from each centre": 4 * np.log(2),
        "natural one": 16 * np.log10(2),
        "is squared": 8 * np.log(2),
    },
}

# 3.6 ------------------------------------------------------------------------------------------


def angular_by_table(positions, eta, zeta, lambda_, cutoff):
    """The whole table of i, j, k, halved."""
    n = len(positions)
    d = positions[None] - positions[:, None]
    r = np.linalg.norm(d, axis=-1)
    unit = d / np.where(r > 0, r, 1)[..., None]
    cos = np.einsum("ija,ika->ijk", unit, unit)
    near = np.exp(-eta * r**2) * end_by_clip(r, cutoff) * ~np.eye(n, dtype=bool)
    bent = 2 ** (1 - zeta) * np.maximum(1 + lambda_ * cos, 0) ** zeta
    return 0.5 * np.einsum("ij,ik,jk,ijk->i", near, near, near, bent)


def angular_by_cosines(positions, eta, zeta, lambda_, cutoff):
    """Angles from the three sides: the law of cosines."""
    r = squareform(pdist(positions))
    found = np.zeros(len(r))
    for i, j, k in combinations(range(len(r)), 3):
        for centre, one, two in ((i, j, k), (j, i, k), (k, i, j)):
            a, b, c = r[centre, one], r[centre, two], r[one, two]
            cos = (a**2 + b**2 - c**2) / (2 * a * b)
            ends = end_by_mask(np.array([a, b, c]), cutoff).prod()
            term = 2 * ((1 + lambda_ * cos) / 2) ** zeta
            found[centre] += term * np.exp(-eta * (a * a + b * b + c * c)) * ends
    return found


def angular_in_jax(positions, eta, zeta, lambda_, cutoff):
    positions, found = jnp.asarray(positions), []
    for i in range(len(positions)):
        d = jnp.delete(positions, i, axis=0) - positions[i]
        j, k = np.triu_indices(len(d), k=1)
        a, b, c = (jnp.linalg.norm(v, axis=1) for v in (d[j], d[k], d[k] - d[j]))
        cos = (d[j] * d[k]).sum(axis=1) / (a * b)
        value = 2 ** (1 - zeta) * (1 + lambda_ * cos) ** zeta
        for side in (a, b, c):
            value *= jnp.exp(-eta * side**2) * cosine_cutoff(side, cutoff)
        found.append(value.sum())
    return jnp.array(found)


def angular_by_torch(positions, eta, zeta, lambda_, cutoff):
    import torch

    positions = torch.as_tensor(positions)
    return torch.as_tensor(angular_by_table(positions.numpy(), eta, zeta, lambda_, cutoff))


def angular_wrong(start=1, vertex="i", closed=True, factor=True, angle=lambda cos: cos, ends=True):
    def answer(positions, eta, zeta, lambda_, cutoff):
        found = np.zeros(len(positions))
        for i in range(len(positions)):
            others = [n for n in range(len(positions)) if n != i]
            for first, j in enumerate(others):
                for k in others[first + start :]:
                    ij, ik = positions[j] - positions[i], positions[k] - positions[i]
                    u, v = (ij, ik) if vertex == "i" else (-ij, ik - ij)
                    cos = u @ v / (np.linalg.norm(u) * np.linalg.norm(v) or 1)
                    sides = [np.linalg.norm(x) for x in (ij, ik, ik - ij)][: 3 if closed else 2]
                    sides = np.array(sides)
                    value = (1 + lambda_ * angle(cos)) ** zeta * np.exp(-eta * (sides**2).sum())
                    value *= end_by_mask(sides, cutoff).prod() if ends else 1.0
                    found[i] += value * (2 ** (1 - zeta) if factor else 1.0)
        return found

    return answer


ANGULAR = {
    "right": [
        angular_by_table,
        angular_by_cosines,
        angular_in_jax,
        *([angular_by_torch] if TORCH else []),
    ],
    "wrong": {
        "counts twice": lambda *args: 2 * angular_by_table(*args),
        "k = j is counted": angular_wrong(start=0),
        "the angle is the one at j": angular_wrong(vertex="j"),
        "between j and k is missing": angular_wrong(closed=False),
        "2^(1-ζ) is missing": angular_wrong(factor=False),
        "not 1 + λ θ": angular_wrong(angle=np.arccos),
        "cutoff functions are missing": angular_wrong(ends=False),
    },
}

# 3.7 ------------------------------------------------------------------------------------------

COUNT = {
    "right": [100, 100.0, np.int64(100)],
    "wrong": {
        "pairs of like elements": 80,
        "the same pair": 140,
        "which neighbour is which": 12,
        "add the angular": 40,
        "add the radial": 60,
    },
}

# 3.8 ------------------------------------------------------------------------------------------


def scale_by_columns(G_train, G_new, floor):
    columns = [
        (new - old.mean()) / max(old.std(), floor)
        for old, new in zip(G_train.T, G_new.T, strict=True)
    ]
    return np.stack(columns, axis=1)


def scale_by_where(G_train, G_new, floor):
    centre, spread = np.mean(G_train, 0), np.sqrt(np.var(G_train, 0))
    return (G_new - centre) * (1 / np.where(spread < floor, floor, spread))


def scale_in_jax(G_train, G_new, floor):
    G_train, G_new = jnp.asarray(G_train), jnp.asarray(G_new)
    return (G_new - G_train.mean(0)) / jnp.clip(G_train.std(0), floor)


def scale_with_all(G_train, G_new, floor):
    G = np.concatenate([G_train, G_new])
    return (G_new - G.mean(axis=0)) / np.maximum(G.std(axis=0), floor)


SCALE = {
    "right": [scale_by_columns, scale_by_where, scale_in_jax],
    "wrong": {
        "taken from `G_new` too": scale_with_all,
        "when two others come with it": lambda a, b, floor: scale_by_where(b, b, floor),
        "take them along axis 0": lambda a, b, floor: (b - a.mean()) / max(a.std(), floor),
        "the floor is missing": lambda a, b, floor: (b - a.mean(axis=0)) / a.std(axis=0),
        "not something to add": lambda a, b, floor: (b - a.mean(axis=0)) / (a.std(0) + floor),
        "a ceiling": lambda a, b, floor: (b - a.mean(axis=0)) / np.minimum(a.std(axis=0), floor),
        "not subtracted": lambda a, b, floor: b / np.maximum(a.std(axis=0), floor),
        "have the shape of `G_new`": lambda a, b, floor: scale_by_where(a, a, floor),
    },
}

# 3.9, 3.10 ------------------------------------------------------------------------------------

DRIFT = {
    "right": ["B", "(b)"],
    "wrong": {"differentiates exactly": "a", "how high the step is": "c", "fifteenth digit": "d"},
}

PROOFS = {
    "3.1": RANGE,
    "3.2": END,
    "3.3": JUMP,
    "3.4": RADIAL,
    "3.5": MEET,
    "3.6": ANGULAR,
    "3.7": COUNT,
    "3.8": SCALE,
    "3.9": DRIFT,
    "3.10": {"wrong": {"at least 40": "Laws, and speed."}},
}
