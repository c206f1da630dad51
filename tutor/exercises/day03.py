"""Day 3: Behler–Parrinello."""

import numpy as np

from tutor.exercises.engine import choice, code, number, written
from tutor.exercises.expect import agree, expect, require

number(
    "3.1",
    "How far a force feels",
    answer=10.0,
    unit="Å",
    rtol=1e-3,
    slips={
        "that is how far the energy of one atom looks; but moving atom i also changes the energies "
        "of its neighbours, and these look further": 5.0,
        "a neighbour's energy looks one cutoff beyond the neighbour, not two": 15.0,
    },
    hints=(
        "The force on i is minus the derivative of the sum of all atomic energies. Which of them "
        "change when i moves?",
        "Those of i and of every atom within the cutoff of i. Take such a neighbour j, almost "
        "5 Å away: which atoms does E_j know?",
        "Atom i, then a neighbour j at the edge of its cutoff, then an atom at the edge of the "
        "cutoff of j, all in one line.",
    ),
    remark="The energy of an atom reaches one cutoff, a force two. Whoever cuts a large system "
    "into pieces needs this much overlap.",
)


def _cosine(r, cutoff):
    return np.where(r < cutoff, 0.5 * (1 + np.cos(np.pi * r / cutoff)), 0.0)


@code(
    "3.2",
    "A smooth end",
    points=2,
    hints=(
        "Half a wave: cos goes from 1 at r = 0 to -1 at r = r_c. Lift it and halve it.",
        "Beyond the cutoff the cosine comes back up. `np.where(r < cutoff, inside, 0.0)` keeps it "
        "down.",
        "`np.where(r < cutoff, 0.5 * (1 + np.cos(np.pi * r / cutoff)), 0.0)`",
    ),
)
def smooth_end(f, rng):
    cases = [
        {"r": np.array(r), "cutoff": cutoff}
        for r, cutoff in (([0.0], 5.0), ([1.5, 3.0], 3.0), ([2.5, 4.9, 5.1, 8.0, 10.0], 5.0))
    ]
    cases.append({"r": rng.uniform(0, 9, size=(4, 3)), "cutoff": 4.0})
    agree(
        f,
        _cosine,
        cases,
        law="1 at the atom, 0 from the cutoff on, and half a cosine between",
        slips={
            "the cosine comes back up beyond the cutoff: keep it at 0 there": lambda r, c: (
                0.5 * (1 + np.cos(np.pi * r / c))
            ),
            "this is a step: it falls from 1 to 0 at the cutoff, and an energy made of it "
            "jumps": lambda r, c: np.where(r < c, 1.0, 0.0),
            "at r = 0 it is 2: halve it": lambda r, c: 2 * _cosine(r, c),
            "`np.cos` takes radians, and half a turn is π": lambda r, c: np.where(
                r < c, 0.5 * (1 + np.cos(180 * r / c)), 0.0
            ),
            "it ends with a slope, so forces jump there: cos must have gone through half a turn, "
            "π, at the cutoff": lambda r, c: np.where(r < c, np.cos(np.pi * r / c / 2), 0.0),
            "a straight line ends with a slope, so forces jump at the cutoff": lambda r, c: (
                np.where(r < c, 1 - r / c, 0.0)
            ),
            "the slope at the cutoff is zero, but at r = 0 the value is 0 and beyond the cutoff "
            "it is 1: this is the function upside down": lambda r, c: 1 - _cosine(r, c),
        },
    )


number(
    "3.3",
    "How smooth is smooth",
    answer=np.pi**2 / 32,
    unit="1/Å²",
    rtol=0.01,
    slips={
        "that is the jump of the slope; the question is about the second derivative": 0.0,
        "that is the value at r_c = 5 Å; here the cutoff is 4 Å": np.pi**2 / 50,
        "the factor ½ in front is missing": np.pi**2 / 16,
        "each derivative gives a factor π / r_c, so two of them give its square": np.pi / 8,
        "the sign: cos(π) = -1, and the second derivative of cos is -cos": -(np.pi**2) / 32,
    },
    hints=(
        "Just outside everything is 0. So the jump is the second derivative just inside.",
        "The second derivative of cos(k r) is -k² cos(k r), with k = π / r_c.",
        "At r_c, cos(π) = -1. So the jump is ½ (π / r_c)², with r_c = 4 Å.",
    ),
    remark="Energies and forces are continuous, vibrational frequencies are not. The library's "
    "default, a polynomial, has a continuous second derivative as well.",
)


def _radial(positions, numbers, element, eta, shift, cutoff, *, own=False, envelope=_cosine,
            among=None):  # fmt: skip
    """The sum over neighbours as a loop; the options plant the faults of the slips."""
    found = np.zeros(len(positions))
    for i in range(len(positions)):
        for j in range(len(positions)):
            chosen = numbers[i if among == "centres" else j] == element or among == "all"
            if chosen and (own or i != j):
                r = np.linalg.norm(positions[j] - positions[i])
                found[i] += np.exp(-eta * (r - shift) ** 2) * envelope(r, cutoff)
    return found


def _nothing(r, cutoff):
    return 1.0


def _step(r, cutoff):
    return 1.0 * (r < cutoff)


def _mutant(**faults):
    return lambda *args: _radial(*args, **faults)


@code(
    "3.4",
    "Find the bugs: a radial symmetry function",
    points=3,
    hints=(
        "Ask the code about an atom that is alone in the world, then about two atoms a metre "
        "apart. What should it say?",
        "The diagonal of the table of distances is the distance of every atom to itself. And "
        "nothing in the code ever looks at `cutoff`.",
        "Multiply by `cosine_cutoff(r, cutoff)` (import it from `tutor.radial`, or write it out), "
        "and by `~np.eye(len(numbers), dtype=bool)`, before the sum.",
    ),
)
def radial(f, rng):
    settings = {"element": 1, "eta": 2.0, "shift": 1.0, "cutoff": 4.0}
    lone = f(np.zeros((1, 3)), np.array([1]), *settings.values())
    expect(
        lone,
        np.zeros(1),
        law="an atom that is alone has no surroundings: its symmetry functions are 0",
        slips={
            "the atom counts itself as a neighbour, at distance 0: leave out j = i": np.exp([-2.0])
        },
    )
    far = f(np.array([[0.0, 0, 0], [0, 0, 4.2]]), np.array([8, 1]), 1, 0.1, 3.0, 4.0)
    require(
        np.shape(far) == (2,) and np.abs(far).max() < 1e-9,
        law="an atom beyond the cutoff is not seen",
        message="two atoms at 4.2 Å, with a cutoff of 4 Å, still see each other: multiply by the "
        "cutoff function",
        expected=np.zeros(2),
        got=far,
    )
    cases = []
    for n in (2, 3, 7):
        positions = rng.normal(size=(n, 3)) * 1.5
        numbers = np.r_[8, 1, rng.choice([1, 8], size=n - 2)]
        cases.append({"positions": positions, "numbers": numbers, "element": 1, "eta": 0.5,
                      "shift": 1.0, "cutoff": 4.0})  # fmt: skip
    agree(
        f,
        _radial,
        cases,
        law="a sum over the neighbours of one element, each weighed by a Gaussian and the cutoff",
        slips={
            "neighbours inside the cutoff count fully: that is a step, not the smooth cutoff "
            "function": _mutant(envelope=_step),
            "neighbours of every element are counted; the sum is over one element": _mutant(
                among="all"
            ),
            "you selected the atoms in the centre by their element; the element is that of the "
            "neighbours": _mutant(among="centres"),
            "the Gaussian is centred on r_s, not on the atom": lambda p, z, e, eta, shift, c: (
                _radial(p, z, e, eta, 0.0, c)
            ),
            "the exponent is η (r - r_s)², with a square": lambda p, z, e, eta, shift, c: _radial(
                p, z, e, 0.0, 0.0, c, envelope=lambda r, c: np.exp(-eta * (r - shift))
                * _cosine(r, c)
            ),
            "this is the sum over all atoms; every atom has its own": lambda *args: (
                _radial(*args).sum()
            ),
        },
    )  # fmt: skip


number(
    "3.5",
    "Where Gaussians meet",
    answer=16 * np.log(2),
    unit="1/Å²",
    rtol=0.01,
    slips={
        "the Gaussians meet half-way, Δ/2 from each centre, not Δ": 4 * np.log(2),
        "that is with a spacing of 1 Å": 4 * np.log(2) / 1.0,
        "the logarithm is the natural one, ln 2 = 0.693": 16 * np.log10(2),
        "the length in the exponent is squared": 4 * np.log(2) / 2,
    },
    hints=(
        "By symmetry they meet in the middle between the two centres. How far is that from each?",
        "Solve e^(-η (Δ/2)²) = ½ for η.",
        "η = 4 ln 2 / Δ² with Δ = 0.5 Å.",
    ),
    remark="In the library's unit this is a width of 0.42 spacings.",
)


def _angular(positions, eta, zeta, lambda_, cutoff, *, again=1, same=False, vertex="i", closed=True,
             norm=True, cosine=np.asarray, envelope=_cosine):  # fmt: skip
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
                    bent = np.abs(1 + lambda_ * cosine(cos)) ** zeta * (2 ** (1 - zeta) if norm else 1)
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
    side, cutoff = 1.5, 4.0
    triangle = side * np.array([[0, 0, 0], [1, 0, 0], [0.5, np.sqrt(0.75), 0]])
    one = 2**-1 * 1.5**2 * np.exp(-0.2 * 3 * side**2) * _cosine(side, cutoff) ** 3
    expect(
        f(triangle, 0.2, 2.0, 1.0, cutoff),
        np.full(3, one),
        law="three atoms, 1.5 Å from each other: all angles are 60°, and each atom has one pair of "
        "neighbours",
        slips={
            "each pair of neighbours counts twice, as j, k and as k, j; here it counts once": (
                np.full(3, 2 * one)
            ),
        },
    )
    cases = [
        {"positions": rng.uniform(-1.5, 1.5, size=(n, 3)), "eta": 0.1, "zeta": zeta,
         "lambda_": sign, "cutoff": cutoff}
        for n, zeta, sign in ((3, 4.0, 1.0), (4, 2.0, -1.0), (6, 1.0, 1.0), (6, 4.0, -1.0))
    ]  # fmt: skip
    agree(
        f,
        _angular,
        cases,
        law="a sum over pairs of neighbours of a function of their angle and three lengths",
        slips={
            "each pair of neighbours counts twice, as j, k and as k, j; here it counts "
            "once": _bent(again=2),
            "k = j is counted as a pair: one neighbour makes no angle": _bent(same=True),
            "the angle is the one at j; θ is the angle at atom i, between its two "
            "neighbours": _bent(vertex="j"),
            "the length between j and k is missing from the exponent and the cutoffs": _bent(
                closed=False
            ),
            "the factor 2^(1-ζ) is missing": _bent(norm=False),
            "it is 1 + λ cos θ, not 1 + λ θ": _bent(cosine=np.arccos),
            "the cutoff functions are missing": _bent(envelope=_nothing),
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
