"""For all tests: shapes checked at run time, one CPU device, no window, nobody's progress file."""

import os

import numpy as np
import pytest
from jaxtyping import install_import_hook

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["MPLBACKEND"] = "Agg"

import jax

# Every jaxtyping annotation in tutor is checked at each call. Modules imported before this line
# (tutor itself and tutor.nbval_plugin, by `-p`) are not, and have none.
install_import_hook("tutor", "beartype.beartype")

CI = os.environ.get("CI", "").lower() not in ("", "0", "false")


@pytest.fixture(autouse=True)
def progress_file(tmp_path, monkeypatch):
    """Where exercises save progress during a test."""
    path = tmp_path / "tutor-progress.json"
    monkeypatch.setenv("TUTOR_PROGRESS", str(path))
    return path


@pytest.fixture(autouse=True, scope="module")
def compiled_code():
    """Forget what a test file compiled.

    Each compiled function keeps several memory maps, of which Linux allows a process 65530.
    """
    yield
    jax.clear_caches()


@pytest.fixture(scope="module")
def quick_compilation():
    """For tests that compile much and compute little: a third of their time is saved."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture
def rng():
    """NumPy random numbers, the same in every run."""
    return np.random.default_rng(0)


# On a developer's machine a test that needs torch is skipped where torch is missing. A machine
# that is there to test must have everything, so there the skip is a failure.


def _refuse_skip(report):
    reason = str(report.longrepr)
    if CI and report.skipped and "could not import" in reason:
        report.outcome = "failed"
        report.longrepr = f"skipped for a missing package, which CI must have: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _refuse_skip((yield))
