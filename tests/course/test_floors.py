"""Imports inside tutor/ go down, and `import tutor` imports nothing else."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tutor

ROOT = Path(tutor.__file__).parent
FLOORS = [
    {"figure", "graph", "live", "neighbors", "precision", "pytree", "render", "system", "units"},
    {"radial", "angular", "potential", "table"},
    {"models", "symmetry", "data"},
    {"train", "md", "relax", "transport", "plot", "viewer", "ase", "jax_md", "twins"},
    {"exercises", "build", "grade", "cli", "symmetry_cli", "start", "doctor", "nbval_plugin"}
    | {"__main__", "site"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text("utf-8")
    for path in sorted(ROOT.rglob("*.py"))
}


def rooms_imported(module: str, source: str) -> Iterator[str]:
    """The rooms of tutor that a module's code imports, also inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            package = ["tutor", *module.split(".")][: -node.level or None] if node.level else []
            names = [".".join([*package, node.module or ""]).strip(".")]
            if names[0] == "tutor":  # from tutor import check: the room behind the name
                names = [tutor._EXPORTS.get(a.name, f"tutor.{a.name}") for a in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            names = [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
        else:
            continue
        yield from (
            name.removeprefix("tutor.") for name in names if f"{name}.".startswith("tutor.")
        )


def _called(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", "")).lstrip("_")


def upward(module: str, source: str) -> list[str]:
    """The imports of a module that do not go down, or to a room that stands on no floor."""
    own, wrong = FLOOR[module.split(".")[0]], []
    for name in rooms_imported(module, source):
        room = name.split(".")[0]
        if room != "__version__" and FLOOR.get(room, len(FLOORS)) > own:
            wrong.append(f"{module} (floor {own}) imports {name} (floor {FLOOR.get(room, '?')})")
    return wrong


@pytest.mark.parametrize("module", sorted(set(SOURCES) - {"__init__"}))
def test_imports_only_go_down(module):
    room = module.split(".")[0]
    assert room in FLOOR, f"tutor/{room} stands on no floor: see DESIGN, then add it to FLOORS"
    assert not upward(module, SOURCES[module])


@pytest.mark.parametrize(
    "source",
    [
        "from tutor.exercises import check",
        "from tutor import check",
        "from tutor import exercises",
        "import tutor.plot as p",
        "def f():\n    import tutor.plot",
        "def f():\n    from tutor.cli import main",
        "from ..train import fit",
        "import tutor",
        "from importlib import import_module\nimport_module('tutor.train')",
    ],
)
def test_an_import_upwards_is_found(source):
    assert upward("data.storage", source)


@pytest.mark.parametrize(
    "source", ["from tutor.system import System", "from . import dataset", "from ..units import EV"]
)
def test_an_import_downwards_is_allowed(source):
    assert not upward("data.storage", source)


def test_the_package_itself_imports_only_importlib():
    assert set(rooms_imported("__init__", SOURCES["__init__"])) == set()
    top = ast.parse(SOURCES["__init__"]).body
    imports = [ast.unparse(node) for node in top if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imports == ["from importlib import import_module as _import_module"]


def test_import_tutor_imports_no_package():
    code = (
        "import sys; before = set(sys.modules); import tutor\n"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(names - sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    assert done.stdout.split() == ["tutor"]
