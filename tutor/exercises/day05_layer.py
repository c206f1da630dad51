"""Day 5: the layer by hand, and steps and forces of limited length, 5.6 and 5.8."""

import numpy as np

from tutor.exercises.engine import code
from tutor.exercises.expect import agree, expect, parts


def _network(rng, sizes, out):
    """φ: a random layer of each argument, added, then tanh; acts on the last axis."""
    weights = [rng.normal(size=(n, out)) for n in sizes]
    shift = 0.4 * rng.normal(size=out)
    return lambda *a: np.tanh(sum(x @ w for x, w in zip(a, weights, strict=True)) + shift)


def _layer(
    h, x, phi_e, phi_x, phi_h,
    *, sign=1, own=False, swapped=False, squared=True, mean=True, count=0, sent=False, keep=True,
):  # fmt: skip
    """The layer, loop by loop, and with the slips that one can make."""
    n = len(h)
    h_new, x_new = [], []
    for i in range(n):
        M, step = 0.0, np.zeros(3)
        for j in range(n):
            if i == j and not own:
                continue
            d = x[i] - x[j]
            r = np.array([d @ d if squared else np.sqrt(d @ d)])
            first, second = (h[j], h[i]) if swapped or sent else (h[i], h[j])
            m = phi_e(first, second, r)
            M = M + m
            to = m if not sent else phi_e(h[i], h[j], r)
            step = step + sign * d * phi_x(to)
        x_new.append(x[i] + step / ((n - 1 + count) if mean else 1))
        h_new.append(phi_h(h[i], M) + (h[i] if keep else 0))
    return np.array(h_new), np.array(x_new)


_SLIPS = {
    "atoms move towards each other where they should move apart: d = x_i - x_j": {"sign": -1},
    "an atom sends a message to itself: leave j = i out": {"own": True},
    "you added up the messages that atom i sends, not those it receives": {"sent": True},
    "h_i and h_j changed places: the first argument of φ_e is the receiver": {"swapped": True},
    "φ_e takes the square of the distance": {"squared": False},
    "the sum of the steps is divided by n - 1": {"mean": False},
    "the sum of the steps is divided by n - 1, not by n": {"count": 1},
    "h is kept: φ_h is added to it": {"keep": False},
}


@code(
    "5.6",
    "A layer of EGNN by hand",
    points=5,
    hints=(
        "Make tables: `d = x[:, None] - x[None]` holds all differences, (n, n, 3). The φ act on "
        "the last axis, so they take whole tables.",
        "`m = phi_e(h_i, h_j, (d**2).sum(axis=-1, keepdims=True))`, where h_i and h_j are `h` "
        "repeated along the second and the first axis: `np.broadcast_to(h[:, None], (n, n, c))`. "
        "Set the diagonal of m to zero; d is zero there anyway.",
        "`x + (d * phi_x(m)).sum(axis=1) / (n - 1)` and `h + phi_h(h, m.sum(axis=1))`. Two loops "
        "over atoms do as well.",
    ),
)
def egnn_layer(f, rng):
    for n, channels in ((3, 2), (4, 3)):
        h, x = rng.normal(size=(n, channels)), rng.normal(size=(n, 3))
        phi_e = _network(rng, (channels, channels, 1), 4)
        phi_x, phi_h = _network(rng, (4,), 1), _network(rng, (channels, 4), channels)
        example = {"h": h, "x": x}
        got_h, got_x = parts(f(h, x, phi_e, phi_x, phi_h), "the new h", "the new x")
        new_h, new_x = _layer(h, x, phi_e, phi_x, phi_h)
        wrong = {w: _layer(h, x, phi_e, phi_x, phi_h, **o) for w, o in _SLIPS.items()}
        for got, right, part, law in (
            (got_x, new_x, 1, "x_i ← x_i + 1/(n-1) Σ_j (x_i - x_j) φ_x(m_ij)"),
            (got_h, new_h, 0, "h_i ← h_i + φ_h(h_i, Σ_j m_ij)"),
        ):
            slips = {w: both[part] for w, both in wrong.items() if _differs(both[part], right)}
            slips |= {
                "h and x changed places: return h first": (new_x, new_h)[part],
                "it is what came in: nothing was added": (h, x)[part],
            }
            expect(got, right, law=law, example=example, slips=slips)


def _differs(a, b):
    return a.shape != b.shape or np.abs(a - b).max() > 1e-3 * np.abs(b).max()


def _limited(F, most):
    length = np.linalg.norm(F, axis=-1, keepdims=True)
    return F * most / np.maximum(length, most)


@code(
    "5.8",
    "Limit the length",
    points=2,
    hints=(
        "The direction stays, so F is multiplied by one number for each vector: 1, or most / |F|.",
        "The smaller of the two: `np.minimum(1, most / length)`. What does it do for F = 0?",
        "`length = np.linalg.norm(F, axis=-1, keepdims=True)`, "
        "`return F * most / np.maximum(length, most)`.",
    ),
)
def limit(f, rng):
    directions = rng.normal(size=(6, 3))
    directions[:, 2] = np.abs(directions[:, 0]) + 0.2
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = np.array([0.5, 0.99, 1.3, 3.0, 20.0, 150.0])[:, None]
    most = 1.0
    cases = [
        {"F": 2.0 * directions[:1] * lengths[:1], "most": most * 2},
        {"F": directions * lengths, "most": most},
        {"F": np.stack([directions * lengths, -2 * directions * lengths]), "most": most},
    ]
    agree(
        f,
        _limited,
        cases,
        law="no vector is longer than `most`, each keeps its direction, short ones stay",
        slips={
            "each component was limited by itself, which bends long vectors towards the diagonals "
            "of the axes; limit the length": lambda F, most: np.clip(F, -most, most),
            "components were limited from above only, and by axis": lambda F, most: np.minimum(
                F, most
            ),
            "short vectors were stretched: only those longer than `most` change": lambda F, most: (
                F * most / np.linalg.norm(F, axis=-1, keepdims=True)
            ),
            "vectors that were too long became zero": lambda F, most: (
                F * (np.linalg.norm(F, axis=-1, keepdims=True) <= most)
            ),
            "the length is that of all vectors together; each has its own": lambda F, most: (
                F * min(1.0, most / np.linalg.norm(F))
            ),
            "that is smooth, and cuts short ones as well; here they stay": lambda F, most: (
                F / np.sqrt(1 + (F**2).sum(axis=-1, keepdims=True) / most**2)
            ),
        },
    )
    still = np.zeros((2, 3))
    with np.errstate(all="ignore"):  # the verdict says it better than a warning
        got = f(still, most)
    expect(got, still, law="a force of zero stays zero, and is not NaN", example={"F": still})
