"""Day 2, round 2: functions of sets."""

import numpy as np

from tutor.exercises.engine import code
from tutor.exercises.expect import expect, parts, require, shape


def _pairs(z):
    return sum(z[i] * z[j] for i in range(len(z)) for j in range(i))


@code(
    "2.3",
    "All pairs from two sums",
    points=2,
    hints=(
        "Expand (z₁ + z₂ + z₃)². Which of its terms do you want, and which not?",
        "φ(z) = (z, z²) is enough: ρ is given a = Σ z and b = Σ z².",
        "`phi = lambda z: np.stack([z, z**2], axis=1)`, `rho = lambda s: (s[0]**2 - s[1]) / 2`; "
        "return phi, rho.",
    ),
)
def all_pairs(f, rng):
    phi, rho = parts(f(), "phi", "rho", law="a Deep Set has two functions, φ and ρ")
    for part, name in ((phi, "phi"), (rho, "rho")):
        require(
            callable(part),
            law="a Deep Set has two functions, φ and ρ",
            message=f"{name} is not a function: return the function itself, not its value",
            got=part,
        )
    for n in (2, 3, 7):
        z = rng.normal(size=n)
        features = np.asarray(phi(z))
        law = "φ turns each of the n numbers into a row of features, shape (n, m)"
        shape(features, (n, None), law=law, example={"z": z})
        alone = np.concatenate([np.asarray(phi(z[i : i + 1])) for i in range(n)])
        expect(
            features,
            alone,
            law="φ sees one element at a time: its row does not depend on the others",
            example={"z": z},
        )
        a, b = z.sum(), (z**2).sum()
        expect(
            rho(features.sum(axis=0)),
            _pairs(z),
            law="ρ(Σ φ(z_i)) = Σ_{i<j} z_i z_j",
            example={"z": z},
            scale=a**2 + b,
            slips={
                "this counts every pair twice": a**2 - b,
                "this is the slide's example, squares included; here only pairs of different "
                "elements count": (a**2 + b) / 2,
                "this is the square of the sum: the squares of the elements are still in it": a**2,
                "this is the sum of the squares": b,
            },
        )


@code(
    "2.4",
    "What the mean and the maximum forget",
    points=2,
    hints=(
        "The maximum over φ(z_i) does not care how often an element occurs. So both sets must have "
        "the same elements, with different counts.",
        "The mean does not care how many elements there are, as long as the proportions stay.",
        "Take any set, and then the same set with every element twice: [1, 2] and [1, 2, 1, 2].",
    ),
)
def twins(f, rng):
    first, second = (np.asarray(s, float) for s in parts(f(), "first", "second"))
    law = "each is a list of numbers"
    for numbers in (first, second):
        require(
            numbers.ndim == 1 and len(numbers) > 0 and np.isfinite(numbers).all(),
            law=law,
            message="give two lists or arrays of finite numbers, none of them empty",
            got=numbers,
        )
    example = {"first": first, "second": second}
    require(
        not np.array_equal(np.sort(first), np.sort(second)),
        law="the two differ as sets in which elements may occur several times",
        message="these are the same elements equally often, in some order: no function of a set "
        "tells them apart, and none should",
        example=example,
    )
    odd = np.setxor1d(first, second)
    require(
        len(odd) == 0,
        law="max pooling cannot tell them apart",
        message=f"{odd[:1]} is in one of them only: φ(z) = 1 there and 0 elsewhere has the "
        "maximum 1 for one and 0 for the other",
        example=example,
    )
    for value in np.unique(first):
        shares = np.mean(first == value), np.mean(second == value)
        require(
            np.isclose(*shares),
            law="mean pooling cannot tell them apart",
            message=f"{100 * shares[0]:.3g} % of the first and {100 * shares[1]:.3g} % of the "
            f"second are {value:g}: the mean of φ(z) = 1 there and 0 elsewhere differs",
            example=example,
        )
