"""Day 3, second half: angles, the number of functions, scaling, dynamics."""

import numpy as np

from tutor.exercises.day03_radial import cosine
from tutor.exercises.engine import choice, code, number, written
from tutor.exercises.expect import agree, require


def _angular(positions, eta, zeta, lambda_, cutoff, *, again=1, same=False, vertex="i", closed=True,
             norm=True, angle=np.asarray, envelope=cosine):  # fmt: skip
    """The sum over pairs of neighbours as a loop; the options plant the faults of the slips."""
    found = np.zeros(len(positions))
    for i in range(len(positions)):
        others = [n for n in range(len(positions)) if n != i]
        for j in others:
            for k in others:
                if j < k or (same and j == k):
                    ij, ik = positions[j] - positions[i], positions[k] - positions[i]
                    a, b, c = (np.linalg.norm(v) for v in (ij, ik, ik - ij))
                    cos = {"i": ij @ ik / (a * b), "j": -ij @ (ik - ij) / (a * (c or 1))}[vertex]
                    third = np.exp(-eta * c**2) * envelope(c, cutoff) if closed else 1.0
                    bent = (1 + lambda_ * angle(cos)) ** zeta * (2 ** (1 - zeta) if norm else 1)
                    near = np.exp(-eta * (a**2 + b**2)) * envelope(a, cutoff) * envelope(b, cutoff)
                    found[i] += again * bent * near * third
    return found


def _bent(**faults):
    return lambda *args: _angular(*args, **faults)


@code(
    "3.6",
    "An angular symmetry function",
    points=4,
    hints=(
        "Three nested loops are fine: over i, over j, over k > j, with both different from i.",
        "cos θ is the product of the unit vectors from i to j and from i to k. The third length is "
        "that of the vector from j to k, and it is in the exponent and has a cutoff function, too.",
        "For each i and each pair: `ij, ik = positions[j] - positions[i], positions[k] - "
        "positions[i]`, lengths a, b and c = |ik - ij|, `cos = ij @ ik / (a * b)`; add "
        "`2 ** (1 - zeta) * (1 + lambda_ * cos) ** zeta * np.exp(-eta * (a**2 + b**2 + c**2))` "
        "times the three cutoff functions.",
    ),
)
def angular(f, rng):
    triangle = 1.5 * np.array([[0, 0, 0], [1, 0, 0], [0.5, np.sqrt(0.75), 0]])
    cases = [{"positions": triangle, "eta": 0.2, "zeta": 2.0, "lambda_": 1.0, "cutoff": 4.0}]
    cases += [
        {"positions": rng.uniform(-1.5, 1.5, size=(n, 3)), "eta": 0.1, "zeta": zeta,
         "lambda_": sign, "cutoff": 4.0}
        for n, zeta, sign in ((4, 2.0, -1.0), (6, 1.0, 1.0), (6, 4.0, -1.0))
    ]  # fmt: skip
    agree(
        f,
        _angular,
        cases,
        law="a sum over pairs of neighbours of a function of their angle and three lengths",
        slips={
            "each pair of neighbours counts twice, as j, k and as k, j; here it counts once": _bent(
                again=2
            ),
            "k = j is counted as a pair: one neighbour makes no angle": _bent(same=True),
            "the angle is the one at j; θ is the angle at atom i, between its two "
            "neighbours": _bent(vertex="j"),
            "the length between j and k is missing from the exponent and the cutoffs": _bent(
                closed=False
            ),
            "the factor 2^(1-ζ) is missing": _bent(norm=False),
            "it is 1 + λ cos θ, not 1 + λ θ": _bent(angle=np.arccos),
            "the cutoff functions are missing": _bent(envelope=lambda r, cutoff: 1.0),
        },
    )


number(
    "3.7",
    "How many numbers describe an atom",
    answer=100,
    unit="functions",
    rtol=1e-6,
    slips={
        "pairs of like elements, such as H and H, are pairs too: there are M (M + 1) / 2": 80,
        "H–C and C–H are the same pair: there are 15 of them, not 25": 140,
        "one set of functions for all elements forgets which neighbour is which": 12,
        "those are the radial ones; add the angular ones": 40,
        "those are the angular ones; add the radial ones": 60,
    },
    hints=(
        "Radial functions: one set for every element that a neighbour may have.",
        "Angular functions: one set for every pair of elements. Five elements make 10 pairs of "
        "different ones and 5 of like ones.",
        "5 · 8 + 15 · 4",
    ),
    remark="Doubling the number of elements almost quadruples the angular part.",
)


def _scaled(G_train, G_new, floor, *, of=None, mean=None, std=None):
    base = G_train if of is None else of
    mean = base.mean(axis=0) if mean is None else mean
    std = np.maximum(base.std(axis=0), floor) if std is None else std
    return (G_new - mean) / std


@code(
    "3.8",
    "Find the bugs: scaling",
    points=3,
    hints=(
        "Three questions: whose mean and standard deviation? Over which axis? What happens to a "
        "function that was the same in all training structures?",
        "Take mean and standard deviation of `G_train` along axis 0, one of each per function.",
        "`std = np.maximum(G_train.std(axis=0), floor)`; return "
        "`(G_new - G_train.mean(axis=0)) / std`.",
    ),
)
def scale(f, rng):
    G_train = rng.normal(size=(6, 2)) * [0.5, 2.0] + [1.0, -3.0]
    G_new = rng.normal(size=(3, 2))
    alone, together = f(G_train, G_new[:1], 0.05), f(G_train, G_new, 0.05)
    require(
        np.shape(together) == (3, 2) and np.shape(alone) == (1, 2),
        law="the scaled functions have the shape of `G_new`",
        message=f"G_new has the shape (3, 2), the result {np.shape(together)}",
    )
    require(
        np.abs(alone[0] - together[0]).max() < 1e-6,
        law="what is known of training alone sets the scale: one structure must not change how "
        "another one is scaled",
        message="structure 0 is scaled differently when two others come with it: mean and standard "
        "deviation are taken from `G_new` too",
        expected=alone[0],
        got=together[0],
    )
    cases = [
        {"G_train": G_train, "G_new": G_new, "floor": 0.05},
        {"G_train": np.column_stack([G_train, np.full(6, 0.3) + 1e-3 * rng.normal(size=6)]),
         "G_new": rng.normal(size=(4, 3)), "floor": 0.05},
    ]  # fmt: skip
    agree(
        f,
        _scaled,
        cases,
        law="each function loses its training mean and is divided by its training standard "
        "deviation, but never by less than the floor",
        slips={
            "one mean and one standard deviation for all functions: take them along axis 0": (
                lambda a, b, floor: _scaled(a, b, floor, mean=a.mean(), std=max(a.std(), floor))
            ),
            "a function that hardly varied in training is divided by almost nothing: the floor "
            "is missing": lambda a, b, floor: _scaled(a, b, floor, std=a.std(axis=0)),
            "the floor is the smallest divisor, `np.maximum`, not something to add": (
                lambda a, b, floor: _scaled(a, b, floor, std=a.std(axis=0) + floor)
            ),
            "`np.minimum` makes the floor a ceiling: take `np.maximum`": lambda a, b, floor: (
                _scaled(a, b, floor, std=np.minimum(a.std(axis=0), floor))
            ),
            "the mean is not subtracted": lambda a, b, floor: _scaled(a, b, floor, mean=0.0),
        },
    )


choice(
    "3.9",
    "Energy from nowhere",
    right="b",
    why={
        "a": "JAX differentiates exactly, and a finite difference would agree wherever no atom is "
        "at the cutoff. The slope is right on both sides of the step; it does not see the step.",
        "b": "The energy jumps when an atom crosses the cutoff, but no force did the work: the "
        "derivative of a step is 0 on both sides. Each crossing pays in or takes out.",
        "c": "With the smooth cutoff the same step conserves energy. A shorter one changes neither "
        "how many atoms cross nor how high the step is.",
        "d": "Both runs compute in float64, and rounding would show at the fifteenth digit.",
    },
    hints=(
        "Which of the four would be the same for the model with the smooth cutoff?",
        "Draw the energy of one neighbour against its distance, with a step at the cutoff. What "
        "is its slope on the left, on the right?",
        "Total energy is conserved if every change of the potential energy is the work of a force.",
    ),
)

written(
    "3.10",
    "What is worth choosing by hand?",
    points=3,
    min_words=40,
    rubric=(
        "1 point: names something that choosing the functions by hand gained, with a number of the "
        "day (few data, speed, or the laws that hold exactly).",
        "1 point: names something that it cost, with a number of the day (growth with elements, "
        "width to be chosen, scaling, a floor that more training does not lower).",
        "1 point: says for which of the two tasks they would use it, and why.",
    ),
)
