"""Day 2, round 4: what D cannot see, and what sees it."""

from itertools import permutations

import numpy as np

from tutor.exercises.day02_clouds import curves_of
from tutor.exercises.engine import choice, code
from tutor.exercises.expect import agree, parts, require, shape

_TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)


def mismatch(a, b):
    """The least root mean square distance of the points over all motions, mirrors and orders."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    best = max(
        np.linalg.svd(a.T @ b[list(order)], compute_uv=False).sum()
        for order in permutations(range(len(b)))
    )
    return np.sqrt(max((a**2).sum() + (b**2).sum() - 2 * best, 0) / len(a))


@code(
    "2.7",
    "Two shapes that look the same",
    points=3,
    hints=(
        "If all distances from the centre are 1, then L_k = φ_k(1) · (mean of the points), and "
        "the mean is the centre. So any four such points have D = 0.",
        "Two pairs of opposite points, ±u and ±v, always have their mean at 0. The angle between "
        "u and v is yours to choose.",
        "A square: ±(1, 0, 0) and ±(0, 1, 0). And the same with the second pair at 60°: "
        "±(0.5, 0.866, 0), with `np.sqrt(3) / 2` for 0.866.",
    ),
)
def blind_pair(f, rng):
    clouds = dict(zip(("first", "second"), parts(f(), "first cloud", "second cloud"), strict=True))
    for name, cloud in clouds.items():
        shape(cloud, (4, 3), law="each cloud has four points in space", example={name: cloud})
        cloud = clouds[name] = np.asarray(cloud, float)
        radii = np.linalg.norm(cloud - cloud.mean(axis=0), axis=1)
        require(
            np.allclose(radii, 1, atol=1e-5),
            law="every point is at distance 1 from the mean of its cloud",
            message=f"in the {name} cloud the mean is {np.round(cloud.mean(axis=0), 3)}, and the "
            f"distances from it are {np.round(radii, 3)}",
            example={name: cloud},
        )
    apart = mismatch(*clouds.values())
    require(
        apart > 0.02,
        law="the two clouds are different shapes: no motion, mirror or order maps one to the other",
        message="these are congruent: turned, mirrored or renamed, the points of one fall on those "
        "of the other, so every model must say the same about both",
        error=f"the points can be brought within {apart:.2g} of each other",
        example=clouds,
    )


def _moments(x, phi):
    c = x - x.mean(axis=0)
    G = phi(np.linalg.norm(c, axis=1))
    return np.array([sum(g * np.outer(v, v) for g, v in zip(column, c, strict=True)) / len(x)
                     for column in G.T])  # fmt: skip


def _second(x, phi):
    M = _moments(x, phi)
    return np.array([[np.trace(a @ b) for b in M] for a in M])


def _traces(x, phi):
    t = np.trace(_moments(x, phi), axis1=1, axis2=2)
    return np.outer(t, t)


def _diagonals(x, phi):
    d = np.diagonal(_moments(x, phi), axis1=1, axis2=2)
    return d @ d.T


@code(
    "2.8",
    "Eyes for angles",
    points=2,
    hints=(
        "First the matrices: M has shape (m, 3, 3). `np.einsum` writes such sums as they stand on "
        "paper.",
        '`M = np.einsum("ik,ia,ib->kab", G, X, X) / n` with G = phi(|x′|). The trace of a product '
        "of two matrices is a sum over both indices.",
        "`X = x - x.mean(axis=0)`, `G = phi(np.linalg.norm(X, axis=1))`, M as above; return "
        '`np.einsum("kab,lba->kl", M, M)`.',
    ),
)
def second_moments(f, rng):
    turned = np.array([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1]])
    clouds = [rng.normal(size=(n, 3)) + 1 for n in (2, 4)] + [_TETRAHEDRON @ turned]
    agree(
        f,
        _second,
        [{"x": x, "phi": curves_of(m)} for x, m in zip(clouds, (2, 3, 2), strict=True)],
        law="B_kl = tr(M_k M_l) with M_k = (1/n) Σ_i φ_k(|x′_i|) x′_i x′_iᵀ, shape (m, m)",
        slips={
            "these are products of traces, tr(M_k) tr(M_l): they know the distances only, and are "
            "as blind for angles as before": _traces,
            "you multiplied the diagonals only, which depends on the axes: sum over both indices": (
                _diagonals
            ),
            "the factor 1/n is missing in M": lambda x, phi: len(x) ** 2 * _second(x, phi),
            "1/n belongs into M, so it occurs twice in B": lambda x, phi: len(x) * _second(x, phi),
            "these are the matrices M; return the traces of their products": _moments,
        },
    )


choice(
    "2.9",
    "In the mirror",
    right="b",
    why={
        "a": "The energy of a molecule in empty space is the same as that of its mirror image, so "
        "for energies nothing is lost.",
        "b": "An energy must be the same for both, and D says the same for both. But a "
        "property that changes sign in a mirror, such as optical rotation, cannot be any function "
        "of D, however many data there are.",
        "c": "More functions φ give more rows of L. Their scalar products are still scalar "
        "products, and a mirror leaves every one of them alone.",
        "d": "L turns and mirrors with the cloud, but L is not the input of ρ: D = L Lᵀ is.",
    },
    hints=(
        "Put x → -x into L, and then into D.",
        "Which quantities must change in a mirror, and which must not?",
        "Energies must not. Optical rotation must.",
    ),
)
