"""Day 4: the graph-network block and SchNet, 4.3 to 4.5."""

import numpy as np

from tutor.exercises.engine import choice, code
from tutor.exercises.expect import agree, expect, parts


def _network(rng, sizes, out):
    """φ: a random layer of each argument, added, then tanh; for one row or many."""
    weights = [0.3 * rng.normal(size=(n, out)) for n in sizes]
    return lambda *x: np.tanh(sum(y @ w for y, w in zip(x, weights, strict=True)))


def _algorithm_1(e, v, u, senders, receivers, phi_e, phi_v, phi_u):
    """Transcribed loop by loop."""
    ends = zip(e, senders, receivers, strict=True)
    new_e = np.stack([phi_e(e_k, v[r], v[s], u) for e_k, s, r in ends])
    arriving = [
        sum((m for m, r in zip(new_e, receivers, strict=True) if r == i), np.zeros(e.shape[1]))
        for i in range(len(v))
    ]
    new_v = np.stack([phi_v(m, v_i, u) for m, v_i in zip(arriving, v, strict=True)])
    return new_e, new_v, phi_u(new_e.sum(axis=0), new_v.sum(axis=0), u)


def _sent(e, index, nodes):
    total = np.zeros((nodes, e.shape[1]))
    np.add.at(total, index, e)
    return total


@code(
    "4.3",
    "Find the bug: the block as it should be",
    points=4,
    hints=(
        "Compare the colleague's code with the equations, argument by argument. Which of e and "
        "e', v and v' stands where?",
        "φᵉ wants the receiver's features before the sender's. Messages arrive at receivers. What "
        "arrives is the new edge. And the state reads the new nodes.",
        "`new_e = phi_e(e, v[receivers], v[senders], u)`; `np.add.at(arriving, receivers, new_e)`; "
        "`new_u = phi_u(new_e.sum(axis=0), new_v.sum(axis=0), u)`.",
    ),
)
def graph_network(f, rng):
    for nodes, senders, receivers in (
        (2, [0, 1], [1, 0]),
        (3, [0, 0, 1], [1, 2, 2]),
        (5, [0, 1, 1, 2, 3, 0, 2], [1, 0, 2, 1, 0, 3, 0]),
    ):
        senders, receivers = np.array(senders), np.array(receivers)
        e, v, u = (rng.normal(size=s) for s in ((len(senders), 2), (nodes, 3), (2,)))
        phi_e = _network(rng, (2, 3, 3, 2), 2)
        phi_v, phi_u = _network(rng, (2, 3, 2), 3), _network(rng, (2, 3, 2), 2)
        example = {"e": e, "v": v, "u": u, "senders": senders, "receivers": receivers}
        got = parts(f(*example.values(), phi_e, phi_v, phi_u), "e'", "v'", "u'")
        new_e, new_v, new_u = _algorithm_1(*example.values(), phi_e, phi_v, phi_u)
        expect(
            got[0],
            new_e,
            law="e'_k = φᵉ(e_k, v of the receiver, v of the sender, u)",
            example=example,
            slips={
                "sender and receiver are exchanged: φᵉ takes the receiver first": phi_e(
                    e, v[senders], v[receivers], u
                ),
                "these are the old edges": e,
            },
        )
        read = lambda m, v=v, u=u, phi_v=phi_v: phi_v(m, v, u)  # noqa: E731
        count = np.maximum(np.bincount(receivers, minlength=nodes), 1)[:, None]
        arriving = _sent(new_e, receivers, nodes)
        expect(
            got[1],
            new_v,
            law="v'_i = φᵛ(the sum of the new edges that arrive at i, v_i, u)",
            example=example,
            slips={
                "you summed the edges at their senders; messages arrive at receivers": read(
                    _sent(new_e, senders, nodes)
                ),
                "you summed the old edges; what arrives is e'": read(_sent(e, receivers, nodes)),
                "you summed the old edges, and at their senders": read(_sent(e, senders, nodes)),
                "you took the mean of what arrives; here ρ is a sum": read(arriving / count),
                "where several edges arrive at one node only the last one counts; "
                "`a[index] += x` does not add up, `np.add.at` does": read(
                    _last(new_e, receivers, nodes)
                ),
            },
        )
        expect(
            got[2],
            new_u,
            law="u' = φᵘ(the sum of all new edges, the sum of all new nodes, u)",
            example=example,
            slips={
                "the state read the old nodes; it comes last and reads v'": phi_u(
                    new_e.sum(0), v.sum(0), u
                ),
                "the state read the old edges": phi_u(e.sum(0), new_v.sum(0), u),
                "you took means over edges and nodes; here ρ is a sum": phi_u(
                    new_e.mean(0), new_v.mean(0), u
                ),
            },
        )


def _last(e, index, nodes):
    total = np.zeros((nodes, e.shape[1]))
    total[index] += e
    return total


def _convolved(h, W, neighbor, mask):
    return np.stack([
        sum((W[i, k] * h[neighbor[i, k]] for k in range(W.shape[1]) if mask[i, k]),
            np.zeros(h.shape[1])) for i in range(len(h))
    ])  # fmt: skip


@code(
    "4.4",
    "A continuous-filter convolution",
    points=2,
    hints=(
        "`h[neighbor]` is what each atom's neighbours send: shape (atoms, slots, c).",
        "Multiply by the filters, channel by channel, and let only real slots count: `mask` needs "
        "one more axis, `mask[..., None]`.",
        "`np.where(mask[..., None], W * h[neighbor], 0.0).sum(axis=1)`",
    ),
)
def convolve(f, rng):
    cases = []
    for atoms, slots, c in ((2, 1, 2), (3, 2, 2), (6, 4, 5)):
        neighbor = (np.arange(atoms)[:, None] + 1 + np.arange(slots)) % atoms
        mask = np.arange(slots) < rng.integers(1, slots + 1, size=atoms)[:, None]
        mask[0, -1] = slots == 1
        sizes = {"h": (atoms, c), "W": (atoms, slots, c)}
        case = {name: rng.normal(size=size) for name, size in sizes.items()}
        cases.append(case | {"neighbor": np.where(mask, neighbor, 0), "mask": mask})
    summed = lambda m: m.sum(axis=1)  # noqa: E731
    agree(
        f,
        _convolved,
        cases,
        law="m_i is the sum over real slots of filter times what the neighbour sends",
        slips={
            "empty slots counted: use the mask": lambda h, W, j, mask: summed(W * h[j]),
            "you used the features of the receiver; a message holds what the sender knows": (
                lambda h, W, j, mask: summed(mask[..., None] * W * h[:, None])
            ),
            "you left the filters out": lambda h, W, j, mask: summed(mask[..., None] * h[j]),
            "you averaged over the slots; messages add up": lambda h, W, j, mask: (
                _convolved(h, W, j, mask) / mask.sum(1, keepdims=True)
            ),
            "you averaged over all slots; messages add up": lambda h, W, j, mask: (
                _convolved(h, W, j, mask) / mask.shape[1]
            ),
            "you summed over the channels as well": lambda h, W, j, mask: _convolved(
                h, W, j, mask
            ).sum(axis=1),
            "you summed over the atoms; each atom keeps its own": lambda h, W, j, mask: (
                mask[..., None] * W * h[j]
            ).sum(axis=0),
        },
    )


choice(
    "4.5",
    "Is the sentence true?",
    right="b",
    why={
        "a": "An energy can be made from distances, and its gradient with respect to positions "
        "points along r_ij by the chain rule: forces with directions, from distances alone.",
        "b": "The energy is invariant, so its gradient turns with the molecule, exactly and with "
        "any weights. Directions as plain inputs only make the output depend on the frame.",
        "c": "A network mixes the three numbers of a direction with each other and bends them; "
        "nothing makes its three outputs turn when its inputs turn. The next cell measures it.",
        "d": "Day 1 tried: augmentation made the error smaller, not zero, and cost most of the "
        "network's capacity.",
    },
    hints=(
        "Which quantity is invariant, and which one follows from it by differentiation?",
        "∂E(r)/∂r_i = E'(r) · (a unit vector). Where does the direction come from?",
        "Then ask of c: is tanh(A x) turned when x is turned?",
    ),
)
