"""Weights go only where they belong."""

from dataclasses import replace

import pytest

from tutor.models.registry import REGISTRY

torch = pytest.importorskip("torch")

from tutor import twins  # noqa: E402
from tutor.twins.radial import cosine_cutoff  # noqa: E402


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channels": 7}, r"blocks.0.node.net.layers.0.bias has the shape \(6,\) in the JAX model "
                          r"and \(7,\) in the twin; .*; and \d+ more. Build both with the same"),
        ({"layers": 3}, "blocks.2.node.net.layers.0.bias is only in the twin"),
        ({"layers": 1}, "blocks.1.node.net.layers.0.bias is only in the JAX model"),
        ({"species": (8, 6)}, r"embedding.species is \(6, 8\) in the JAX model and \(8, 6\) in"),
        ({"cutoff": 4.0}, "cutoff is 3.0 in the JAX model and 4.0 in the twin"),
        ({"neighbors": 5.0}, "blocks.0.edges_to_nodes.neighbors is 4.0 in the JAX"),
        ({"envelope": cosine_cutoff}, "envelope is polynomial_cutoff in the JAX model "
                                                   "and cosine_cutoff in the twin"),
    ],
)  # fmt: skip
def test_a_twin_that_is_made_otherwise_is_refused(options, words):
    model = REGISTRY["schnet"].make()
    made = {"cutoff": 3.0, "channels": 6, "layers": 2, "radial": 8, "neighbors": 4.0} | options
    twin = twins.SchNet(made.pop("species", (6, 8)), **made)
    for convert in (lambda: twins.to_torch(model, twin), lambda: twins.to_jax(twin, model)):
        with pytest.raises(ValueError, match=words):
            convert()


def test_other_symmetry_functions_are_refused():
    model = REGISTRY["behler_parrinello"].make()
    functions = replace(model.functions, g2=((9.0, 1.0), *model.functions.g2[1:]))
    twin = twins.BehlerParrinello(functions, hidden=(6,), energies=(-3.0, 1.0))
    with pytest.raises(ValueError, match=r"functions.g2 is .* in the JAX model and .*eta=9.0"):
        twins.to_torch(model, twin)
