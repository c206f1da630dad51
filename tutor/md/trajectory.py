"""Trajectories on disk: a folder that holds one netCDF file for each chunk of frames.

    writer = Writer("run", constants={"numbers": z, "masses": m, "cell": cell, "pbc": pbc},
                    attributes={"potential": "argon", "timestep": 2.0})
    writer.write({"time": t, "positions": r}, restart=state, step=1000)

    state, step = last("run", like=state)       # goes on with the same bits
    run = open_trajectory("run")                # an xarray.Dataset, read when it is used

A file is written under another name, forced to the disk and only then renamed. So a chunk is there
as a whole or not at all, and whoever kills the program loses the chunk that was being computed. In
the same file as its frames lies the state from which the run continues.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tutor import __version__
from tutor.md.restart import pack, unpack
from tutor.md.storage import chunks, open_file, write

# What is known by name: the dimensions of one frame, and the unit.
VARIABLES = {
    "time": ((), "fs"),
    "positions": (("atom", "axis"), "Å"),
    "velocities": (("atom", "axis"), "Å/fs"),
    "forces": (("atom", "axis"), "eV/Å"),
    "energies": (("atom",), "eV"),
    "energy": ((), "eV"),
    "potential_energy": ((), "eV"),
    "kinetic_energy": ((), "eV"),
    "total_energy": ((), "eV"),
    "conserved": ((), "eV"),
    "temperature": ((), "K"),
    "pressure": ((), "eV/Å³"),
    "volume": ((), "Å³"),
    "stress": (("axis", "direction"), "eV/Å³"),
    "virial": (("axis", "direction"), "eV"),
    "heat_flux": (("axis",), "eV Å/fs"),
    "cell": (("vector", "axis"), "Å"),
    "pbc": (("vector",), ""),
    "numbers": (("atom",), ""),
    "masses": (("atom",), "amu"),
}


class Writer:
    """Appends chunks to the run in `folder`, or begins a run where there is none.

    Args:
        folder: made where it does not exist.
        constants: arrays that no frame changes: numbers (atoms,), masses (atoms,) in amu,
            cell (3, 3) in Å, pbc (3,), …
        attributes: what else decides the run, such as the time step: numbers and strings.
        units: of arrays that `VARIABLES` does not name, in frames and constants.

    Attributes:
        step: how many steps the run has made so far; 0 for a new one.

    Raises:
        ValueError: where `folder` holds another run, or other files, or an array has no unit.
        OSError: where the folder cannot be written.
    """

    def __init__(
        self,
        folder: str | Path,
        constants: Mapping[str, Any],
        attributes: Mapping[str, str | float],
        units: Mapping[str, str] | None = None,
    ):
        import xarray

        self.folder, self._units, self.step, self._end = Path(folder), dict(units or {}), 0, None
        arrays = {name: self._array(name, x, ()) for name, x in constants.items()}
        settings = json.dumps(dict(attributes), default=str)
        self.folder.mkdir(parents=True, exist_ok=True)
        if any(path.suffix != ".tmp" for path in self.folder.iterdir()):
            _compare(self.folder, {name: x for name, (_, x, _) in arrays.items()}, settings)
        else:
            about = {"settings": settings, "program": f"tutor {__version__}"}
            about["started"] = datetime.now(UTC).isoformat(timespec="seconds")
            self._store("run.nc", xarray.Dataset(arrays, attrs=about))
        for half in self.folder.glob("*.tmp"):  # what a kill has left
            half.unlink()
        self._chunks = len(chunks(self.folder))
        if self._chunks:
            with open_file(chunks(self.folder)[-1]) as end:
                self.step, self._end = int(end.attrs["step"]), float(end.time[-1])

    def write(self, frames: Mapping[str, Any], restart: Any, step: int) -> Path:
        """Writes one chunk, and returns when it is safe.

        Args:
            frames: arrays (frames, …), among them "time" (frames,) in fs. An axis more than
                `VARIABLES` knows stands for replicas, and comes before the atoms.
            restart: a pytree of arrays, random keys and Python numbers, as after the last frame.
            step: how many steps the run has made by then.

        Raises:
            ValueError: where the chunk does not follow on the one before, arrays differ in
                length, or one has no unit.
            OSError: where it cannot be written, for example on a full disk.
        """
        import xarray

        if "time" not in frames:
            raise ValueError(f'frames holds {sorted(frames)}: "time" (frames,) in fs is missing')
        lengths = {name: np.shape(x)[:1] for name, x in frames.items()}
        if len(set(lengths.values())) != 1 or lengths["time"] in ((), (0,)):
            raise ValueError(f"frames have the lengths {lengths}: give all of them the same, ≥ 1")
        time = np.asarray(frames["time"], np.float64)
        if step <= self.step or (np.diff(time, prepend=self._last()) <= 0).any():
            raise ValueError(
                f"step = {step} and time = {time[0]:g} … {time[-1]:g} fs do not follow on step "
                f"{self.step} and time {self._last():g} fs, up to which {str(self.folder)!r} is "
                "written: begin with last(folder, like), or in an empty folder"
            )
        arrays = {name: self._array(name, x, ("time",)) for name, x in frames.items()}
        blob, leaves = pack(restart)
        chunk = xarray.Dataset(
            arrays | {"time": ("time", time, {"units": "fs"}), "restart": ("byte", blob)},
            attrs={"step": int(step), "leaves": json.dumps(leaves)},
        )
        path = self._store(f"chunk-{self._chunks:08d}.nc", chunk)
        self._chunks, self.step, self._end = self._chunks + 1, int(step), float(time[-1])
        return path

    def _last(self) -> float:
        return -np.inf if self._end is None else self._end

    def _array(self, name: str, x: Any, leading: tuple[str, ...]) -> tuple:
        x = np.asarray(x)
        dims, unit = VARIABLES.get(name, (None, None))
        unit = self._units.get(name, unit)
        if unit is None:
            raise ValueError(f"{name!r} has no known unit: give Writer(…, units={{{name!r}: …}})")
        extra = x.ndim - len(leading)
        if dims is None or extra > len(dims) + 1 or extra < len(dims):
            dims = tuple(f"{name}_{k}" for k in range(extra))
        elif extra == len(dims) + 1:
            dims = ("replica", *dims)
        return ((*leading, *dims), x, {"units": unit})

    def _store(self, name: str, dataset) -> Path:
        path = self.folder / name
        try:
            write(path, dataset.to_netcdf(engine="h5netcdf"))
        except OSError as error:
            raise OSError(
                f"{error} The run is safe up to step {self.step} and goes on from there"
            ) from error
        return path


def last(folder: str | Path, like: Any) -> tuple[Any, int]:
    """The state after the last chunk, and how many steps had been made.

    Args:
        like: a state of the same structure. Arrays come back as NumPy arrays of the stored shape,
            with the same bits; random keys as keys; Python numbers as Python numbers.

    Raises:
        FileNotFoundError: where there is no chunk.
        ValueError: where the stored state has another structure; the message names the leaf.
    """
    found = chunks(folder)
    if not found:
        raise FileNotFoundError(f"{str(folder)!r} holds no chunk of a trajectory: write one first")
    with open_file(found[-1]) as chunk:
        state = unpack(chunk.restart.values.tobytes(), json.loads(chunk.attrs["leaves"]), like)
        return state, int(chunk.attrs["step"])


def open_trajectory(folder: str | Path):
    """All frames of a run as an `xarray.Dataset` that reads from disk what is used of it.

    The dimension `time` is in fs; each variable has the attribute "units". The constants are
    coordinates, the attributes of the run attributes.

    Raises:
        FileNotFoundError: where there is no chunk, or one is missing.
    """
    import xarray

    paths = chunks(folder)
    if not paths:
        raise FileNotFoundError(f"{str(folder)!r} holds no chunk of a trajectory")
    frames = xarray.open_mfdataset(
        paths,
        engine="h5netcdf",
        preprocess=lambda chunk: chunk.drop_vars("restart"),
        combine="nested",
        concat_dim="time",
        data_vars="all",
        coords="minimal",
        compat="override",
        join="exact",
        combine_attrs="override",
    )
    with open_file(Path(folder) / "run.nc") as run:
        constants = {name: x for name, x in run.load().data_vars.items() if name not in frames}
        attributes = {name: value for name, value in run.attrs.items() if name != "settings"}
        settings = json.loads(run.attrs["settings"])
    frames.attrs = {**attributes, **settings}
    return frames.assign_coords(constants)


def _compare(folder: Path, constants: Mapping[str, np.ndarray], settings: str) -> None:
    """Refuses to mix two runs."""
    if not (folder / "run.nc").exists():
        names = sorted(path.name for path in folder.iterdir())[:3]
        raise ValueError(f"{str(folder)!r} holds {', '.join(names)}, but no run: give a new folder")
    with open_file(folder / "run.nc") as run:
        old = {name: x.values for name, x in run.variables.items()}
        old |= json.loads(run.attrs["settings"])
    new = {**constants, **json.loads(settings)}
    for name in sorted({*old, *new}):
        x, y = old.get(name), new.get(name)
        if not np.array_equal(x, y):
            raise ValueError(
                f"{str(folder)!r} holds another run, in which {name} = {_short(x)}, and not "
                f"{_short(y)}: give another folder, or continue with the same"
            )


def _short(x: Any) -> str:
    return np.array2string(x, threshold=8) if isinstance(x, np.ndarray) else repr(x)
