"""Day 7: heat baths, 7.6 and 7.7."""

import numpy as np

from tutor.exercises.engine import code, number
from tutor.exercises.expect import agree
from tutor.units import AMU, KB

number(
    "7.6",
    "How much must the kinetic energy fluctuate?",
    answer=100 * np.sqrt(2 / 297),
    unit="percent of its mean",
    rtol=0.015,
    points=2,
    slips={
        "each atom brings three degrees of freedom": 100 * np.sqrt(2 / 99),
        "each atom brings three degrees of freedom, not one": 100 * np.sqrt(2 / 100),
        "that is √(1/f): the variance of a sum of f squares is 2f": 100 * np.sqrt(1 / 297),
        "that is the relative variance; its root is asked for": 100 * 2 / 297,
        "that is a fraction; give percent": np.sqrt(2 / 297),
        "a thermostat is not a clamp: at constant temperature the energy still fluctuates": 0.0,
    },
    hints=(
        "Every velocity component is a normal number. K = ½ kT Σ xᵢ² over f of them.",
        "A sum of f squares of normal numbers has the mean f and the variance 2f.",
        "√(2f) / f with f = 3 · 100 − 3, in percent.",
    ),
    remark="√(2/f): the larger the system, the quieter. A thermostat that makes it quieter than "
    "that samples something else.",
)


def _kicked(v, masses, noise, keep, spread):
    m = AMU * masses[:, None]
    return keep * v + np.sqrt(spread / m) * noise


def _bath(v, masses, temperature, friction, dt, noise):
    """v(dt) of dv = −γ v dt + √(2 γ kT / m) dW, whose mean and variance are in every textbook."""
    keep = np.exp(-friction * dt)
    return _kicked(v, masses, noise, keep, (1 - np.exp(-2 * friction * dt)) * KB * temperature)


def _slip(change):
    """A bath with another factor for v and another variance: change(keep, KB T, gamma dt)."""

    def bath(v, masses, temperature, friction, dt, noise):
        keep = np.exp(-friction * dt)
        return _kicked(v, masses, noise, *change(keep, KB * temperature, friction * dt))

    return bath


@code(
    "7.7",
    "A heat bath",
    points=3,
    hints=(
        "Friction alone gives c v with c = exp(−γ dt): the velocity would die out. What variance "
        "must the noise add, so that ⟨v²⟩ = kT/m stays what it is?",
        "c² kT/m + noise² = kT/m. So the noise has the variance (1 − c²) kT/m. The masses are in "
        "amu: m = AMU · masses.",
        "`c = np.exp(-friction * dt)`; "
        "`return c * v + np.sqrt((1 - c**2) * KB * temperature / (AMU * masses[:, None])) * noise`",
    ),
)
def bath(f, rng):
    cases = []
    for atoms in (1, 3, 6):
        masses = rng.uniform(1.0, 40.0, size=atoms)
        thermal = np.sqrt(KB * 300 / (AMU * masses[:, None]))
        cases.append(
            {
                "v": thermal * rng.normal(size=(atoms, 3)),
                "masses": masses,
                "temperature": float(rng.uniform(200, 500)),
                "friction": float(rng.uniform(0.1, 0.3)),
                "dt": float(rng.uniform(2.0, 4.0)),
                "noise": rng.normal(size=(atoms, 3)),
            }
        )
    agree(
        f,
        _bath,
        cases,
        law="atoms as hot as the bath stay so: the noise brings the variance that friction takes, "
        "(1 − c²) kT/m",
        slips={
            "that is right to first order in γ dt only; the exact factor is exp(−γ dt)": _slip(
                lambda c, kT, x: (1 - x, 2 * x * kT)
            ),
            "the noise is that of first order in γ dt; with c = exp(−γ dt) it is 1 − c²": _slip(
                lambda c, kT, x: (c, 2 * x * kT)
            ),
            "variances add: the noise has the variance 1 − c², not (1 − c)²": _slip(
                lambda c, kT, x: (c, (1 - c) ** 2 * kT)
            ),
            "variances add: it is 1 − c², not 1 − c": _slip(lambda c, kT, x: (c, (1 - c) * kT)),
            "the noise has the full strength kT/m: the atoms get hotter and hotter": _slip(
                lambda c, kT, x: (c, kT)
            ),
            "there is no noise: friction alone freezes everything": _slip(
                lambda c, kT, x: (c, 0.0)
            ),
            "masses are in amu: multiply them by AMU to get eV fs²/Å²": _slip(
                lambda c, kT, x: (c, (1 - c**2) * kT * AMU)
            ),
            "temperature times KB is an energy in eV": _slip(
                lambda c, kT, x: (c, (1 - c**2) * kT / KB)
            ),
            "light atoms are kicked harder: the variance is kT/m, with the mass of each atom": (
                lambda v, m, T, g, dt, n: _bath(v, np.full(len(m), m.mean()), T, g, dt, n)
            ),
            "that is the variance as a factor; take its root": lambda v, m, T, g, dt, n: (
                np.exp(-g * dt) * v
                + (1 - np.exp(-2 * g * dt)) * KB * T / (AMU * m[:, None]) * n
            ),
        },
    )  # fmt: skip
