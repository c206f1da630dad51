"""Day 4: Graphs and messages. Here the graph and Algorithm 1 by hand; the rest is imported."""

import numpy as np

from tutor.exercises import day04_limits, day04_messages, day04_reach  # noqa: F401
from tutor.exercises.engine import code, number
from tutor.exercises.expect import parts, require


@code(
    "4.1",
    "The edges",
    points=2,
    hints=(
        "Distances of all pairs fit into one table: `positions[:, None] - positions[None, :]` "
        "holds all difference vectors.",
        "`np.nonzero(table < cutoff)` gives the rows and columns of what is near. Every atom is "
        "near itself: exclude the diagonal.",
        "`near = (distances < cutoff) & ~np.eye(len(positions), dtype=bool)`, then "
        "`receivers, senders = np.nonzero(near)`.",
    ),
)
def edges(f, rng):
    for n in (2, 3, 7):
        positions, cutoff = rng.normal(size=(n, 3)), 2.0
        positions[1] = positions[0] + [0.9, 0.4, -0.2]
        positions[-1] += [10.0 * (n > 2), 0, 0]
        example = {"positions": positions, "cutoff": cutoff}
        senders, receivers = parts(f(positions, cutoff), "senders", "receivers")
        senders, receivers = (
            _atoms(x, name, n, example)
            for x, name in ((senders, "senders"), (receivers, "receivers"))
        )
        require(
            len(senders) == len(receivers),
            law="every edge has one sender and one receiver",
            message=f"{len(senders)} senders and {len(receivers)} receivers",
            example=example,
        )
        found = list(zip(receivers.tolist(), senders.tolist(), strict=True))
        true = {
            (i, j)
            for i in range(n)
            for j in range(n)
            if i != j and sum((positions[i] - positions[j]) ** 2) < cutoff**2
        }
        _judge_edges(found, true, example)


def _judge_edges(found, true, example):
    own = [i for i, j in found if i == j]
    require(
        not own,
        law="an atom is not its own neighbour",
        message=f"atom {own[:1]} sends to itself",
        example=example,
    )
    law = "one edge in each direction for every pair nearer than the cutoff"
    require(
        len(found) == len(set(found)),
        law=law,
        message="an edge is there more than once",
        example=example,
    )
    one_way = {(j, i) for i, j in found} - set(found)
    require(
        not one_way,
        law=law,
        message=f"atom {min(one_way, default=(0, 0))[1]} sends to atom "
        f"{min(one_way, default=(0, 0))[0]}, but nothing comes back",
        example=example,
        expected=len(true),
        got=len(found),
    )
    far, missing = set(found) - true, true - set(found)
    require(
        not far,
        law=law,
        message=f"atoms {sorted(far)[:1]} are joined, but lie further apart than the cutoff",
        example=example,
    )
    require(
        not missing,
        law=law,
        message=f"atoms {sorted(missing)[:1]} lie nearer than the cutoff, but are not joined",
        example=example,
    )


def _atoms(value, name, n, example):
    index = np.asarray(value)
    whole = index.ndim == 1 and (
        index.size == 0
        or (np.all(index == np.round(index)) and 0 <= index.min() <= index.max() < n)
    )
    require(
        whole,
        law="senders and receivers are lists of atom numbers, from 0 to atoms - 1",
        message=f"{name} is not",
        example=example,
        got=index,
    )
    return index.astype(int)


number(
    "4.2",
    "Two blocks on paper",
    answer=234,
    rtol=1e-6,
    points=2,
    slips={
        "that is the state after one block; do a second": 28,
        "the new state is u + the sum of the new nodes: you left out the old u": 206,
        "the second block starts from the edges that the first has made, not from e = 1": 94,
        "the state is made from the *new* nodes, not from those before the block": 38,
        "the receiver's features multiplied your edges; it is the sender that speaks": 444,
    },
    hints=(
        "Write a table: four edges, three nodes, one state. Fill it in the order e', v', u'.",
        "Block 1: the edges towards O carry 1 · v_H = 1 each, those towards H carry 1 · v_O = 8. "
        "So v'_O = 8 + 2 and v'_H = 1 + 8.",
        "After block 1: e' = 1, 1, 8, 8; v' = 10, 9, 9; u' = 28. In block 2 the edges towards O "
        "carry 1 · 9, those towards H carry 8 · 10.",
    ),
    remark="e'' = 9, 9 towards O and 80, 80 towards H; v'' = 28, 89, 89; u'' = 28 + 206.",
)
