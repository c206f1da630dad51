"""`tutor symmetry TARGET`: which law of physics does a model break?"""

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

out = Console()


def symmetry(
    target: Annotated[
        str,
        typer.Argument(
            help="MODULE:OBJECT or FILE.py:OBJECT: a callable, an ASE calculator, or their class."
        ),
    ],
    structure: Annotated[
        Path | None, typer.Option(help="A structure that ASE can read; else random ones.")
    ] = None,
    species: Annotated[
        str, typer.Option(help="Elements of the random structures, such as Cu,Au.")
    ] = "H,C,O",
    cutoff: Annotated[float | None, typer.Option(help="The cutoff in Å: is it smooth?")] = None,
    laws: Annotated[str | None, typer.Option(help="Only these, such as rotation,forces.")] = None,
    trials: Annotated[int, typer.Option(min=2, help="Cases of each law at each precision.")] = 60,
    dtype: Annotated[str | None, typer.Option(help="float64, float32; both if not given.")] = None,
    seed: Annotated[int, typer.Option(help="Of all random numbers.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page as well.")] = None,
):
    """Which law of physics does a model break, by how much, and what is the smallest example?

    The model is any callable of (positions, species[, cell]) in NumPy, JAX or torch, or an ASE
    calculator. Exit code 0: every law holds; 1: one is broken, or holds vacuously.
    """
    from tutor.symmetry import check

    if html and not html.parent.is_dir():
        raise ValueError(f"--html {html}: there is no folder {html.parent}")
    report = check(
        load(target),
        sample=structure and read(structure),
        species=numbers(species),
        cutoff=cutoff,
        laws=laws and laws.split(","),
        trials=trials,
        dtypes=dtype and dtype.split(","),
        seed=seed,
        progress=not as_json,
    )
    if html:
        report.save_html(html)
    if as_json:
        typer.echo(report.to_json())
    else:
        out.print(report.text(), markup=False, highlight=False, soft_wrap=True)
        if html:
            out.print(f"wrote {html}", soft_wrap=True)
    raise typer.Exit(not report.ok)


def load(target: str) -> object:
    """The object that MODULE:OBJECT or FILE.py:OBJECT names; of a class, an instance.

    Raises:
        ValueError: if the target has not this form, the module has no such object, or a class
            needs arguments.
        ImportError: if the module cannot be imported.
    """
    place, colon, name = target.rpartition(":")
    if not (colon and place and name):
        raise ValueError(
            f"target {target!r}: say MODULE:OBJECT or FILE.py:OBJECT, "
            "such as ase.calculators.emt:EMT"
        )
    module = _from_file(Path(place)) if place.endswith(".py") else _from_module(place)
    thing = module
    for part in name.split("."):
        if not hasattr(thing, part):
            raise ValueError(f"target {target!r}: {place} has no {part!r}")
        thing = getattr(thing, part)
    if not isinstance(thing, type):
        return thing
    try:
        return thing()
    except TypeError as error:
        raise ValueError(
            f"target {target!r} is a class: name an instance of it ({error})"
        ) from error


def _from_module(name):
    sys.path.insert(0, str(Path.cwd()))  # as `python -m` has it
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def _from_file(path):
    if not path.is_file():
        raise ValueError(f"target: no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def read(path: Path) -> object:
    """A structure from a file, by ASE.

    Raises:
        ValueError: if there is no such file, or ASE cannot read it.
    """
    import ase.io

    if not path.is_file():
        raise ValueError(f"--structure {path}: no such file")
    try:
        return ase.io.read(path)
    except Exception as error:  # ASE raises a different one for every format
        raise ValueError(f"--structure {path}: ASE cannot read it: {error}") from error


def numbers(names: str) -> tuple[int, ...]:
    """Atomic numbers from symbols separated by commas.

    Raises:
        ValueError: for a name that is no element.
    """
    from ase.data import atomic_numbers

    symbols = [name.strip() for name in names.split(",")]
    if unknown := [symbol for symbol in symbols if symbol not in atomic_numbers]:
        raise ValueError(f"--species: no element {', '.join(unknown)}")
    return tuple(atomic_numbers[symbol] for symbol in symbols)
