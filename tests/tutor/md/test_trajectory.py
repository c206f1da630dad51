"""Chunks on disk: complete or absent, continued with the same bits, refused where they mix."""

import subprocess
import sys

import ase.io
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase import units

from tutor.md.export import export, play, to_atoms
from tutor.md.trajectory import Writer, last, open_trajectory
from tutor.precision import float64

ATOMS = 5
CONSTANTS = {
    "numbers": np.array([8, 1, 1, 18, 18]),
    "masses": np.array([15.999, 1.008, 1.008, 39.95, 39.95]),
    "cell": np.array([[9.0, 0, 0], [1.0, 8.0, 0], [0.5, 0.25, 7.0]]),
    "pbc": np.array([True, True, False]),
}
SETTINGS = {"potential": "argon", "timestep": 2.0}


def frames(first: int, count: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(first)
    return {
        "time": np.arange(first, first + count) * 2.0,
        "positions": rng.normal(size=(count, ATOMS, 3)).astype(np.float32),
        "velocities": rng.normal(size=(count, ATOMS, 3)) * 1e-2,
        "potential_energy": rng.normal(size=count),
        "forces": rng.normal(size=(count, ATOMS, 3)),
    }


def writer(folder, **changed) -> Writer:
    return Writer(folder, CONSTANTS, SETTINGS | changed)


def test_what_is_written_is_read_with_units_and_constants(tmp_path):
    run = writer(tmp_path / "run")
    for k in range(4):
        run.write(frames(3 * k), restart={}, step=3 * (k + 1))
    with open_trajectory(tmp_path / "run") as found:
        assert found.sizes == {"time": 12, "atom": 5, "axis": 3, "vector": 3}
        assert found.positions.chunks is not None  # nothing is read yet
        for name in frames(0):
            expected = np.concatenate([frames(3 * k)[name] for k in range(4)])
            assert found[name].dtype == expected.dtype
            np.testing.assert_array_equal(found[name].values, expected)
        for name, value in CONSTANTS.items():
            np.testing.assert_array_equal(found[name].values, value)
        names = ("time", "positions", "velocities", "forces", "masses", "cell")
        assert [found[n].attrs["units"] for n in names] == [
            *("fs", "Å", "Å/fs", "eV/Å", "amu", "Å")
        ]
        assert found.attrs["timestep"] == 2.0
        assert found.attrs["program"].startswith("tutor ")
        assert found.attrs["started"].startswith("20")


def test_replicas_and_arrays_of_ones_own(tmp_path):
    run = Writer(tmp_path, {}, {}, units={"dipole": "e Å"})
    some = {"time": [0.0, 1.0], "temperature": np.ones((2, 4)), "positions": np.ones((2, 4, 5, 3))}
    run.write(some | {"dipole": np.ones((2, 3))}, restart={}, step=2)
    with open_trajectory(tmp_path) as found:
        assert found.positions.dims == ("time", "replica", "atom", "axis")
        assert found.temperature.dims == ("time", "replica")
        assert found.dipole.attrs["units"] == "e Å"


def state_of_all_kinds() -> dict:
    odd = np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf8\x7f", np.float64)  # a NaN with a payload
    return {
        "key": jax.random.key(7),
        "keys": jax.random.split(jax.random.key(1, impl="rbg"), 3),
        "old key": jax.random.PRNGKey(3),
        "x": (np.array([[-0.0, np.inf, 1e-310]]), odd),
        "half": jnp.arange(3, dtype=jnp.bfloat16),
        "flags": [np.array([True, False]), np.zeros((0, 3), np.int32), None],
        "numbers": (1, 0.1, True, np.float32(0.1)),
    }


def bits(tree):
    def of(leaf):
        if jnp.issubdtype(getattr(leaf, "dtype", None), jax.dtypes.prng_key):
            return str(jax.random.key_impl(leaf)), np.asarray(jax.random.key_data(leaf)).tobytes()
        return type(leaf) if isinstance(leaf, int | float) else str(leaf.dtype), (
            np.asarray(leaf).shape,
            np.asarray(leaf).tobytes(),
        )

    return jax.tree.map(of, tree)


def test_the_state_comes_back_bit_by_bit(tmp_path):
    with float64():
        state = state_of_all_kinds()
        writer(tmp_path).write(frames(0), restart=state, step=3)
    found, step = last(tmp_path, state)  # also where JAX itself would drop digits
    assert step == 3
    assert bits(found) == bits(state)
    assert jax.random.normal(found["key"]) == jax.random.normal(state["key"])


def test_a_table_that_has_grown_comes_back_in_its_own_shape(tmp_path):
    writer(tmp_path).write(frames(0), restart={"table": np.ones((9, 2))}, step=3)
    found, _ = last(tmp_path, {"table": np.zeros((4, 2))})
    assert found["table"].shape == (9, 2)


@pytest.mark.parametrize(
    ("like", "message"),
    [
        ({"x": np.zeros(3, np.float32)}, r"\['x'\] was stored as float64, but `like` has float32"),
        ({"y": np.zeros(3)}, r"differs from `like` in \['x'\]"),
        ([np.zeros(3)], "differs from `like`"),
    ],
)
def test_another_structure_is_refused(tmp_path, like, message):
    writer(tmp_path).write(frames(0), restart={"x": np.zeros(3)}, step=3)
    with pytest.raises(ValueError, match=message):
        last(tmp_path, like)


def test_what_is_no_array_cannot_be_kept(tmp_path):
    with pytest.raises(ValueError, match=r"restart\['f'\] is <built-in .*give arrays"):
        writer(tmp_path).write(frames(0), restart={"f": len}, step=3)
    assert not list(tmp_path.glob("chunk*"))


def test_a_run_goes_on_where_it_stopped(tmp_path):
    writer(tmp_path).write(frames(0), restart=(1,), step=3)
    again = writer(tmp_path)
    assert again.step == 3
    again.write(frames(3), restart=(2,), step=6)
    assert last(tmp_path, (0,)) == ((2,), 6)
    with open_trajectory(tmp_path) as found:
        np.testing.assert_array_equal(found.time, np.arange(6) * 2.0)


@pytest.mark.parametrize(
    ("constants", "settings", "message"),
    [
        ({"numbers": np.array([8, 1, 1, 18, 10])}, {}, r"numbers = \[ 8  1  1 18 18\], and not"),
        ({"numbers": np.array([8])}, {}, "numbers = "),
        ({"cell": np.eye(3)}, {}, "cell = "),
        ({"charges": np.zeros(5)}, {}, "charges = None"),
        ({}, {"timestep": 1.0}, "timestep = 2.0, and not 1.0"),
        ({}, {"thermostat": "Langevin"}, "thermostat = None, and not 'Langevin'"),
    ],
)
def test_another_run_is_refused(tmp_path, constants, settings, message):
    writer(tmp_path).write(frames(0), restart=(), step=3)
    units_of = {"charges": "e"}
    with pytest.raises(ValueError, match=f"another run, in which {message}"):
        Writer(tmp_path, CONSTANTS | constants, SETTINGS | settings, units_of)


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("…")
    with pytest.raises(ValueError, match=r"holds thesis.tex, but no run: give a new folder"):
        writer(tmp_path)


@pytest.mark.parametrize(
    ("chunk", "step", "message"),
    [
        (frames(0), 3, r"step = 3 and time = 0 … 4 fs do not follow on step 3 and time 4 fs"),
        (frames(0), 6, "begin with last"),
        (frames(3), 3, "do not follow"),
        ({**frames(3), "time": [8.0, 7.0, 9.0]}, 6, "do not follow"),
        ({**frames(3), "forces": np.zeros((2, 5, 3))}, 6, "lengths .*forces.*the same"),
        ({"positions": np.zeros((2, 5, 3))}, 6, '"time" .* is missing'),
        ({**frames(3), "spin": np.zeros(3)}, 6, "'spin' has no known unit: give Writer"),
    ],
)
def test_a_chunk_that_does_not_fit_is_refused(tmp_path, chunk, step, message):
    run = writer(tmp_path)
    run.write(frames(0), restart=(), step=3)
    with pytest.raises(ValueError, match=message):
        run.write(chunk, restart=(), step=step)
    assert len(list(tmp_path.glob("chunk*"))) == 1


def test_two_programs_do_not_write_one_run(tmp_path):
    one, two = writer(tmp_path), writer(tmp_path)
    one.write(frames(0), restart=(), step=3)
    with pytest.raises(OSError, match="does another program write this run"):
        two.write(frames(0), restart=(), step=3)


def test_a_missing_chunk_is_noticed(tmp_path):
    run = writer(tmp_path)
    for k in range(3):
        run.write(frames(3 * k), restart=(), step=3 * (k + 1))
    (tmp_path / "chunk-00000001.nc").unlink()
    with pytest.raises(FileNotFoundError, match=r"chunk 1 of .* is missing"):
        open_trajectory(tmp_path)


def test_an_empty_folder_has_no_trajectory(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no chunk"):
        open_trajectory(tmp_path)
    with pytest.raises(FileNotFoundError, match="holds no chunk"):
        last(tmp_path, ())


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(OSError, match="run"):
        writer(tmp_path / "run")


FULL = """
import resource, signal, sys
import numpy as np
from tutor.md.trajectory import Writer
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
run = Writer(sys.argv[1], {}, {})
run.write({"time": np.arange(10.0)}, restart=(), step=10)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
run.write({"time": np.arange(10.0, 10_010.0)}, restart=(), step=10_010)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits are those of POSIX")
def test_a_full_disk_is_said_and_costs_one_chunk(tmp_path):
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True)
    assert done.returncode == 1
    assert "could not be written: File too large" in done.stderr
    assert "bytes are free" in done.stderr
    assert "The run is safe up to step 10" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["chunk-00000000.nc", "run.nc"]


# A run that can be killed: a chaotic map with noise, so that one wrong bit grows at once. The
# program that kills has done all of it once before it forks, so that an attempt costs no seconds.
RUNS = """
import os, random, signal, sys, time
import numpy as np, xarray, h5netcdf
from tutor.md.trajectory import Writer, chunks, last

def run(folder, said):
    writer = Writer(folder, {"masses": np.ones(1000)}, {"map": "logistic"})
    state = {"x": np.linspace(0.1, 0.9, 1000), "noise": np.uint64(0)}
    if writer.step:
        state, step = last(folder, state)
        assert step == writer.step
    x, noise = state["x"], int(state["noise"])
    for chunk in range(writer.step // 10, 30):
        frames = []
        for noise in range(noise + 1, noise + 11):
            x = 3.99 * x * (1 - x) * (1 - 1e-3 * np.random.default_rng(noise).random(1000))
            frames.append(x)
        time = 10.0 * chunk + np.arange(1, 11)
        writer.write({"time": time, "energies": np.stack(frames)},
                     {"x": x, "noise": np.uint64(noise)}, step=10 * (chunk + 1))
        os.write(said, b".")

def attempt(folder, kill_after):
    heard, said = os.pipe()
    child = os.fork()
    if not child:
        try:
            run(folder, said)
        finally:
            os._exit(0)
    os.close(said)
    done = 0
    while done < kill_after and os.read(heard, 1):
        done += 1
    time.sleep(chance.uniform(0.0, 0.04))  # a chunk takes about as long
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return done + len(os.read(heard, 1000))

chance = random.Random(0)
straight, killed = sys.argv[1:]
run(straight, os.open(os.devnull, os.O_WRONLY))
kills = halves = 0
while len(chunks(killed)) < 30:
    before = len(chunks(killed))
    done = attempt(killed, kill_after=kills % 4)
    assert len(chunks(killed)) - before in (done, done + 1), (before, done)
    kills += 1
    halves += len([name for name in os.listdir(killed) if name.endswith(".tmp")])
Writer(killed, {"masses": np.ones(1000)}, {"map": "logistic"})
print(kills, halves)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_killed_at_any_moment_it_loses_one_chunk_and_no_bit(tmp_path):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    killed.mkdir()
    command = [sys.executable, "-c", RUNS, straight, killed]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) >= 3  # kills
    assert not list(killed.glob("*.tmp"))
    with open_trajectory(straight) as one, open_trajectory(killed) as other:
        assert one.energies.shape == (300, 1000)
        assert one.energies.values.tobytes() == other.energies.values.tobytes()


def written(folder):
    run = writer(folder)
    run.write(frames(0), restart=(), step=3)
    run.write(frames(3), restart=(), step=6)
    return open_trajectory(folder)


def test_ase_gets_frames_in_its_units(tmp_path):
    with written(tmp_path) as run:
        atoms = list(to_atoms(run))
    assert [a.info["time"] for a in atoms] == [0, 2, 4, 6, 8, 10]
    expected = frames(3)
    np.testing.assert_array_equal(atoms[4].get_forces(), expected["forces"][1])
    assert atoms[4].get_potential_energy() == expected["potential_energy"][1]
    np.testing.assert_allclose(atoms[4].get_velocities() * units.fs, expected["velocities"][1])
    assert atoms[0].pbc.tolist() == [True, True, False]
    assert atoms[0].get_masses()[0] == 15.999


@pytest.mark.parametrize("name", ["run.extxyz", "run.traj"])
def test_files_for_others(tmp_path, name):
    with written(tmp_path / "run") as run:
        export(run, tmp_path / name)
    found = ase.io.read(tmp_path / name, ":")
    assert len(found) == 6
    np.testing.assert_allclose(found[5].positions, frames(3)["positions"][2], atol=1e-7)
    np.testing.assert_allclose(found[5].get_forces(), frames(3)["forces"][2], atol=1e-7)
    np.testing.assert_array_equal(found[5].cell, CONSTANTS["cell"])
    assert found[5].get_chemical_formula() == "H2Ar2O"


def test_the_player_shows_frames_in_the_cell(tmp_path):
    with written(tmp_path) as run:
        shown = play(run, frames=4)
    assert "4 frames" in repr(shown)


def test_a_replica_must_be_chosen(tmp_path):
    run = Writer(tmp_path, CONSTANTS, {})
    run.write({"time": [0.0], "positions": np.ones((1, 2, 5, 3))}, restart=(), step=1)
    with open_trajectory(tmp_path) as found:
        with pytest.raises(ValueError, match="2 replicas: give replica=0 … 1"):
            next(to_atoms(found))
        assert len(next(to_atoms(found, replica=1))) == 5
