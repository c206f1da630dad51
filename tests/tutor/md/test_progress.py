import io
import re

import nbclient
import nbformat
import pytest
from rich.console import Console

from tutor.md.progress import display, speed


def test_speed_in_units_of_the_field():
    assert speed(1000, 2.0, timestep=2.0) == "500 steps/s, 86.4 ns/day"
    assert speed(0, 2.0, timestep=2.0) == ""


def test_the_terminal_shows_speed_and_drift(monkeypatch):
    page, clock = io.StringIO(), iter([10.0, 12.0, 15.0])
    console = Console(file=page, force_terminal=True, width=140)
    monkeypatch.setattr("rich.progress.get_console", lambda: console)
    monkeypatch.setattr("tutor.md.progress.monotonic", lambda: next(clock))
    with display(3000, timestep=1.0, atoms=50, done=500) as show:
        show(1000, -7.0)  # compiling was before this
        show(2000, -7.0001)
        show(3000, -6.9999)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", page.getvalue())
    assert "3000/3000 steps" in text
    assert "energy drift +2.0e-06 eV per atom, 400 steps/s, 34.6 ns/day" in text
    assert page.getvalue().endswith("\x1b[2K")  # the last line is erased


def test_silence(capsys):
    with display(3, timestep=1.0, atoms=2, show=False) as show:
        show(1, 0.0)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        (2, r"2/2 steps; energy drift -5\.0e-01 eV per atom"),
        (1, r"1/2 steps, \d+ s left; energy drift \+0\.0e\+00 eV per atom"),
    ],
)
def test_a_notebook_keeps_one_line_without_seconds(calls, expected):
    cell = nbformat.v4.new_code_cell(
        "from tutor.md.progress import display\n"
        "with display(2, timestep=1.0, atoms=2) as show:\n"
        "    show(1, 3.0)\n" + "    show(2, 2.0)\n" * (calls == 2)
    )
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert re.fullmatch(expected, output.data["text/plain"])
