"""Notebooks run again: what counts as the same, and what is told where it is not."""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tutor.nbval_plugin import AT_ONCE
from tutor.nbval_plugin.compare import Tolerance, difference, tokens

DEFAULT, STATED = Tolerance(), Tolerance(rtol=0.05, stated=True)
PICTURE = '<img alt="x" src="data:image/png;base64,{}"> at {}'


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("MAE 0.8423 eV", "MAE  0.8424\neV"),
        ("[ 1.  2.5]", "[1. 2.5]"),
        ("-0.00 and -0.", "0.00 and 0."),
        ("1.2e-16", "-4.4e-16"),
        ("100 meV", "99.95 meV"),
        ("0.5000Å", "0.5001Å"),
        ("nan", "nan"),
        (PICTURE.format("AAAA", "1.000"), PICTURE.format("BBBB==", "1.0005")),
        ('<iframe title="H2" srcdoc="[1, &quot;2&quot;]">', '<iframe title="H2" srcdoc="[3]">'),
    ],
)
def test_the_same_within_the_default_tolerance(stored, fresh):
    assert difference(stored, fresh, DEFAULT) == ""


@pytest.mark.parametrize(
    ("stored", "fresh", "said"),
    [
        ("ethanol 5", "methanol 5", "token 1: stored 'ethanol', fresh 'methanol'"),
        ("12 atoms", "13 atoms", "stored 12, fresh 13; the cell states no tolerance, so integers"),
        ("100000", "100001", "integers must be equal"),
        ("[1. 2.]", "[1. 3.]", "stored 2., fresh 3.; the cell states no tolerance"),
        ("[1 2]", "[1. 2.]", "stored 1, fresh 1."),
        ("0.500", "0.505", "off by 0.005 (1 %); the tolerance is rtol=0.001, atol=1e-09"),
        ("0.500", "-0.500", "off by 1 (2e+02 %)"),
        ("0.0", "0.1", "stored 0.0, fresh 0.1, off by 0.1; the tolerance"),
        ("0.5", "nan", "stored '0.5', fresh 'nan'"),
        ("0.5Å", "0.6Å", "off by 0.1"),
        ("H2", "H3", "stored 'H2', fresh 'H3'"),
        ("one two", "one", "token 2: fresh ends here"),
        ("one", "one 2", "token 2: fresh goes on"),
        ("1e999", "2e999", "off by nan"),
        ("a <b>", "a <i>", "stored 'b', fresh 'i'"),
        ('<iframe srcdoc="1" title="H2">', '<iframe srcdoc="1" title="O2">', "'H2', fresh 'O2'"),
    ],
)
def test_a_difference_is_told(stored, fresh, said):
    assert said in difference(stored, fresh, DEFAULT)


def test_a_difference_is_shown_among_its_neighbours():
    told = difference("the error is 0.50 eV here", "the error is 0.51 eV here", DEFAULT)
    assert "\n    stored: the error is >>> 0.50 <<< eV here" in told
    assert "\n    fresh:  the error is >>> 0.51 <<< eV here" in told


def test_a_stated_tolerance_holds_for_integers_too():
    assert difference("100 and 0.500", "104 and 0.520", STATED) == ""
    assert "off by 6 (6 %); the tolerance is rtol=0.05" in difference("100", "106", STATED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3-5 x=-1.5e-3", ["3", "-", "5", "x", "=", "-1.5e-3"]),
        ("#1f77b4 day01", ["#", "1", "f77b4", "day01"]),
        ("[[0.1,-2.0]]", ["[", "[", "0.1", ",", "-2.0", "]", "]"]),
        ("jax 0.10.1", ["jax", "0.10", ".", "1"]),
        ("10⁻³ Å.", ["10", "⁻", "³", "Å", "."]),
    ],
)
def test_tokens(text, expected):
    assert tokens(text) == expected


CELLS = {
    "word": ("print('a fresh word')", "a stale word\n", {}),
    "integer": ("print(12, 'atoms')", "13 atoms\n", {}),
    "percent": ("print('error', 0.8423, 'eV')", "error 0.8507 eV\n", {}),
    "near": ("print(0.8423)", "0.8424\n", {}),
    "stated": ("print(0.84, 100)", "0.85 101\n", {"rtol": 0.02}),
    "strict": ("print(0.8423)", "0.8424\n", {"rtol": 1e-6}),
    "pieces": ("for n in range(3): print(n, flush=True)", "0\n1\n2\n", {}),
    "result": ("{'energy': 1.5}", ("text/plain", "{'energy': 1.6}"), {}),
    "gone": ("None", "something\n", {}),
    "more": ("print('x'); import sys; print('y', file=sys.stderr)", "x\n", {}),
    "raises": ("1 / 0", "", {}),
    "folder": ("import os; open('here', 'w'); print(os.listdir())", "['here']\n", {}),
    "kernel": ("print(os.environ['JAX_PLATFORMS'], os.environ['TUTOR_PROGRESS'])", "cpu off\n", {}),
    "threads": ("print(os.environ.get('OMP_NUM_THREADS'))", "2\n", {}),
    "html": (
        f"display({{'text/html': {PICTURE.format('AA==', 2.0)!r}}}, raw=True)",
        ("text/html", PICTURE.format("BBBB", 2.0001)),
        {},
    ),
}
FAIL = {"word", "integer", "percent", "strict", "result", "gone", "more", "raises"}


def cell(name):
    source, output, stated = CELLS[name]
    if isinstance(output, tuple):
        kind = "execute_result" if output[0] == "text/plain" else "display_data"
        outputs = [new_output(kind, {output[0]: output[1]})]
    else:
        outputs = [new_output("stream", name="stdout", text=output)] if output else []
    metadata = {"tutor": stated} if stated else {}
    return new_code_cell(source, id=name, outputs=outputs, execution_count=1, metadata=metadata)


def validate(folder, *options):
    """Run pytest on the notebooks in a folder, with warnings as errors."""
    plain = ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=.", "--color=no", "-Werror"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tutor.nbval_plugin", "-rA", *plain, *options, "."],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "2"},
        check=False,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """pytest on a notebook of all these cells: what it wrote, and the folder."""
    folder = tmp_path_factory.mktemp("nbval")
    nbformat.write(new_notebook(cells=[cell(name) for name in CELLS]), folder / "toy.ipynb")
    done = validate(folder)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout, folder


def test_what_changed_fails_and_nothing_else(run):
    found = re.findall(r"^(PASSED|FAILED) toy\.ipynb::(\w+)", run[0], re.M)
    outcome = {name: word for word, name in found}
    assert outcome == {name: "FAILED" if name in FAIL else "PASSED" for name in CELLS}


@pytest.mark.parametrize(
    "said",
    [
        "stdout, token 2: stored 'stale', fresh 'fresh'",
        "stdout, token 1: stored 13, fresh 12; the cell states no tolerance",
        "stdout, token 2: stored 0.8507, fresh 0.8423, off by 0.0084 (0.99 %); the tolerance is",
        "off by 0.0001 (0.012 %); the tolerance is rtol=1e-06, atol=1e-09",
        "text/plain, token 6: stored 1.6, fresh 1.5",
        "stdout: stored 'something\\n', not in the fresh run",
        "stderr: not stored, fresh 'y\\n'",
        "ZeroDivisionError: division by zero",
        "FAILED toy.ipynb::raises - toy.ipynb, cell raises: Cell execution",
    ],
)
def test_the_failure_says_what_differs(run, said):
    plain = re.sub(r"\x1b\[[0-9;]*m", "", run[0])
    assert said in plain, plain


def test_nothing_is_left_beside_the_notebook(run):
    assert [path.name for path in run[1].iterdir()] == ["toy.ipynb"]


@pytest.mark.skipif(AT_ONCE == 1, reason="one processor")
def test_the_next_notebook_runs_while_the_first_is_read(tmp_path):
    met = tmp_path / "met"
    wait = f"import os, time\nwhile not os.path.exists({str(met)!r}): time.sleep(0.01)"
    arrive = f"open({str(met)!r}, 'w').close()"
    for name, source in {"a": wait, "b": arrive, "c": "1", "never_reached": ""}.items():
        code = new_code_cell(source, execution_count=1, id=name)
        nbformat.write(new_notebook(cells=[code]), tmp_path / f"{name}.ipynb")
    done = validate(tmp_path, "--nbval-cell-timeout=30", "-x")
    assert re.findall(r"^(PASSED|FAILED) (\w)", done.stdout, re.M) == [
        ("PASSED", "a"),
        ("PASSED", "b"),
        ("FAILED", "c"),
    ]
    assert done.stderr == ""
