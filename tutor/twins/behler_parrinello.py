"""Behler and Parrinello in torch, the twin of `tutor.models.behler_parrinello`.

    E = Σ_i e_{Z_i} + net_{Z_i}((G_i − mean_{Z_i}) / std_{Z_i})

Phys. Rev. Lett. 98, 146401 (2007). Symmetry functions and their scaling hold numbers only, so those
of `tutor.models` are taken as they are.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from tutor.models.behler_parrinello import Scaling
from tutor.models.per_species import checked_energies
from tutor.models.symmetry_functions import Angular, SymmetryFunctions
from tutor.twins import radial
from tutor.twins.graph import Graph
from tutor.twins.networks import PerSpecies, one_hot


def symmetry_functions(
    functions: SymmetryFunctions, graph: Graph
) -> Float[Tensor, "atoms functions"]:
    """The values of `functions`, in their order; see `tutor.models.symmetry_functions`."""
    envelope = getattr(radial, functions.envelope.__name__)
    graph = graph.within(functions.cutoff)
    r = graph.lengths()
    weights = r.new_tensor(functions.weights(functions.species))
    z = torch.where(graph.mask, graph.at_neighbors(graph.species), 0)
    seen = (z[..., None] == z.new_tensor(functions.species)).to(r.dtype) @ weights
    seen = seen * envelope(r, functions.cutoff)[..., None]

    found = [graph.over_neighbors(seen * gaussian(r, *f)[..., None]) for f in functions.g2]
    if functions.g4 or functions.g5:
        n = graph.directions()
        cos = torch.einsum("ija,ika->ijk", n, n)
        pair = graph.mask[:, :, None] & graph.mask[:, None, :]
        pair = pair & ~torch.eye(r.shape[1], dtype=torch.bool, device=r.device)
        r_ij = torch.where(graph.mask[..., None], graph.r_ij, 0.0)
        r_jk = masked(torch.sqrt, ((r_ij[:, None] - r_ij[:, :, None]) ** 2).sum(dim=-1), pair)
        end = envelope(r_jk, functions.cutoff)
        a, b = torch.triu_indices(*[seen.shape[-1]] * 2)
        once = torch.where(a == b, 0.5, 1.0).to(r)  # the sum has both j, k and k, j

        def sums(function: Angular, third: Tensor | float) -> Tensor:
            eta, zeta, lambda_, shift = function
            t = torch.where(pair, bend(cos, zeta, lambda_) * third, 0.0)
            near = seen * gaussian(r, eta, shift)[..., None]
            return once * torch.einsum("ijm,ijk,ikn->imn", near, t, near)[:, a, b]

        found += [sums(f, gaussian(r_jk, f.eta, f.shift) * end) for f in functions.g4]
        found += [sums(f, 1.0) for f in functions.g5]
    return torch.cat(found, dim=1)


def gaussian(r: Float[Tensor, "*shape"], eta: float, shift: float = 0.0) -> Float[Tensor, "*shape"]:
    """e^(−η (r − r_s)²)."""
    return torch.exp(-eta * (r - shift) ** 2)


def bend(cos: Float[Tensor, "*shape"], zeta: float, lambda_: float) -> Float[Tensor, "*shape"]:
    """2^(1−ζ) (1 + λ cos θ)^ζ."""
    half = (1 + lambda_ * cos) / 2
    if float(zeta).is_integer():
        return 2 * half ** int(zeta)
    return 2 * masked(lambda x: x**zeta, half, half > 0)


def masked(
    f: Callable[[Tensor], Tensor], x: Float[Tensor, "*shape"], mask: Bool[Tensor, "*shape"]
) -> Float[Tensor, "*shape"]:
    """f(x) where `mask`, else 0: f never sees what is masked, so its gradient is 0 and not NaN."""
    return torch.where(mask, f(torch.where(mask, x, 1.0)), 0.0)


class BehlerParrinello(nn.Module):
    """Energies in eV from symmetry functions.

    Args:
        functions: which describe the surroundings; they hold the species and the cutoff.
        hidden: the sizes of the hidden layers.
        scaling: `Scaling.of(functions, training structures)`; without it G is taken as it is.
        energies: a reference energy e_Z in eV for each species, 0 by default.

    Raises:
        ValueError: where `scaling` or `energies` do not fit `functions`, or their envelope is not
            one of `tutor.twins.radial`.
    """

    hops: ClassVar[int] = 1

    def __init__(
        self,
        functions: SymmetryFunctions,
        *,
        hidden: Sequence[int] = (24, 24),
        scaling: Scaling | None = None,
        energies: Sequence[float] | None = None,
    ):
        super().__init__()
        if not hasattr(radial, functions.envelope.__name__):
            raise ValueError(
                f"functions.envelope = {functions.envelope.__name__} has no twin in "
                "tutor.twins.radial: choose polynomial_cutoff or cosine_cutoff"
            )
        shape = (len(functions.species), len(functions))
        scaling = scaling or Scaling(*(((x,) * shape[1],) * shape[0] for x in (0.0, 1.0)))
        found = np.shape(scaling.mean), np.shape(scaling.std)
        if found != (shape, shape):
            raise ValueError(
                f"scaling.mean and scaling.std have the shapes {found} for {shape[0]} species and "
                f"{shape[1]} functions: make them with Scaling.of(functions, systems)"
            )
        self.functions = functions
        self.cutoff = functions.cutoff
        self.scaling = scaling
        self.energies = checked_energies(energies, functions.species)
        self.nets = PerSpecies(functions.species, [len(functions), *hidden, 1])

    def forward(self, graph: Graph) -> Float[Tensor, "atoms"]:
        z, G = graph.species, symmetry_functions(self.functions, graph)
        own = one_hot(z, self.functions.species, G.dtype)
        return own @ G.new_tensor(self.energies) + self.learned(G, z)

    def learned(
        self, G: Float[Tensor, "*batch functions"], z: Int[Tensor, "*batch"]
    ) -> Float[Tensor, "*batch"]:
        """What the networks add to the reference energies."""
        own = one_hot(z, self.functions.species, G.dtype)
        mean = own @ G.new_tensor(self.scaling.mean)
        scale = own @ (1 / G.new_tensor(self.scaling.std))
        return self.nets((G - mean) * scale, z)[..., 0]
