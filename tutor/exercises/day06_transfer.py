"""Day 6: larger systems, pairs of atoms, another substance, and the evidence, 6.9 to 6.12."""

import numpy as np

from tutor.exercises.engine import choice, code, written
from tutor.exercises.expect import expect, parts, require

COULOMB = 14.399645  # eV Å, e²/4πε₀


@code(
    "6.9",
    "The same water, eight times",
    points=2,
    hints=(
        "A copy is the whole structure moved by whole cell vectors.",
        "Cell vectors are rows: `np.array([a, b, c]) @ cell` moves by a, b and c of them.",
        "`shifts = np.array([[a, b, c] for a in range(n) for b in range(n) for c in range(n)])`, "
        "then `(positions + (shifts @ cell)[:, None]).reshape(-1, 3), n * cell`.",
    ),
)
def tile(f, rng):
    for atoms, n in ((1, 2), (2, 2), (2, 3)):
        cell = np.diag(rng.uniform(3.0, 5.0, size=3)) + np.tril(rng.normal(size=(3, 3)), -1)
        positions = rng.uniform(0.05, 0.95, size=(atoms, 3)) @ cell
        example = {"positions": positions, "cell": cell, "n": n}
        found, large = parts(f(positions, cell, n), "positions", "cell")
        expect(
            large,
            n * cell,
            law="the new cell is n times as long in each direction",
            example=example,
            slips={
                "you gave back the old cell": cell,
                "that is n³ times as long: the volume is n³ times larger": n**3 * cell,
            },
        )
        found = np.asarray(found)
        require(
            found.shape == (atoms * n**3, 3),
            law="n³ copies of every atom",
            message=f"{atoms} atoms and n = {n} make {atoms * n**3} positions, "
            f"but the shape is {found.shape}",
            example=example,
        )
        fractional = np.linalg.solve(cell.T, found.T).T
        back = fractional - np.floor(fractional)
        home = np.linalg.solve(cell.T, positions.T).T
        nearest = np.abs(_wrapped(back[:, None] - home[None])).max(axis=-1).min(axis=1)
        require(
            nearest.max() < 1e-6,
            law="each new atom is an old one moved by whole cell vectors",
            message="the shifts are no sums of cell vectors; cell vectors are the rows of `cell`",
            example=example,
            got=found,
        )
        apart = _wrapped((fractional[:, None] - fractional[None]) / n)
        apart = np.abs(apart).max(axis=-1) + np.eye(len(found))
        require(
            apart.min() > 1e-6,
            law="all copies are different places in the new cell",
            message="two of them fall on the same place",
            example=example,
            got=found,
        )


def _wrapped(fractional):
    return fractional - np.round(fractional)


@code(
    "6.10",
    "What two atoms of the force field do",
    points=2,
    hints=(
        "A force is minus the slope of an energy: F = -dE/dr; positive pushes apart.",
        "d/dr of (σ/r)¹² is -12/r (σ/r)¹²; of 1/r it is -1/r².",
        "`x = (sigma / r) ** 6`; `24 * epsilon / r * (2 * x**2 - x) + COULOMB * q_i * q_j / r**2`.",
    ),
)
def pair_force(f, rng):
    for count in (1, 4, 7):
        r = np.sort(rng.uniform(2.6, 5.0, size=count))
        sigma, epsilon = rng.uniform(2.8, 3.4), rng.uniform(0.01, 0.03)
        q_i, q_j = rng.uniform(0.3, 0.6), -rng.uniform(0.6, 0.9)
        x = (sigma / r) ** 6
        short, long = 24 * epsilon / r * (2 * x**2 - x), COULOMB * q_i * q_j / r**2
        energy = 4 * epsilon * (x**2 - x) + COULOMB * q_i * q_j / r
        expect(
            f(r, q_i, q_j, sigma, epsilon),
            short + long,
            law="F = -dE/dr of the Lennard-Jones and the Coulomb energy; positive pushes apart",
            example={"r": r, "q_i": q_i, "q_j": q_j, "sigma": sigma, "epsilon": epsilon},
            slips={
                "that is dE/dr; a force is minus that": -(short + long),
                "that is the energy, not the force": energy,
                "the charges are missing": short,
                "the Lennard-Jones part is missing": long,
                "Coulomb's force falls with r², its energy with r": short + long * r,
                "opposite charges attract: the product of the charges carries the sign": (
                    short - long
                ),
                "the factor 2 of the repulsive part is missing: (r⁻¹²)' = -12 r⁻¹³": (
                    24 * epsilon / r * (x**2 - x) + long
                ),
                "e²/4πε₀ = 14.4 eV Å is missing": short + long / COULOMB,
                "4ε, not ε: the well would be too flat": short / 4 + long,
            },
        )


choice(
    "6.11",
    "Two points and a curve",
    right="b",
    why={
        "a": "The units are the same for all three; the network standardises nothing here, and "
        "would not help itself by it.",
        "b": "In water (q, σ, ε) takes two values. A network can treat them as names for "
        "'oxygen' and 'hydrogen', and what it does at a third value is left to chance. Numbers "
        "generalise when the data vary them, or when the formula in which they stand is known.",
        "c": "Argon has neighbours at 3.8 Å, well inside the cutoff, and so has water.",
        "d": "It would be, if the network knew that. A pair term is exactly what it has "
        "learned from; it only has never seen these parameters.",
    },
    hints=(
        "How many different atoms did the network meet in training?",
        "How many functions go through two points?",
        "What would tell the network what half the charge does?",
    ),
)

written(
    "6.12",
    "Does equivariance matter?",
    points=4,
    min_words=50,
    rubric=(
        "1 point: compares errors at equal numbers of training frames; how does the gap change?",
        "1 point: names what still differs between the two networks besides equivariance (products "
        "up to third order against one sum and a network, numbers of weights, tuning, one seed)",
        "1 point: says what would isolate it further, such as turned copies of the frames for the "
        "network with plain directions, or more steps until both have converged",
        "1 point: says what no error on a test set shows: work on closed paths, whether a turned "
        "box gives turned forces, the range in which the bond has been sampled",
    ),
)
