"""One training step must not depend on the frame: gradients of the parameters are checked as any
other output. They are invariant wherever the parameters are, as in every equivariant network."""

from collections.abc import Callable, Mapping
from copy import deepcopy

from tutor.symmetry.detect import is_torch_module
from tutor.symmetry.spec import Kind, Spec, scalar


def gradients(
    loss: Callable, parameters: object, inputs: Mapping[str, Kind]
) -> tuple[Callable, Spec]:
    """The gradient of a loss with respect to the parameters, as a map that `check` takes.

        report = symmetry.check(*symmetry.gradients(loss, model, inputs))

    Args:
        loss: loss(parameters, *inputs) -> number. Labels are inputs too: forces turn with the
            structure, so declare them, for example `vector(per="atom")`.
        parameters: a torch module, or any JAX pytree of arrays.
        inputs: kinds of the inputs of the loss, in their order.

    Returns:
        (function, spec); one invariant output per array of parameters, named by its path.

    Raises:
        ValueError: if there are no parameters.
    """
    make = _of_torch if is_torch_module(parameters) else _of_jax
    function, names = make(loss, parameters)
    if not names:
        raise ValueError("parameters: there are none to differentiate by")
    function.__name__ = f"gradients of {getattr(loss, '__name__', 'the loss')}"
    return function, Spec(inputs, {name: scalar() for name in names})


def _of_torch(loss, module):
    import torch

    names = [name for name, p in module.named_parameters() if p.requires_grad]
    copies = {}

    def function(*inputs):
        dtype = next(x.dtype for x in inputs if x.is_floating_point())
        if dtype not in copies:
            copies[dtype] = deepcopy(module).to(dtype)
        own = dict(copies[dtype].named_parameters())
        weights = [own[name] for name in names]
        found = torch.autograd.grad(loss(copies[dtype], *inputs), weights)
        return dict(zip(names, found, strict=True))

    return function, names


def _of_jax(loss, parameters):
    import jax

    def named(tree):
        leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
        return {jax.tree_util.keystr(path).strip(".[]'") or "parameters": v for path, v in leaves}

    def function(*inputs):
        return named(jax.grad(loss)(parameters, *inputs))

    return function, list(named(parameters))
