"""Day 4: other right answers, and planted mistakes with the words that must come back."""

from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist, pdist
from scipy.special import logsumexp, softmax

# 4.1 ------------------------------------------------------------------------------------------


def edges_by_loops(positions, cutoff):
    pairs = [
        (j, i)
        for i in range(len(positions))
        for j in range(len(positions))
        if i != j and np.linalg.norm(positions[i] - positions[j]) < cutoff
    ]
    return [j for j, _ in pairs], [i for _, i in pairs]


def edges_by_tree(positions, cutoff):
    pairs = KDTree(positions).query_pairs(cutoff, output_type="ndarray")
    both = np.concatenate([pairs, pairs[:, ::-1]])
    return both[:, 0], both[:, 1]


def edges_in_jax(positions, cutoff):
    near = cdist(positions, positions) < cutoff
    found = jnp.argwhere(jnp.array(near & ~np.eye(len(positions), dtype=bool)))
    return found.T


def near(positions, cutoff, k=0):
    distances = cdist(positions, positions) + 1e9 * np.eye(len(positions))
    return np.nonzero(np.triu(distances < cutoff, k=k) if k else distances < cutoff)


EDGES = {
    "right": [edges_by_loops, edges_by_tree, edges_in_jax],
    "wrong": {
        "sends to itself": lambda r, c: np.nonzero(cdist(r, r) < c),
        "nothing comes back": lambda r, c: near(r, c, k=1),
        "further apart than the cutoff": lambda r, c: near(r, 1e3),
        "but are not joined": lambda r, c: near(r, 0.5 * pdist(r).min()),
        "more than once": lambda r, c: np.concatenate([near(r, c)] * 2, axis=1),
        "senders and receivers are lists": lambda r, c: cdist(r, r)[:2] + 0.5,
        "expected 2 values": lambda r, c: np.argwhere(cdist(r, r) < c)[:1],
    },
}

# 4.2 ------------------------------------------------------------------------------------------


def blocks(n, *, start=False, receiver=False, keep=True, old=False):
    """u of water after n blocks, with the slips that one can make."""
    senders, receivers = np.array([0, 0, 1, 2]), np.array([1, 2, 0, 0])
    e, v, u = np.ones(4), np.array([8.0, 1, 1]), 0.0
    for _ in range(n):
        new = (np.ones(4) if start else e) * v[receivers if receiver else senders]
        updated = v + np.bincount(receivers, new)
        u = keep * u + (v if old else updated).sum()
        e, v = new, updated
    return u


PAPER = {
    "right": [234, 234.0, blocks(2)],
    "wrong": {
        "after one block": blocks(1),
        "left out the old u": blocks(2, keep=False),
        "not from e = 1": blocks(2, start=True),
        "*new* nodes": blocks(2, old=True),
        "the sender that speaks": blocks(2, receiver=True),
    },
}

# 4.3 ------------------------------------------------------------------------------------------


def network(
    e, v, u, senders, receivers, phi_e, phi_v, phi_u,
    *, swap=False, at=None, what=None, nodes=None, reduce=np.sum, mean=False,
):  # fmt: skip
    ends = (senders, receivers) if swap else (receivers, senders)
    new_e = phi_e(e, v[ends[0]], v[ends[1]], u)
    meet = np.arange(len(v))[:, None] == (senders if at == "senders" else receivers)
    arriving = meet @ (e if what == "old" else new_e)
    if mean:
        arriving = arriving / np.maximum(meet.sum(axis=1, keepdims=True), 1)
    new_v = phi_v(arriving, v, u)
    state = v if nodes == "old" else new_v
    return new_e, new_v, phi_u(reduce(new_e, axis=0), reduce(state, axis=0), u)


def network_by_loops(e, v, u, senders, receivers, phi_e, phi_v, phi_u):
    new_e = [phi_e(e[k], v[receivers[k]], v[senders[k]], u) for k in range(len(e))]
    arriving = [np.zeros(2) for _ in v]
    for k, i in enumerate(receivers):
        arriving[i] = arriving[i] + new_e[k]
    new_v = [phi_v(arriving[i], v[i], u) for i in range(len(v))]
    return new_e, new_v, phi_u(sum(new_e), sum(new_v), u)


def network_in_jax(e, v, u, senders, receivers, phi_e, phi_v, phi_u):
    new_e = phi_e(e, v[receivers], v[senders], u)
    arriving = jax.ops.segment_sum(jnp.asarray(new_e), receivers, num_segments=len(v))
    new_v = phi_v(np.asarray(arriving), v, u)
    return new_e, jnp.asarray(new_v), phi_u(new_e.sum(axis=0), new_v.sum(axis=0), u)


def network_losing(e, v, u, senders, receivers, phi_e, phi_v, phi_u):
    new_e = phi_e(e, v[receivers], v[senders], u)
    arriving = np.zeros((len(v), 2))
    arriving[receivers] += new_e
    new_v = phi_v(arriving, v, u)
    return new_e, new_v, phi_u(new_e.sum(axis=0), new_v.sum(axis=0), u)


def slip(**options):
    return lambda *arguments: network(*arguments, **options)


BLOCK = {
    "right": [network, network_by_loops, network_in_jax],
    "wrong": {
        "sender and receiver are exchanged": slip(swap=True),
        "summed the edges at their senders": slip(at="senders"),
        "summed the old edges; what arrives": slip(what="old"),
        "and at their senders": slip(what="old", at="senders"),
        "mean of what arrives": slip(mean=True),
        "`np.add.at` does": network_losing,
        "read the old nodes": slip(nodes="old"),
        "means over edges and nodes": slip(reduce=np.mean),
        "expected 3 values": lambda *a: network(*a)[1],
    },
}

# 4.4 ------------------------------------------------------------------------------------------


def convolve_by_loops(h, W, neighbor, mask):
    m = np.zeros(h.shape)
    for i, k in np.argwhere(mask):
        m[i] += W[i, k] * h[neighbor[i, k]]
    return m


def convolve_by_einsum(h, W, neighbor, mask):
    return np.einsum("ik,ikc,ikc->ic", mask.astype(float), W, h[neighbor])


def convolve_in_jax(h, W, neighbor, mask):
    return jnp.sum(jnp.where(mask[..., None], W * jnp.asarray(h)[neighbor], 0.0), axis=1)


CONVOLVE = {
    "right": [convolve_by_loops, convolve_by_einsum, convolve_in_jax],
    "wrong": {
        "use the mask": lambda h, W, j, mask: (W * h[j]).sum(axis=1),
        "features of the receiver": lambda h, W, j, mask: convolve_by_einsum(
            h, W, np.arange(len(h))[:, None], mask
        ),
        "left the filters out": lambda h, W, j, mask: convolve_by_einsum(h, 0 * W + 1, j, mask),
        "averaged over the slots": lambda h, W, j, mask: (
            convolve_by_einsum(h, W, j, mask) / mask.sum(axis=1)[:, None]
        ),
        "over the channels": lambda h, W, j, mask: convolve_by_einsum(h, W, j, mask).sum(axis=1),
        "summed over the atoms": lambda h, W, j, mask: (mask[..., None] * W * h[j]).sum(axis=0),
    },
}

# 4.5, 4.7, 4.9, 4.11 --------------------------------------------------------------------------

DIRECTIONS = {
    "right": ["B", "(b)"],
    "wrong": {
        "by the chain rule": "a",
        "mixes the three numbers": "c",
        "Day 1 tried": "d",
    },
}
TRAVERSALS = {
    "right": [7500, 7500.0, np.int64(7500)],
    "wrong": {"three coordinates": 2500, "reverse mode": 1, "every pair": 2500**2},
}
HOPS = {
    "right": [4, 4.0, np.int32(4)],
    "wrong": {
        "12 / 5, rounded up": 3,
        "rounds are whole": 2.4,
        "further": 1,
        "count the hops": 5,
    },
}
STATE = {
    "right": ["C", " c "],
    "wrong": {"also reads the state": "a", "a shortcut": "b", "all others by way": "d"},
}

# 4.6 ------------------------------------------------------------------------------------------


def f(x, y):
    return (2 * x + y**2) ** 2


def forward_by_jvp(x, y, dx, dy):
    return jax.jvp(f, (float(x), float(y)), (float(dx), float(dy)))


def forward_by_formula(x, y, dx, dy):
    c = 2 * x + y * y
    return c * c, 4 * c * dx + 4 * c * y * dy


def forward_by_complex_step(x, y, dx, dy):
    z = f(x + 1e-20j * dx, y + 1e-20j * dy)
    return np.array([z.real, z.imag / 1e-20])


def changed(change):
    return lambda x, y, dx, dy: (f(x, y), change(x, y, dx, dy))


FORWARD = {
    "right": [forward_by_jvp, forward_by_formula, forward_by_complex_step],
    "wrong": {
        "the outer derivative is missing": changed(lambda x, y, dx, dy: 2 * dx + 2 * y * dy),
        "the inner derivative is missing": changed(
            lambda x, y, dx, dy: 2 * (2 * x + y**2) * (dx + dy)
        ),
        "forgot the factor 2": changed(lambda x, y, dx, dy: (2 * x + y**2) * (2 * dx + 2 * y * dy)),
        "multiply by dx and dy": changed(lambda x, y, dx, dy: 2 * (2 * x + y**2) * (2 + 2 * y)),
        "that is c": lambda x, y, dx, dy: (2 * x + y**2, 2 * dx + 2 * y * dy),
        "expected 2 values": lambda x, y, dx, dy: f(x, y),
    },
}

# 4.8 ------------------------------------------------------------------------------------------


def felt_by_vjp(energies, positions, i):
    value, pull = jax.vjp(energies, positions)
    return jnp.linalg.norm(pull(jnp.zeros_like(value).at[i].set(1.0))[0], axis=-1)


def felt_by_jacobian(energies, positions, i):
    return np.linalg.norm(jax.jacrev(energies)(positions)[i], axis=1)


def felt_forward(energies, positions, i):
    J = jax.jacfwd(lambda r: energies(r)[i])(positions)
    return jnp.sqrt((J**2).sum(axis=1))


def row(energies, positions, i):
    return jax.jacrev(energies)(positions)[i]


FELT = {
    "right": [felt_by_vjp, felt_by_jacobian, felt_forward],
    "wrong": {
        "with respect to atom i": lambda e, r, i: jnp.linalg.norm(jax.jacrev(e)(r)[:, i], axis=-1),
        "derivative of the total": lambda e, r, i: jnp.linalg.norm(
            jax.grad(lambda x: e(x).sum())(r), axis=-1
        ),
        "not its three components": row,
        "squared": lambda e, r, i: (row(e, r, i) ** 2).sum(axis=1),
        "alone": lambda e, r, i: jnp.linalg.norm(row(e, r, i)[i]),
        "whole gradient": lambda e, r, i: jnp.linalg.norm(row(e, r, i)),
    },
}

# 4.10 -----------------------------------------------------------------------------------------


def congruent_by_form(a, b):
    def smallest(x):
        d = cdist(x, x).round(5)
        orders = map(list, permutations(range(len(x))))
        return min(tuple(d[np.ix_(o, o)][np.triu_indices(len(x), 1)]) for o in orders)

    return len(a) == len(b) and np.allclose(smallest(a), smallest(b), rtol=0, atol=1e-5)


def congruent_by_fit(a, b):
    if len(a) != len(b):
        return False
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    for order in permutations(range(len(a))):
        s = np.linalg.svd(a.T @ b[list(order)], compute_uv=False)
        if (a**2).sum() + (b**2).sum() - 2 * s.sum() < 1e-8:
            return True
    return False


def congruent_by_growth(a, b):
    """Add atom after atom, giving up as soon as a distance differs."""
    A, B = cdist(a, a), cdist(b, b)

    def grow(chosen):
        n = len(chosen)
        if n == len(a):
            return True
        return any(
            j not in chosen
            and all(abs(A[n, k] - B[j, chosen[k]]) < 1e-6 for k in range(n))
            and grow([*chosen, j])
            for j in range(len(b))
        )

    return np.bool_(len(a) == len(b) and grow([]))


def sorted_distances(a, b):
    return len(a) == len(b) and np.allclose(np.sort(pdist(a)), np.sort(pdist(b)), atol=1e-6)


def in_order(a, b):
    return len(a) == len(b) and np.allclose(pdist(a), pdist(b), atol=1e-6)


def proper_only(a, b):
    if not congruent_by_fit(a, b):
        return False
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    for order in permutations(range(len(a))):
        x = b[list(order)]
        u, s, v = np.linalg.svd(a.T @ x)
        sign = 1 if s[-1] < 1e-9 else np.sign(np.linalg.det(u @ v))
        if (a**2).sum() + (b**2).sum() - 2 * (s[0] + s[1] + sign * s[2]) < 1e-8:
            return True
    return False


CONGRUENT = {
    "right": [congruent_by_form, congruent_by_fit, congruent_by_growth],
    "wrong": {
        "they join different atoms": sorted_distances,
        "rotated, shifted and renumbered": in_order,
        "its mirror image": proper_only,
        "True or False": lambda a, b: np.abs(pdist(a).sum() - pdist(b).sum()),
        "the same two atoms, shifted": lambda a, b: np.allclose(a, b),
    },
}

# 4.12 -----------------------------------------------------------------------------------------


def attention_in_logarithms(f, w):
    return np.exp(f - logsumexp(f, b=w)) * w if (w > 0).all() else attention_of_present(f, w)


def attention_of_present(f, w):
    a = np.zeros(len(f))
    a[w > 0] = softmax(f[w > 0] + np.log(w[w > 0]))
    return a


def attention_in_jax(f, w):
    return jax.nn.softmax(jnp.where(w > 0, f + jnp.log(jnp.where(w > 0, w, 1.0)), -jnp.inf))


def attention_by_ratios(f, w):
    there = np.flatnonzero(w > 0)
    return [
        1 / sum(w[k] / w[j] * np.exp(f[k] - f[j]) for k in there) if j in there else 0.0
        for j in range(len(f))
    ]


def plain(f, w):
    return w * np.exp(f) / (w * np.exp(f)).sum()


def shifted_by_all(f, w):
    return plain(f - f.max(), w)


ATTENTION = {
    "right": [
        attention_in_logarithms,
        attention_of_present,
        attention_in_jax,
        attention_by_ratios,
    ],
    "wrong": {
        "plain softmax": lambda f, w: softmax(f),
        "divide by their sum": lambda f, w: w * np.exp(f),
        "the denominator lacks": lambda f, w: w * np.exp(f) / np.exp(f).sum(),
        "the numerator lacks": lambda f, w: np.exp(f) / (w * np.exp(f)).sum(),
        "large f do no harm": plain,
        "whatever its f": shifted_by_all,
    },
}

PROOFS = {
    "4.1": EDGES,
    "4.2": PAPER,
    "4.3": BLOCK,
    "4.4": CONVOLVE,
    "4.5": DIRECTIONS,
    "4.6": FORWARD,
    "4.7": TRAVERSALS,
    "4.8": FELT,
    "4.9": HOPS,
    "4.10": CONGRUENT,
    "4.11": STATE,
    "4.12": ATTENTION,
    "4.13": {"wrong": {"at least 40": "It depends."}},
}
