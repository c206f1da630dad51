"""Day 5: other right answers, and planted mistakes with the words that must come back."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.spatial.distance import cdist

from tutor import symmetry

# 5.1 ------------------------------------------------------------------------------------------

QUIZ = {
    "right": [
        lambda: {"energy": "dcba", "dipole": "DA"},
        lambda: {"dipole": {"a", "d"}, "energy": ["a", "b", "c", "d"]},
        lambda: {"energy": "a, b, c, d", "dipole": ("a", "d")},
    ],
    "wrong": {
        "(b) the dipole is an arrow": lambda: {"energy": "abcd", "dipole": "abd"},
        "(c) a mirror flips": lambda: {"energy": "abcd", "dipole": "acd"},
        "(c) a mirror image has": lambda: {"energy": "abd", "dipole": "ad"},
        "(e) O and H are different": lambda: {"energy": "abcde", "dipole": "ad"},
        "(f) stretched bonds": lambda: {"energy": "abcdf", "dipole": "ad"},
        "(d) the charges sit": lambda: {"energy": "abcd", "dipole": "a"},
        "(a) the charges of a neutral": lambda: {"energy": "abcd", "dipole": "d"},
        "a dict with the keys": lambda: {"energy": "abcd"},
        "is no letter": lambda: {"energy": "abcdx", "dipole": "ad"},
    },
}

# 5.2 ------------------------------------------------------------------------------------------


def represented(y, kind, R, t, order):
    """By einsum, row after row of the table."""
    y = np.asarray(y)
    out = np.einsum("ab,...b->...a", R, y) if y.ndim else y
    out = out * (np.linalg.det(R) if kind == "angular momentum" else 1)
    out = out + (t if kind == "positions" else 0)
    return out[order] if y.ndim == 2 else out


def deviation(f, kind, x, R, t, order, rho=represented):
    y, moved = f(x), f((x @ R.T + t)[order])
    return np.abs(moved - rho(y, kind, R, t, order)).max() / np.abs(y).max()


def deviation_by_library(f, kind, x, R, t, order):
    kinds = {
        "energy": symmetry.scalar(),
        "dipole": symmetry.vector(),
        "angular momentum": symmetry.pseudovector(),
        "forces": symmetry.vector(per="atom"),
        "positions": symmetry.points(),
    }
    from tutor.symmetry.groups import expected, transformed

    spec = symmetry.Spec({"x": symmetry.points()}, {"y": kinds[kind]})
    g = symmetry.Change(matrix=R, shift=t, order=order)
    y = np.asarray(f(x))
    must = expected(kinds[kind], y, g, np.zeros((1, 3)))
    return np.abs(f(transformed(spec, {"x": x}, g)["x"]) - must).max() / np.abs(y).max()


def deviation_in_jax(f, kind, x, R, t, order):
    y, moved = f(x), f((x @ R.T + t)[order])
    must = y
    if kind != "energy":
        must = (R @ np.asarray(y).T).T
    if kind == "angular momentum":
        must = must * (1 if np.linalg.det(R) > 0 else -1)
    if kind in ("forces", "positions"):
        must = must[order] + t * (kind == "positions")
    return jnp.max(jnp.abs(moved - must)) / jnp.max(jnp.abs(jnp.asarray(y)))


def with_slip(slip):
    def rho(y, kind, R, t, order):
        y = np.asarray(y)
        return slip(y, kind, R, t, order)

    return lambda *arguments: deviation(*arguments, rho=rho)


def only(kinds, slip):
    return with_slip(
        lambda y, kind, R, t, order: (
            slip(y, R, t, order) if kind in kinds else represented(y, kind, R, t, order)
        )
    )


ATOMS = ("forces", "positions")
VECTORS = ("dipole", "angular momentum")
DEVIATION = {
    "right": [deviation_by_library, deviation_in_jax, deviation],
    "wrong": {
        "a shift moves atoms, and leaves the dipole alone": only(
            VECTORS, lambda y, R, t, order: y @ R.T + t
        ),
        "that is invariance, and this is a vector": with_slip(lambda y, *_: y),
        "the vector was turned the other way": only(VECTORS, lambda y, R, t, order: y @ R),
        "det(R) is missing": only(VECTORS, lambda y, R, t, order: y @ R.T),
        "the rows were not renumbered": only(("forces",), lambda y, R, t, order: y @ R.T),
        "and leaves forces alone": only(ATOMS, lambda y, R, t, order: (y @ R.T + t)[order]),
        "positions move with the shift": only(ATOMS, lambda y, R, t, order: (y @ R.T)[order]),
        "undone instead of done": only(
            ("forces",), lambda y, R, t, order: (y @ R.T)[np.argsort(order)]
        ),
        "absolute deviation": lambda f, kind, x, R, t, order: (
            deviation(f, kind, x, R, t, order) * np.abs(f(x)).max()
        ),
    },
}

# 5.3, 5.4, 5.7, 5.10, 5.12 --------------------------------------------------------------------

DEAD = {
    "right": ["B", "(b)"],
    "wrong": {"VACUOUS is not HOLDS": "a", "A hundred times zero": "c", "it does not cancel": "d"},
}
CONSTANT = {
    "right": [0.6, 2 * 0.3, np.float32(0.6)],
    "wrong": {"that is |b|": 0.3, "with opposite signs": 0, "adds the components": 1.0},
}
LEAST = {
    "right": [0.3200, 0.554 / np.sqrt(3), np.sqrt(0.554**2 / 3)],
    "wrong": {"mean square *length*": 0.554, "1/√3 of it": 0.554 / 3, "as much as there is": 0},
}
TABLE = {
    "right": ["C", " c "],
    "wrong": {"DimeNet++ and SphereNet": "a", "never moves an atom": "b", "is a vector": "d"},
}
STAR = {
    "right": [5, 5.0],
    "wrong": {
        "add up to zero": 1,
        "the plane": 2,
        "average them out": 4,
        "is zero in the plane": 6,
    },
}

# 5.5 ------------------------------------------------------------------------------------------


def dipole_about_centre(q, p, r):
    """The same: the charges as they are, the places from the centre."""
    return q @ (r - r.mean(axis=0)) + p.sum(axis=0)


def dipole_by_loops(q, p, r):
    excess, mu = sum(q) / len(q), np.zeros(3)
    for charge, own, place in zip(q, p, r, strict=True):
        mu = mu + (charge - excess) * place + own
    return mu


def dipole_in_jax(q, p, r):
    return jnp.einsum("i,ia->a", q - jnp.mean(q), r) + jnp.sum(p, axis=0)


def dipole_about_first(q, p, r):
    return q @ (r - r[0]) + p.sum(axis=0)


DIPOLE = {
    "right": [dipole_about_centre, dipole_by_loops, dipole_in_jax],
    "wrong": {
        "grows by t Σ q_i": lambda q, p, r: q @ r + p.sum(axis=0),
        "in a way of its own": dipole_about_first,
        "atomic dipoles p are missing": lambda q, p, r: (q - q.mean()) @ r,
        "only the atomic dipoles": lambda q, p, r: p.sum(axis=0),
        "are averaged": lambda q, p, r: (q - q.mean()) @ r + p.mean(axis=0),
        "sign of the charges": lambda q, p, r: (q.mean() - q) @ r + p.sum(axis=0),
        "the shape is": lambda q, p, r: (q - q.mean())[:, None] * r + p,
    },
}

# 5.6 ------------------------------------------------------------------------------------------


def layer(
    h, x, phi_e, phi_x, phi_h,
    *, sign=1, own=False, swap=False, root=False, divide=-1, axis=1, keep=True,
):  # fmt: skip
    """With whole tables, and with the slips that one can make."""
    n = len(h)
    d = x[:, None] - x[None]
    table = np.broadcast_to(h[:, None], (n, n, h.shape[1]))
    pair = (table.swapaxes(0, 1), table) if swap else (table, table.swapaxes(0, 1))
    r = (d**2).sum(axis=-1, keepdims=True)
    m = phi_e(*pair, np.sqrt(r) if root else r)
    m = m if own else m * (1 - np.eye(n))[..., None]
    x_new = x + sign * (d * phi_x(m)).sum(axis=1) / (n + divide if divide is not None else 1)
    return phi_h(h, m.sum(axis=axis)) + (h if keep else 0), x_new


def layer_by_loops(h, x, phi_e, phi_x, phi_h):
    new_h, new_x = [], []
    for i in range(len(h)):
        others = [j for j in range(len(h)) if j != i]
        m = [phi_e(h[i], h[j], np.atleast_1d(((x[i] - x[j]) ** 2).sum())) for j in others]
        steps = [(x[i] - x[j]) * phi_x(one) for j, one in zip(others, m, strict=True)]
        new_x.append(x[i] + np.mean(steps, axis=0))
        new_h.append(h[i] + phi_h(h[i], np.sum(m, axis=0)))
    return new_h, new_x


def layer_by_edges(h, x, phi_e, phi_x, phi_h):
    n = len(h)
    i, j = np.nonzero(~np.eye(n, dtype=bool))
    d = x[i] - x[j]
    m = phi_e(h[i], h[j], cdist(x, x, "sqeuclidean")[i, j][:, None])
    M = jax.ops.segment_sum(jnp.asarray(m), i, num_segments=n)
    step = jax.ops.segment_sum(jnp.asarray(d * phi_x(m)), i, num_segments=n) / (n - 1)
    return h + phi_h(h, np.asarray(M)), x + np.asarray(step)


def slip(**options):
    return lambda *arguments: layer(*arguments, **options)


LAYER = {
    "right": [layer, layer_by_loops, layer_by_edges],
    "wrong": {
        "an atom sends a message to itself": slip(own=True),
        "h_i and h_j changed places": slip(swap=True),
        "the square of the distance": slip(root=True),
        "divided by n - 1": slip(divide=None),
        "not by n": slip(divide=0),
        "that atom i sends": slip(axis=0),
        "h is kept": slip(keep=False),
        "towards each other": slip(sign=-1),
        "return h first": lambda *a: layer(*a)[::-1],
        "expected 2 values": lambda *a: layer(*a)[1],
    },
}

# 5.8 ------------------------------------------------------------------------------------------


def limit_by_minimum(F, most):
    length = np.sqrt((F**2).sum(axis=-1, keepdims=True))
    return F * np.minimum(1.0, most / np.where(length > 0, length, 1.0))


def limit_by_rows(F, most):
    out = np.array(F, float)
    for row in out.reshape(-1, 3):
        length = np.linalg.norm(row)
        if length > most:
            row *= most / length
    return out


def limit_in_jax(F, most):
    length = jnp.linalg.norm(jnp.asarray(F), axis=-1, keepdims=True)
    return jnp.where(length > most, F * (most / jnp.maximum(length, most)), F)


def lengths(F):
    return np.linalg.norm(F, axis=-1, keepdims=True)


LIMIT = {
    "right": [limit_by_minimum, limit_by_rows, limit_in_jax],
    "wrong": {
        "each component was limited": lambda F, most: np.clip(F, -most, most),
        "from above only": np.minimum,
        "short vectors were stretched": lambda F, most: F * most / lengths(F),
        "became zero": lambda F, most: F * (lengths(F) <= most),
        "of all vectors together": lambda F, most: F * min(1.0, most / np.linalg.norm(F)),
        "cuts short ones as well": lambda F, most: F / np.sqrt(1 + lengths(F) ** 2 / most**2),
        "is not NaN": lambda F, most: F / lengths(F) * np.minimum(lengths(F), most),
    },
}

# 5.9 ------------------------------------------------------------------------------------------


def floor_by_means(y):
    return ((y - y.mean(axis=1, keepdims=True)) ** 2).sum(axis=1).mean() / (y.shape[1] - 1)


def floor_by_pairs(y):
    """Half the mean squared difference of two frames."""
    n = y.shape[1]
    pairs = [(a, b) for a in range(n) for b in range(a)]
    return np.mean([((y[:, a] - y[:, b]) ** 2).mean() for a, b in pairs]) / 2


def floor_in_jax(y):
    return jnp.mean(jnp.var(y, axis=1, ddof=1))


FLOOR = {
    "right": [floor_by_means, floor_by_pairs, floor_in_jax],
    "wrong": {
        "divide by frames - 1": lambda y: y.var(axis=1).mean(),
        "that is a root": lambda y: np.sqrt(floor_by_means(y)),
        "mean of standard deviations": lambda y: y.std(axis=1, ddof=1).mean(),
        "how different they are": lambda y: y.var(ddof=1),
        "components were added up": lambda y: y.var(axis=1, ddof=1).sum(axis=(1, 2)).mean(),
        "twice the variance": lambda y: 2 * floor_by_means(y),
        "the shape is": lambda y: y.var(axis=1, ddof=1),
    },
}

PROOFS = {
    "5.1": QUIZ,
    "5.2": DEVIATION,
    "5.3": DEAD,
    "5.4": CONSTANT,
    "5.5": DIPOLE,
    "5.6": LAYER,
    "5.7": LEAST,
    "5.8": LIMIT,
    "5.9": FLOOR,
    "5.10": TABLE,
    "5.11": {"wrong": {"at least 40": "More data."}},
    "5.12": STAR,
}
