"""Day 5: floors, published tables and higher degrees, 5.9 to 5.12."""

import numpy as np

from tutor.exercises.engine import choice, code, number, written
from tutor.exercises.expect import agree


def _floor(labels):
    return labels.var(axis=1, ddof=1).mean()


@code(
    "5.9",
    "The floor of the labels",
    points=3,
    hints=(
        "An equivariant model must give one and the same answer for all frames of a system, after "
        "turning back. Which answer has the least mean squared error?",
        "The mean over the frames. What is left is the variance over the frames: axis 1.",
        "`labels.var(axis=1, ddof=1).mean()`. With ddof=1 the sum is divided by frames - 1, which "
        "makes up for the mean being that of a few frames only.",
    ),
)
def label_floor(f, rng):
    cases = []
    for systems, frames in ((1, 2), (3, 4), (8, 3)):
        truth = 3.0 * rng.normal(size=(systems, 1, 2, 3))
        noise = rng.normal(size=(systems, frames, 2, 3)) * rng.uniform(
            0.05, 0.4, (systems, 1, 1, 1)
        )
        cases.append({"labels": truth + noise})
    agree(
        f,
        _floor,
        cases,
        law="the variance of a label over the frames of its system, mean over everything else",
        slips={
            "divide by frames - 1: the mean is that of a few frames, and lies nearer to them than "
            "the true one (ddof=1)": lambda y: y.var(axis=1).mean(),
            "that is a root; a mean squared error is asked for": lambda y: np.sqrt(_floor(y)),
            "that is the mean of standard deviations; take variances": lambda y: y.std(
                axis=1, ddof=1
            ).mean(),
            "that is the variance over all systems: it measures how different they are": lambda y: (
                y.var(ddof=1)
            ),
            "that is the variance over systems; take it over the frames, axis 1": lambda y: y.var(
                axis=0, ddof=min(1, len(y) - 1)
            ).mean(),
            "the components were added up; take the mean": lambda y: (
                y.var(axis=1, ddof=1).sum(axis=(1, 2)).mean()
            ),
            "that is the mean squared difference of two frames, twice the variance": lambda y: (
                2 * _floor(y)
            ),
        },
    )


choice(
    "5.10",
    "What does the table show?",
    right="c",
    why={
        "a": "DimeNet++ and SphereNet read distances and angles only, and with 6.3 meV they stand "
        "far before Cormorant (22), L1Net (13.5) and others that are equivariant.",
        "b": "The code behind this row never moves an atom: the update of coordinates is commented "
        "out and its network deleted. It compares two invariant networks.",
        "c": "The two kinds overlap: equivariance is neither needed for 6.3 meV nor enough. The "
        "rows differ in many ways at once, so their order does not tell the reason.",
        "d": "U₀, U, H and G are numbers that stay when the molecule turns. Nothing in this table "
        "is a vector.",
    },
    points=2,
    hints=(
        "Sort the rows by U₀ and look at which kind stands where.",
        "Find an invariant model that beats an equivariant one, and then one the other way round.",
        "A claim about a kind of model must hold against the best of the other kind.",
    ),
)

written(
    "5.11",
    "What would settle it?",
    points=3,
    min_words=40,
    rubric=(
        "1 point: says what our own comparison changed (vectors on or off) and what it kept equal, "
        "with both numbers, and that it is one seed and one small set.",
        "1 point: names what must be equal for a fair test (parameters or time, tuning, data, "
        "training steps) or repeated (seeds).",
        "1 point: says what a published row needs before it is evidence: that the code behind it "
        "is the model of its name, and for which property.",
    ),
)

number(
    "5.12",
    "A star of five",
    answer=5,
    rtol=1e-6,
    slips={
        "five vectors at equal angles add up to zero: l = 1 sees nothing": 1,
        "l = 2 sees the plane in which the star lies, but not how it is turned within it": 2,
        "l = 4 has four-fold patterns at most; five arms average them out": 4,
        "the five-fold pattern of l = 6 is zero in the plane of the star": 6,
        "that works too, but a smaller one does": 7,
    },
    hints=(
        "Turned by 72° the star looks as before, so only a pattern that repeats five times round "
        "the axis survives the sum.",
        "A degree l has patterns that repeat up to l times round an axis.",
        "The pattern that repeats l times is not zero in the plane. So l = 5.",
    ),
    remark="A message of degree l can see an L-fold neighbourhood turn only if l is at least L. "
    "Messages of EGNN have l = 1; it sees the rest by way of distances in later rounds.",
)
