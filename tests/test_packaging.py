"""What the package says of itself: dependencies, conda names, and how light an import is."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONDA = {
    "matplotlib": "matplotlib-base",
    "torch": "pytorch",
    "torch-geometric": "pytorch_geometric",
}


def requirements(entries):
    """Name to version rule, markers and our own extras left out."""
    plain = [entry.split(";")[0].strip() for entry in entries if not entry.startswith("nnp-tutor")]
    return {
        re.split(r"[<>=!\[]", entry)[0]: re.sub(r"^[\w-]+(\[\w+\])?", "", entry) for entry in plain
    }


def test_environment_yml_is_pyproject_in_conda_names():
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = {
        **requirements(PROJECT["project"]["dependencies"]),
        **requirements(extras["lessons"]),
        **requirements(extras["lab"]),
        **requirements(extras["md"]),
        **requirements(extras["torch"]),
        **requirements(PROJECT["dependency-groups"]["dev"]),
    }
    wanted = {CONDA.get(name, name): rule.replace("==", "=") for name, rule in wanted.items()}
    lines = re.findall(r"^  - ([\w-]+)(\S*)$", (ROOT / "environment.yml").read_text(), re.MULTILINE)
    found = {name: rule for name, rule in lines if name not in ("conda-forge", "nodefaults")}
    assert found.pop("python") == PROJECT["project"]["requires-python"]
    del found["pip"]
    assert found == wanted


def test_known_broken_versions_are_excluded():
    rules = requirements(PROJECT["project"]["dependencies"])
    assert rules["jax"] == ">=0.7.2,!=0.10.2,!=0.11.1"
    assert rules["flax"] == ">=0.11.2"


def test_no_package_index_is_needed():
    """With a torch index in pyproject, every `uv run` would have to reach it."""
    assert "uv" not in PROJECT["tool"]
    assert "http" not in "".join(PROJECT["project"]["dependencies"])


def test_the_client_s_top_level():
    top = {p.name for p in ROOT.iterdir()}
    assert top >= {"pyproject.toml", "course", "lessons", "solutions", "tutor", "tests",
                   "environment.yml"}  # fmt: skip


def test_every_room_has_the_same_stems():
    rooms = ("lessons", "solutions", "course/notebooks", "course/solved")
    stems = {room: {path.stem for path in (ROOT / room).glob("day*")} for room in rooms}
    assert len(set(map(frozenset, stems.values()))) == 1, stems


def test_ci_runs_the_second_command_of_the_readme():
    command = "pip install uv && uv run pytest"
    assert command in (ROOT / "README.md").read_text()
    assert (ROOT / ".ci/run").read_text().rstrip().endswith(command)
