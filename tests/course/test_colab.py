"""Installing the course on Google Colab must change none of the packages that are there.

`colab.txt` is a frozen list of Colab's versions. uv resolves our dependencies with that list as
constraints: it fails, and names the package, as soon as one of them would have to change. That the
lessons run with these versions takes minutes: `colab_env.py` says so, every week.
"""

import re
import shutil

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.course import colab_env
from tests.course.colab_env import dependencies, frozen

# little is new, and all of it is small: a change here is worth a look
NEW = {"ase", "jaxtyping", "vesin", "wadler-lindig"}
NEW |= {"e3nn-jax", "jraph"}
NEW |= {"jax-md", "ml-collections"}  # and what its dependency pymatgen brings:
NEW |= {"bibtexparser", "monty", "palettable", "pylatexenc", "pymatgen", "ruamel-yaml", "spglib",
        "uncertainties"}  # fmt: skip


@pytest.fixture
def resolved(tmp_path):
    def resolved(wanted):
        if not shutil.which("uv"):
            pytest.skip("uv is not installed")
        try:
            return colab_env.resolved(tmp_path, wanted)
        except ConnectionError:
            pytest.skip("the package index cannot be reached")

    return resolved


def test_our_floors_and_exclusions_allow_what_colab_has():
    """The quick half, without an index: our own rules, not those of the packages we need."""
    there, refused = frozen(), []
    for requirement in map(Requirement, dependencies()):
        version = there.get(canonicalize_name(requirement.name))
        if version and not requirement.specifier.contains(version, prereleases=True):
            refused.append(f"{requirement} refuses Colab's {version}")
    assert not refused
    assert {"jax", "flax", "numpy", "optax"} <= there.keys()


def test_installing_changes_no_package_that_colab_has(resolved):
    there, then = frozen(), resolved(dependencies())
    changed = {n: (there[n], v) for n, v in then.items() if n in there and there[n] != v}
    assert not changed
    assert then.keys() - there.keys() <= NEW, sorted(then.keys() - there.keys() - NEW)


@pytest.mark.parametrize("demand", ["jax>=0.8", "nglview==4.0"])
def test_a_demand_that_would_upgrade_is_found(resolved, demand):
    with pytest.raises(ValueError, match=re.split("[>=]", demand)[0]):
        resolved([*dependencies(), demand])
