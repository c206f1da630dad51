"""Models that break no law: a false alarm on any of them is a fault of the checker."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
import torch
from defects import DT, MASKED, MOTION
from pairs import (
    CRYSTAL,
    CUTOFF,
    MOLECULE,
    SMALL_CRYSTALS,
    constant,
    crystal,
    molecule,
    namespace,
    separations,
    smooth,
    strengths,
    summed,
)

from tutor import symmetry as sy


@dataclass(frozen=True)
class Sound:
    model: object
    spec: sy.Spec = MOLECULE
    sample: object = None
    options: dict = field(default_factory=dict)


CENTRES = np.linspace(0.5, 3.0, 6)
WEIGHTS = [np.random.default_rng(n).standard_normal(shape) / np.sqrt(shape[0])
           for n, shape in enumerate([(6, 16), (16, 16), (16, 1)])]  # fmt: skip


def network_energy(xp, x, z, weights):
    """Symmetry functions of the neighbours, then a net per atom."""
    _, r, off = separations(xp, x)
    centres = constant(xp, CENTRES, x)
    bumps = xp.exp(-2 * (r[..., None] - centres) ** 2)
    h = ((smooth(xp, r)[0] * off * strengths(xp, x, z))[..., None] * bumps).sum(1)
    for n, w in enumerate(weights):
        h = xp.tanh(h @ w) if n < 2 else h @ w
    return h.sum()


def network_jax(x, z):
    def energy(x):
        return network_energy(jnp, x, z, [jnp.asarray(w, "float32") for w in WEIGHTS])

    total, gradient = jax.value_and_grad(energy)(x)
    return {"energy": total, "forces": -gradient}


class NetworkTorch(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = torch.nn.ParameterList([torch.tensor(w).float() for w in WEIGHTS])

    def forward(self, x, z):
        x = x.clone().requires_grad_()
        total = network_energy(torch, x, z, list(self.weights))
        (gradient,) = torch.autograd.grad(total, x)
        return {"energy": total, "forces": -gradient}


def equivariant_jax(x, v, z):
    """Two layers of E(n) message passing on the complete graph: moves points and velocities."""
    h = strengths(jnp, x, z)
    for layer in range(2):
        d = x[:, None] - x
        square = (d**2).sum(-1)
        message = jnp.tanh(h[:, None] * h + 0.3 * layer) / (1 + square)
        v = 0.5 * v * jnp.tanh(h)[:, None] + (message[..., None] * d).sum(1) / len(x)
        x = x + v
        h = jnp.tanh(h + message.sum(1))
    return x, v


def descriptor(x, z):
    """Deep sets on centred points: a scalar, a vector, a tensor, and what has a handedness."""
    a = strengths(np, x, z)[:, None]
    c = x - x.mean(0)
    r2 = (c**2).sum(1)[:, None]
    length = (a * np.sqrt(r2)).sum() / a.sum()
    weights = np.concatenate([a * np.exp(-k * r2 / length**2) for k in (0.3, 1, 3)], 1)
    L = weights.T @ c
    D = L @ L.T
    return {
        "scalar": np.sqrt((D**2).sum()),
        "vector": L.T @ np.tanh(D / length**2).sum(1),
        "tensor": L.T @ D @ L + np.trace(D) * np.eye(3, dtype=x.dtype),
        "chirality": np.linalg.det(L),
        "axis": np.cross(L[0], L[1]),
    }


def verlet(x, v, z):
    forces = molecule(np)
    half = v + DT / 2 * forces(x, z)["forces"]
    new = x + DT * half
    return {"positions": new, "velocities": half + DT / 2 * forces(new, z)["forces"]}


def masked_jax(x, z, mask):
    _, r, off = separations(jnp, x)
    real = mask.astype(x.dtype)
    # padded atoms sit on each other: the first `where` keeps the root away from zero
    apart = jnp.where(mask[:, None] & mask, r, 1.0)
    return {"energy": summed(jnp, x, z, x[None] - x[:, None], apart,
                             off * real[:, None] * real)[0].sum()}  # fmt: skip


def batched_jax(x, z, mask):
    return jax.vmap(masked_jax)(x, z, mask)


def rounded_inside(x, z):
    """Takes and gives float64, computes in float32."""
    answer = molecule(np)(x.astype("float32"), z)
    return {name: value.astype(x.dtype) for name, value in answer.items()}


def shifted_energy(x, z):
    """Total energies with core electrons: large numbers, small differences."""
    answer = molecule(np)(x, z)
    return {**answer, "energy": answer["energy"] - x.dtype.type(1000.0) * z.sum().astype(x.dtype)}


def gravity(x, z):
    """1/r has no cutoff: it decays, and that is no fault."""
    d, r, off = separations(np, x)
    a = strengths(np, x, z)
    weight = a[:, None] * a * off
    return {"energy": (weight / r).sum() / 2, "forces": -((weight / r**3)[..., None] * d).sum(1)}


DESCRIBED = sy.Spec(
    MOLECULE.inputs,
    {"scalar": sy.scalar(), "vector": sy.vector(), "tensor": sy.tensor(),
     "chirality": sy.pseudoscalar(), "axis": sy.pseudovector()},
)  # fmt: skip

PUSHED = sy.Spec(
    {"positions": sy.points(), "velocities": sy.vector(per="atom"), "species": sy.species()},
    {"positions": sy.points(), "velocities": sy.vector(per="atom")},
)

SOUND = {
    **{f"molecule {lib}": Sound(molecule(namespace(lib)), options={"cutoff": CUTOFF})
       for lib in ("numpy", "jax", "torch")},
    **{f"crystal {lib}": Sound(crystal(namespace(lib)), CRYSTAL, SMALL_CRYSTALS)
       for lib in ("numpy", "jax", "torch")},
    "network jax": Sound(network_jax, options={"cutoff": CUTOFF}),
    "network torch": Sound(NetworkTorch(), options={"cutoff": CUTOFF}),
    "equivariant jax": Sound(equivariant_jax, PUSHED),
    "descriptor": Sound(descriptor, DESCRIBED),
    "verlet": Sound(verlet, MOTION),
    "masked jax": Sound(masked_jax, MASKED, options={"batched": batched_jax}),
    "float32 inside": Sound(rounded_inside),
    "large offset": Sound(shifted_energy),
    "gravity": Sound(gravity),
}  # fmt: skip
