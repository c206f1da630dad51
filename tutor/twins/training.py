"""Training a twin on energies and forces: `tutor.train.train` in torch.

    L = w_E ⟨ΔE²/N⟩ + w_F ⟨ΔF²⟩

over a batch: ΔE in eV for a structure of N atoms, ΔF in eV/Å over all components.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from time import monotonic

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tutor.data.dataset import Dataset
from tutor.train.errors import Errors
from tutor.train.loop import check_batch
from tutor.train.progress import display
from tutor.train.samples import atomic_energies
from tutor.twins.labelled import Batch, Labelled, errors, residuals
from tutor.twins.potential import evaluate


@dataclass(frozen=True)
class Trained:
    """A potential and how it came about.

    Attributes:
        model: the potential that did best in validation. Its energies lack those of the atoms.
        energies: these, in eV, for each atomic number.
        history: one number per epoch under each name: "loss" of training, "validation" the same
            for the validation set, "energy_rmse" (eV) and "forces_rmse" (eV/Å) there, and
            "seconds" since the start.
        best: the epoch that `model` is from, counted from 1.
    """

    model: nn.Module
    energies: dict[int, float]
    history: dict[str, list[float]]
    best: int

    def errors(self, data: Dataset) -> Errors:
        """The errors on the structures of `data`."""
        return errors(self.model, data, energies=self.energies)

    def __repr__(self) -> str:
        epochs, name = len(self.history["loss"]), type(self.model).__name__
        return f"Trained({name}, best epoch {self.best} of {epochs})"


def train(
    model: nn.Module,
    data: Dataset,
    *,
    validation: Dataset,
    epochs: int,
    batch_size: int = 5,
    learning_rate: float = 1e-3,
    anneal: float = 0.4,
    energy: float = 0.1,
    forces: float = 1.0,
    progress: bool = True,
    seed: int,
) -> Trained:
    """Adam on random batches; gives back the running mean of weights that was best in validation.

    Args:
        model: any potential of this package; it is not changed.
        data, validation: structures with labels.
        epochs: passes over `data`.
        anneal: the last part of training, in which the learning rate falls linearly to zero.
        energy, forces: the weights w_E and w_F; forces=0 for data without forces.
        progress: show a bar while training.
        seed: decides which structure is seen when. The first weights are drawn where the model
            is built: call `torch.manual_seed` before that.

    Raises:
        ValueError: where forces have a weight and no labels, a batch exceeds the data, or
            `epochs` is below 1.
        FloatingPointError: where the loss is not finite.
    """
    check_batch(batch_size, len(data))
    if epochs < 1:
        raise ValueError(f"epochs = {epochs}: give 1 or more")
    energies = atomic_energies(data)
    seen, unseen = (Labelled.of(part, model, energies) for part in (data, validation))
    if forces and not all("forces" in part.known for part in (seen, unseen)):
        raise ValueError(
            f"forces = {forces} is the weight of labels that are missing: set forces=0"
        )

    model, average = deepcopy(model), deepcopy(model)
    adam = torch.optim.Adam(model.parameters())
    shuffle = torch.Generator().manual_seed(seed)
    per_epoch, step = len(data) // batch_size, 0
    flat = round(epochs * per_epoch * (1 - anneal))
    history, best, note, start = {}, (0, average), "", monotonic()
    with display(epochs, 0, progress) as show:
        for epoch in range(1, epochs + 1):
            losses = []
            order = torch.randperm(len(data), generator=shuffle)[: per_epoch * batch_size]
            for chosen in order.split(batch_size):
                falling = max(0, step - flat) / max(epochs * per_epoch - flat, 1)
                adam.param_groups[0]["lr"] = learning_rate * (1 - falling)
                loss = loss_of(model, seen.batch(chosen), energy, forces)
                adam.zero_grad()
                loss.backward()
                adam.step()
                mix(average, model, min(0.999, (1 + step) / (20 + step)))
                losses.append(loss.item())
                step += 1
            row = {"loss": float(np.mean(losses))} | _validate(average, unseen, energy, forces)
            if not np.isfinite([row["loss"], row["validation"]]).all():
                raise FloatingPointError(
                    f"the loss is {row['loss']} and in validation {row['validation']} after epoch "
                    f"{epoch}: lower learning_rate = {learning_rate}, or find the label or element "
                    "that the model cannot know"
                )
            for name, value in (row | {"seconds": monotonic() - start}).items():
                history.setdefault(name, []).append(value)
            if row["validation"] <= min(history["validation"]):
                best, note = (epoch, deepcopy(average)), _note(row)
            show(epoch, note)
    return Trained(best[1], energies, history, best[0])


def loss_of(
    model: nn.Module, batch: Batch, energy: float = 0.1, forces: float = 1.0
) -> Float[Tensor, ""]:
    """L of one batch, to be differentiated by the weights."""
    found = evaluate(model, batch.graph, create_graph=True)
    real = (batch.graph.species > 0).to(batch.energy)
    atoms = batch.graph.per_structure(real)
    loss = energy * ((found.energy - batch.energy) ** 2 / atoms).mean()
    if forces:
        squares = real[:, None] * (found.forces - batch.forces) ** 2
        loss = loss + forces * squares.sum() / (3 * atoms.sum())
    return loss


@torch.no_grad()
def mix(average: nn.Module, model: nn.Module, kept: float) -> None:
    """Moves the weights of `average` towards those of `model`."""
    for old, new in zip(average.parameters(), model.parameters(), strict=True):
        old.lerp_(new, 1 - kept)


def _validate(model: nn.Module, unseen: Labelled, energy: float, forces: float) -> dict[str, float]:
    """The loss on structures not trained on, and the errors to show."""
    found = residuals(model, unseen)
    row = {"validation": energy * np.mean(found["energy"] ** 2 / found["atoms"])}
    row["energy_rmse"] = np.sqrt(np.mean(found["energy"] ** 2))
    if "forces" in found:
        square = np.mean(found["forces"] ** 2)
        row["validation"] += forces * square
        row["forces_rmse"] = np.sqrt(square)
    return {name: float(value) for name, value in row.items()}


def _note(row: Mapping[str, float]) -> str:
    """The errors, to show."""
    units = {"energy": "meV", "forces": "meV/Å"}
    found = [(name, row.get(f"{name}_rmse"), unit) for name, unit in units.items()]
    return ", ".join(f"{name} {1e3 * x:.3g} {unit}" for name, x, unit in found if x is not None)
