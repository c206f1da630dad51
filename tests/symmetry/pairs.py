"""A sound pair potential, molecular and periodic, written once for NumPy, JAX and torch.

phi(r) = a_i a_j exp(-r) s(r),  s = (1 - (r / rc)^2)^3: two derivatives vanish at the cutoff.
"""

import importlib

import numpy as np

from tutor import symmetry as sy

CUTOFF = 2.5
STRENGTH = np.linspace(0.5, 2.0, 119)
LIBRARIES = {"numpy": "numpy", "jax": "jax.numpy", "torch": "torch"}


def namespace(library):
    return importlib.import_module(LIBRARIES[library])


def constant(xp, values, like):
    return xp.asarray(values, dtype=like.dtype)


def smooth(xp, r):
    """s and its derivative."""
    t = xp.clip(1 - (r / CUTOFF) ** 2, 0, None)
    return t**3, -6 * r / CUTOFF**2 * t**2


def phi(xp, r, switch=smooth):
    """exp(-r) s(r) and its derivative."""
    s, ds = switch(xp, r)
    e = xp.exp(-r)
    return e * s, e * (ds - s)


def strengths(xp, x, z):
    return constant(xp, STRENGTH, x)[z]


def separations(xp, x):
    """Vectors j - i, distances (1 on the diagonal), and 1 - identity."""
    eye = xp.eye(len(x), dtype=x.dtype)
    d = x[None] - x[:, None]
    return d, xp.sqrt((d**2).sum(-1) + eye), 1 - eye


def summed(xp, x, z, d, r, off, switch=smooth):
    """Energies per atom and forces from pairs i, j with strengths a_i a_j."""
    a = strengths(xp, x, z)
    value, slope = phi(xp, r, switch)
    weight = a[:, None] * a * off
    energies = (weight * value).sum(1) / 2
    forces = ((weight * slope / r)[..., None] * d).sum(1)
    return energies, forces


def molecule(xp):
    """(positions, species) -> energy and forces."""

    def model(x, z):
        energies, forces = summed(xp, x, z, *separations(xp, x))
        return {"energy": energies.sum(), "forces": forces}

    return model


STEPS = np.array(np.meshgrid(*[range(-3, 4)] * 3, indexing="ij")).reshape(3, -1).T


def periodic_terms(xp, x, z, cell, steps=STEPS, wrap=True, own_image=True):
    """Energies, forces and virial of all images within the cutoff."""
    if wrap:
        fractional = x @ xp.linalg.inv(cell)
        x = (fractional - xp.floor(fractional)) @ cell
    shifts = constant(xp, steps, x) @ cell
    d = x[None, :, None] - x[:, None, None] + shifts
    home = constant(xp, (steps == 0).all(1), x)
    eye = xp.eye(len(x), dtype=x.dtype)[..., None]
    same = eye * (home if own_image else 0 * home + 1)
    r = xp.sqrt((d**2).sum(-1) + same)
    a = strengths(xp, x, z)
    value, slope = phi(xp, r)
    weight = a[:, None, None] * a[None, :, None] * (1 - same)
    energies = (weight * value).sum(-1).sum(-1) / 2
    pull = (weight * slope / r)[..., None] * d
    virial = xp.einsum("ijka,ijkb->ab", pull, d) / 2
    return energies, pull.sum(2).sum(1), virial


def volume(xp, cell):
    return abs(xp.linalg.det(cell))


def crystal(xp, **options):
    """(positions, species, cell) -> energy, forces and stress."""

    def model(x, z, cell):
        energies, forces, virial = periodic_terms(xp, x, z, cell, **options)
        return {"energy": energies.sum(), "forces": forces, "stress": virial / volume(xp, cell)}

    return model


MOLECULE = sy.atomistic()
CRYSTAL = sy.atomistic("energy", "forces", "stress", periodic=True)
SMALL_CRYSTALS = sy.random_structures(CRYSTAL, atoms=(2, 3))
