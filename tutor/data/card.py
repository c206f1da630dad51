"""What a data set is, and what it is not for: the TOML file beside every set, as a typed object."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True)
class Statistic:
    """A number that a regenerated set must reproduce to within `error`."""

    value: float
    error: float
    unit: str = ""


@dataclass(frozen=True)
class Card:
    """Everything a user should know before trusting a set.

    Attributes:
        name, title, description: what it is.
        engine: packages and versions that made it.
        level_of_theory: the approximation behind the labels, and its known faults.
        structures: how many there are.
        fields: what every array holds, by name.
        units: the unit of every array that has one.
        steps: to what multiple every float was rounded before labelling.
        splits: how many structures each part has.
        split_rule: how and why it was split so.
        not_for: what it must not be used for.
        statistics: what a regenerated set must reproduce.
        constants: numbers that belong to the set but to no structure of it.
        licence, references, sha256, cpu_minutes: as they say; the last, to make it on one core.
    """

    name: str
    title: str
    description: str
    engine: Mapping[str, str]
    level_of_theory: str
    structures: int
    fields: Mapping[str, str]
    units: Mapping[str, str]
    steps: Mapping[str, float]
    splits: Mapping[str, int]
    split_rule: str
    not_for: tuple[str, ...]
    statistics: Mapping[str, Statistic]
    licence: str
    references: tuple[str, ...]
    sha256: str
    cpu_minutes: float
    constants: Mapping[str, Statistic] = field(default_factory=dict)

    def __str__(self) -> str:
        made = ", ".join(f"{package} {version}" for package, version in self.engine.items())
        parts = ", ".join(f"{name} {count}" for name, count in self.splits.items())
        lines = [
            f"{self.name}: {self.title}",
            self.description,
            f"Structures: {self.structures}" + (f" ({parts})" if parts else ""),
            *(f"  {key} [{self.units.get(key, '-')}]: {what}" for key, what in self.fields.items()),
            *(f"  {key} = {c.value:.8g} {c.unit}" for key, c in self.constants.items()),
            f"Made by: {made}",
            f"Level of theory: {self.level_of_theory}",
            f"Splits: {self.split_rule}",
            *(f"Not for: {use}" for use in self.not_for),
            f"Licence: {self.licence}",
            *(f"Reference: {reference}" for reference in self.references),
        ]
        return "\n".join(line.strip("\n") for line in lines)


def read_card(path: Path) -> Card:
    """The card in a TOML file.

    Raises:
        ValueError: where an entry is missing or unknown, naming the file.
    """
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    for table in ("statistics", "constants"):
        if table in entries:
            entries[table] = {k: Statistic(**v) for k, v in entries[table].items()}
    for key, value in entries.items():
        if isinstance(value, list):
            entries[key] = tuple(value)
        elif isinstance(value, dict):
            entries[key] = MappingProxyType(value)
    try:
        return Card(**entries)
    except TypeError as error:
        raise ValueError(f"{path} is not a card: {error}") from error
