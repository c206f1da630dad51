from contextlib import contextmanager
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tutor.train import train
from tutor.train.checkpoint import Checkpoints
from tutor.train.errors import residuals
from tutor.train.loop import Schedule, begin, decay, descend
from tutor.train.potentials import _loss
from tutor.train.samples import samples

KEY = jax.random.key(0)


def run(model, data, validation, **options):
    settings = {"epochs": 40, "batch_size": 6, "learning_rate": 0.03, "key": KEY, "progress": False}
    return train(model, data, validation=validation, **settings | options)


@pytest.mark.parametrize(
    "weights", [(0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.1, 1.0, 0.1)]
)
def test_each_label_alone_finds_the_parameters_that_ase_used(argon, start, weights):
    energy, forces, stress = weights
    result = run(start, argon(60, 0), argon(12, 1), energy=energy, forces=forces, stress=stress,
                 energies={18: -7.0}, epochs=100)  # fmt: skip
    assert abs(np.exp(result.model.log_epsilon) / 100 - 0.0104) < 1e-5
    assert abs(result.model.sigma - 3.4) < 1e-4


def test_the_loss_is_the_formula(argon, start):
    """Against plain NumPy, with labels that the model is far from."""
    data = argon(6, 0)
    batch = samples(data, 15.0, energies={18: -7.0})
    d = residuals(start, batch)
    n = np.array([3, 4, 5, 3, 4, 5])
    expected = 0.3 * np.mean(d["energy"] ** 2 / n) + 2.0 * np.mean(d["forces"] ** 2)
    expected += 0.7 * np.mean([np.mean(w**2) / k for w, k in zip(d["virial"], n, strict=True)])
    np.testing.assert_allclose(_loss(0.3, 2.0, 0.7)(start, batch), expected, rtol=1e-5)


def test_the_history_has_a_row_for_each_epoch_and_the_best_is_kept(argon, start):
    result = run(start, argon(12, 0), argon(6, 1), epochs=8)
    names = {"loss", "validation", "energy_rmse", "forces_rmse", "stress_rmse", "seconds"}
    assert set(result.history) == names
    assert {len(rows) for rows in result.history.values()} == {8}
    assert result.best == 1 + np.argmin(result.history["validation"])
    assert repr(result) == f"Trained(Learned, best epoch {result.best} of 8)"
    found = result.errors(argon(6, 1))
    assert found.forces_rmse == pytest.approx(result.history["forces_rmse"][result.best - 1])
    assert list(result.energies) == [18]


def test_training_stops_when_validation_no_longer_gains(argon, start):
    """Validation labels of which the truth is known no more: the first epoch stays the best."""
    data = argon(12, 0)
    away = replace(argon(6, 1), forces=-100 * argon(6, 1).forces)
    result = run(start, data, away, patience=3, epochs=30, energies={18: -7.0})
    assert len(result.history["loss"]) == result.best + 3


def test_the_average_has_no_bias():
    """Of a constant the mean is that constant, whatever the start was; at step 0 almost at once."""
    kept, weight = 1.0, []
    for step in range(2000):
        weight.append(kept)
        kept *= float(decay(jnp.asarray(step)))
    assert weight[10] < 1e-7
    assert float(decay(jnp.asarray(10**6))) == pytest.approx(0.999)


def test_the_average_is_the_mean_over_steps(line):
    x, y = line
    schedule = Schedule(0.01, 30, 0.0)
    state, trace = begin({"w": jnp.zeros(3)}, schedule), []

    def loss(model, batch):
        return jnp.mean((batch[0] @ model["w"] - batch[1]) ** 2)

    expected = np.zeros(3)
    for step in range(30):
        state, _ = descend(state, (x, y), jnp.arange(60)[None], loss, schedule)
        kept = min(0.999, (1 + step) / (20 + step))
        expected = kept * expected + (1 - kept) * np.asarray(state.model["w"], np.float64)
        trace.append(state.model["w"])
    np.testing.assert_allclose(state.average["w"], expected, atol=1e-6)


class Killed(Exception):  # noqa: N818
    pass


def test_a_checkpoint_goes_on_with_the_same_bits(argon, start, tmp_path, monkeypatch):
    data, validation, folder = argon(18, 0), argon(6, 1), tmp_path / "c"
    whole = run(start, data, validation, epochs=6)

    @contextmanager
    def killing(epochs, done, show):
        def kill(epoch, note):
            if epoch == 3:
                raise Killed

        yield kill

    with monkeypatch.context() as patch:
        patch.setattr("tutor.train.potentials.display", killing)
        with pytest.raises(Killed):
            run(start, data, validation, epochs=6, checkpoint=folder)
    resumed = run(start, data, validation, epochs=6, checkpoint=folder)
    assert resumed.best == whole.best
    for name in ("loss", "validation", "forces_rmse"):
        assert resumed.history[name] == whole.history[name]
    for a, b in zip(*map(jax.tree.leaves, (whole.model, resumed.model)), strict=True):
        assert np.array_equal(a, b)
    again = run(start, data, validation, epochs=6, checkpoint=folder)
    assert again.history == resumed.history


def test_a_broken_write_leaves_the_checkpoint_before(tmp_path):
    """What a kill leaves is an unfinished folder; the one before it counts."""
    with Checkpoints(tmp_path, {"rate": 1}) as store:
        for epoch in (1, 2, 3):
            store.save(epoch, {"w": jnp.full(3, float(epoch))}, {"epoch": epoch})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2", "3"]
    (tmp_path / "3").rename(tmp_path / "3.orbax-checkpoint-tmp")
    with Checkpoints(tmp_path, {"rate": 1}) as store:
        state, notes = store.load({"w": jnp.zeros(3)})
    assert state["w"].tolist() == [2.0, 2.0, 2.0]
    assert notes == {"epoch": 2}


def test_another_training_is_not_continued(argon, start, tmp_path):
    data, validation = argon(6, 0), argon(6, 1)
    run(start, data, validation, epochs=2, checkpoint=tmp_path / "c")
    with pytest.raises(ValueError, match=r"another training, in which learning_rate = 0.03, and "):
        run(start, data, validation, epochs=2, checkpoint=tmp_path / "c", learning_rate=0.01)
    with pytest.raises(ValueError, match=r"another training, in which data = "):
        run(start, argon(6, 2), validation, epochs=2, checkpoint=tmp_path / "c")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"energy": 0.0, "forces": 0.0}, "give at least one that is positive"),
        ({"energy": -1.0}, "give at least one that is positive, none below"),
        ({"batch_size": 7}, "batch_size = 7 with 6 samples: choose 1 to 6"),
        ({"epochs": 0}, "epochs = 0: give 1 or more"),
        ({"patience": 0}, "patience = 0: give 1 or more"),
    ],
)
def test_bad_settings(argon, start, change, message):
    with pytest.raises(ValueError, match=message):
        run(start, argon(6, 0), argon(6, 1), **change)


def test_a_weight_without_labels(argon, start):
    data = replace(argon(6, 0), forces=None)
    with pytest.raises(ValueError, match=r"forces = 1.0 is the weight of labels that argon"):
        run(start, data, argon(6, 1))


def test_a_loss_that_is_not_finite(argon, start):
    with pytest.raises(FloatingPointError, match=r"after epoch 1: .* lower learning_rate = 1e\+30"):
        run(start, argon(6, 0), argon(6, 1), learning_rate=1e30, anneal=0.0)
