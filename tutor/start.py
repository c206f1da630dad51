"""Put a day's notebook into the learner's own folder. Nothing there is ever overwritten."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat

HERE = Path(__file__).resolve().parent


def notebooks() -> dict[str, Path]:
    """The built lessons by stem, from the source tree or from the installed package.

    Raises:
        FileNotFoundError: where the package was installed without them.
    """
    for folder in (HERE.parent / "course" / "notebooks", HERE / "notebooks"):
        found = {p.stem: p for p in sorted(folder.glob("day*.ipynb"))}
        if found:
            return found
    raise FileNotFoundError(
        "no built lessons found: run `tutor build` in the source tree, or install a released wheel"
    )


def find_day(day: str) -> Path:
    """The notebook that `day` names: "day01", "1", "01" or the full stem.

    Raises:
        ValueError: where no lesson has that name.
    """
    lessons = notebooks()
    wanted = f"day{int(day):02d}" if day.isdigit() else day.removesuffix(".ipynb").lower()
    for stem, path in lessons.items():
        if wanted in (stem, stem.split("_")[0]):
            return path
    raise ValueError(f"day = {day!r}: no such lesson; there is {', '.join(lessons)}")


class Copied(NamedTuple):
    """Where the learner's notebook is, and whether it was made just now."""

    path: Path
    new: bool


def copy_for_learner(source: Path, folder: Path) -> Copied:
    """Copy a built notebook into `folder` without its outputs, unless one of that name is there.

    The outputs go, because the lesson asks to predict first and then to run. The copy appears in
    one piece or not at all, also when the power fails half-way.

    Raises:
        NotADirectoryError: where `folder` exists and is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(
            f"dir = {folder} is a file: choose another folder with --dir, or move that file away"
        )
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    if target.exists():
        return Copied(target, new=False)
    notebook = nbformat.read(source, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    part = folder / f".{source.name}.{os.getpid()}.part"
    try:
        nbformat.write(notebook, part)
        try:
            os.link(part, target)  # fails where the name is taken: never replaces
        except FileExistsError:
            return Copied(target, new=False)
        except OSError:  # a file system without hard links
            part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return Copied(target, new=True)


def open_lab(notebook: Path, *, browser: bool) -> int:
    """Run JupyterLab on the notebook until the learner closes it; its exit status.

    Raises:
        ModuleNotFoundError: where JupyterLab is not installed.
    """
    from importlib.util import find_spec

    if find_spec("jupyterlab") is None:
        raise ModuleNotFoundError(
            "JupyterLab is not installed: pip install 'nnp-tutor[lab]', or use --no-lab and open "
            f"{notebook} in the editor of your choice"
        )
    command = [sys.executable, "-m", "jupyterlab", notebook.name, "--log-level=WARN"]
    command += [  # nothing that would ask the network
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # as in a container
        command.append("--allow-root")
    try:
        return subprocess.run(command, cwd=notebook.parent, check=False).returncode
    except KeyboardInterrupt:
        return 0
