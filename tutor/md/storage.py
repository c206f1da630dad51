"""Files that are there as a whole or not at all."""

import os
import shutil
from pathlib import Path


def write(path: Path, content: bytes | memoryview) -> None:
    """Writes under another name, forces it to the disk, and renames.

    Raises:
        FileExistsError: where `path` is there already.
        OSError: where it cannot be written; the message says how much room there is.
    """
    if path.exists():
        raise FileExistsError(f"{path} is there already: does another program write this run?")
    half = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise OSError(
            f"{path} ({len(content)} bytes) could not be written: {error.strerror}. "
            f"{shutil.disk_usage(path.parent).free} bytes are free: make room, or choose another "
            "folder."
        ) from error
    _sync(path.parent)


def chunks(folder: str | Path) -> list[Path]:
    """The chunks of a run in order.

    Raises:
        FileNotFoundError: where one is missing.
    """
    paths = sorted(Path(folder).glob("chunk-*.nc"))
    for k, path in enumerate(paths):
        if path.name != f"chunk-{k:08d}.nc":
            raise FileNotFoundError(f"chunk {k} of {str(folder)!r} is missing: put it back")
    return paths


def open_file(path: Path):
    """One file as an `xarray.Dataset`."""
    import xarray

    return xarray.open_dataset(path, engine="h5netcdf")


def _sync(folder: Path) -> None:
    """Makes the new name itself safe. Windows does so on its own and cannot open folders."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
