"""What a law is, and the laws that say: change the structure so, and the outputs change so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from tutor.symmetry.frameworks import Model
from tutor.symmetry.groups import Arrays, Change, expected, offsets, transformed
from tutor.symmetry.noise import line, noise
from tutor.symmetry.spec import Spec

SLACK = 30.0


@dataclass(frozen=True, eq=False)
class Comparison:
    """What must have come out and what did.

    Attributes:
        expected, got: the two.
        floor: the noise of either, absolute, as measured.
        scale: the size that the error is relative to.
        note: what else was seen.
        labels: what to call the two.
    """

    expected: ArrayLike
    got: ArrayLike
    floor: float
    scale: float
    note: str = ""
    labels: tuple[str, str] = ("expected", "got")

    @property
    def error(self) -> float:
        """The largest absolute difference."""
        if np.shape(self.expected) != np.shape(self.got):
            return np.inf
        difference = np.abs(np.asarray(self.got) - self.expected)
        return float(np.nan_to_num(difference, nan=np.inf).max(initial=0.0))

    @property
    def relative(self) -> float:
        return float(self.error / self.scale) if self.scale else float(bool(self.error))

    @property
    def ratio(self) -> float:
        """Error over floor: what the verdict goes by."""
        if self.error == 0:
            return 0.0
        return float(self.error / self.floor) if self.floor else np.inf


@dataclass
class Probe:
    """A model at one precision, which remembers what it was asked about one structure."""

    model: Model
    dtype: str
    rng: np.random.Generator
    settings: Mapping[str, object] = field(default_factory=dict)
    _known: dict[int, tuple] = field(default_factory=dict)
    _floors: dict[tuple[int, int], dict[str, float]] = field(default_factory=dict)

    @property
    def spec(self) -> Spec:
        return self.model.spec

    def __call__(self, inputs: Arrays) -> dict[str, np.ndarray]:
        if id(inputs) not in self._known:
            self._known[id(inputs)] = (inputs, self.fresh(inputs))
        return self._known[id(inputs)][1]

    def fresh(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """A call that nothing is remembered of."""
        return self.model(inputs, self.dtype)

    def noise(self, inputs: Arrays, lines: int = 1) -> dict[str, float]:
        """The floor of every output at this structure, the largest of several lines."""
        key = (id(inputs), lines)
        if key not in self._floors:
            floors = dict.fromkeys(self.spec.outputs, 0.0)
            here = self(inputs)
            for _ in range(lines):
                along = [self.fresh(s) for s in line(self.spec, inputs, self.dtype, self.rng)]
                for name in floors:
                    values = [here[name], *(step[name] for step in along)]
                    floors[name] = max(floors[name], noise(values, self.dtype))
            self._floors[key] = floors
        return self._floors[key]

    def forget(self) -> None:
        self._known.clear()
        self._floors.clear()


def _nothing_to_choose(rng, spec, inputs) -> Change:
    return Change()


@dataclass(frozen=True)
class Law:
    """A law: what it says, what it compares, and of what cases.

    Attributes:
        name: one or two words.
        sentence: the law in words. suspect: what usually breaks it.
        compare: (probe, inputs, change, lines) to a Comparison by output; the noise is the largest
            of that many lines.
        missing: (spec, settings) to why it cannot be tested here, or "".
        draw: (rng, spec, inputs) to a random change, or None if this structure has none.
        simple: (spec, inputs) to changes in order of simplicity, tried for the witness.
    """

    name: str
    sentence: str
    suspect: str
    compare: Callable[[Probe, Arrays, Change, int], dict[str, Comparison]]
    missing: Callable[[Spec, Mapping[str, object]], str] = lambda spec, settings: ""
    draw: Callable[[np.random.Generator, Spec, Arrays], Change | None] = _nothing_to_choose
    simple: Callable[[Spec, Arrays], list[Change]] = lambda spec, inputs: [Change()]


def transformation(
    name: str,
    sentence: str,
    suspect: str,
    draw: Callable,
    simple: Callable,
    needs: Callable[[Spec], str] = lambda spec: "",
    concerns: Callable = lambda kind: True,
) -> Law:
    """A law of the form f(change(x)) = change(f(x)), on the outputs whose kind it `concerns`."""

    def missing(spec, settings):
        silent = "" if any(map(concerns, spec.outputs.values())) else "no output that it concerns"
        return needs(spec) or silent

    def compare(probe, inputs, change, lines=1):
        spec = probe.spec
        moved = transformed(spec, inputs, change)
        before, after = probe(inputs), probe.fresh(moved)
        copies = offsets(spec, inputs, change)
        floors, floors_moved, found = probe.noise(inputs, lines), None, {}
        for name, kind in spec.outputs.items():
            if not concerns(kind):
                continue
            must, got = expected(kind, before[name], change, copies), after[name]
            if change.pad and kind.per == "atom":
                got = got[: -change.pad]
            floor = floors[name] * (len(copies) if kind.extensive else 1)
            comparison = Comparison(must, got, floor, float(np.abs(must).max(initial=0.0)))
            if comparison.ratio > SLACK / 3:
                floors_moved = floors_moved or probe.noise(moved, lines)
                floor = max(floor, floors_moved[name])
                comparison = Comparison(must, got, floor, comparison.scale)
            found[name] = comparison
        return found

    return Law(name, sentence, suspect, compare, missing, draw, simple)
