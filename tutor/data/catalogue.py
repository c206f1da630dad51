"""load, list, verify and regenerate the data sets."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tutor.data.card import Card, Statistic, read_card
from tutor.data.dataset import Dataset
from tutor.data.recipes.engines import Progress, missing, silent
from tutor.data.storage import read, sha256, write

SETS = Path(__file__).parent / "sets"

# How far a label recomputed elsewhere may be from the stored one, beyond its rounding.
TOLERANCES = {"energy": 1e-6, "forces": 1e-5, "dipole": 1e-5, "charges": 1e-5, "gap": 1e-5}


class Check(NamedTuple):
    """One row of an audit; `ok` is None where it could not be done."""

    what: str
    expected: str
    found: str
    ok: bool | None


def names() -> list[str]:
    """The data sets there are."""
    return sorted(path.stem for path in SETS.glob("*.toml"))


def card(name: str, *, folder: Path | str = SETS) -> Card:
    """What a set is: engine, level of theory, units, splits, licence, what it is not for.

    Raises:
        ValueError: for a name that there is not.
    """
    path = Path(folder) / f"{name}.toml"
    if not path.is_file():
        known = sorted(p.stem for p in Path(folder).glob("*.toml"))
        near = get_close_matches(name, known, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        raise ValueError(f'no data set "{name}"; there are {", ".join(known) or "none"}.{hint}')
    return read_card(path)


def load(name: str, split: str | None = None, *, folder: Path | str = SETS) -> Dataset:
    """A data set, or one part of it: `load("ethanol", "train")`.

    Args:
        name: one of `names()`.
        split: a part, such as "train"; the whole set if None.
        folder: where it lies; give your own for a set that you made with `make`.

    Raises:
        ValueError: for an unknown name or split, or where the file is not the one of the card.
    """
    data = _load(name, Path(folder))
    return data if split is None else data.split(split)


@cache
def _load(name, folder):
    about, path = card(name, folder=folder), folder / f"{name}.npz"
    found = sha256(path) if path.is_file() else "no file"
    if found != about.sha256:
        raise ValueError(
            f"{path} is corrupt: its SHA-256 should be {about.sha256}, found {found}. "
            "Install nnp-tutor again, or make the set anew in a folder of yours with "
            f"`tutor data make {name}`"
        )
    return read(path, name, about.steps, about.units)


def verify(
    name: str, *, folder: Path | str = SETS, samples: int = 5, progress: Progress = silent
) -> list[Check]:
    """Audit a set: its checksum, its counts and statistics, and the labels of some structures.

    Labels are recomputed by the real engine, where it is installed.
    """
    about, recipe = card(name, folder=folder), _recipe(name)
    path = Path(folder) / f"{name}.npz"
    found = sha256(path) if path.is_file() else "no file"
    checks = [Check("SHA-256 of the file", about.sha256, found, found == about.sha256)]
    if not checks[0].ok:
        return checks
    data = load(name, folder=folder)
    checks += _compare(data, about, recipe)
    absent = missing(recipe.ENGINES)
    if absent:
        needs = f"{', '.join(absent)} not installed: pip install 'nnp-tutor[data]'"
        return [*checks, Check("labels recomputed", "equal", needs, None)]
    return checks + _recompute(data, about, recipe, samples, progress)


def make(name: str, out: Path | str = ".", progress: Progress = silent) -> list[Check]:
    """Regenerate a set with the real engine into `out`, and compare it with the card.

    Writes NAME.npz and its card NAME.toml, for `load(name, folder=out)`. Bits may differ between
    machines and versions, so statistics are compared, each within the error that the card states.

    Raises:
        ImportError: where an engine is missing, saying what to install.
        FileExistsError: where `out` holds such a file already.
    """
    about, recipe = card(name), _recipe(name)
    target, card_target = (Path(out) / f"{name}{suffix}" for suffix in (".npz", ".toml"))
    for path in (target, card_target):
        if path.exists():
            raise FileExistsError(f"{path} exists: remove it, or choose another folder")
    data = recipe.generate(progress)
    checksum = write(data, target, about.steps)
    text = (SETS / f"{name}.toml").read_text(encoding="utf-8")
    text = _set_entry(text, "sha256", checksum)
    for package in about.engine:
        text = _set_entry(text, package, version(package))
    card_target.write_text(text, encoding="utf-8")
    same = Check("SHA-256 of the file", about.sha256, checksum, checksum == about.sha256 or None)
    return [same, *_compare(load(name, folder=out), about, recipe)]


def _set_entry(text, key, value):
    return re.sub(rf'^{key} = ".*"$', f'{key} = "{value}"', text, flags=re.MULTILINE)


def _recipe(name):
    return import_module(f"tutor.data.recipes.{name}")


def _compare(data: Dataset, about: Card, recipe) -> list[Check]:
    counts = {"structures": len(data), **{f"in {k}": len(v) for k, v in data.splits.items()}}
    wanted = {"structures": about.structures, **{f"in {k}": v for k, v in about.splits.items()}}
    checks = [
        Check(what, str(wanted.get(what, 0)), str(counts.get(what, 0)),
              wanted.get(what, 0) == counts.get(what, 0))
        for what in wanted | counts
    ]  # fmt: skip
    found = recipe.statistics(data)
    return checks + [_near(key, stated, found[key]) for key, stated in about.statistics.items()]


def _near(key: str, stated: Statistic, found: float) -> Check:
    expected = f"{stated.value:.6g} ± {stated.error:.2g} {stated.unit}".rstrip()
    ok = bool(abs(found - stated.value) <= stated.error)
    return Check(key, expected, f"{found:.6g} {stated.unit}".rstrip(), ok)


def _recompute(data: Dataset, about: Card, recipe, samples, progress) -> list[Check]:
    worst: Mapping[str, float] = {}
    arrays = data.arrays()
    chosen = np.unique(np.linspace(0, len(data) - 1, samples).astype(int))
    for done, i in enumerate(chosen, start=1):
        for key, value in recipe.relabel(data[int(i)]).items():
            stored = arrays[key][i][: len(value)] if np.ndim(value) else arrays[key][i]
            worst[key] = max(worst.get(key, 0.0), float(np.abs(stored - value).max()))
        progress("labels recomputed", done, len(chosen))
    checks = []
    for key, error in worst.items():
        allowed = about.steps[key] / 2 + TOLERANCES.get(key, 1e-5)
        unit = about.units.get(key, "")
        checks.append(
            Check(
                f"{key} of {len(chosen)} structures recomputed, largest difference",
                f"at most {allowed:.1e} {unit}",
                f"{error:.1e} {unit}",
                error <= allowed,
            )
        )
    return checks
