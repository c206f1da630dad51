"""Day 6: Forces in water. Here the data and the errors, 6.1 to 6.3; the rest is imported."""

import numpy as np

from tutor.exercises import day06_laws, day06_split, day06_transfer  # noqa: F401
from tutor.exercises.engine import code, number
from tutor.exercises.expect import expect, parts
from tutor.units import AMU, KCAL_PER_MOL

K, OXYGEN, HYDROGEN = 529.581 * KCAL_PER_MOL, 15.9994 * AMU, 1.008 * AMU
REDUCED = OXYGEN * HYDROGEN / (OXYGEN + HYDROGEN)

number(
    "6.1",
    "One swing of a bond",
    answer=2 * np.pi * np.sqrt(REDUCED / (2 * K)),
    unit="fs",
    rtol=0.01,
    points=2,
    slips={
        "the energy is K (r - r₀)² without the usual ½, so the spring constant is 2 K": (
            2 * np.pi * np.sqrt(REDUCED / K)
        ),
        "both atoms move: take the reduced mass, not that of hydrogen": (
            2 * np.pi * np.sqrt(HYDROGEN / (2 * K))
        ),
        "both atoms move: take the reduced mass, not that of oxygen": (
            2 * np.pi * np.sqrt(OXYGEN / (2 * K))
        ),
        "1/ω is the time for one radian; a period is 2π of them": np.sqrt(REDUCED / (2 * K)),
        "amu and eV do not make fs: multiply masses by `tutor.units.AMU`": (
            2 * np.pi * np.sqrt(REDUCED / AMU / (2 * K))
        ),
        "K is in kcal/mol/Å²: multiply it by `tutor.units.KCAL_PER_MOL`": (
            2 * np.pi * np.sqrt(REDUCED / (2 * K / KCAL_PER_MOL))
        ),
    },
    hints=(
        "A mass μ on a spring k swings with the period 2π √(μ/k).",
        "μ = m_O m_H / (m_O + m_H), and ½ k x² = K x².",
        "`2 * np.pi * np.sqrt(mu * AMU / (2 * 529.581 * KCAL_PER_MOL))` with mu = 0.948 amu.",
    ),
    remark="A step of 2 ps would leap over more than 200 swings; the report means 2 fs, and even "
    "that is less than five steps a swing.",
)


@code(
    "6.2",
    "Three numbers for one error",
    points=2,
    hints=(
        "All three are means; they differ in what is averaged: components, or atoms.",
        "`d = predicted - true`; the last axis holds x, y and z.",
        "`np.abs(d).mean()`, `np.abs(d).sum(axis=-1).mean()`, and "
        "`np.linalg.norm(d, axis=-1).mean()`.",
    ),
)
def errors(f, rng):
    for shape in ((1, 2, 3), (2, 3, 3), (2, 4, 3)):
        true = rng.normal(size=shape)
        d = rng.normal(size=shape) * rng.uniform(0.2, 1.0, size=(*shape[:2], 1))
        example = {"predicted": true + d, "true": true}
        names = ("per component", "summed over components", "length")
        found = parts(f(true + d, true), *names)
        size = np.abs(d)
        expect(
            found[0],
            size.mean(),
            law="per component: the mean over structures, atoms and components",
            example=example,
            slips={
                "that is the root of the mean square; here we want mean absolute values": (
                    np.sqrt((d**2).mean())
                ),
                "errors of both signs cancel: take absolute values first": d.mean(),
                "that is summed over the components": size.sum(axis=-1).mean(),
            },
        )
        expect(
            found[1],
            size.sum(axis=-1).mean(),
            law="summed: for each atom the sum of its three absolute errors, then the mean",
            example=example,
            slips={
                "add the three components of an atom before you average": size.mean(),
                "that is summed over the atoms too; average over them": size.sum() / shape[0],
                "that is the sum over everything": size.sum(),
                "errors of both signs cancel: take absolute values before you add": (
                    np.abs(d.sum(axis=-1)).mean()
                ),
            },
        )
        expect(
            found[2],
            np.linalg.norm(d, axis=-1).mean(),
            law="length: for each atom the length of its error vector, then the mean",
            example=example,
            slips={
                "that is the sum of the components again, not the length": size.sum(-1).mean(),
                "the length of all errors taken together; one length for each atom": (
                    np.linalg.norm(d)
                ),
                "lengths of the forces themselves: subtract first": abs(
                    np.linalg.norm(true + d, axis=-1) - np.linalg.norm(true, axis=-1)
                ).mean(),
            },
        )


number(
    "6.3",
    "4.18 in our units",
    answer=4.18 / 3 * KCAL_PER_MOL * 1e3,
    unit="meV/Å",
    rtol=0.01,
    slips={
        "4.18 is a sum over three components: divide by 3": 4.18 * KCAL_PER_MOL * 1e3,
        "that is in eV/Å; the answer is asked for in meV/Å": 4.18 / 3 * KCAL_PER_MOL,
        "that is in kcal/mol/Å": 4.18 / 3,
        "a sum of absolute values is no length: divide by 3, not by its root": (
            4.18 / np.sqrt(3) * KCAL_PER_MOL * 1e3
        ),
        "a kcal/mol is 0.0434 eV: multiply by it": 4.18 / 3 / KCAL_PER_MOL,
    },
    hints=(
        "Two steps: from a sum over three components to one, and from kcal/mol to meV.",
        "`tutor.units.KCAL_PER_MOL` is 0.0434 eV.",
        "4.18 / 3 · 43.4",
    ),
    remark="So 4.18 summed, 1.39 kcal/mol/Å per component, and 60 meV/Å are one and the same.",
)
