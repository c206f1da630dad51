"""How equivariant are the labels of a data set? No model that is can do better than they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tutor.symmetry.catalogue import law
from tutor.symmetry.frameworks import Model
from tutor.symmetry.groups import Change, expected, offsets, transformed
from tutor.symmetry.samples import sampler
from tutor.symmetry.spec import Spec


@dataclass(frozen=True)
class Floor:
    """The least mean squared error that an equivariant model can have on one label.

    Attributes:
        mse: variance of the label over its orbit, mean over structures and components.
        uncertainty: standard error of `mse` over structures.
        variance: variance of the label over the data, for comparison.
    """

    output: str
    mse: float
    uncertainty: float
    variance: float

    def __str__(self) -> str:
        part = f"{100 * self.mse / self.variance:.2g} %" if self.variance else "all"
        return (
            f"{self.output}: no equivariant model can have a mean squared error below "
            f"{self.mse:.3g} ± {self.uncertainty:.1g} ({part} of the variance of the labels)"
        )


def label_floor(
    solve: Callable,
    spec: Spec,
    sample: object = None,
    *,
    law_name: str = "rotation",
    structures: int = 50,
    draws: int = 8,
    library: str | None = None,
    dtype: str = "float64",
    seed: int = 0,
) -> dict[str, Floor]:
    """The variance of labels over the orbit of a transformation, by label.

    Every structure is transformed at random, solved anew, and the labels are transformed back. If
    the solver obeys the law they agree; if not, their variance is an error that no equivariant
    model avoids on data in which all frames are alike.

    Args:
        solve: the function that makes the labels.
        spec: its inputs and outputs.
        sample: structures, as in `check`.
        law_name: "rotation", "reflection", "translation", "permutation" or "relabelling".
        structures: how many structures to average over.
        draws: transformations of each, itself included.

    Raises:
        KeyError: for an unknown law.
        ValueError: for fewer than two draws or structures.
    """
    if draws < 2 or structures < 2:
        raise ValueError(f"draws={draws}, structures={structures}: at least two of each")
    rng, rule, draw = np.random.default_rng(seed), law(law_name), sampler(spec, sample)
    model = Model(solve, spec, library=library, example=draw(np.random.default_rng(seed)))
    spreads: dict[str, list[float]] = {name: [] for name in spec.outputs}
    values: dict[str, list[np.ndarray]] = {name: [] for name in spec.outputs}
    for _ in range(structures):
        inputs = draw(rng)
        changes = [rule.draw(rng, spec, inputs) or Change() for _ in range(draws - 1)]
        orbit = [_back(model, inputs, change, dtype) for change in (Change(), *changes)]
        for name in spec.outputs:
            stack = np.stack([one[name] for one in orbit])
            spreads[name].append(float(stack.var(axis=0, ddof=1).mean()))
            values[name].append(stack[0].ravel())
    return {name: _floor(name, spreads[name], values[name]) for name in spec.outputs}


def _back(model: Model, inputs, change: Change, dtype: str) -> dict[str, np.ndarray]:
    """The labels of the transformed structure, transformed back."""
    spec = model.spec
    labels = model(transformed(spec, inputs, change), dtype)
    inverse = Change(
        matrix=None if change.matrix is None else change.matrix.T,
        shift=None if change.shift is None else -change.shift,
        order=None if change.order is None else np.argsort(change.order),
    )
    copies = offsets(spec, inputs, inverse)
    return {n: expected(k, labels[n], inverse, copies) for n, k in spec.outputs.items()}


def _floor(name: str, spreads: Sequence[float], values: Sequence[np.ndarray]) -> Floor:
    error = float(np.std(spreads, ddof=1) / np.sqrt(len(spreads)))
    return Floor(name, float(np.mean(spreads)), error, float(np.concatenate(values).var()))
