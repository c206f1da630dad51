"""The smallest example of a broken law: look at it, run it again, turn it into a test."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from tutor.symmetry.catalogue import OWN, law
from tutor.symmetry.frameworks import Model
from tutor.symmetry.groups import Arrays, Change, transformed
from tutor.symmetry.laws import SLACK, Comparison, Probe
from tutor.symmetry.spec import Spec


@dataclass(frozen=True, eq=False)
class Witness:
    """A structure, a change, and what came of it.

    Attributes:
        law, output, dtype: what is broken, on which output, at which precision.
        inputs: the structure, by the names of the spec.
        change: what was done to it.
        expected, got: the output that the law asks for, and the one that came.
        error: the largest difference relative to the output.
    """

    spec: Spec
    law: str
    output: str
    dtype: str
    inputs: Arrays
    change: Change
    expected: ArrayLike
    got: ArrayLike
    error: float
    floor: float
    labels: tuple[str, str] = ("expected", "got")
    cutoff: Real | None = None
    model: Model | None = field(default=None, repr=False)

    @classmethod
    def of(cls, case, model: Model, settings: Mapping[str, object]) -> "Witness":
        seen = case.comparison
        floor = seen.floor / seen.scale if seen.scale else seen.floor
        return cls(model.spec, case.law, case.output, case.dtype, case.inputs, case.change,
                   seen.expected, seen.got, seen.relative, floor, seen.labels,
                   settings.get("cutoff"), model)  # fmt: skip

    @property
    def atoms(self) -> int:
        return self.spec.atoms(self.inputs)

    def moved(self) -> dict[str, np.ndarray]:
        """The structure after the change."""
        return transformed(self.spec, self.inputs, self.change)

    def replay(self, model: object = None) -> Comparison:
        """Run the example again, on the model that was checked or on a repaired one."""
        run = self.model if model is None else _as_model(model, self)
        return replay(run, self.law, self.inputs, self.change, self.output, self.dtype, self.cutoff)

    def answers(self) -> dict[str, str]:
        """What had to come and what came, as text, with the digits that tell them apart."""
        digits = 3 - np.floor(np.log10(np.clip(self.error, 1e-16, 1)))
        values = zip(self.labels, (self.expected, self.got), strict=True)
        return {label: _plain(value, int(digits)) for label, value in values}

    def text(self) -> str:
        """The example in a few lines."""
        lines = [f"{n} = {_plain(v, indent=len(n) + 3)}" for n, v in self.inputs.items()]
        lines += [f"change: {self.change.words()}"] if self.change.given() else []
        for n, other in enumerate(self.change.others or (), start=2):
            lines += [f"{name} {n} = {_plain(v, indent=len(name) + 5)}" for name, v in other.items()
                      if not np.array_equal(v, self.inputs[name])]  # fmt: skip
        for label, text in self.answers().items():
            head = f"{self.output}, {label}: "
            lines.append(head + text.replace("\n", "\n" + " " * len(head)))
        return "\n".join(lines)

    __str__ = text

    def to_pytest(self, model: str = "from my_package import model") -> str:
        """A test, as source code, that fails until this example is mended.

        Args:
            model: the line that imports the map under the name `model`.
        """
        name = re.sub(r"\W+", "_", f"{self.law} of {self.output}").strip("_")
        inputs = "".join(f"        {n!r}: {_code(v)},\n" for n, v in self.inputs.items())
        change = ", ".join(f"{n}={_code(v)}" for n, v in self.change.given().items())
        kinds = {
            part: "".join(f"            {n!r}: symmetry.{k!r},\n" for n, k in kinds.items())
            for part, kinds in (("inputs", self.spec.inputs), ("outputs", self.spec.outputs))
        }
        cutoff = f", cutoff={self.cutoff}" if self.law == "cutoff" else ""
        test = (
            f"def test_{name}():\n"
            "    spec = symmetry.Spec(\n"
            f"        inputs={{\n{kinds['inputs']}        }},\n"
            f"        outputs={{\n{kinds['outputs']}        }},\n    )\n"
            f"    inputs = {{\n{inputs}    }}\n"
            f"    change = symmetry.Change({change})\n"
            f"    seen = symmetry.replay(\n"
            f"        model, {self.law!r}, inputs, change, {self.output!r}, {self.dtype!r}"
            f"{cutoff}, spec=spec\n    )\n"
            f"    assert seen.ratio <= {SLACK:g}, "
            f'f"{{seen.relative:.2g}} off; the noise is {{seen.floor:.2g}}"\n'
        ).replace("'", '"')
        return f"import numpy as np\n{model}\n\nfrom tutor import symmetry\n\n\n{test}"


@np.errstate(all="ignore")
def replay(
    model: object,
    law_name: str,
    inputs: Arrays,
    change: Change,
    output: str,
    dtype: str = "float64",
    cutoff: Real | None = None,
    *,
    spec: Spec | None = None,
    library: str | None = None,
) -> Comparison:
    """Compare once more what a law asks for with what a map gives.

    Raises:
        KeyError: for a law that has no example of its own.
        ValueError: if `model` is a bare callable and no spec is given.
    """
    if not isinstance(model, Model):
        if spec is None:
            raise ValueError("spec=None: to replay a bare callable, say what goes in and out")
        model = Model(model, spec, library=library, example=inputs)
    if law_name in OWN:
        return _own(model, law_name, inputs, output, dtype)
    dtypes = {"dtypes": ("float64", "float32")}
    probe = Probe(model, dtype, np.random.default_rng(0), dtypes)
    return law(law_name, cutoff).compare(probe, inputs, change, lines=3)[output]


def _own(model, law_name, inputs, output, dtype):
    value = model(inputs, dtype)[output]
    if law_name != "finite":
        raise KeyError(f"{law_name!r} is seen over all calls, not on one structure")
    count = float(np.size(value) - np.isfinite(value).sum())
    return Comparison(np.array(0.0), np.array(count), 1e-9, float(np.size(value)))


def _as_model(model, witness):
    if isinstance(model, Model):
        return model
    return Model(model, witness.spec, example=witness.inputs,
                 library=witness.model.library if witness.model else None)  # fmt: skip


def _plain(value, digits: int = 6, indent: int = 0) -> str:
    """A number or an array, to so many digits of its largest component."""
    value = np.asarray(value)
    if value.dtype.kind in "fc" and np.isfinite(value).all():
        largest = np.abs(value).max(initial=0.0) or 1.0
        value = np.round(value, digits - 1 - int(np.floor(np.log10(largest)))) + 0.0  # no -0
    if value.ndim == 0:
        return f"{value:.{digits}g}" if value.dtype.kind == "f" else str(value)
    text = np.array2string(value, floatmode="unique", separator=", ", threshold=60)
    return text.replace("\n", "\n" + " " * indent)


def _code(value) -> str:
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()!r})" if value.size else "np.empty((0, 3))"
    if isinstance(value, tuple) and value and isinstance(value[0], Mapping):
        return "(" + "".join(
            "{" + ", ".join(f"{n!r}: {_code(v)}" for n, v in one.items()) + "}, " for one in value
        ) + ")"  # fmt: skip
    return repr(value)
