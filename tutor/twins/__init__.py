"""The models of the course as PyTorch modules, for learners who know torch and not JAX.

    from tutor import twins
    model = twins.SchNet(species=(1, 6, 8), cutoff=5.0)
    trained = twins.train(model, train_set, validation=val_set, epochs=20, seed=0)
    print(trained.errors(test_set))

Classes, arguments and attributes have the names that they have in `tutor.models`, so that weights
go both ways (`to_torch`, `to_jax`) and energies and forces agree to rounding. Structures and their
neighbours are those of the course: `twins.Graph.of(tutor.neighbors.graph(system, cutoff))`.
"""

try:
    import torch  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise ModuleNotFoundError(
        "tutor.twins needs PyTorch, which is not installed. In a terminal: "
        "uv pip install torch --index-url https://download.pytorch.org/whl/cpu",
        name="torch",
    ) from None

from tutor.twins.behler_parrinello import BehlerParrinello
from tutor.twins.convert import to_jax, to_torch
from tutor.twins.deep_potential import DeepPotential
from tutor.twins.deep_sets import DeepSets, SetPotential, max_pool, mean_pool, sum_pool
from tutor.twins.egnn import EGNN, Dipole, EquivariantLayer
from tutor.twins.graph import Graph
from tutor.twins.labelled import Labelled, errors
from tutor.twins.networks import MLP, PerSpecies
from tutor.twins.potential import Atomistic, Evaluation, evaluate
from tutor.twins.schnet import SchNet
from tutor.twins.training import Trained, train

__all__ = [
    "EGNN",
    "MLP",
    "Atomistic",
    "BehlerParrinello",
    "DeepPotential",
    "DeepSets",
    "Dipole",
    "EquivariantLayer",
    "Evaluation",
    "Graph",
    "Labelled",
    "PerSpecies",
    "SchNet",
    "SetPotential",
    "Trained",
    "errors",
    "evaluate",
    "max_pool",
    "mean_pool",
    "sum_pool",
    "to_jax",
    "to_torch",
    "train",
]
