import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from tutor.models.deep_potential import DeepPotential
from tutor.models.tabulation import tabulated
from tutor.neighbors import graph
from tutor.potential import evaluate
from tutor.precision import float64
from tutor.system import System


@pytest.fixture(autouse=True)
def _double_precision():
    with float64():
        yield


def made(bessel=0, onset=0.5) -> DeepPotential:
    return DeepPotential((1, 8), bessel=bessel, onset=onset, rngs=nnx.Rngs(0))


def errors(potential, fast, r) -> list[float]:
    """The largest errors of G, G' and G''."""
    found = []
    derivatives = [lambda G: G, jax.jacfwd, lambda G: jax.jacfwd(jax.jacfwd(G))]
    for derivative in derivatives:
        worst = 0.0
        for z in (1, 8):
            exact, table = (
                jax.vmap(derivative(lambda r, G=p.embedding, z=z: G(r, jnp.asarray(z))))(r)
                for p in (potential, fast)
            )
            worst = max(worst, float(jnp.abs(exact - table).max()))
        found.append(worst)
    return found


@pytest.mark.parametrize(("bessel", "onset"), [(0, 0.5), (8, 0.5), (0, 1.507)])
def test_value_and_derivatives_with_the_default_step(bessel, onset, rng):
    potential = made(bessel, onset)
    fast = tabulated(potential, dtype=float)
    r = jnp.asarray(rng.uniform(0.6, 6.0, 2000))
    value, first, second = errors(potential, fast, r)
    assert value < 1e-12
    assert first < 1e-10
    assert second < 1e-6


def test_knots_match_and_nothing_jumps_between_pieces():
    potential = made(bessel=4)
    fast = tabulated(potential, step=0.3, dtype=float)
    table = fast.embedding
    knots = table.start + table.step * jnp.arange(table.pieces + 1)
    assert float(knots[-1]) == pytest.approx(6.0)
    assert max(errors(potential, fast, knots[1:-1] + 1e-9)) < 1e-5
    assert max(errors(potential, fast, knots[1:-1] - 1e-9)) < 1e-5
    assert errors(potential, fast, knots[:-1] + table.step / 2)[0] > 1e-9  # between: it is a table


def test_errors_fall_as_powers_of_the_step(rng):
    potential, r = made(bessel=4), jnp.asarray(rng.uniform(0.8, 6.0, 500))
    coarse, fine = (errors(potential, tabulated(potential, step=h, dtype=float), r)
                    for h in (0.1, 0.05))  # fmt: skip
    orders = np.log2(np.array(coarse) / np.array(fine))
    assert (orders > [5.3, 4.3, 3.3]).all()
    assert (orders < [6.7, 5.7, 4.7]).all()


def test_forces_are_the_same_and_the_original_is_left_alone(rng):
    potential = made(bessel=4)
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3), axis=-1).reshape(-1, 3) * 1.4
    system = System(rng.choice([1, 8], 27), grid + rng.uniform(-0.2, 0.2, (27, 3)))
    g = graph(system, 6.0, dtype=jnp.float64)
    before = evaluate(potential, g)
    fast = evaluate(tabulated(potential, dtype=float), g)
    after = evaluate(potential, g)
    np.testing.assert_allclose(fast.energies, before.energies, rtol=0, atol=1e-12)
    np.testing.assert_allclose(fast.forces, before.forces, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(before.forces, after.forces)


def test_outside_of_the_table_there_is_no_energy():
    fast = tabulated(made(), start=1.0)
    z = jnp.array([1, 1, 7, 0])
    found = np.isnan(fast.embedding(jnp.array([0.9, 1.1, 1.1, 6.0]), z)).all(axis=1)
    np.testing.assert_array_equal(found, [True, False, True, False])


@pytest.mark.parametrize("options", [{"start": 0.0}, {"start": 6.0}, {"step": 0.0}])
def test_wrong_options_are_refused(options):
    with pytest.raises(ValueError, match="the table goes in positive steps"):
        tabulated(made(), **options)
