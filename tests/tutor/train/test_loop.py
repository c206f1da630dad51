import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tutor.precision import float64
from tutor.train import fit
from tutor.train.loop import shuffled


def squared(model, batch):
    x, y = batch
    return jnp.mean((x @ model["w"] - y) ** 2)


def test_it_finds_the_least_squares_solution(line):
    trained = fit({"w": jnp.zeros(3)}, squared, line, steps=3000, batch_size=60,
                  learning_rate=0.01, key=jax.random.key(0))  # fmt: skip
    exact = np.linalg.lstsq(*map(np.float64, line), rcond=None)[0]
    np.testing.assert_allclose(trained.model["w"], exact, atol=1e-4)
    assert trained.losses.shape == (3000,)
    assert trained.losses[-1] < trained.losses[0]


def test_the_same_key_gives_the_same_bits_and_the_model_is_left_alone(line):
    start = {"w": jnp.ones(3)}
    runs = [fit(start, squared, line, steps=50, batch_size=7, key=jax.random.key(k))
            for k in (1, 1, 2)]  # fmt: skip
    assert np.array_equal(runs[0].model["w"], runs[1].model["w"])
    assert not np.array_equal(runs[0].model["w"], runs[2].model["w"])
    assert np.array_equal(start["w"], np.ones(3))


@pytest.mark.parametrize("anneal", [0.0, 0.4, 1.0])
def test_the_learning_rate_falls_linearly_to_zero(anneal):
    """Under a constant gradient Adam moves by the learning rate, so the path is its sum."""
    steps, rate = 50, 0.01
    trained = fit({"w": jnp.zeros(())}, lambda m, x: m["w"] + 0 * x.sum(), np.ones(1),
                  steps=steps, batch_size=1, learning_rate=rate, anneal=anneal,
                  key=jax.random.key(0))  # fmt: skip
    falling = round(anneal * steps)
    expected = rate * (steps - falling + (falling + 1) / 2 * (falling > 0))
    np.testing.assert_allclose(-trained.model["w"], expected, rtol=1e-4)


def test_every_sample_is_seen_once_a_pass():
    batches = np.asarray(shuffled(jax.random.key(0), 12, 4, 6))
    assert batches.shape == (6, 4)
    for epoch in (batches[:3], batches[3:]):
        assert sorted(epoch.reshape(-1)) == list(range(12))
    assert not np.array_equal(batches[:3], batches[3:])


def test_arrays_of_different_length(line):
    with pytest.raises(ValueError, match=r"arrays of lengths \[59, 60\]: every array needs one"):
        fit({}, squared, (line[0], line[1][1:]), steps=1, batch_size=1, key=jax.random.key(0))


@pytest.mark.parametrize("size", [0, 61])
def test_batch_larger_than_the_data(line, size):
    with pytest.raises(ValueError, match=f"batch_size = {size} with 60 samples: choose 1 to 60"):
        fit({}, squared, line, steps=1, batch_size=size, key=jax.random.key(0))


def test_float64_is_a_block_and_no_switch():
    with float64():
        assert jnp.array(np.ones(2)).dtype == np.float64
    assert jnp.array(np.ones(2)).dtype == np.float32
