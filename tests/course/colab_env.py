"""The lessons as on Google Colab: with its versions, and the set-up cell in earnest.

    python -m tests.course.colab_env FOLDER [day01 ...]

makes an environment in FOLDER that has the packages of Colab (those of `colab.txt` that the course
touches, on Colab's Python) and not the course. Then every learner's notebook is run there beside
the wheel, so that the first one installs the course as a learner would. It fails where a notebook
stops, and where that installation has changed a package.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
FROZEN = Path(__file__).with_name("colab.txt")
PYTHON = "3.13"
NO_INDEX = "Failed to fetch|Could not connect|dns error|Request failed|timed out"
NOTEBOOK = ("ipykernel", "ipython", "ipywidgets", "nbclient", "nbconvert", "notebook", "pip")
PRETEND = """\
import sys, types
for name in ("google.colab", "google.colab.output"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["google.colab"].output = sys.modules["google.colab.output"]  # JAX imports it
"""


def frozen() -> dict[str, str]:
    """Package to version, of what Colab has."""
    lines = [line for line in FROZEN.read_text().splitlines() if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in (x.split("==") for x in lines)}


def dependencies() -> list[str]:
    """Of what the set-up cell of a lesson installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["lessons"]]


def resolved(folder: Path, wanted: list[str]) -> dict[str, str]:
    """What pip would have on Colab: package to version.

    Raises:
        ConnectionError: the package index cannot be reached.
        ValueError: the wish asks for another version of a package that is there.
    """
    wish = folder / "wanted.txt"
    wish.write_text("\n".join(wanted))
    command = ["uv", "pip", "compile", wish, "--constraint", FROZEN, "--python-version", PYTHON,
               "--python-platform", "x86_64-manylinux_2_35", "--no-header",
               "--no-annotate", "--no-config", "--quiet"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        kind = ConnectionError if re.search(NO_INDEX, done.stderr) else ValueError
        raise kind(done.stderr)
    return dict(re.findall(r"^([\w.-]+)==(\S+)", done.stdout, re.MULTILINE))


def make(folder: Path) -> Path:
    """An environment as Colab has it, without the course; its Python."""
    run("uv", "venv", "--quiet", "--clear", "--python", PYTHON, folder / "env")
    python, there = folder / "env/bin/python", frozen()
    touched = resolved(folder, [*dependencies(), *NOTEBOOK])
    wanted = [f"{name}=={there[name]}" for name in touched if name in there]
    others = [name for name in NOTEBOOK if name not in there]
    run("uv", "pip", "install", "--quiet", "--python", python, "--constraint", FROZEN,
        *wanted, *others)  # fmt: skip
    return python


def main(folder: Path, days: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    python = make(folder)
    before = versions(python)
    run("uv", "build", "--quiet", "--wheel", "--out-dir", folder, ROOT)
    start = folder / "ipython/profile_default/startup"
    start.mkdir(parents=True, exist_ok=True)
    (start / "colab.py").write_text(PRETEND)
    for notebook in sorted((ROOT / "course/notebooks").glob("day*.ipynb")):
        if not days or notebook.stem[:5] in days:
            shutil.copy(notebook, folder)
            run(python, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace",
                "--ExecutePreprocessor.timeout=1200", notebook.name, cwd=folder,
                env={"IPYTHONDIR": str(folder / "ipython"), "JAX_PLATFORMS": "cpu",
                     "PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(folder)})  # fmt: skip
            print(f"{notebook.stem}: ran to its end", flush=True)
    after = versions(python)
    changed = [f"{n} {v} -> {after.get(n)}" for n, v in before.items() if after.get(n) != v]
    if changed:
        sys.exit(f"installing the course changes what Colab has: {', '.join(changed)}")
    print("new:", ", ".join(sorted(after.keys() - before.keys())))


def versions(python: Path) -> dict[str, str]:
    listed = subprocess.run(["uv", "pip", "freeze", "--quiet", "--python", python],
                            capture_output=True, text=True, check=True).stdout  # fmt: skip
    return dict(re.findall(r"^([\w.-]+)(?:==| @ )(\S+)", listed, re.MULTILINE))


def run(*command, **options) -> None:
    done = subprocess.run(list(map(str, command)), check=False, **options)
    if done.returncode:
        sys.exit(f"failed: {' '.join(map(str, command))}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
