"""Day 4: what derivatives cost, and how far an atom sees, 4.6 to 4.9."""

import numpy as np

from tutor.exercises.engine import code, number
from tutor.exercises.expect import expect, parts


@code(
    "4.6",
    "Forward mode by hand",
    points=2,
    hints=(
        "Next to each step write its change: a = 2x has ȧ = 2ẋ.",
        "b = y² has ḃ = 2 y ẏ; a sum adds the changes; f = c² has ḟ = 2 c ċ.",
        "`c, dc = 2 * x + y**2, 2 * dx + 2 * y * dy`; return `c**2, 2 * c * dc`.",
    ),
)
def forward(f, rng):
    for dx, dy in ((0.3, -0.7), (1.0, 0.0), (0.0, 1.0)):
        x, y = rng.uniform(1.0, 2.0), rng.uniform(2.5, 4.0)
        c = 2 * x + y**2
        example = {"x": x, "y": y, "dx": dx, "dy": dy}
        value, change = parts(f(x, y, dx, dy), "f", "its change")
        expect(
            value,
            c**2,
            law="the first value is f(x, y) itself",
            example=example,
            slips={"that is c; f is its square": c, "you added the change to f": (
                c**2 + 2 * c * (2 * dx + 2 * y * dy))},
        )  # fmt: skip
        slips = {
            "the outer derivative is missing: f = c² changes by 2 c times the change of c": (
                2 * dx + 2 * y * dy
            ),
            "the inner derivative is missing: c changes by 2 dx + 2 y dy": 2 * c * (dx + dy),
            "the change of y² is 2 y dy, not y² dy": 2 * c * (2 * dx + y**2 * dy),
            "the change of y² is 2 y dy, not 2 dy": 2 * c * (2 * dx + 2 * dy),
            "you forgot the factor 2 of (c²)' = 2 c": c * (2 * dx + 2 * y * dy),
            "you left out how x or y changes: multiply by dx and dy": 2 * c * (2 + 2 * y),
        }
        right = 2 * c * (2 * dx + 2 * y * dy)
        expect(
            change,
            right,
            law="the change of f follows step by step from those of x and y: the chain rule",
            example=example,
            slips={words: slip for words, slip in slips.items() if abs(slip - right) > 1e-3},
        )


number(
    "4.7",
    "Counting traversals",
    answer=7500,
    unit="traversals",
    rtol=1e-6,
    slips={
        "each atom has three coordinates, and each is an input": 2500,
        "that is reverse mode: one output, all inputs": 1,
        "that is every pair of atoms; inputs are coordinates": 2500**2,
    },
    hints=(
        "One traversal of forward mode gives the derivatives with respect to one input.",
        "An input is one coordinate of one atom.",
        "3 · 2500",
    ),
    remark="Against one in reverse mode: that is the whole reason why training networks, and "
    "forces from networks, are affordable.",
)


@code(
    "4.8",
    "How strongly an atom feels another",
    points=2,
    library="jax",
    hints=(
        "One output, E_i, and all inputs: that is one `jax.grad`.",
        "`jax.grad` wants a function that returns a single number: `lambda r: energies(r)[i]`.",
        "`jnp.linalg.norm(jax.grad(lambda r: energies(r)[i])(positions), axis=1)`",
    ),
)
def felt(f, rng):
    for n, i in ((2, 0), (3, 2), (5, 1)):
        positions = rng.normal(size=(n, 3)).astype(np.float32)
        A = rng.uniform(0.5, 1.5, size=(n, n)).astype(np.float32)
        A[i, (i + 2) % n] *= n == 2  # from three atoms on, one that atom i does not feel
        energies = lambda r, A=A: (A * (r @ r.T)).sum(1)  # noqa: E731  E_i = Σ_j A_ij r_i · r_j
        J = A[:, :, None] * positions[:, None, :]  # ∂E_i/∂r_j = A_ij r_i, and more for j = i
        J[np.arange(n), np.arange(n)] += A @ positions
        size = lambda x: np.linalg.norm(x, axis=-1)  # noqa: E731
        expect(
            f(energies, positions, i),
            size(J[i]),
            law="one number for each atom j: the length of ∂E_i/∂r_j",
            example={"positions": positions, "i": i, "energies": "E_i = Σ_j A_ij r_i · r_j"},
            rtol=1e-3,
            slips={
                "these are the derivatives of all energies with respect to atom i; you were asked "
                "for those of E_i": size(J[:, i]),
                "this is the derivative of the total energy; ask for E_i alone": size(J.sum(0)),
                "return the length of each derivative, not its three components": J[i],
                "these are squared lengths": size(J[i]) ** 2,
                "this is |∂E_i/∂r_i| alone": size(J[i, i]),
                "this is the length of the whole gradient; one number for each atom": (
                    np.linalg.norm(J[i])
                ),
                "you summed the components; take the length": J[i].sum(-1),
            },
        )


number(
    "4.9",
    "Hops",
    answer=4,
    unit="rounds",
    rtol=1e-6,
    slips={
        "12 / 5, rounded up: but a message needs an atom to land on, and the next atoms stand at "
        "3 and 6 Å": 3,
        "12 / 5: rounds are whole, and a message needs an atom to land on": 2.4,
        "one round reaches the neighbours within the cutoff, and 12 Å is further": 1,
        "count the hops, not the atoms": 5,
    },
    hints=(
        "Which atoms are within 5 Å of the first one?",
        "Only the one at 3 Å: the next stands at 6 Å.",
        "So each round gains 3 Å, not 5.",
    ),
    remark="`hops × cutoff` is an upper bound: messages travel from atom to atom.",
)
