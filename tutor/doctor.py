"""Is this machine ready? Versions, devices, known-broken releases, disk, and what to do."""

import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

REQUIRED = ("numpy", "scipy", "matplotlib", "ase", "jax", "jaxlib", "flax", "optax")
OPTIONAL = {"jupyterlab": "lab", "jupytext": "lab", "nglview": "lab", "torch": "torch"}
BROKEN = {
    ("jax", "0.10.2"): "returns wrong sums on the CPU (jax issue 39103)",
    ("jaxlib", "0.10.2"): "returns wrong sums on the CPU (jax issue 39103)",
    ("jax", "0.11.1"): "breaks flax",
    ("nglview", "4.0.1"): "draws nothing in JupyterLab",
}
REMEDY = {
    "jax": "pip install -U 'jax!=0.10.2,!=0.11.1'",
    "jaxlib": "pip install -U 'jax!=0.10.2,!=0.11.1'",
    "nglview": "pip install nglview==4.0",
}
FREE_GB = 1.0


class Finding(NamedTuple):
    """One line of the report; `remedy` is empty where nothing needs to be done."""

    subject: str
    found: str
    ok: bool
    remedy: str = ""


def examine(folder: Path | None = None) -> list[Finding]:
    """Everything that has been looked at; a finding that is not `ok` stops the course."""
    return [_python(), *_packages(), *_arithmetic(), _disk(folder or Path.cwd())]


def _python():
    ok = sys.version_info >= (3, 11)
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Finding("Python", found, ok, "" if ok else "install Python 3.11 or newer")


def _installed(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _packages():
    for name in REQUIRED:
        found = _installed(name)
        if found is None:
            yield Finding(name, "not installed", False, f"pip install {name}")
        else:
            yield _known(name, found)
    for name, extra in OPTIONAL.items():
        found = _installed(name)
        if found is None:
            remedy = f"only if you want it: pip install 'nnp-tutor[{extra}]'"
            yield Finding(name, "not installed (optional)", True, remedy)
        else:
            yield _known(name, found)


def _known(name, found):
    fault = BROKEN.get((name, found))
    if fault:
        return Finding(name, f"{found} {fault}", False, REMEDY[name])
    return Finding(name, found, True)


def _arithmetic():
    """Ask jax for its devices and for a sum whose value is known."""
    try:
        import jax
        import numpy as np
    except ImportError as error:
        yield Finding("jax", f"cannot be imported: {error}", False, "pip install -U jax jaxlib")
        return
    devices = ", ".join(f"{d.platform} ({d.device_kind})" for d in jax.devices())
    yield Finding("devices", devices, True)
    rng = np.random.default_rng(0)
    w, d = rng.random((4, 20000), np.float32), rng.random((3, 4, 20000), np.float32)
    error = float(
        np.abs(np.asarray(jax.jit(lambda w, d: (w * d).sum(1))(w, d)) - (w * d).sum(1)).max()
    )
    ok = error < 1e-5
    found = "a sum of 240,000 products is right" if ok else f"a sum is wrong by {error:.2g}"
    yield Finding("arithmetic", found, ok, "" if ok else REMEDY["jax"])


def _disk(folder):
    free = shutil.disk_usage(folder).free / 1e9
    ok = free >= FREE_GB
    remedy = "" if ok else f"free at least {FREE_GB:g} GB on the disk of {folder}"
    return Finding("free disk", f"{free:.1f} GB", ok, remedy)
