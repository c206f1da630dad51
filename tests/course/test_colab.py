"""Installing the course on Google Colab must change none of the packages that are there.

`colab.txt` is a frozen list of Colab's versions. uv resolves our dependencies with that list as
constraints: it fails, and names the package, as soon as one of them would have to change.
"""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
FROZEN = Path(__file__).with_name("colab.txt")
PYTHON = "3.13"
NO_INDEX = "Failed to fetch|Could not connect|dns error|Request failed|timed out"


def frozen():
    """Package to version."""
    lines = [line for line in FROZEN.read_text().splitlines() if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in (x.split("==") for x in lines)}


def resolved(tmp_path, dependencies):
    """What pip would have on Colab: package to version.

    Raises:
        ValueError: where the dependencies ask for another version of a package that is there.
    """
    if not (uv := shutil.which("uv")):
        pytest.skip("uv is not installed")
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("\n".join(dependencies))
    command = [uv, "pip", "compile", wanted, "--constraint", FROZEN, "--python-version", PYTHON,
               "--python-platform", "x86_64-manylinux_2_35", "--no-header",
               "--no-annotate", "--no-config", "--quiet"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        if re.search(NO_INDEX, done.stderr):
            pytest.skip("the package index cannot be reached")
        raise ValueError(done.stderr)
    return dict(re.findall(r"^([\w.-]+)==(\S+)", done.stdout, re.MULTILINE))


def dependencies():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]


def test_our_floors_and_exclusions_allow_what_colab_has():
    """The quick half, without an index: our own rules, not those of the packages we need."""
    there, refused = frozen(), []
    for requirement in map(Requirement, dependencies()):
        version = there.get(canonicalize_name(requirement.name))
        if version and not requirement.specifier.contains(version, prereleases=True):
            refused.append(f"{requirement} refuses Colab's {version}")
    assert not refused
    assert {"jax", "flax", "numpy", "optax"} <= there.keys()


def test_installing_changes_no_package_that_colab_has(tmp_path):
    there, then = frozen(), resolved(tmp_path, dependencies())
    changed = {n: (there[n], v) for n, v in then.items() if n in there and there[n] != v}
    assert not changed
    # little is new, and all of it is small: a change here is worth a look
    assert then.keys() - there.keys() <= NEW, sorted(then.keys() - there.keys() - NEW)


NEW = {"ase", "jaxtyping", "vesin", "wadler-lindig"}


@pytest.mark.parametrize("demand", ["jax>=0.8", "nglview==4.0"])
def test_a_demand_that_would_upgrade_is_found(tmp_path, demand):
    with pytest.raises(ValueError, match=re.split("[>=]", demand)[0]):
        resolved(tmp_path, [*dependencies(), demand])
