"""Finding answers in notebooks that learners have rearranged, and running only what they need."""

import pytest

from tutor.exercises.verdict import Broken
from tutor.grade.notebook import Program

DEF = "def well(x):\n    return 2 * x"


def program(*cells):
    return Program([cell if isinstance(cell, tuple) else (cell, "") for cell in cells])


def answer(notebook, exercise="1.1", name="well"):
    return notebook.take(notebook.candidates(exercise, name)[0])


@pytest.mark.parametrize(
    "cells",
    {
        "as handed out": [(DEF, "1.1"), 'check("1.1", well)'],
        "Colab has dropped the id": [DEF, 'check("1.1", well)'],
        "the check is deleted": [(DEF, "1.1")],
        "by name alone": ["x = 1", DEF, "y = 2"],
        "renamed, checked": [DEF.replace("well", "mine"), "check('1.1', mine)"],
        "renamed, by the cell's id": [(DEF.replace("well", "mine"), "1.1")],
        "with keywords": [DEF, "import tutor", "tutor.check(exercise_id='1.1', attempt=well)"],
        "check above the answer": ['check("1.1", well)', DEF],
        "two attempts, the last counts": ["def well(x): return 0", 'check("1.1", well)', DEF,
                                          'check("1.1", well)'],
        "a helper above": ["k = 2", "def twice(x): return k * x", ("well = twice", "1.1")],
        "a helper below": ["def well(x): return twice(x)", "def twice(x): return 2 * x"],
        "defined again elsewhere": [(DEF, "1.1"), 'check("1.1", well)', "well = 3"],
        "a class": ["class Well:\n    def __call__(self, x): return 2 * x", "well = Well()"],
        "an unfinished cell elsewhere": ["def f(:", DEF, "%matplotlib inline\n1 +"],
        "magics around it": [f"%load_ext autoreload\nn = !ls\n{DEF}\nwell?", "%%bash\nrm -r x"],
        "timed": [f"%%time\n{DEF}"],
        "a cell that fails": ["import no_such_package\nraise ValueError", DEF],
        "an import that fails in the same cell": [f"import no_such_package\n{DEF}"],
        "a list filled below": ["k = []", "k.append(2)", "def well(x): return k[0] * x"],
        "an entry set": ["k = {}", "k['a'] = 2", "def well(x): return k['a'] * x"],
        "cells run in another order": ["m = k", "k = 2", "def well(x): return m * x"],
        "only a lambda": ['check("1.1", lambda x: 2 * x)'],
    }.items(),
    ids=lambda item: item[0],
)  # fmt: skip
def test_the_answer_is_found(cells):
    assert answer(program(*cells[1]))(4) == 8


def test_nothing_else_runs():
    """Training, plots and checks stay where they are."""
    heavy = "raise SystemExit"
    loop = f"for i in range(9):\n    {heavy}"
    cells = heavy, "import os\nk = 2", loop, "def well(x): return k * x", 'check("1.1", well)'
    notebook = program(*cells, "k = well(k)")
    found = notebook.candidates("1.1", "well")[0]
    assert answer(notebook)(1) == 2
    assert len(notebook._needed(found.position, {"well"})) == 2


def test_a_setting_counts_but_a_drawing_does_not():
    cells = ("import numpy as np", "np.random.seed(3)", "np.savetxt('/nowhere/x', [1])",
             "well = np.random.rand()")  # fmt: skip
    assert answer(program(*cells)) == answer(program(*cells))
    assert len(program(*cells)._needed(4, {"well"})) == 3


def test_a_name_bound_twice_has_its_value_at_the_check():
    notebook = program("k = 2", ("well = k", "1.1"), 'check("1.1", well)', "k = 5", "well = k")
    assert answer(notebook) == 2


def test_an_unsolved_stub_comes_before_a_later_definition_only_in_order():
    """The grader goes on to the next candidate while one is not attempted."""
    notebook = program(("def well(x): ...", "1.1"), 'check("1.1", well)', DEF)
    values = [notebook.take(c) for c in notebook.candidates("1.1", "well")]
    assert values[0](4) is None
    assert 8 in [value(4) for value in values]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([("def well(x)\n    return x", "1.1")], "SyntaxError: expected ':'"),
        (["def well(x)\n    return x"], "SyntaxError: expected ':'"),
        (["well = 1 / 0"], "ZeroDivisionError: division by zero"),
        (["well = [k for k in unknown]"], "NameError: name 'unknown'"),
    ],
)
def test_trouble_is_told_with_the_line(cells, words):
    with pytest.raises(Broken) as caught:
        answer(program(*cells))
    assert words in caught.value.message
    assert "well" in caught.value.where


def test_code_that_python_cannot_parse_is_told():
    with pytest.raises(Broken, match="the cell is Python"):
        answer(program("well = " + "-" * 5000 + "1"))


def test_a_notebook_without_an_answer_has_no_candidate():
    assert program("x = 1", 'check("1.2", x)', 'check("1.1", gone)').candidates("1.1", "well") == []
