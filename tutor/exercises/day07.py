"""Day 7: Simulation. Here the integrators, 7.1 and 7.2; the rest is imported."""

import numpy as np

from tutor.exercises import day07_bath, day07_failure, day07_space  # noqa: F401
from tutor.exercises.engine import code
from tutor.exercises.expect import expect, parts
from tutor.units import AMU


def _springs(rng, atoms):
    """A force that depends on all positions, and not linearly."""
    A = rng.normal(size=(3 * atoms, 3 * atoms))
    A = A @ A.T / (3 * atoms) + np.eye(3 * atoms)

    def force(r):
        x = np.asarray(r, float).reshape(-1)
        return (-25.0 * A @ np.sin(x)).reshape(-1, 3)

    return force


@code(
    "7.1",
    "Velocity Verlet",
    points=3,
    hints=(
        "Forces divided by masses are accelerations, once the masses are in eV fs²/Å²: "
        "`a = force(r) / (AMU * masses[:, None])`.",
        "Half a kick with the old forces, a drift with the new velocities, half a kick with the "
        "forces at the *new* positions.",
        "`v = v + dt / 2 * a(r)`, `r = r + dt * v`, `v = v + dt / 2 * a(r)`, where "
        "`a = lambda r: force(r) / (AMU * masses[:, None])`.",
    ),
)
def verlet(f, rng):
    for atoms in (1, 2, 5):
        force, dt = _springs(rng, atoms), 2.0
        r, v = 0.7 * rng.normal(size=(atoms, 3)), 0.05 * rng.normal(size=(atoms, 3))
        masses = rng.uniform(1.5, 16.0, size=atoms)
        example = {"r": r, "v": v, "masses": masses, "dt": dt}
        got = parts(f(r, v, force, masses, dt), "positions", "velocities")
        m = AMU * masses[:, None]
        a = force(r) / m
        new = r + dt * v + dt**2 / 2 * a
        after = force(new) / m
        expect(
            got[0],
            new,
            law="the new positions are r + dt v + ½ dt² a",
            example=example,
            rtol=1e-5,
            slips={
                "that is r + dt v, as Euler has it: the force has not moved anything": (r + dt * v),
                "the first kick lasts half a step, not a whole one": r + dt * v + dt**2 * a,
                "masses are in amu: multiply them by AMU to get eV fs²/Å²": (
                    r + dt * v + dt**2 / 2 * AMU * a
                ),
                "the force pushes against itself: a = +F/m": r + dt * v - dt**2 / 2 * a,
                "you divided by no mass": r + dt * v + dt**2 / 2 * a * m,
                "every atom has its own mass: `masses[:, None]`": (
                    r + dt * v + dt**2 / 2 * a * m / (AMU * masses.mean())
                ),
            },
        )
        expect(
            got[1],
            v + dt / 2 * (a + after),
            law="the new velocities are v + ½ dt (a + a'), with a' at the new positions",
            example=example,
            rtol=1e-5,
            slips={
                "both kicks used the old forces: the second takes those at the new positions": (
                    v + dt * a
                ),
                "both kicks used the new forces: the first takes those at the old positions": (
                    v + dt * after
                ),
                "the second kick is missing": v + dt / 2 * a,
                "the first kick is missing": v + dt / 2 * after,
                "each kick lasts half a step": v + dt * (a + after),
                "the second kick lasts half a step": v + dt / 2 * a + dt * after,
                "the velocities have not changed": v,
            },
        )


def _pendulum(method, time=2.0):
    """solve(dt): angle and its rate at `time`, from a release at rest."""

    def solve(dt):
        x = np.array([1.0, 0.0])
        slope = lambda x: np.array([x[1], -np.sin(x[0])])  # noqa: E731
        for _ in range(round(time / dt)):
            x = method(x, slope, dt)
        return x

    return solve


def _euler(x, slope, dt):
    return x + dt * slope(x)


def _leapfrog(x, slope, dt):
    v = x[1] + dt / 2 * slope(x)[1]
    r = x[0] + dt * v
    return np.array([r, v + dt / 2 * slope(np.array([r, v]))[1]])


def _runge_kutta(x, slope, dt):
    a = slope(x)
    b = slope(x + dt / 2 * a)
    c = slope(x + dt / 2 * b)
    return x + dt / 6 * (a + 2 * b + 2 * c + slope(x + dt * c))


@code(
    "7.2",
    "The order, measured",
    points=2,
    hints=(
        "Nobody knows the exact end. But if the error is C dtᵖ, then the ends for dt and dt/2 "
        "differ by C dtᵖ (1 − 2⁻ᵖ). What do those for dt/2 and dt/4 differ by?",
        "The first difference is 2ᵖ times the second. Take the length of each difference.",
        "With `d = lambda s: np.linalg.norm(solve(s) - solve(s / 2))` it is "
        "`np.log2(d(dt) / d(dt / 2))`.",
    ),
)
def order(f, rng):
    law = "the error is proportional to dtᵖ, and p comes back within 0.1"
    dt = 2.0 / int(rng.integers(60, 90))
    for name, p, method in (
        ("Euler", 1, _euler), ("Verlet", 2, _leapfrog), ("Runge-Kutta 4", 4, _runge_kutta)
    ):  # fmt: skip
        solve = _pendulum(method)
        first, second, third = (solve(dt / n) for n in (1, 2, 4))
        length = np.linalg.norm
        ratio = length(first - second) / length(second - third)
        expect(
            f(solve, dt),
            float(p),
            law=law,
            example={"method": name, "dt": dt},
            rtol=0.0,
            atol=0.1,
            slips={
                "halving dt is a factor of 2: take the logarithm to base 2": np.log(ratio),
                "that is a logarithm to base 10; halving dt asks for base 2": np.log10(ratio),
                "the fraction stands upside down": -np.log2(ratio),
                "that is the ratio 2ᵖ itself: take its logarithm": ratio,
                "the run with dt/4 is not exact: compare neighbours, dt with dt/2 and dt/2 with "
                "dt/4": np.log2(length(first - third) / length(second - third)),
            },
        )
