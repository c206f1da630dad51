"""Training that goes on where it stopped: the last two states on disk, written by orbax.

A checkpoint holds the settings too. Whoever comes back with others is told which one differs,
because the result would belong to neither.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import jax
import numpy as np


class Checkpoints:
    """The states of one training in `folder`.

    Args:
        folder: made where it does not exist.
        settings: what decides the result; it must be the same in every session.

    Raises:
        ValueError: where `folder` holds another training.
    """

    def __init__(self, folder: str | Path, settings: Mapping[str, Any]):
        import orbax.checkpoint as orbax  # takes seconds, and few need it

        self._args = orbax.args
        self._settings = {name: str(value) for name, value in settings.items()}
        self._manager = orbax.CheckpointManager(
            Path(folder).absolute(),
            options=orbax.CheckpointManagerOptions(
                max_to_keep=2, enable_async_checkpointing=False, cleanup_tmp_directories=True
            ),
        )
        if self._manager.latest_step() is not None:
            self._compare(folder)

    def save(self, epoch: int, state: Any, notes: Mapping[str, Any]) -> None:
        """Writes a pytree of arrays and whatever JSON can say. A kill leaves the one before."""
        self._manager.save(
            epoch,
            args=self._args.Composite(
                state=self._args.StandardSave(_numbered(state)),
                settings=self._args.JsonSave(self._settings),
                notes=self._args.JsonSave(dict(notes)),
            ),
        )

    def load(self, state: Any) -> tuple[Any, dict[str, Any]] | None:
        """The newest state, in the shape of `state`, and its notes; None where there is none."""
        epoch = self._manager.latest_step()
        if epoch is None:
            return None
        found = self._manager.restore(
            epoch,
            args=self._args.Composite(
                state=self._args.StandardRestore(_numbered(state)),
                notes=self._args.JsonRestore(),
            ),
        )
        leaves = [found["state"][name] for name in _numbered(state)]
        return jax.tree.unflatten(jax.tree.structure(state), leaves), found["notes"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._manager.close()

    def _compare(self, folder: str | Path) -> None:
        args = self._args.Composite(settings=self._args.JsonRestore())
        there = self._manager.restore(self._manager.latest_step(), args=args)["settings"]
        for name, value in self._settings.items():
            if there.get(name) != value:
                raise ValueError(
                    f"checkpoint = {str(folder)!r} holds another training, in which {name} = "
                    f"{there.get(name)}, and not {value}: give another folder to start afresh, "
                    "or the same settings to go on"
                )


def _numbered(state: Any) -> dict[str, np.ndarray]:
    """The leaves by number: a file needs no module of ours to be read."""
    return {f"{k:04d}": np.asarray(leaf) for k, leaf in enumerate(jax.tree.leaves(state))}


def digest(tree: Any) -> str:
    """A fingerprint of all arrays of a pytree."""
    sha = sha256()
    for leaf in map(np.asarray, jax.tree.leaves(tree)):
        sha.update(f"{leaf.shape} {leaf.dtype}".encode() + leaf.tobytes())
    return sha.hexdigest()[:16]
