"""Day 7: periodic space and who is near in it, 7.3 to 7.5."""

from itertools import product

import numpy as np
from scipy.spatial import KDTree

from tutor.exercises.engine import code, number
from tutor.exercises.expect import agree, parts, require
from tutor.exercises.verdict import Broken


def _rounded(d, cell):
    return d - np.round(d @ np.linalg.inv(cell)) @ cell


def _shortest(d, cell):
    """All images within three cell vectors, one by one."""
    images = np.array(list(product(range(-3, 4), repeat=3))) @ cell
    every = _rounded(d, cell)[:, None] + images
    best = (every**2).sum(axis=-1).argmin(axis=1)
    return every[np.arange(len(d)), best]


SLACK = 1.3  # random atoms do not fill all cells alike
CELLS = {
    "a cube": np.diag([8.0, 8.0, 8.0]),
    "a box": np.diag([6.0, 9.0, 7.0]),
    "a hexagonal cell": np.array([[7.0, 0, 0], [3.5, 6.06, 0], [0, 0, 8.0]]),
    "a skewed cell": np.array([[7.0, 0, 0], [4.4, 5.2, 0], [2.1, -2.3, 6.0]]),
}


@code(
    "7.3",
    "The nearest image",
    points=3,
    hints=(
        "In fractional coordinates, `d @ inv(cell)`, whole numbers are cell vectors. Rounding "
        "brings d near the origin, but in a skewed cell not always to the nearest image.",
        "After rounding, look at the 27 images around it, −1, 0 and 1 of each cell vector, and "
        "keep the shortest.",
        "`shifts = np.array(list(itertools.product((-1, 0, 1), repeat=3))) @ cell`; "
        "`every = rounded[:, None] + shifts`; `best = (every**2).sum(-1).argmin(1)`; "
        "`return every[np.arange(len(d)), best]`.",
    ),
)
def minimum_image(f, rng):
    cases = [
        {"d": rng.uniform(-1.4, 1.4, size=(pairs, 3)) @ cell, "cell": cell}
        for pairs, cell in zip((20, 30, 60, 80), CELLS.values(), strict=True)
    ]
    inverse = np.linalg.inv
    agree(
        f,
        _shortest,
        cases,
        law="of all d + n₁a + n₂b + n₃c with whole numbers n, the shortest is returned",
        slips={
            "rounding finds the nearest image in boxes with right angles only: in a skewed cell "
            "one of its neighbours may be nearer": _rounded,
            "cell vectors are the rows: multiply from the left, `fractional @ cell`": (
                lambda d, cell: d - np.round(d @ inverse(cell.T)) @ cell.T
            ),
            "you used the diagonal of the cell only; its other entries lean the box": (
                lambda d, cell: d - np.round(d / np.diag(cell)) * np.diag(cell)
            ),
            "you used the lengths of the cell vectors, as if they stood along x, y and z": (
                lambda d, cell: (
                    d
                    - np.round(d / np.linalg.norm(cell, axis=1)) * np.linalg.norm(cell, axis=1)
                )
            ),
            "that is d wrapped into the cell, from 0 to 1; the nearest image lies around the "
            "origin": lambda d, cell: (d @ inverse(cell) % 1.0) @ cell,
            "these are still fractional coordinates": lambda d, cell: (
                d @ inverse(cell) - np.round(d @ inverse(cell))
            ),
            "these are distances; the vectors are asked for": lambda d, cell: np.linalg.norm(
                _shortest(d, cell), axis=1
            ),
        },
    )  # fmt: skip


def _ruler(positions, box, most):
    """A function that measures pairs in a periodic cube, and the set of those it was asked for.

    It is a plain function, and itself stops who asks for more than `most`, because grading runs it
    beside the submission, in another process: there `seen` stays empty here.
    """
    count, seen = [0], set()

    def distance(i, j):
        i, j = np.broadcast_arrays(np.atleast_1d(i).astype(int), np.atleast_1d(j).astype(int))
        count[0] += i.size
        if count[0] > most:
            raise Broken(
                "the work grows as N, not as N²",
                f"you measure more than {most} distances for {len(positions)} atoms. All pairs are "
                f"{len(positions) * (len(positions) - 1) // 2}; the 27 cells around each atom hold "
                f"about {round(most / SLACK)} candidates, or half of them if each pair is looked "
                "at once",
            )
        seen.update((np.minimum(i, j) * len(positions) + np.maximum(i, j)).ravel().tolist())
        d = positions[i] - positions[j]
        return np.linalg.norm(d - box * np.round(d / box), axis=-1)

    return distance, seen


@code(
    "7.4",
    "A cell list",
    points=4,
    hints=(
        "Cut the box into n × n × n cells with n = ⌊box / cutoff⌋: then all neighbours of an atom "
        "are in its own cell and the 26 around it. `cell = (positions / box * n).astype(int) % n`.",
        "Keep a dictionary from cell to its atoms. For each atom i look into the 27 cells, with "
        "`% n` at the border, and keep only j > i. With fewer than 3 cells along an edge, two of "
        "the 27 are the same cell: use a `set` of cells.",
        "`around = {tuple((c + s) % n) for s in shifts}`; `j = np.array([k for c in around for k "
        "in atoms.get(c, ()) if k > i], int)`; `j = j[distance(i, j) < cutoff]`.",
    ),
)
def cell_list(f, rng):
    for atoms, cutoff, ratio in ((12, 3.0, 2.4), (60, 3.0, 3.3), (500, 3.0, 5.4)):
        box = cutoff * ratio
        positions = rng.uniform(0, box, size=(atoms, 3))
        cells = int(ratio) ** 3
        in_few = cells < 64  # there is nothing to gain
        distance, seen = _ruler(
            positions, box, np.inf if in_few else int(SLACK * 27 * atoms**2 / cells)
        )
        example = {"positions": positions, "box": box, "cutoff": cutoff}
        i, j = parts(f(positions, box, cutoff, distance), "i", "j")
        i, j = np.asarray(i), np.asarray(j)
        require(
            i.ndim == j.ndim == 1 and len(i) == len(j) and np.all(np.mod(i, 1) == 0),
            law="i and j are two equally long lists of atom numbers",
            message=f"shapes {i.shape} and {j.shape}",
            example=example,
        )
        pairs = [tuple(sorted(pair)) for pair in zip(i.tolist(), j.tolist(), strict=True)]
        true = KDTree(positions % box, boxsize=box).query_pairs(cutoff)
        _judge_pairs(pairs, true, example)
        require(
            {a * atoms + b for a, b in pairs} <= seen or hasattr(f.raw, "remote_number"),
            law="distances are measured with `distance`",
            message="you return pairs that you never asked it about",
            example=example,
        )


def _judge_pairs(pairs, true, example):
    own = [i for i, j in pairs if i == j]
    require(not own, law="an atom is no pair with itself",
            message=f"atom {own[:1]} is its own neighbour", example=example)  # fmt: skip
    missing, far = sorted(true - set(pairs)), sorted(set(pairs) - true)
    law = "every pair nearer than the cutoff is found, and no other"
    require(not far, law=law, message=f"{len(far)} pairs are further apart, such as {far[:1]}",
            example=example)  # fmt: skip
    across = "" if not missing else " Do the cells at one face know those at the opposite face?"
    require(not missing, law=law, example=example, expected=len(true), got=len(set(pairs)),
            message=f"{len(missing)} of {len(true)} pairs are missing, such as {missing[:1]}."
            + across)  # fmt: skip
    require(
        len(pairs) == len(set(pairs)),
        law="every pair is there once",
        message=f"{len(pairs)} pairs, of which {len(set(pairs))} are different. Either you have "
        "both (i, j) and (j, i), or a cell was visited twice: with two cells along an edge, the "
        "one on the left is the one on the right",
        example=example,
    )


number(
    "7.5",
    "How long a list lives",
    answer=25,
    unit="steps",
    slips={
        "two atoms may run towards each other: each may use up half of the skin only": 50,
        "that is the time in fs; steps are asked for": 100,
        "that is the time in fs after which one atom has crossed the skin; two may move, and steps "
        "are asked for": 200,
        "the cutoff does not matter: it is the skin that atoms use up": lambda _: 8.5 / 0.024,
        "half of the skin is there for each of the two atoms; you took a quarter": 12.5,
    },
    hints=(
        "A pair that is not in the list is at least cutoff + skin apart when the list is made.",
        "It becomes a neighbour when both together have come nearer by the skin.",
        "Each may move by 0.6 Å; an atom at 0.006 Å/fs takes 0.024 Å in one step of 4 fs.",
    ),
    remark="0.6 Å / (0.006 Å/fs · 4 fs). Codes watch the largest displacement instead of guessing.",
)
