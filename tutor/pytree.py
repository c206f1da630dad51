"""Dataclasses that JAX looks into: what is a number can be traced, what is static cannot."""

from collections.abc import Callable
from dataclasses import fields

import jax


def pytree(*, static: tuple[str, ...] = ()) -> Callable[[type], type]:
    """Registers a frozen dataclass as a pytree, so that it passes through jit, grad and vmap.

    Its Python numbers become weakly typed scalars: they follow the precision of the arrays they
    meet, and `jax.grad` with respect to the object gives the derivative by each of them.

    Args:
        static: names of fields that are part of the program, not of the data. They must be
            hashable; a new value compiles anew.
    """

    def register(cls: type) -> type:
        names = [field.name for field in fields(cls)]
        unknown = set(static) - set(names)
        if unknown:
            raise ValueError(f"static = {static}, but {cls.__name__} has only the fields {names}")
        traced = [name for name in names if name not in static]

        def flatten(x):
            keys = [(jax.tree_util.GetAttrKey(name), getattr(x, name)) for name in traced]
            return keys, tuple(getattr(x, name) for name in static)

        def unflatten(constants, leaves):
            x = object.__new__(cls)  # no __init__: jax also sends placeholders through here
            for name, value in zip((*traced, *static), (*leaves, *constants), strict=True):
                object.__setattr__(x, name, value)
            return x

        jax.tree_util.register_pytree_with_keys(cls, flatten, unflatten)
        return cls

    return register
