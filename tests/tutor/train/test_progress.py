import io
import re

import nbclient
import nbformat
from rich.console import Console

from tutor.train.progress import display


def test_the_terminal_shows_errors_and_is_clean_at_the_end(monkeypatch):
    page = io.StringIO()
    console = Console(file=page, force_terminal=True, width=120)
    monkeypatch.setattr("rich.progress.get_console", lambda: console)
    with display(3, 0, True) as show:
        for epoch in (1, 2, 3):
            show(epoch, f"forces {100 - epoch} meV/Å")
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", page.getvalue())
    assert "3/3 epochs" in text
    assert "forces 97 meV/Å" in text
    assert page.getvalue().endswith("\x1b[2K")  # the last line is erased


def test_silence(capsys):
    with display(3, 0, False) as show:
        show(1, "forces 99 meV/Å")
    assert capsys.readouterr() == ("", "")


def test_a_notebook_keeps_one_line_without_seconds():
    cell = nbformat.v4.new_code_cell(
        "from tutor.train.progress import display\n"
        "with display(2, 0, True) as show:\n"
        "    show(1, 'forces 99 meV/Å')\n"
        "    show(2, 'forces 98 meV/Å')"
    )
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert output.data == {"text/plain": "2/2 epochs; in validation: forces 98 meV/Å"}
