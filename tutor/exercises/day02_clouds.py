"""Day 2, rounds 3 and 5: D = L Lᵀ, and vectors and tensors from L."""

import numpy as np
from scipy.spatial.transform import Rotation

from tutor.exercises.engine import code
from tutor.exercises.expect import agree, expect, same


def _centred(x):
    return x - x.mean(axis=0)


def _products(x):
    c = _centred(x)
    return np.array([[a @ b for b in c] for a in c])


@code(
    "2.5",
    "Find the bug: which side the transpose is on",
    points=2,
    hints=(
        "D′ has one number for each pair of points. Which shape is that? Which shape does "
        "`X.T @ X` have?",
        "With the points as rows, `X @ X.T` sums over x, y and z, and that is a scalar product. "
        "`X.T @ X` sums over the points.",
        "`X = x - x.mean(axis=0)`; return `X @ X.T`.",
    ),
)
def scalar_products(f, rng):
    cases = [{"x": rng.normal(size=(n, 3)) + 2} for n in (2, 3, 5)]
    agree(
        f,
        _products,
        cases,
        law="D′_ij = x′_i · x′_j with x′ = x - x̄, shape (n, n)",
        slips={
            "this is Xᵀ X, 3×3: it sums over the points and keeps the axes, so it turns "
            "with the molecule": lambda x: _centred(x).T @ _centred(x),
            "the centre is missing: these products change when the molecule is shifted": (
                lambda x: x @ x.T
            ),
            "these are distances; scalar products were asked for": lambda x: np.linalg.norm(
                x[:, None] - x, axis=-1
            ),
        },
    )


def curves_of(m):
    """φ: m different smooth functions of a length, as a function (n,) -> (n, m)."""

    def phi(r):
        return np.stack([np.exp(-0.5 * k * r) for k in range(1, m + 1)], axis=1)

    return phi


def _embedding(x, phi):
    c = _centred(x)
    G = phi(np.linalg.norm(c, axis=1))
    return sum(np.outer(g, v) for g, v in zip(G, c, strict=True)) / len(x)


def _descriptor(x, phi):
    L = _embedding(x, phi)
    return np.array([[a @ b for b in L] for a in L])


def _summed_over_functions(x, phi):
    c = _centred(x)
    L = phi(np.linalg.norm(c, axis=1)) @ c / len(x)
    return L @ L.T


@code(
    "2.6",
    "Find the bug: the index of G",
    points=3,
    hints=(
        "Write the shapes down: X is (n, 3), L must be (m, 3), and the sum runs over the n points.",
        "`phi` returns G with G[i, k] = φ_k(|x′_i|), shape (n, m). Which product of G and X sums "
        "over i?",
        "`X = x - x.mean(axis=0)`, `G = phi(np.linalg.norm(X, axis=1))`, `L = G.T @ X / len(x)`; "
        "return `L @ L.T`.",
    ),
)
def descriptor(f, rng):
    law = "D = L Lᵀ with L_kj = (1/n) Σ_i φ_k(|x′_i|) x′_ij, shape (m, m)"
    for n, m in ((3, 3), (5, 2), (4, 6)):
        x, phi = rng.normal(size=(n, 3)) + 1, curves_of(m)
        L, G = _embedding(x, phi), phi(np.linalg.norm(_centred(x), axis=1))
        slips = {
            "this is Lᵀ L, 3×3: it turns with the molecule": L.T @ L,
            "this is L; the descriptor is L Lᵀ": L,
            "the factor 1/n is missing in L": n**2 * (L @ L.T),
            "1/n belongs into L, so it occurs twice in D": n * (L @ L.T),
            "the centre is missing: x instead of x′": (
                (phi(np.linalg.norm(x, axis=1)).T @ x)
                @ (phi(np.linalg.norm(x, axis=1)).T @ x).T
                / n**2
            ),
            "the vectors are not centred, only their lengths are": (G.T @ x) @ (G.T @ x).T / n**2,
        }
        if n == m:
            slips["you summed over the functions k, not over the points i: with as many functions "
                  "as points that runs, and depends on the order of the points"] = (
                _summed_over_functions(x, phi)
            )  # fmt: skip
        example = {"x": x, "phi": f"{m} functions of a length"}
        expect(f(x, phi), _descriptor(x, phi), law=law, example=example, slips=slips)
    order = rng.permutation(6)
    x, phi = rng.normal(size=(6, 3)), curves_of(3)
    same(
        f(x, phi),
        f(x[order], phi),
        law="the order of the points does not matter",
        example={"x": x, "order": order},
        labels=("in one order", "in another"),
    )


@code(
    "2.10",
    "A tensor that turns on both sides",
    points=2,
    hints=(
        "D is invariant, so any network may read it. Only L carries directions, one on each side.",
        "With L of shape (m, 3), `L.T @ M @ L` is 3×3 for any M of shape (m, m). It is symmetric "
        "if M is. And which constant matrix stays what it is when it is turned?",
        "`D = L @ L.T`, `M = A(D)`, return `L.T @ (M + M.T) @ L / 2 + b(D) * np.eye(3)`.",
    ),
)
def tensor_from(f, rng):
    def A(D):  # noqa: N802
        return D @ np.triu(D)

    def b(D):
        return np.trace(D) + 1

    def truth(L):
        D = L @ L.T
        M = (A(D) + A(D).T) / 2
        rows = range(len(L))
        return sum(M[k, n] * np.outer(L[k], L[n]) for k in rows for n in rows) + b(D) * np.eye(3)

    words = "networks of D: A gives (m, m), not symmetric, and b one number"
    for m in (2, 3, 5):
        L = rng.normal(size=(m, 3))
        D = L @ L.T
        expect(
            f(L, A, b),
            truth(L),
            law="Q = Lᵀ ½(A + Aᵀ) L + b·1 with A = A(D), b = b(D) and D = L Lᵀ",
            example={"L": L, "A, b": words},
            slips={
                "Q is not symmetric, as a polarisability must be: use ½ (A + Aᵀ)": (
                    L.T @ A(D) @ L + b(D) * np.eye(3)
                ),
                "you added b to all nine entries: a matrix of ones changes when it is turned, the "
                "unit matrix does not": truth(L) - b(D) * np.eye(3) + b(D),
                "the part b·1 is missing: without it a cloud with L = 0 has no tensor at all": (
                    truth(L) - b(D) * np.eye(3)
                ),
                "A + Aᵀ without the ½": 2 * truth(L) - b(D) * np.eye(3),
            },
        )
    L, R = rng.normal(size=(3, 3)), Rotation.random(random_state=rng).as_matrix()
    same(
        R @ f(L, A, b) @ R.T,
        f(L @ R.T, A, b),
        law="Q becomes R Q Rᵀ when the molecule turns",
        example={"L": L, "R": R},
        labels=("R Q Rᵀ", "Q of the turned molecule"),
    )
