"""Execution: the kernel, and what must not be stored."""

import asyncio
import os
import subprocess
import sys

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tutor.build import BuildError, build
from tutor.build.execute import execute

PLAIN = ("-p", "no:cacheprovider", "-c", os.devnull)  # not the settings of this repository
LEARNER, SOLVED = "course/notebooks/day99_toy.ipynb", "course/solved/day99_toy.ipynb"


def lesson_with(sources, *cells):
    path = sources / "lessons" / "day99_toy.py"
    path.write_text("\n\n".join([path.read_text(), *cells]))


def test_the_kernel_has_one_thread_no_progress_file_and_an_empty_folder():
    names = ["JAX_PLATFORMS", "TUTOR_PROGRESS", "PYTHONHASHSEED", "OMP_NUM_THREADS", "MPLBACKEND"]
    code = f"import os; print(*map(os.environ.get, {names}), os.listdir())"
    notebook = new_notebook(cells=[new_code_cell(code)])
    assert asyncio.run(execute(notebook, advance=lambda: None)) == ""
    (output,) = notebook.cells[0].outputs
    assert output.text == "cpu off 0 1 module://matplotlib_inline.backend_inline []\n"


def test_outputs_that_must_not_be_stored_are_named_with_their_cell(sources, registered):
    lesson_with(
        sources,
        "# %%\nimport warnings\nwarnings.warn('old function')",
        "# %%\nobject()",
        "# %%\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "# %%\nhtml = '<iframe title=a srcdoc=\"&lt;img src=b&gt;\"></iframe><iframe></iframe>'\n"
        "display({'text/html': html}, raw=True)",
        "# %%\nprint(os.getcwd())\nopen('litter', 'w').close()",
        "# %%\nos.system('echo from C')",
        "# %%\nprint('on my way')\n1 / 0",
        "# %%\nprint('never reached')",
    )
    with pytest.raises(BuildError) as error:
        build(None, sources)
    said = str(error.value)
    for path in (LEARNER, SOLVED):
        for words in (
            f"{path}, cell day99-11 (`import warnings`): writes on stderr: ",
            f"{path}, cell day99-12 (`object()`): shows a memory address, 0x",
            f"{path}, cell day99-13 (`import matplotlib.pyplot as plt`): a figure without alt text",
            'srcdoc="&lt;img src=b&gt;…`): a figure has no alt text',
            'srcdoc="&lt;img src=b&gt;…`): an embedded frame has no title',
            f"{path}: leaves files behind: litter",
            f"{path}, cell day99-16 (`os.system('echo from C')`): writes on stderr: from C",
            f"{path}, cell day99-17 (`print('on my way')`): raises ZeroDivisionError: division",
        ):
            assert words in said, f"{words}\nis not in\n{said}"
        assert not (sources / path).exists()


def test_what_fails_leaves_the_old_notebook_in_place(course):
    before = (course / SOLVED).read_bytes()
    path = course / "solutions" / "day99_toy.py"
    path.write_text(path.read_text().replace("return 2 * x", "return 2 * y"))
    with pytest.raises(BuildError, match=r"course/solved/.* raises NameError: name 'y'") as error:
        build(None, course)
    assert LEARNER not in str(error.value)
    assert (course / SOLVED).read_bytes() == before


def test_a_kernel_that_dies_is_a_problem_and_not_a_crash(sources, registered):
    lesson_with(sources, "# %%\nos._exit(3)")
    with pytest.raises(BuildError, match=r"toy.ipynb: cell day99-11 \(`os._exit\(3\)`\) ends the"):
        build(None, sources)


def test_an_interrupt_ends_the_kernel():
    cells = [new_code_cell("import os; os.getpid()"), new_code_cell("import time; time.sleep(60)")]
    notebook = new_notebook(cells=cells)

    async def interrupted():
        started = asyncio.Event()
        task = asyncio.create_task(execute(notebook, advance=started.set))
        await started.wait()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(interrupted())
    pid = int(cells[0].outputs[0].data["text/plain"])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_cell_that_never_ends_is_a_problem(monkeypatch):
    monkeypatch.setattr("tutor.build.execute.TIMEOUT", 1)
    notebook = new_notebook(cells=[new_code_cell("import time; time.sleep(60)", id="slow")])
    stopped = asyncio.run(execute(notebook, advance=lambda: None))
    assert stopped == "cell slow (`import time; time.sleep(60)`) takes more than 1 s"


@pytest.mark.parametrize("threads", ["1", "2"])
def test_what_was_built_passes_validation(course, threads):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tutor.nbval_plugin", *PLAIN, str(course)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": threads},
        check=False,
    )
    assert "14 passed" in done.stdout, done.stdout
