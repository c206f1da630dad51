"""Building: what comes out, and that it comes out the same twice."""

import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tutor.build import BuildError, build, check, find_root
from tutor.build.compose import guessed_repository, stated_repository

LEARNER, SOLVED = "course/notebooks/day99_toy.ipynb", "course/solved/day99_toy.ipynb"


def read(root, path):
    return nbformat.read(root / path, as_version=4)


def printed(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return "".join(out.text for cell in code for out in cell.outputs if "text" in out)


def test_the_learners_notebook_is_unsolved_and_the_solved_one_solved(course):
    learner, solved = read(course, LEARNER), read(course, SOLVED)
    assert "99.1 not attempted" in printed(learner)
    assert "99.2 not attempted" in printed(learner)
    assert "99.1 attempted" in printed(solved)
    assert "99.2 attempted" in printed(solved)
    assert [c.id for c in learner.cells] == [c.id for c in solved.cells]
    stub, answer = (next(c for c in n.cells if "def double" in c.source) for n in (learner, solved))
    assert "_twice" not in stub.source
    assert "_twice" in answer.source
    assert stub.metadata == answer.metadata
    assert stub.metadata.tutor == {"exercise": "99.1"}


def test_building_twice_gives_the_same_bytes(course):
    before = {path: (course / path).read_bytes() for path in (LEARNER, SOLVED)}
    assert build(["99"], course) == [course / LEARNER, course / SOLVED]
    assert {path: (course / path).read_bytes() for path in before} == before


def test_the_time_is_measured_and_stays_until_something_changes(course):
    path = course / LEARNER
    notebook = read(course, LEARNER)
    assert 0 < notebook.metadata.tutor.seconds < 60
    notebook.metadata.tutor.seconds = 12345
    nbformat.write(notebook, path)
    build(["99"], course)
    assert read(course, LEARNER).metadata.tutor.seconds == 12345
    lesson = course / "lessons" / "day99_toy.py"
    lesson.write_text(lesson.read_text().replace("0.125", "0.25"))
    build(["99"], course)
    assert 0 < read(course, LEARNER).metadata.tutor.seconds < 60


def test_the_notebook_holds_nothing_of_the_machine_or_the_moment(course):
    notebook = read(course, LEARNER)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells][:3] == ["day99-01", "day99-02", "day99-03"]
    assert set(notebook.metadata) == {"kernelspec", "language_info", "tutor"}
    assert notebook.metadata.language_info == {"name": "python"}
    allowed = {"tutor", "nbgrader", "cellView", "jupyter"}
    assert all(set(cell.metadata) <= allowed for cell in notebook.cells)
    assert sorted(p.name for p in (course / "course/notebooks").iterdir()) == [
        "day99_toy.ipynb",
        "dot.png",
    ]


def test_without_a_repository_the_lesson_says_what_to_upload(course):
    title, upload, set_up = read(course, LEARNER).cells[:3]
    assert title.source.startswith("# Day 99: A toy")
    assert "upload this notebook" in upload.source
    assert ".whl" in upload.source
    assert set_up.metadata.cellView == "form"
    assert set_up.source.startswith("#@title ")


def test_with_a_repository_a_badge_opens_this_notebook_on_colab(sources, registered):
    build(None, sources, repository="someone/nnp")
    for path in (LEARNER, SOLVED):
        badge, set_up = read(sources, path).cells[1:3]
        address = f"https://colab.research.google.com/github/someone/nnp/blob/main/{path}"
        assert badge.source.startswith("[![Open in Colab](")
        assert badge.source.endswith(f"]({address})")
        assert '"nnp-tutor[lessons] @ git+https://github.com/someone/nnp"\n' in set_up.source
    assert check(None, sources) == []  # although nothing states a repository here
    assert check(None, sources, repository="someone/nnp") == []
    other = check(None, sources, repository="else/nnp")
    assert len(other) == 2
    assert all("cell day99-02" in problem for problem in other)


@pytest.mark.parametrize("wheels", [["nnp_tutor-0.1-py3-none-any.whl"], []])
def test_the_set_up_cell_installs_only_on_colab_and_only_what_is_missing(
    course, monkeypatch, tmp_path, wheels
):
    cell = TransformerManager().transform_cell(read(course, LEARNER).cells[2].source)
    installed = []
    shell = SimpleNamespace(run_line_magic=lambda *words: installed.append(words))
    names = {"get_ipython": lambda: shell}
    exec(cell, names)
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    exec(cell, names)
    assert installed == []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.chdir(tmp_path)
    for wheel in wheels:
        (tmp_path / wheel).touch()
    if not wheels:
        with pytest.raises(AssertionError, match="upload nnp_tutor"):
            exec(cell, names)
    else:
        exec(cell, names)
        assert [words.split()[0] for _, words in installed] == ["list", "install"]
        assert installed[0][1].endswith("> /tmp/there.txt")
        assert installed[1][1].endswith('--constraint /tmp/there.txt "{wheels[-1]}[lessons]"')


def test_the_repository_stated_in_pyproject_or_by_argument_must_be_a_name(sources):
    assert stated_repository(sources, None) is None
    (sources / "pyproject.toml").write_text('[tool.tutor]\nrepository = "from/toml"\n')
    assert stated_repository(sources, None) == "from/toml"
    assert stated_repository(sources, "from/argument") == "from/argument"
    with pytest.raises(ValueError, match="must be OWNER/NAME"):
        stated_repository(sources, "https://github.com/a/b")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("git@github.com:someone/nnp.git", "someone/nnp"),
        ("https://github.com/someone/nnp.dft", "someone/nnp.dft"),
        ("https://gitlab.com/someone/nnp", ""),
        (None, ""),
    ],
)
def test_the_repository_is_guessed_from_a_github_remote(tmp_path, url, name):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    if url:
        subprocess.run(["git", "-C", str(tmp_path), "remote", "add", "origin", url], check=True)
    assert guessed_repository(tmp_path) == name


def test_what_breaks_a_rule_is_not_built(sources, registered):
    (sources / "solutions" / "day99_toy.py").unlink()
    with pytest.raises(BuildError, match=r"solutions/day99_toy.py is missing"):
        build(None, sources)


def test_the_root_is_found_upwards_and_days_have_names(sources):
    assert find_root(sources / "course" / "notebooks") == sources
    with pytest.raises(FileNotFoundError, match=r"no pyproject.toml with \[tool.tutor\]"):
        find_root(sources.parent)
    with pytest.raises(ValueError, match=r"days = day07: .* has day99_toy"):
        build(["day07"], sources)
