"""What tests/conftest.py promises to all other tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import TypeCheckError

TESTS = Path(__file__).parent.parent
PLAIN = ("-p", "no:cacheprovider", "-c", os.devnull)  # not the settings of this repository


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two tests that need a package that nobody has, under our conftest."""
    folder = tmp_path_factory.mktemp("harness")
    shutil.copy(TESTS / "conftest.py", folder)
    need = "pytest.importorskip('no_such_package')"
    (folder / "test_one.py").write_text(f"import pytest\ndef test_a():\n    {need}\n")
    (folder / "test_two.py").write_text(f"import pytest\n{need}\ndef test_b(): pass\n")
    (folder / "test_three.py").write_text("import pytest\ndef test_c(): pytest.skip('for fun')\n")
    return folder


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", "1 failed, 1 skipped, 1 error"), ("", "3 skipped"), ("0", "3 ski")]
)
def test_a_skip_for_a_missing_package_fails_only_in_ci(folder, ci, outcome):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *PLAIN, "--continue-on-collection-errors", str(folder)],
        capture_output=True,
        text=True,
        env=os.environ | {"CI": ci},
        check=False,
    )
    assert outcome in done.stdout, done.stdout
    assert ("which CI must have" in done.stdout) == (ci == "true")


def test_shapes_are_checked_at_run_time():
    from tutor.system import System

    with pytest.raises(TypeCheckError):
        System(positions=np.zeros((3, 2)), numbers=np.ones(3, int))


def test_the_tests_run_on_the_cpu_with_a_progress_file_of_their_own(progress_file, tmp_path):
    assert os.environ["JAX_PLATFORMS"] == "cpu"
    assert os.environ["MPLBACKEND"] == "Agg"
    assert os.environ["TUTOR_PROGRESS"] == str(progress_file)
    assert progress_file.parent == tmp_path


def test_random_numbers_are_the_same_in_every_test(rng):
    assert rng.random() == np.random.default_rng(0).random()
