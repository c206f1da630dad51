"""When atoms fly apart: which, when, what was sampled before, and what helps."""

import numpy as np
from jaxtyping import Int

from tutor.md.loop import Block
from tutor.md.state import State


class ExplosionError(FloatingPointError):
    """Atoms are where they cannot be.

    Attributes:
        replicas: whose atoms, counted from 0; (0,) where there is but one structure.
        run: what `simulate` had sampled by then. Its state is that after the last frame in which
            all was well, from which a simulation can go on: with another integrator, or without
            these replicas, `jax.tree.map(lambda x: np.delete(x, error.replicas, 0), run.state)`.
    """

    def __init__(self, message: str, replicas: tuple[int, ...]):
        super().__init__(message)
        self.replicas, self.run = replicas, None


def intact(found: Block, frames: int, farthest: float) -> Int[np.ndarray, "replicas"]:
    """How many frames of a block of `frames` are well, for each replica.

    Args:
        farthest: Å/fs. A block stops with the frame in which somebody is faster.
    """
    speeds = np.abs(_flat(found.state.velocities, 2)).max(axis=(1, 2))
    energies = (found.frames["potential_energy"] + found.frames["kinetic_energy"])[..., :frames]
    finite = np.isfinite(_flat(energies, 1))
    well = np.logical_and.accumulate(finite, axis=1).sum(axis=1)
    return np.where(speeds < farthest, well, np.minimum(well, _flat(found.done, 0) - 1))


def explosion(
    before: State, after: State, lost: Int[np.ndarray, "lost"], dt: float
) -> ExplosionError:
    """The error that tells about the replicas that were `lost` between two states."""
    steps, first = _flat(after.step, 0), int(np.max(before.step))
    weak, strong = (np.abs(_flat(s.forces, 2)[lost]).max() for s in (before, after))
    when = ", ".join(f"in replica {k} before step {steps[k]}" for k in lost)
    if after.positions.ndim == 2:
        when = f"before step {steps[0]}"
    return ExplosionError(
        f"atoms fly apart {when}: the largest force was {weak:.3g} eV/Å at step {first} and then "
        f"{strong:.3g} eV/Å. Make dt = {dt:g} fs smaller, relax the structure before, or look "
        "whether the potential was trained on such structures. The frames before are in the `run` "
        "of this error",
        tuple(int(k) for k in lost),
    )


def _flat(array, axes):
    """With an axis of replicas in front, also where there is but one."""
    array = np.asarray(array)
    return array.reshape(-1, *array.shape[array.ndim - axes :])
