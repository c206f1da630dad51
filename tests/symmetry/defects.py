"""Planted defects, each for NumPy, JAX and torch: a model, its spec, and the law that it breaks."""

from dataclasses import dataclass, field

import numpy as np
from pairs import (
    CRYSTAL,
    CUTOFF,
    MOLECULE,
    SMALL_CRYSTALS,
    constant,
    crystal,
    molecule,
    periodic_terms,
    phi,
    separations,
    smooth,
    strengths,
    summed,
    volume,
)

from tutor import symmetry as sy


@dataclass(frozen=True)
class Defect:
    """Attributes: make(xp) -> model; the laws that must, and that may, be reported broken."""

    make: object
    breaks: set
    may: set = field(default_factory=set)
    spec: sy.Spec = MOLECULE
    sample: object = None
    options: dict = field(default_factory=dict)
    libraries: tuple = ("numpy", "jax", "torch")
    note: str = ""
    batched: object = None


DEFECTS = {}


def planted(*breaks, may=(), **options):
    def register(make):
        DEFECTS[make.__name__] = Defect(make, set(breaks), set(may), **options)
        return make

    return register


def spec(**outputs):
    return sy.Spec(MOLECULE.inputs, outputs)


def added(xp, extra):
    """The sound molecule plus an energy without forces: only the energy is looked at."""

    def model(x, z):
        return {"energy": molecule(xp)(x, z)["energy"] + extra(x, z)}

    return model


def centred(xp, x):
    return x - x.mean(0)


ENERGY = spec(energy=sy.scalar())


@planted("permutation", "relabelling", spec=ENERGY)
def indexed_atoms(xp):
    return added(xp, lambda x, z: 0.01 * ((x[0] - x[1]) ** 2).sum())


@planted("relabelling", spec=ENERGY)
def species_of_the_first_atom(xp):
    return added(xp, lambda x, z: 0.1 * strengths(xp, x, z)[0] * (centred(xp, x) ** 2).sum())


@planted("translation", spec=ENERGY, may={"rotation", "reflection"})
def absolute_positions(xp):
    return added(xp, lambda x, z: 1e-3 * ((x - 1) ** 2).sum())


@planted("rotation", "reflection", spec=ENERGY)
def one_axis(xp):
    return added(xp, lambda x, z: 1e-5 * (centred(xp, x)[:, 2] ** 2).sum())


@planted("reflection", spec=ENERGY)
def chiral_term(xp):
    def chirality(x, z):
        c = centred(xp, x)
        r2 = (c**2).sum(1)[:, None]
        rows = [(c * strengths(xp, x, z)[:, None]).sum(0), (c * r2).sum(0), (c * r2**2).sum(0)]
        return 1e-7 * xp.linalg.det(xp.stack(rows))

    return added(xp, chirality)


@planted("extensivity", "size consistency")
def mean_for_sum(xp):
    def model(x, z):
        return {name: value / len(x) for name, value in molecule(xp)(x, z).items()}

    return model


def hard(xp, r):
    inside = constant(xp, r < CUTOFF, r) if xp.__name__ != "torch" else (r < CUTOFF).to(r.dtype)
    return inside, 0 * r


def cosine(xp, r):
    inside = hard(xp, r)[0]
    angle = np.pi * r / CUTOFF
    return inside * (xp.cos(angle) + 1) / 2, -inside * np.pi / CUTOFF * xp.sin(angle) / 2


def switched(xp, switch):
    def model(x, z):
        energies, forces = summed(xp, x, z, *separations(xp, x), switch)
        return {"energy": energies.sum(), "forces": forces}

    return model


@planted("cutoff", options={"cutoff": CUTOFF})
def hard_cutoff(xp):
    return switched(xp, hard)


@planted("cutoff", options={"cutoff": CUTOFF})
def cosine_cutoff(xp):
    return switched(xp, cosine)


@planted("precision", spec=ENERGY)
def cancelling_distances(xp):
    def model(x, z):
        square = (x**2).sum(1)
        eye = xp.eye(len(x), dtype=x.dtype)
        gram = x @ xp.swapaxes(x, 0, 1)
        r = xp.sqrt(xp.clip(square[:, None] + square - 2 * gram, 1e-6, None) * (1 - eye) + eye)
        a = strengths(xp, x, z)
        return {"energy": (a[:, None] * a * (1 - eye) * phi(xp, r)[0]).sum()}

    return model


@planted("forces", "loop work")
def forces_of_their_own(xp):
    def model(x, z):
        d, r, off = separations(xp, x)
        energies, _ = summed(xp, x, z, d, r, off)
        weight = strengths(xp, x, z)[:, None] * off * phi(xp, r)[1] / r
        return {"energy": energies.sum(), "forces": (weight[..., None] * d).sum(1)}

    return model


@planted("forces", note="1.01 times")
def forces_one_percent_off(xp):
    def model(x, z):
        answer = molecule(xp)(x, z)
        return {**answer, "forces": 1.01 * answer["forces"]}

    return model


@planted("forces", note="-1 times")
def gradient_for_forces(xp):
    def model(x, z):
        answer = molecule(xp)(x, z)
        return {**answer, "forces": -answer["forces"]}

    return model


@planted("forces")
def detached_switch(xp):
    """The slope of s(r) is left out of the forces, as a detached factor leaves it out."""
    if xp.__name__ == "numpy":
        return _by_hand(xp)
    return _by_torch(xp) if xp.__name__ == "torch" else _by_jax(xp)


def _by_hand(xp):
    def model(x, z):
        d, r, off = separations(xp, x)
        energies, _ = summed(xp, x, z, d, r, off)
        a = strengths(xp, x, z)
        slope = a[:, None] * a * off * -np.exp(-r) * smooth(xp, r)[0] / r
        return {"energy": energies.sum(), "forces": (slope[..., None] * d).sum(1)}

    return model


def _detached(xp, detach):
    def switch(xp, r):
        return detach(smooth(xp, r)[0]), 0 * r

    def energy(x, z):
        return summed(xp, x, z, *separations(xp, x), switch)[0].sum()

    return energy


def _by_torch(xp):
    energy = _detached(xp, lambda value: value.detach())

    def model(x, z):
        x = x.clone().requires_grad_()
        total = energy(x, z)
        (gradient,) = xp.autograd.grad(total, x)
        return {"energy": total, "forces": -gradient}

    return model


def _by_jax(xp):
    import jax

    energy = _detached(xp, jax.lax.stop_gradient)

    def model(x, z):
        total, gradient = jax.value_and_grad(energy)(x, z)
        return {"energy": total, "forces": -gradient}

    return model


@planted("rotation", spec=spec(v=sy.vector(per="atom")), may={"reflection"}, note="from scale")
def clamped_components(xp):
    def model(x, z):
        d, r, off = separations(xp, x)
        return {"v": xp.clip(((off / (1 + r))[..., None] * d * r[..., None]).sum(1), -100, 100)}

    return model


@planted("rotation", "reflection", spec=spec(dipole=sy.vector()))
def vector_bias(xp):
    def model(x, z):
        dipole = (strengths(xp, x, z)[:, None] * centred(xp, x)).sum(0)
        return {"dipole": dipole + constant(xp, [1e-4, 2e-4, 3e-4], x)}

    return model


@planted("rotation", "reflection", spec=spec(dipole=sy.vector()))
def relu_on_a_tiny_vector(xp):
    def model(x, z):
        dipole = (strengths(xp, x, z)[:, None] * centred(xp, x)).sum(0)
        return {"dipole": 1e-8 * xp.clip(dipole, 0, None)}

    return model


@planted("dependence", spec=spec(dipole=sy.vector()))
def vanishing_output(xp):
    def model(x, z):
        return {"dipole": 0 * strengths(xp, x, z).sum() * constant(xp, [1.0, 1, 1], x)}

    return model


@planted("finite")
def self_edge(xp):
    def model(x, z):
        d = x[None] - x[:, None]
        r = xp.sqrt((d**2).sum(-1))
        energies, _ = summed(xp, x, z, *separations(xp, x))
        pull = (phi(xp, r)[1] / r)[..., None] * d
        return {"energy": energies.sum(), "forces": pull.sum(1)}

    return model


@planted("reflection", spec=spec(v=sy.vector()), note="WRONG TYPE")
def pseudovector_as_vector(xp):
    def model(x, z):
        c = centred(xp, x)
        a = (c * strengths(xp, x, z)[:, None]).sum(0)
        b = (c * (c**2).sum(1)[:, None]).sum(0)
        cross = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
        return {"v": xp.stack(cross)}

    return model


@planted("translation", spec=spec(v=sy.vector()), note="WRONG TYPE")
def place_as_vector(xp):
    def model(x, z):
        a = strengths(xp, x, z)[:, None]
        return {"v": (a * x).sum(0) / a.sum()}

    return model


@planted("input kept", may={"repetition"}, libraries=("numpy", "torch"))
def update_in_place(xp):
    def model(x, z):
        x -= x.mean(0)
        return molecule(xp)(x, z)

    return model


@planted("repetition", libraries=("numpy", "torch"), may={"forces"})
def dropout_left_on(xp):
    generator = np.random.default_rng(0)

    def model(x, z):
        answer = molecule(xp)(x, z)
        noise = constant(xp, 1 + 1e-7 * generator.standard_normal(), x)
        return {"energy": answer["energy"] * noise, "forces": answer["forces"]}

    return model


MASKED = sy.Spec({**MOLECULE.inputs, "mask": sy.mask()}, {"energy": sy.energy()})


@planted("padding", spec=MASKED, may={"extensivity", "size consistency"})
def padding_counted(xp):
    def model(x, z, mask):
        d, r, off = separations(xp, x)
        real = xp.where(mask, constant(xp, 1.0, x), constant(xp, 0.0, x))
        energies, _ = summed(xp, x, z, d, r, off * real[:, None] * real)
        return {"energy": energies.sum() + 1e-3 * off.sum()}

    return model


def batch_centred(xp):
    def model(x, z):
        return xp.stack([summed(xp, one, kinds, *separations(xp, one))[0].sum()
                         for one, kinds in zip(x, z, strict=True)])  # fmt: skip

    return lambda x, z: {"energy": model(x, z) - model(x, z).mean() * 1e-3}


@planted("batching", spec=spec(energy=sy.energy()), batched=batch_centred)
def batch_statistics(xp):
    return added(xp, lambda x, z: 0)


def strained(xp, factor):
    def model(x, z, cell):
        energies, forces, virial = periodic_terms(xp, x, z, cell)
        stress = virial * factor(volume(xp, cell))
        return {"energy": energies.sum(), "forces": forces, "stress": stress}

    return model


@planted("stress", spec=CRYSTAL, sample=SMALL_CRYSTALS, note="-1 times")
def stress_sign(xp):
    return strained(xp, lambda v: -1 / v)


@planted("stress", spec=CRYSTAL, sample=SMALL_CRYSTALS, may={"supercell"})
def virial_for_stress(xp):
    return strained(xp, lambda v: 1.0)


NEAREST = np.array(np.meshgrid(*[range(-1, 2)] * 3, indexing="ij")).reshape(3, -1).T


KINKED = {"cell choice", "images", "forces", "loop work"}  # the nearest image changes


@planted("supercell", spec=sy.atomistic(periodic=True), sample=SMALL_CRYSTALS, may=KINKED)
def missing_images(xp):
    """One image of each pair, in cells shorter than twice the cutoff."""

    def model(x, z, cell):
        d, _, off = separations(xp, x)
        fractional = d @ xp.linalg.inv(cell)
        d = (fractional - xp.round(fractional)) @ cell
        r = xp.sqrt((d**2).sum(-1) + 1 - off)
        energies, forces = summed(xp, x, z, d, r, off)
        return {"energy": energies.sum(), "forces": forces}

    return model


@planted("supercell", spec=CRYSTAL, sample=SMALL_CRYSTALS)
def own_images_left_out(xp):
    return crystal(xp, own_image=False)


@planted("images", spec=CRYSTAL, sample=SMALL_CRYSTALS, may={"cell choice", "supercell"})
def not_wrapped(xp):
    return crystal(xp, wrap=False, steps=NEAREST)


@planted("cell choice", spec=CRYSTAL, sample=SMALL_CRYSTALS,
         may={"rotation", "reflection", "images", "supercell", "stress", "forces"})  # fmt: skip
def cell_lengths_only(xp):
    def model(x, z, cell):
        lengths = xp.sqrt((cell**2).sum(1))
        answer = crystal(xp)(x, z, cell)
        return {**answer, "energy": answer["energy"] + 1e-3 * lengths.sum()}

    return model


STEPPED = {"positions": sy.points(), "velocities": sy.velocities()}
MOTION = sy.Spec({**STEPPED, "species": sy.species()}, STEPPED)
DT = 0.1


@planted("time reversal", spec=MOTION)
def euler_step(xp):
    def step(x, v, z):
        forces = molecule(xp)(x, z)["forces"]
        return {"positions": x + DT * v, "velocities": v + DT * forces}

    return step
