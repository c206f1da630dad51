"""Double precision where a check needs it, without a global switch."""

from contextlib import AbstractContextManager

import jax


def float64() -> AbstractContextManager:
    """`with float64(): ...`: inside the block JAX keeps float64 arrays in float64.

    Float32 arrays stay float32 until they meet a float64 one. The block affects this thread only
    and ends with it. Works on every supported jax (the name of this switch moved in 0.8).
    """
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64

    return enable_x64()
