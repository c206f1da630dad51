"""Day 3, first half: how far atoms see, the cutoff, radial symmetry functions."""

import numpy as np

from tutor.exercises.engine import code, number
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


def cosine(r, cutoff):
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
        cosine,
        cases,
        law="1 at the atom, 0 from the cutoff on, and half a cosine between",
        slips={
            "the cosine comes back up beyond the cutoff: keep it at 0 there": lambda r, c: (
                0.5 * (1 + np.cos(np.pi * r / c))
            ),
            "this is a step: it falls from 1 to 0 at the cutoff, and an energy made of it "
            "jumps": lambda r, c: np.where(r < c, 1.0, 0.0),
            "at r = 0 it is 2: halve it": lambda r, c: 2 * cosine(r, c),
            "`np.cos` takes radians, and half a turn is π": lambda r, c: np.where(
                r < c, 0.5 * (1 + np.cos(180 * r / c)), 0.0
            ),
            "it ends with a slope, so forces jump there: cos must have gone through half a turn, "
            "π, at the cutoff": lambda r, c: np.where(r < c, np.cos(np.pi * r / c / 2), 0.0),
            "a straight line ends with a slope, so forces jump at the cutoff": lambda r, c: (
                np.where(r < c, 1 - r / c, 0.0)
            ),
            "the slope at the cutoff is zero, but at r = 0 the value is 0 and beyond the cutoff "
            "it is 1: this is the function upside down": lambda r, c: 1 - cosine(r, c),
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


def _radial(positions, numbers, element, eta, shift, cutoff, *, own=False, envelope=cosine,
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
                * cosine(r, c)
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
        "the Gaussians meet half-way, Δ/2 from each centre, not Δ": np.log(2) / 0.25,
        "the logarithm is the natural one, ln 2 = 0.693": 16 * np.log10(2),
        "the distance in the exponent is squared": 4 * np.log(2) / 0.5,
    },
    hints=(
        "By symmetry they meet in the middle between the two centres. How far is that from each?",
        "Solve e^(-η (Δ/2)²) = ½ for η.",
        "η = 4 ln 2 / Δ² with Δ = 0.5 Å.",
    ),
    remark="In the library's unit this is a width of 0.42 spacings.",
)
