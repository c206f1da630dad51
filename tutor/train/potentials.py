"""Training a potential on energies, forces and stress.

    L = w_E ⟨ΔE²/N⟩ + w_F ⟨ΔF²⟩ + w_W ⟨ΔW²/N⟩

over a batch: ΔE in eV for a structure of N atoms, ΔF in eV/Å over all components, ΔW the error of
the virial −V σ in eV over its components. ΔE² and ΔW² grow like N where atoms err independently,
hence the division: one set of weights then serves molecules and liquids.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from tutor.data.dataset import Dataset
from tutor.potential import Potential, evaluate
from tutor.train.checkpoint import Checkpoints, digest
from tutor.train.errors import Errors, errors, residuals, summary
from tutor.train.loop import Schedule, State, begin, check_batch, descend, shuffled
from tutor.train.progress import display
from tutor.train.samples import Samples, atomic_energies, samples


@dataclass(frozen=True)
class Trained:
    """A potential and how it came about.

    Attributes:
        model: the potential that did best in validation. Its energies lack those of the atoms.
        energies: these, in eV, for each atomic number.
        history: one number per epoch under each name: "loss" of training, "validation" the same
            for the validation set, "energy_rmse" (eV), "forces_rmse" (eV/Å) and "stress_rmse"
            (eV/Å³) there, and "seconds" since the start, compilation included.
        best: the epoch that `model` is from, counted from 1.
    """

    model: Potential
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
    model: Potential,
    data: Dataset,
    *,
    validation: Dataset,
    epochs: int,
    batch_size: int = 5,
    learning_rate: float = 1e-3,
    anneal: float = 0.4,
    energy: float = 0.1,
    forces: float = 1.0,
    stress: float = 0.0,
    average: bool = True,
    patience: int | None = None,
    energies: Mapping[int, float] | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
    key: Key[Array, ""],
) -> Trained:
    """Adam on small random batches; gives back what did best on structures not trained on.

    Args:
        model: any potential whose parameters are its leaves; it is not changed.
        data, validation: structures with labels. Take them from different runs or times: frames
            that are neighbours in time tell each other's answers.
        epochs: passes over `data`.
        batch_size: small ones learn more per second on a CPU.
        anneal: the last part of training, in which the learning rate falls linearly to zero.
        energy, forces, stress: the weights w_E, w_F and w_W. Forces carry most of what there is to
            learn, so energies weigh little.
        average: validate and return the running mean of the weights, not the last ones.
        patience: stop after so many epochs without progress in validation. None: never.
        energies: of the atoms, in eV, for each atomic number; by default fitted to `data`.
        checkpoint: a folder. Training saves itself there after every epoch and goes on from there
            with the same bits; with other settings it refuses.
        progress: show a bar while training.
        key: decides which structure is seen when.

    Raises:
        ValueError: where a weight has no labels, all weights are 0, a batch exceeds the data,
            `epochs` or `patience` is below 1, or `checkpoint` holds another training.
        FloatingPointError: where the loss is not finite.
    """
    weights = (energy, forces, stress)
    for part in (data, validation):
        _check_weights(weights, part)
    check_batch(batch_size, len(data))
    for name, count in {"epochs": epochs, "patience": patience}.items():
        if count is not None and count < 1:
            raise ValueError(f"{name} = {count}: give 1 or more")
    energies = dict(atomic_energies(data) if energies is None else energies)
    seen = samples(data, model.cutoff, energies=energies)
    unseen = samples(validation, model.cutoff, energies=energies)

    steps = len(seen) // batch_size
    schedule = Schedule(learning_rate, epochs * steps, anneal)
    now, store = _Now(begin(model, schedule), model, 0, {}), None
    if checkpoint is not None:
        settings = {"weights": weights, "epochs": epochs, "batch_size": batch_size}
        settings |= {"learning_rate": learning_rate, "anneal": anneal, "average": average}
        settings |= {"key": digest(jax.random.key_data(key)), "model": digest(model)}
        settings |= {"data": digest(seen), "validation": digest(unseen)}
        store = Checkpoints(checkpoint, settings)
        now = now.restored(store)

    start = monotonic() - now.seconds
    with store or nullcontext(), display(epochs, now.epoch, progress) as show:
        while now.epoch < epochs and not (patience and now.epoch >= now.chosen + patience):
            order = shuffled(jax.random.fold_in(key, now.epoch), len(seen), batch_size, steps)
            state, losses = descend(now.state, seen, order, _loss(*weights), schedule)
            candidate = state.average if average else state.model
            row = {"loss": float(losses.mean())} | _validate(candidate, unseen, weights)
            _check_finite(row, now.epoch + 1, learning_rate)
            now = now.after(state, candidate, row | {"seconds": monotonic() - start})
            if store:
                now.save(store)
            show(now.epoch, now.note())
    return Trained(now.best, energies, now.history, now.chosen)


class _Now(NamedTuple):
    """Where a training stands between two epochs."""

    state: State
    best: Potential
    chosen: int
    history: dict[str, list[float]]

    @property
    def epoch(self) -> int:
        return len(self.history.get("loss", ()))

    @property
    def seconds(self) -> float:
        return self.history["seconds"][-1] if self.history else 0.0

    def after(self, state: State, candidate: Potential, row: Mapping[str, float]) -> "_Now":
        history = {name: [*self.history.get(name, ()), value] for name, value in row.items()}
        if row["validation"] > min(history["validation"]):
            return self._replace(state=state, history=history)
        return _Now(state, candidate, self.epoch + 1, history)

    def note(self) -> str:
        """The best errors so far, to show."""
        units = {"energy": "meV", "forces": "meV/Å", "stress": "meV/Å³"}
        best = {name: rows[self.chosen - 1] for name, rows in self.history.items()}
        found = [(name, best.get(f"{name}_rmse"), unit) for name, unit in units.items()]
        return ", ".join(f"{name} {1e3 * x:.3g} {unit}" for name, x, unit in found if x is not None)

    def save(self, store: Checkpoints) -> None:
        notes = {"chosen": self.chosen, "history": self.history}
        store.save(self.epoch, (self.state, self.best), notes)

    def restored(self, store: Checkpoints) -> "_Now":
        found = store.load((self.state, self.best))
        if found is None:
            return self
        (state, best), notes = found
        return _Now(state, best, notes["chosen"], notes["history"])


@lru_cache
def _loss(energy: float, forces: float, stress: float) -> Callable[[Potential, Samples], Array]:
    """The loss with these weights: one function for each, so that it is compiled once."""

    def loss(model: Potential, batch: Samples) -> Float[Array, ""]:
        found = jax.vmap(lambda graph: evaluate(model, graph))(batch.graph)
        real = batch.graph.species > 0
        atoms = real.sum(axis=1)
        value = energy * jnp.mean((found.energy[:, 0] - batch.energy) ** 2 / atoms)
        if forces:
            squares = jnp.where(real[..., None], (found.forces - batch.forces) ** 2, 0.0)
            value += forces * squares.sum() / (3 * atoms.sum())
        if stress:
            squares = (found.virial[:, 0] - batch.virial) ** 2
            value += stress * jnp.mean(squares / atoms[:, None, None])
        return value

    return loss


def _validate(
    model: Potential, unseen: Samples, weights: tuple[float, float, float]
) -> dict[str, float]:
    """The loss on structures not trained on, and the errors to show."""
    found = residuals(model, unseen)
    atoms = found["atoms"]
    terms = {
        "energy": lambda: np.mean(found["energy"] ** 2 / atoms),
        "forces": lambda: np.mean(found["forces"] ** 2),
        "stress": lambda: np.mean(found["virial"] ** 2 / atoms[:, None, None]),
    }
    value = sum(w * term() for w, term in zip(weights, terms.values(), strict=True) if w)
    quoted = vars(summary(found))
    rmse = {f"{name}_rmse": quoted[f"{name}_rmse"] for name in terms}
    return {"validation": float(value)} | {k: v for k, v in rmse.items() if v is not None}


def _check_weights(weights: tuple[float, float, float], data: Dataset) -> None:
    named = dict(zip(("energy", "forces", "stress"), weights, strict=True))
    if min(weights) < 0 or not any(weights):
        raise ValueError(f"the weights are {named}: give at least one that is positive, none below")
    for name, weight in named.items():
        if weight and getattr(data, name) is None:
            raise ValueError(
                f"{name} = {weight} is the weight of labels that {data.name} does not have: "
                f"set {name}=0, or give a data set with {name}"
            )


def _check_finite(row: Mapping[str, float], epoch: int, learning_rate: float) -> None:
    if not np.isfinite([row["loss"], row["validation"]]).all():
        raise FloatingPointError(
            f"the loss is {row['loss']} and in validation {row['validation']} after epoch {epoch}: "
            f"the steps are too large, so lower learning_rate = {learning_rate}; or a label or an "
            "element is one that the model cannot know"
        )
