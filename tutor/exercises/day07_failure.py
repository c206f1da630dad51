"""Day 7: when simulations go wrong, 7.8 and 7.9; what gradients are for, 7.10 and 7.11."""

import jax.numpy as jnp
import numpy as np

from tutor.exercises.engine import choice, code, written
from tutor.exercises.expect import expect
from tutor.precision import float64


def _loop(rng, atoms, points):
    """A regular polygon in a random plane of the space of all positions, and its area."""
    plane, _ = np.linalg.qr(rng.normal(size=(3 * atoms, 2)))
    angle = 2 * np.pi * np.arange(points) / points
    radius = rng.uniform(0.3, 0.6)
    path = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1) @ plane.T
    area = points / 2 * radius**2 * np.sin(2 * np.pi / points)
    centre = rng.normal(size=3 * atoms)
    return (centre + path).reshape(points, atoms, 3), plane, area


@code(
    "7.8",
    "Work around a loop",
    points=3,
    hints=(
        "From one point to the next the force does the work F · Δr, summed over atoms and axes. "
        "The force changes on the way: take the mean of both ends.",
        "The loop closes: after the last point comes the first. `np.roll(path, -1, axis=0)` is "
        "the next point of each.",
        "`F = np.array([force(r) for r in path])`; `mean = (F + np.roll(F, -1, axis=0)) / 2`; "
        "`return (mean * (np.roll(path, -1, axis=0) - path)).sum()`.",
    ),
)
def work(f, rng):
    law = "the work around a closed loop is the sum of ½ (F_k + F_k₊₁) · (r_k₊₁ − r_k)"
    for atoms, points in ((1, 8), (2, 12), (4, 30)):
        path, plane, area = _loop(rng, atoms, points)
        p, q = plane.T
        spring = rng.normal(size=(3 * atoms, 3 * atoms))
        spring = spring @ spring.T
        for curl in (0.0, 3.0):
            A = curl * (np.outer(q, p) - np.outer(p, q)) - spring

            def force(r, A=A):
                return (A @ np.asarray(r, float).reshape(-1)).reshape(-1, 3)

            F = np.array([force(r) for r in path])
            ahead = np.roll(path, -1, axis=0) - path
            mean = (F + np.roll(F, -1, axis=0)) / 2
            expect(
                f(force, path),
                2 * curl * area,  # Stokes
                law="a force that is a gradient does no work around a loop" if curl == 0 else law,
                example={"path": path},
                scale=float((np.abs(mean) * np.abs(ahead)).sum()),
                slips={
                    "the loop is not closed: the way from the last point to the first counts": (
                        (mean * ahead)[:-1].sum()
                    ),
                    "the force changes from one point to the next: take the mean of both ends": (
                        (F * ahead).sum()
                    ),
                    "the work has another sign: F · Δr, with Δr forwards": -(mean * ahead).sum(),
                    "sum over the atoms too": (mean * ahead).sum(axis=(0, 2)),
                    "sum over the points too": (mean * ahead).sum(axis=(1, 2)),
                    "F · Δr is a scalar product; you multiplied the lengths": (
                        np.linalg.norm(mean, axis=-1) * np.linalg.norm(ahead, axis=-1)
                    ).sum(),
                    "that is twice the work: a mean has a half": 2 * (mean * ahead).sum(),
                },
            )


choice(
    "7.9",
    "Diagnose the run",
    right="b",
    why={
        "a": "A time step that is too long shows an error that falls by four when dt is halved. "
        "Here halving dt changed nothing.",
        "b": "Heat that comes at a steady rate, whatever dt is, and no sudden jumps: the forces do "
        "work around loops. The test is exercise 7.8, and the cure is to differentiate an energy.",
        "c": "A hard cutoff gives a jump each time a pair crosses it. The energy then changes in "
        "small steps, both up and down, and ethanol is smaller than the cutoff anyway.",
        "d": "Outside of its data a network errs suddenly: bonds break or atoms fall together. "
        "This run stayed close to what the network was trained on.",
    },
    hints=(
        "Which of the four faults depends on dt?",
        "Which of the others act all the time, and which at single moments?",
        "Steady heating means that energy comes from somewhere at every step.",
    ),
)


def _dimer(x, theta):
    q = (theta / x[0]) ** 6
    return 4 * (q**2 - q)


def _lengths(theta):
    return jnp.stack([theta, 1.0 + 0.5 * theta, 2.0 - theta**2 / 4])


def _chain(x, theta):
    """Three springs in a row, whose natural lengths depend on θ."""
    bonds = jnp.diff(jnp.concatenate([jnp.zeros(1), x]))
    return (jnp.array([4.0, 7.0, 2.0]) * (bonds - _lengths(theta)) ** 2).sum() / 2


@code(
    "7.10",
    "How a minimum moves",
    points=3,
    library="jax",
    hints=(
        "At a minimum ∂E/∂x = 0, for every θ. Differentiate this equation with respect to θ: x "
        "depends on θ, too.",
        "H dx/dθ + ∂²E/∂x∂θ = 0 with the Hessian H. The mixed derivative is "
        "`jax.jacfwd(jax.grad(energy), argnums=1)(x, theta)`.",
        "`H = jax.hessian(energy)(x, theta)`; `mixed = jax.jacfwd(jax.grad(energy), argnums=1)"
        "(x, theta)`; `return -jnp.linalg.solve(H, mixed)`.",
    ),
)
def response(f, rng):
    A = rng.normal(size=(3, 3))
    A, b = A @ A.T + 2 * np.eye(3), rng.normal(size=3)

    def well(x, theta):
        return x @ jnp.array(A) @ x / 2 - theta * (jnp.array(b) @ x)

    theta = float(rng.uniform(0.9, 1.1))
    sixth, pushed = 2 ** (1 / 6), np.linalg.solve(A, b)
    stiff = 72 / (sixth * theta) ** 2
    bonds, change = np.array([theta, 1 + theta / 2, 2 - theta**2 / 4]), [1, 0.5, -theta / 2]
    springs = np.array([[11.0, -7, 0], [-7, 9, -2], [0, -2, 2]])
    cases = {  # an energy, its minimum, how it moves, its Hessian there
        "two atoms of argon, θ = σ": (
            _dimer, np.array([sixth * theta]), np.array([sixth]), np.array([[stiff]])
        ),
        "a well that θ pushes": (well, theta * pushed, pushed, A),
        "a chain of springs": (_chain, np.cumsum(bonds), np.cumsum(change), springs),
    }  # fmt: skip
    with float64(), np.errstate(divide="ignore"):
        for name, (energy, x, truth, H) in cases.items():
            mixed = -H @ truth
            expect(
                f(energy, x, theta),
                truth,
                law="dx/dθ is how far the minimum moves when θ changes",
                example={"energy": name, "x": x, "theta": theta},
                slips={
                    "the sign: H dx/dθ + ∂²E/∂x∂θ = 0": np.linalg.solve(H, mixed),
                    "that is −∂²E/∂x∂θ, a force; the Hessian says how far it pushes": -mixed,
                    "that is ∂²E/∂x∂θ; solve H dx/dθ = −∂²E/∂x∂θ with it": mixed,
                    "the atoms are coupled: solve with the whole Hessian, not with its diagonal": (
                        -mixed / np.diag(H)
                    ),
                    "you divided by the elements of H; solve the linear system": (
                        -(mixed[None] / H).sum(axis=1)
                    ),
                    "you multiplied by H; solve with it": -H @ mixed,
                },
            )


written(
    "7.11",
    "Would you publish it?",
    points=3,
    min_words=40,
    rubric=(
        "1 point: says what was measured on the network's run: the distribution of distances "
        "against the reference's own frames at the same temperature, with a number.",
        "1 point: names a test that was not made or not passed (longer runs, other seeds, hotter, "
        "the rare rotation of the hydroxyl group, several molecules), and which result it could "
        "overturn.",
        "1 point: tells small force errors on test frames apart from a stable and correct "
        "simulation, with an example from round 6.",
    ),
)
