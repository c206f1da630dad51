"""Where charged particles will be: the EGNN with velocities, and the linear guess.

Particles have positions x, velocities v and charges q, and every one sees all others:

    x_i ← x_i + φ_v(h_i) v_i + C Σ_j d_ij φ_x(m_ij)

in every layer, with the velocity of the beginning; h_i starts from |v_i|, and an edge knows q_i q_j
and the distance of the beginning. Satorras, Hoogeboom and Welling, ICML 2021 (arXiv 2102.09844),
equation 7 and appendix C.1.
"""

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from tutor.graph import Graph
from tutor.models.egnn import EquivariantLayer
from tutor.models.mlp import MLP

Points = Float[Array, "particles 3"]


def complete_graph(x: Points) -> Graph:
    """All particles as neighbours of each other, whatever their distance."""
    n = len(x)
    neighbor = np.array([[j for j in range(n) if j != i] for i in range(n)], np.int32)
    return Graph(
        r_ij=x[neighbor] - x[:, None],
        shift=jnp.zeros((n, n - 1, 3), jnp.int32),
        neighbor=jnp.asarray(neighbor),
        mask=jnp.ones((n, n - 1), bool),
        species=jnp.ones(n, jnp.int32),
        structure=jnp.zeros(n, jnp.int32),
        cell=jnp.eye(3, dtype=x.dtype)[None],
        cutoff=float("inf"),
    )


class NBody(nnx.Module):
    """Positions after a fixed time, for one system; use `jax.vmap` for several.

    Args:
        particles: how many there are; the sum of the steps is divided by one less.
        channels: the size of h.
        layers: how many rounds of messages.
        bound: no layer moves a particle by more than this, besides by its velocity. The public
            code has no bound here.
    """

    def __init__(
        self,
        particles: int = 5,
        *,
        channels: int = 64,
        layers: int = 4,
        bound: float = float("inf"),
        rngs: nnx.Rngs,
    ):
        self.embedding = nnx.Linear(1, channels, rngs=rngs)
        self.layers = nnx.Sequential(
            *(
                EquivariantLayer(channels, 1, 2, C=1 / (particles - 1), bound=bound, rngs=rngs)
                for _ in range(layers)
            )
        )
        self.phi_v = nnx.Sequential(
            *(MLP([channels, channels, 1], rngs=rngs) for _ in range(layers))
        )

    def __call__(self, x: Points, v: Points, q: Float[Array, "particles"]) -> Points:
        graph = complete_graph(x)
        a = jnp.stack([q[:, None] * graph.at_neighbors(q), (graph.r_ij**2).sum(axis=-1)], axis=-1)
        h = self.embedding(jnp.sqrt((v**2).sum(axis=1, keepdims=True)))
        moved = jnp.zeros((len(x), 3, 1), x.dtype)
        for layer, phi_v in zip(self.layers.layers, self.phi_v.layers, strict=True):
            drift = phi_v(h) * v
            h, moved = layer(graph, h, moved, a, jnp.ones(a.shape[:2], x.dtype))
            moved = moved + drift[..., None]
        return x + moved[..., 0]
