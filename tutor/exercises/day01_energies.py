"""Day 1: curves, levels of theory and energies of composition, 1.1 to 1.5."""

import numpy as np

from tutor.exercises.engine import choice, code, number
from tutor.exercises.expect import agree, expect, parts


@code(
    "1.1",
    "Read the well",
    points=2,
    hints=(
        "Where is the lowest point? `np.argmin(energy)` gives its index k; its neighbours are "
        "k - 1 and k + 1, and the three are not equally spaced.",
        "`np.polyfit(x, y, 2)` returns a, b, c of the parabola a x² + b x + c through three "
        "points. Its minimum is at x = -b / (2 a) and has the value c - b² / (4 a).",
        "`k = np.argmin(energy)`, `a, b, c = np.polyfit(distance[k - 1 : k + 2], "
        "energy[k - 1 : k + 2], 2)`; return -b / (2 a) and energy[-1] - (c - b**2 / (4 a)).",
    ),
)
def well(f, rng):
    # A curve that is a parabola near its minimum, so that the answer is known in closed form.
    for bond, depth, far in ((0.741, 4.75, -27.2), (1.098, 9.8, 3.0), (2.0, 0.5, 0.0)):
        grid = bond + np.cumsum(rng.uniform(0.03, 0.05, 60)) - 0.4
        energy = far + np.minimum(20 * (grid - bond) ** 2 - depth, 0.0)
        k = np.argmin(energy)
        r_e, d_e = parts(f(grid, energy), "bond length", "well depth")
        a, b, _ = np.polyfit(np.arange(3), energy[k - 1 : k + 2], 2)
        expect(
            r_e,
            bond,
            law="the minimum lies between the grid points",
            slips={
                "this is the lowest grid point itself; put a parabola through it and its two "
                "neighbours": grid[k],
                "you fitted the parabola against the index, as if the grid were even": grid[k - 1]
                - b / (2 * a) * (grid[k] - grid[k - 1]),
                "this is an index, not a distance": k,
            },
        )
        expect(
            d_e,
            depth,
            law="the depth is measured from the energy at the largest distance",
            rtol=1e-3,
            slips={
                "this is the energy at the minimum; subtract it from the energy at the largest "
                "distance": far - depth,
                "you measured from zero, not from the energy at the largest distance": depth - far,
                "you measured from the energy at the smallest distance": energy[0] - far + depth,
            },
        )


def _rhf_error():
    from tutor.data import load

    h2 = load("h2")
    return h2.properties["energy_rhf"][-1] - h2.energy[-1]


number(
    "1.2",
    "The price of a level of theory",
    answer=_rhf_error,
    unit="eV",
    rtol=0.01,
    slips={
        "the sign: you were asked how far RHF lies above FCI": lambda right: -right,
        "this is in Hartree; the data are in eV, so no conversion is needed": lambda right: (
            right / 27.211386
        ),
    },
    hints=(
        "`levels` is a dictionary of arrays, one energy per distance, distances increasing.",
        "The last entry of an array a is a[-1].",
        '`rhf_error = levels["RHF"][-1] - levels["FCI"][-1]`',
    ),
    remark="RHF forces both electrons into one shared orbital: half of its wave function is "
    "H⁺ and H⁻, and that costs more than the bond is worth.",
)


def _least_squares(counts, energy):
    return np.linalg.solve(counts.T @ counts, counts.T @ energy)


def _with_intercept(counts, energy):
    return _least_squares(np.column_stack([counts, np.ones(len(counts))]), energy)[:-1]


@code(
    "1.3",
    "Fit an energy per element",
    points=2,
    hints=(
        "There are more molecules than elements, so no coefficients fit exactly: least squares.",
        "`np.linalg.lstsq(A, y, rcond=None)` returns several things; the first is the solution.",
        "`coefficients, *_ = np.linalg.lstsq(counts, energy, rcond=None)`; return coefficients.",
    ),
)
def fit_elements(f, rng):
    cases = []
    for molecules, elements in ((6, 2), (30, 5)):
        counts = rng.integers(1, 9, size=(molecules, elements)).astype(float)
        energy = counts @ rng.uniform(-120, -10, elements) + rng.normal(size=molecules)
        cases.append({"counts": counts, "energy": energy})
    agree(
        f,
        _least_squares,
        cases,
        law="the coefficients minimise the sum of squared errors",
        rtol=1e-4,
        slips={
            "you fitted an intercept as well; this model has none": _with_intercept,
            "you subtracted the mean energy first; then the coefficients no longer give the "
            "energy": lambda counts, energy: _least_squares(counts, energy - energy.mean()),
            "you solved for the first molecules only; use all of them": lambda counts, energy: (
                np.linalg.lstsq(counts[: counts.shape[1]], energy[: counts.shape[1]])[0]
            ),
            "these are the predicted energies; return the coefficients": lambda counts, energy: (
                counts @ _least_squares(counts, energy)
            ),
        },
    )


number(
    "1.4",
    "A slip in the talk",
    answer=2 * -0.6 - 75.2,
    unit="Hartree",
    rtol=0.001,
    slips={
        "that is the slide's number; compute it from the formula": 151.12,
        "the sign: a molecule is more stable than its separated electrons and nuclei": 76.4,
        "that is one H and one O": -75.8,
        "that is H₂O₂": 2 * -0.6 + 2 * -75.2,
        "that is two O and one H: water has two H": -0.6 - 2 * 75.2,
    },
    hints=(
        "Water is H₂O: two hydrogens, one oxygen.",
        "Only the terms of n_H and n_O are not zero.",
        "-0.6 · 2 - 75.2 · 1",
    ),
    remark="Total energies are negative, so the sign on the slide is a slip; and 151 Hartree is "
    "about twice the water: the size of hydrogen peroxide, H₂O₂.",
)

choice(
    "1.5",
    "The constant that does not belong",
    right="b",
    why={
        "a": "A constant is harmless for one molecule, but here it is the same for one molecule "
        "and for two of them.",
        "b": "Two distant molecules A and B count as one structure: the model gives b + a + a' "
        "where the sum of the two is 2 b + a + a'. Errors then grow with the number of molecules.",
        "c": "The model never sees the orientation, so it cannot depend on it.",
        "d": "Counting does not depend on the order.",
    },
    hints=(
        "Write down the prediction for two water molecules that are one kilometre apart.",
        "Compare it with twice the prediction for one.",
        "How many times does b appear in each?",
    ),
)
