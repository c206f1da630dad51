"""Day 2: other right answers, and planted mistakes with the words that must come back."""

import jax.numpy as jnp
import numpy as np

# 2.1 ------------------------------------------------------------------------------------------


def error_by_loop(f, x, R):
    before, after = f(x), f(np.array([R @ point for point in x]))
    size = max(abs(v) for row in before for v in row)
    if size == 0:
        return float("nan")
    off = [abs(a - b) for y, z in zip(before, after, strict=True) for a, b in zip(R @ y, z,
           strict=True)]  # fmt: skip
    return max(off) / size


def error_by_einsum(f, x, R):
    turn = lambda v: np.einsum("ab,ib->ia", R, v)  # noqa: E731
    y = f(x)
    return (
        np.nan
        if not y.any()
        else np.linalg.norm((f(turn(x)) - turn(y)).ravel(), np.inf)
        / (np.linalg.norm(y.ravel(), np.inf))
    )


def error_in_jax(f, x, R):
    y, turned = jnp.asarray(f(x)), jnp.asarray(f(x @ R.T))
    size = jnp.abs(y).max()
    return jnp.where(size > 0, jnp.abs(turned - y @ R.T).max() / jnp.where(size > 0, size, 1),
                     jnp.nan)  # fmt: skip


def error_turned_back(f, x, R):
    y = f(x)
    return np.nan if np.abs(y).max() == 0 else error_by_einsum(f, x, R)


def rated(f, x, R, off):
    y = f(x)
    return np.nan if np.abs(y).max() == 0 else off(f(x @ R.T) - y @ R.T, y)


EQUIVARIANCE = {
    "right": [error_by_loop, error_by_einsum, error_in_jax, error_turned_back],
    "wrong": {
        "right for an energy": lambda f, x, R: np.abs(f(x @ R.T) - f(x)).max() / np.abs(f(x)).max(),
        "the other way": lambda f, x, R: np.abs(f(x @ R.T) - f(x) @ R).max() / np.abs(f(x)).max(),
        "absolute deviation": lambda f, x, R: rated(f, x, R, lambda d, y: np.abs(d).max()),
        "mean deviation": lambda f, x, R: rated(
            f, x, R, lambda d, y: np.abs(d).mean() / np.abs(y).max()
        ),
        "ratio of norms": lambda f, x, R: rated(
            f, x, R, lambda d, y: np.linalg.norm(d) / np.linalg.norm(y)
        ),
        "first atom only": lambda f, x, R: rated(
            f, x, R, lambda d, y: np.abs(d[0]).max() / np.abs(y[0]).max()
        ),
        "with itself": lambda f, x, R: np.abs(f(x @ R.T) - f(x @ R.T)).max(),
        "must not pass": lambda f, x, R: (
            np.abs(f(x @ R.T) - f(x) @ R.T).max() / max(np.abs(f(x)).max(), 1e-30)
        ),
    },
}

CLAMP = {
    "right": ["C", "(c)"],
    "wrong": {"commute with the clamp": "a", "not switched on": "b", "both signs": "d"},
}

# 2.3 ------------------------------------------------------------------------------------------


def pairs_by_powers():
    return (
        lambda z: np.asarray(z)[:, None] ** np.array([1, 2]),
        lambda s: 0.5 * s[0] ** 2 - 0.5 * s[1],
    )


def pairs_by_other_features():
    """Any invertible mixture of (z, z²) serves as well."""
    phi = lambda z: np.stack([z + z**2, z - z**2, np.ones_like(z)], axis=-1)  # noqa: E731

    def rho(s):
        a, b = (s[0] + s[1]) / 2, (s[0] - s[1]) / 2
        return (a * a - b) / 2

    return phi, rho


def pairs_in_jax():
    return [
        lambda z: jnp.column_stack([z, jnp.square(z)]),
        lambda s: (jnp.square(s[0]) - s[1]) / 2,
    ]


def features(z):
    return np.stack([z, z**2], axis=1)


PAIRS = {
    "right": [pairs_by_powers, pairs_by_other_features, pairs_in_jax],
    "wrong": {
        "every pair twice": lambda: (features, lambda s: s[0] ** 2 - s[1]),
        "the slide's example": lambda: (features, lambda s: (s[0] ** 2 + s[1]) / 2),
        "square of the sum": lambda: (features, lambda s: s[0] ** 2),
        "one element at a time": lambda: (
            lambda z: np.stack([z, np.full_like(z, z.sum())], axis=1),
            lambda s: s[0],
        ),
        "a row of features": lambda: (lambda z: z, lambda s: s),
        "not a function": lambda: (3.0, features),
        "expected 2 values": lambda: features,
    },
}

# 2.4 ------------------------------------------------------------------------------------------

TWINS = {
    "right": [
        lambda: ([7], [7, 7]),
        lambda: (np.array([1.0, 1, 2]), np.array([2.0, 1, 1, 1, 1, 2])),
        lambda: (jnp.array([0, 1, 0, 1]), jnp.array([0, 1, 1, 0, 0, 1])),
    ],
    "wrong": {
        "no function of a set": lambda: ([1, 2, 2], [2, 1, 2]),
        "in one of them only": lambda: ([1, 3], [2, 2]),
        "mean pooling": lambda: ([1, 2], [1, 2, 2]),
        "lists or arrays": lambda: ([[1, 2]], [[1, 2, 1, 2]]),
        "expected 2 values": lambda: [1, 2, 1],
    },
}

# 2.5, 2.6 -------------------------------------------------------------------------------------


def centred(x):
    return x - x.mean(axis=0)


def products_by_einsum(x):
    c = x - np.average(x, axis=0)
    return np.einsum("ia,ja->ij", c, c)


def products_by_projection(x):
    keep = np.eye(len(x)) - 1 / len(x)
    return keep @ x @ x.T @ keep


def products_from_distances(x):
    square = ((x[:, None] - x) ** 2).sum(-1)
    keep = np.eye(len(x)) - 1 / len(x)
    return -0.5 * keep @ square @ keep


def products_in_jax(x):
    c = x - jnp.mean(x, axis=0)
    return jnp.inner(c, c)


PRODUCTS = {
    "right": [products_by_einsum, products_by_projection, products_from_distances, products_in_jax],
    "wrong": {
        "keeps the axes": lambda x: centred(x).T @ centred(x),
        "the centre is missing": lambda x: x @ x.T,
        "these are distances": lambda x: np.linalg.norm(x[:, None] - x, axis=2),
        "shape": lambda x: (centred(x) ** 2).sum(axis=1),
    },
}


def cloud_by_einsum(x, phi):
    c = centred(x)
    L = np.einsum("ik,ij->kj", phi(np.sqrt((c**2).sum(axis=1))), c) / len(c)
    return np.einsum("kj,lj->kl", L, L)


def cloud_as_on_the_slide(x, phi):
    """D = (1/n²) Gᵀ X Xᵀ G."""
    X, n = centred(x), len(x)
    G = phi(np.linalg.norm(X, axis=1))
    return G.T @ (X @ X.T) @ G / n**2


def cloud_by_loops(x, phi):
    c = centred(x)
    L = sum(np.outer(phi(np.array([np.linalg.norm(v)]))[0], v) for v in c) / len(c)
    return np.array([[float(np.dot(a, b)) for b in L] for a in L])


def cloud_in_jax(x, phi):
    X = jnp.asarray(x) - jnp.mean(x, axis=0)
    L = jnp.mean(jnp.asarray(phi(jnp.linalg.norm(X, axis=1)))[:, :, None] * X[:, None, :], axis=0)
    return L @ L.T


def cloud_wrong(x, phi, *, X=centred, gram=lambda L: L @ L.T, n=len):
    X = X(x)
    G = phi(np.linalg.norm(X, axis=1))
    return gram(G.T @ X / n(x))


def cloud_of_the_slide(x, phi):
    X = centred(x)
    G = phi(np.linalg.norm(X, axis=1)).T
    L = G.T @ X / len(X)
    return L @ L.T


DESCRIPTOR = {
    "right": [cloud_by_einsum, cloud_as_on_the_slide, cloud_by_loops, cloud_in_jax],
    "wrong": {
        "summed over the functions k": cloud_of_the_slide,
        "Lᵀ L": lambda x, phi: cloud_wrong(x, phi, gram=lambda L: L.T @ L),
        "this is L; ": lambda x, phi: cloud_wrong(x, phi, gram=lambda L: L),
        "1/n is missing": lambda x, phi: cloud_wrong(x, phi, n=lambda x: 1),
        "occurs twice": lambda x, phi: cloud_wrong(x, phi, n=lambda x: np.sqrt(len(x))),
        "x instead of x′": lambda x, phi: cloud_wrong(x, phi, X=lambda x: x),
        "only their lengths are": lambda x, phi: (
            (phi(np.linalg.norm(centred(x), axis=1)).T @ x)
            @ (phi(np.linalg.norm(centred(x), axis=1)).T @ x).T
            / len(x) ** 2
        ),
    },
}

# 2.7 ------------------------------------------------------------------------------------------


def antipodal(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1, 0, 0], [-1, 0, 0], [c, s, 0], [-c, -s, 0]])


TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)


def stretched(z):
    """A disphenoid with corners at the heights ±z."""
    r = np.sqrt(1 - z**2)
    return np.array([[r, 0, z], [-r, 0, z], [0, r, -z], [0, -r, -z]])


BLIND = {
    "right": [
        lambda: (TETRAHEDRON, antipodal(90)),
        lambda: (stretched(0.2) + 5, stretched(0.7)),
        lambda: (antipodal(30).tolist(), antipodal(50).tolist()),
        lambda: (jnp.array(antipodal(20)), jnp.array(TETRAHEDRON)),
    ],
    "wrong": {
        "these are congruent": lambda: (antipodal(90), antipodal(90)[[2, 0, 3, 1]]),
        "mirrored or renamed": lambda: (antipodal(60), antipodal(120)),
        "at distance 1": lambda: (antipodal(90), 2 * TETRAHEDRON),
        "the distances from it": lambda: (
            antipodal(90),
            np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1.0, 0, 0]]),
        ),
        "four points": lambda: (antipodal(90), np.concatenate([TETRAHEDRON, [[0, 0, 0]]])),
        "expected 2 values": lambda: TETRAHEDRON,
    },
}

# 2.8 ------------------------------------------------------------------------------------------


def moments_by_pairs(x, phi):
    """tr(M_k M_l) = (1/n²) Σ_ij φ_k φ_l (x_i · x_j)²."""
    c = centred(x)
    G = phi(np.linalg.norm(c, axis=1))
    return G.T @ (c @ c.T) ** 2 @ G / len(c) ** 2


def moments_by_loops(x, phi):
    c = centred(x)
    G = phi(np.linalg.norm(c, axis=1))
    M = [c.T @ np.diag(g) @ c / len(c) for g in G.T]
    return np.array([[(a * b).sum() for b in M] for a in M])


def moments_flat(x, phi):
    c = centred(x)
    flat = (c[:, :, None] * c[:, None, :]).reshape(len(c), 9)
    M = phi(np.linalg.norm(c, axis=1)).T @ flat / len(c)
    return M @ M.T


def moments_in_jax(x, phi):
    c = jnp.asarray(x - x.mean(axis=0))
    M = jnp.einsum("ik,ia,ib->kab", phi(jnp.linalg.norm(c, axis=1)), c, c) / len(c)
    return jnp.einsum("kab,lab->kl", M, M)


def matrices(x, phi):
    c = centred(x)
    return np.einsum("ik,ia,ib->kab", phi(np.linalg.norm(c, axis=1)), c, c) / len(c)


MOMENTS = {
    "right": [moments_by_pairs, moments_by_loops, moments_flat, moments_in_jax],
    "wrong": {
        "products of traces": lambda x, phi: np.outer(*[np.einsum("kaa->k", matrices(x, phi))] * 2),
        "diagonals only": lambda x, phi: np.einsum(
            "kaa,laa->kl", matrices(x, phi), matrices(x, phi)
        ),
        "1/n is missing": lambda x, phi: len(x) ** 2 * moments_by_pairs(x, phi),
        "occurs twice": lambda x, phi: len(x) * moments_by_pairs(x, phi),
        "these are the matrices M": matrices,
    },
}

MIRROR = {
    "right": ["b", "B."],
    "wrong": {"for energies nothing is lost": "a", "still scalar": "c", "not the input": "d"},
}

# 2.10 -----------------------------------------------------------------------------------------


def tensor_by_einsum(L, A, b):
    D = L @ L.T
    Q = np.einsum("ka,kl,lb->ab", L, A(D), L)
    return (Q + Q.T) / 2 + b(D) * np.identity(3)


def tensor_by_parts(L, A, b):
    M = A(L @ L.T)
    lower = 0.5 * L.T @ M @ L
    Q = lower + lower.T
    Q[np.diag_indices(3)] += b(L @ L.T)
    return Q


def tensor_in_jax(L, A, b):
    D = jnp.asarray(L) @ jnp.asarray(L).T
    M = jnp.asarray(A(D))
    return L.T @ ((M + M.T) / 2) @ L + b(D) * jnp.eye(3)


TENSOR = {
    "right": [tensor_by_einsum, tensor_by_parts, tensor_in_jax],
    "wrong": {
        "not symmetric": lambda L, A, b: L.T @ A(L @ L.T) @ L + b(L @ L.T) * np.eye(3),
        "all nine entries": lambda L, A, b: tensor_by_einsum(L, A, lambda D: 0) + b(L @ L.T),
        "b·1 is missing": lambda L, A, b: tensor_by_einsum(L, A, lambda D: 0),
        "without the ½": lambda L, A, b: (
            2 * tensor_by_einsum(L, A, lambda D: 0) + b(L @ L.T) * np.eye(3)
        ),
    },
}

ORDERS = {
    "right": [1440, 1440.0, np.int64(1440)],
    "wrong": {
        "carbons may be exchanged too": 720,
        "only like atoms": 362880,
        "within CH₂ and CH₃": 12,
        "do not add": 723,
    },
}

PROOFS = {
    "2.1": EQUIVARIANCE,
    "2.2": CLAMP,
    "2.3": PAIRS,
    "2.4": TWINS,
    "2.5": PRODUCTS,
    "2.6": DESCRIPTOR,
    "2.7": BLIND,
    "2.8": MOMENTS,
    "2.9": MIRROR,
    "2.10": TENSOR,
    "2.11": ORDERS,
    "2.12": {"wrong": {"at least 50": "Everything."}},
}
