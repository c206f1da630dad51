"""Atom-centred symmetry functions: what an atom's surroundings look like, in numbers.

    G2_i = Σ_j e^(−η (r_ij − r_s)²) f_c(r_ij)
    G4_i = 2^(1−ζ) Σ_{j<k} (1 + λ cos θ_ijk)^ζ e^(−η (r_ij² + r_ik² + r_jk²)) f_c(r_ij) f_c(r_ik) f_c(r_jk)
    G5_i = 2^(1−ζ) Σ_{j<k} (1 + λ cos θ_ijk)^ζ e^(−η (r_ij² + r_ik²)) f_c(r_ij) f_c(r_ik)

The names are those of Behler, J. Chem. Phys. 134, 074106 (2011), whose G1 is G2 with η = 0. In Behler
and Parrinello, Phys. Rev. Lett. 98, 146401 (2007), G2 and G4 are called G1 and G2. Each pair of
neighbours counts once, as in RuNNer, n2p2 and DScribe; a sum over j and k ≠ j is twice as large.

Each sum runs over the neighbours of one species, or the pairs of two: with M species there are M
times as many G2 and M (M + 1) / 2 times as many G4. Weights instead of separate sums (wACSF) do not
grow: g(Z_j) = Z_j and h(Z_j, Z_k) = Z_j Z_k, Gastegger et al., J. Chem. Phys. 148, 241709 (2018).
"""  # noqa: E501

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tutor.graph import Graph, masked
from tutor.models.per_species import checked_species
from tutor.radial import polynomial_cutoff

Table = tuple[tuple[float, ...], ...]


class Radial(NamedTuple):
    """Parameters of a G2: `eta` in 1/Å², `shift` r_s in Å."""

    eta: float
    shift: float = 0.0


class Angular(NamedTuple):
    """Parameters of a G4 or G5: `eta` in 1/Å², `zeta` ≥ 1, `lambda_` ±1, `shift` r_s in Å.

    The shift is subtracted from every length in the exponent, as in n2p2.
    """

    eta: float
    zeta: float
    lambda_: float
    shift: float = 0.0


def gaussian(r: Float[Array, "*shape"], eta: float, shift: float = 0.0) -> Float[Array, "*shape"]:
    """e^(−η (r − r_s)²)."""
    return jnp.exp(-eta * (r - shift) ** 2)


def bend(cos: Float[Array, "*shape"], zeta: float, lambda_: float) -> Float[Array, "*shape"]:
    """2^(1−ζ) (1 + λ cos θ)^ζ: 2 where λ cos θ = 1, and narrower with larger ζ.

    A function of cos θ and never of θ, whose slope is infinite for atoms in a line.
    """
    half = (1 + lambda_ * cos) / 2
    if float(zeta).is_integer():
        return 2 * half ** int(zeta)
    return 2 * masked(lambda x: x**zeta, half, half > 0)  # rounding may push it below zero


def one_hot(species: tuple[int, ...]) -> Table:
    """A channel for each species, as published by Behler and Parrinello."""
    return tuple(tuple(float(a == b) for b in species) for a in species)


def atomic_numbers(species: tuple[int, ...]) -> Table:
    """One channel in which a neighbour counts Z times, as in wACSF."""
    return tuple((float(z),) for z in species)


@dataclass(frozen=True)
class SymmetryFunctions:
    """A set of symmetry functions. Hashable; called with a graph it gives their values.

    Args:
        species: the atomic numbers that may occur; neighbours of others are not seen.
        cutoff: in Å.
        g2, g4, g5: the parameters of each function, as `Radial` and `Angular` or plain tuples.
        envelope: f_c(r, cutoff). `polynomial_cutoff` is C2; `cosine_cutoff`, as published, is C1.
        weights: `one_hot` or `atomic_numbers`: from the species to a row of weights for each.

    Raises:
        ValueError: for no function at all, η < 0, ζ < 1 or |λ| > 1.
    """

    species: Sequence[int]
    cutoff: float
    g2: Sequence[tuple] = ()
    g4: Sequence[tuple] = ()
    g5: Sequence[tuple] = ()
    envelope: Callable[[Array, float], Array] = polynomial_cutoff
    weights: Callable[[tuple[int, ...]], Table] = one_hot

    def __post_init__(self):
        for name, kind in {"g2": Radial, "g4": Angular, "g5": Angular}.items():
            functions = tuple(kind(*map(float, p)) for p in getattr(self, name))
            for function in functions:
                _validate(name, function)
            object.__setattr__(self, name, functions)
        object.__setattr__(self, "species", checked_species(self.species))
        if not len(self):
            raise ValueError("g2, g4 and g5 are empty: give at least one function, as g2=((4, 1),)")

    def __len__(self) -> int:
        """How many numbers describe an atom."""
        channels = len(self.weights(self.species)[0])
        pairs = channels * (channels + 1) // 2
        return channels * len(self.g2) + pairs * (len(self.g4) + len(self.g5))

    def __call__(self, graph: Graph) -> Float[Array, "atoms functions"]:
        """G2 of each channel, then G4 and G5 of each pair of channels (1,1), (1,2), … (M,M)."""
        graph = graph.within(self.cutoff)
        r = graph.lengths()
        seen = self.weigh(graph.at_neighbors(graph.species), r.dtype)
        seen = jnp.where(graph.mask[..., None], seen, 0.0)
        seen = seen * self.envelope(r, self.cutoff)[..., None]

        found = [graph.over_neighbors(seen * gaussian(r, *f)[..., None]) for f in self.g2]
        if self.g4 or self.g5:
            found += self._over_pairs(graph, seen)
        return jnp.concatenate(found, axis=1)

    def weigh(self, z: Int[Array, "*shape"], dtype) -> Float[Array, "*shape channels"]:
        """The row of weights of each atomic number; zeros for one that is not in `species`."""
        table = jnp.array(self.weights(self.species), dtype)
        return (z[..., None] == jnp.array(self.species)).astype(dtype) @ table

    def _over_pairs(self, graph: Graph, seen: Float[Array, "atoms slots channels"]) -> list[Array]:
        """Each G4, then each G5, for all pairs of channels."""
        r, n = graph.lengths(), graph.directions()
        cos = jnp.einsum("ija,ika->ijk", n, n)
        pair = graph.mask[:, :, None] & graph.mask[:, None, :] & ~np.eye(r.shape[1], dtype=bool)
        r_ij = jnp.where(graph.mask[..., None], graph.r_ij, 0.0)
        r_jk = r_ij[:, None, :, :] - r_ij[:, :, None, :]
        r_jk = masked(jnp.sqrt, (r_jk**2).sum(axis=-1), pair)
        end = self.envelope(r_jk, self.cutoff)
        m, n = np.triu_indices(seen.shape[-1])
        once = jnp.array(np.where(m == n, 0.5, 1.0), r.dtype)  # the sum has both j, k and k, j

        def sums(function: Angular, third: Array | float) -> Array:
            eta, zeta, lambda_, shift = function
            t = jnp.where(pair, bend(cos, zeta, lambda_) * third, 0.0)
            near = seen * gaussian(r, eta, shift)[..., None]
            return once * jnp.einsum("ijm,ijk,ikn->imn", near, t, near)[:, m, n]

        closed = [sums(f, gaussian(r_jk, f.eta, f.shift) * end) for f in self.g4]
        return closed + [sums(f, 1.0) for f in self.g5]


def shifted(count: int, first: float, last: float, width: float = 1.0) -> tuple[Radial, ...]:
    """Gaussians on evenly spaced shells, each as wide (σ, in spacings) as `width`.

    Gastegger et al. 2018: η = 1 / 2Δ².
    """
    spacing = (last - first) / (count - 1)
    eta = 1 / (2 * (width * spacing) ** 2)
    return tuple(Radial(eta, float(shift)) for shift in np.linspace(first, last, count))


def centred(count: int, first: float, last: float) -> tuple[Radial, ...]:
    """Gaussians around the atom itself, wider and wider. Gastegger et al. 2018: η = 1 / 2r²."""
    return tuple(Radial(1 / (2 * float(r) ** 2)) for r in np.linspace(first, last, count))


def angles(radial: Sequence[Radial], zetas: Sequence[float] = (1.0, 4.0)) -> tuple[Angular, ...]:
    """Each of the Gaussians with each ζ and λ = ±1."""
    return tuple(
        Angular(eta, zeta, sign, shift)
        for eta, shift in radial
        for zeta in zetas
        for sign in (1.0, -1.0)
    )


def recommended(
    species: Sequence[int],
    cutoff: float = 5.0,
    weights: Callable[[tuple[int, ...]], Table] = one_hot,
) -> SymmetryFunctions:
    """A set to start with for molecules: eight shells, and angles of near and of far neighbours."""
    shells = shifted(8, 0.8, 0.9 * cutoff)
    return SymmetryFunctions(
        species, cutoff, shells, g4=angles(shifted(2, 1.0, 2.0)), weights=weights
    )


def _validate(name: str, function: Radial | Angular) -> None:
    if function.eta < 0:
        raise ValueError(f"{name} holds {function}: eta is in 1/Å² and must not be negative")
    if isinstance(function, Angular) and (function.zeta < 1 or abs(function.lambda_) > 1):
        raise ValueError(
            f"{name} holds {function}: give zeta ≥ 1, below which forces are not continuous for "
            "atoms in a line, and lambda_ = 1 or −1"
        )
