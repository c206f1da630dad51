"""How wrong a potential is, in the units that people quote."""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float

from tutor.data.dataset import Dataset
from tutor.potential import Evaluation, Potential, evaluate
from tutor.train.samples import Samples, samples


@dataclass(frozen=True)
class Errors:
    """Mean absolute errors (mae) and root mean squares (rmse); None where there are no labels.

    Attributes:
        energy_mae, energy_rmse: in eV, per structure.
        energy_per_atom_mae, energy_per_atom_rmse: in eV, each structure divided by its atoms.
        forces_mae, forces_rmse: in eV/Å, per Cartesian component.
        stress_mae, stress_rmse: in eV/Å³, per component.
    """

    energy_mae: float
    energy_rmse: float
    energy_per_atom_mae: float
    energy_per_atom_rmse: float
    forces_mae: float | None = None
    forces_rmse: float | None = None
    stress_mae: float | None = None
    stress_rmse: float | None = None

    def __str__(self) -> str:
        rows = [
            ("energy", "meV", self.energy_mae, self.energy_rmse),
            ("energy", "meV/atom", self.energy_per_atom_mae, self.energy_per_atom_rmse),
            ("forces", "meV/Å", self.forces_mae, self.forces_rmse),
            ("stress", "meV/Å³", self.stress_mae, self.stress_rmse),
        ]
        lines = [f"{'':8}{'MAE':>10}{'RMSE':>10}"]
        lines += [
            f"{name:8}{1e3 * mae:10.4g}{1e3 * rmse:10.4g}  {unit}"
            for name, unit, mae, rmse in rows
            if mae is not None
        ]
        return "\n".join(lines)


def errors(potential: Potential, data: Dataset, *, energies: Mapping[int, float]) -> Errors:
    """The errors of `potential` on the structures of `data`.

    Args:
        energies: what the potential leaves out per atom, in eV, for each atomic number: it is
            added in float64. `Trained.errors` knows them.

    Raises:
        ValueError: for an element without an energy.
    """
    return summary(residuals(potential, samples(data, potential.cutoff, energies=energies)))


def residuals(potential: Potential, labelled: Samples) -> dict[str, Float[np.ndarray, "..."]]:
    """Prediction minus label, in float64, of whatever is labelled.

    "energy" (structures,) in eV; "atoms" (structures,), how many there are; "forces" (components,)
    in eV/Å; "stress" (structures, 3, 3) in eV/Å³ and "virial", −V times that, in eV.
    """
    found = jax.tree.map(lambda x: np.asarray(x, np.float64), _evaluate(potential, labelled))
    real = np.asarray(labelled.graph.species) > 0
    differences = {
        "energy": found.energy[:, 0] - np.asarray(labelled.energy),
        "atoms": real.sum(axis=1),
    }
    if "forces" in labelled.known:
        differences["forces"] = (found.forces - np.asarray(labelled.forces))[real].reshape(-1)
    if "stress" in labelled.known:
        virial = found.virial[:, 0] - np.asarray(labelled.virial)
        volumes = np.abs(np.linalg.det(np.asarray(labelled.graph.cell[:, 0], np.float64)))
        differences |= {"virial": virial, "stress": -virial / volumes[:, None, None]}
    return differences


def summary(differences: Mapping[str, Float[np.ndarray, "..."]]) -> Errors:
    """The numbers to quote, from `residuals`."""
    quoted = {"energy": differences["energy"]}
    quoted["energy_per_atom"] = differences["energy"] / differences["atoms"]
    quoted |= {name: differences[name] for name in ("forces", "stress") if name in differences}
    return Errors(
        **{f"{name}_mae": float(np.abs(d).mean()) for name, d in quoted.items()},
        **{f"{name}_rmse": float(np.sqrt((d**2).mean())) for name, d in quoted.items()},
    )


@jax.jit
def _evaluate(potential: Potential, labelled: Samples) -> Evaluation:
    return jax.lax.map(lambda graph: evaluate(potential, graph), labelled.graph, batch_size=32)
