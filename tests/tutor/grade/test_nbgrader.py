"""Results in a real gradebook of nbgrader, and marks that a person gave there."""

from importlib.util import find_spec

import pytest

from tutor.exercises.graded import answer_id, graded_id
from tutor.exercises.registry import exercises
from tutor.grade import nbgrader
from tutor.grade.judge import Mark, unattempted
from tutor.grade.results import Result, Settings, file_stem
from tutor.grade.sandbox import Limits
from tutor.grade.written import ByHand, overruled

needs_nbgrader = pytest.mark.skipif(find_spec("nbgrader") is None, reason="nbgrader is an extra")
SETTINGS = Settings((1,), 1, "namespaces", Limits())


@pytest.fixture(autouse=True)
def path_of_before(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


def result(learner, answer="Forces first.", distances="wrong"):
    marks = {e.id: unattempted(e) for e in exercises(1)}
    earned = 2.0 if distances == "right" else 0.0
    marks["1.7"] = Mark("1.7", distances, earned, 2.0, "one distance", "<script>twice</script>")
    marks["1.11"] = Mark("1.11", "recorded", 0.0, 3.0, answer=answer)
    return Result(learner, tuple(marks.values()), (), "", "")


def place(learner, cell):
    return cell, "day01_positions_to_energy", "day01", file_stem(learner)


@needs_nbgrader
@pytest.mark.filterwarnings("ignore")  # its own, of its own packages
def test_there_and_back(tmp_path):
    course, results = tmp_path / "course", [result("ada", distances="right"), result("bob")]
    nbgrader.export(course, SETTINGS, results, {})
    with nbgrader.open_gradebook(course) as book:
        assert book.find_submission("day01", file_stem("ada")).score == 2.0
        assert book.find_submission("day01", file_stem("ada")).max_score == 21.0
        assert book.find_grade(*place("bob", "exercise-1-11")).needs_manual_grade
        assert not book.find_grade(*place("bob", "check-1-7")).needs_manual_grade
        for cell, points in (("exercise-1-11", 2.5), ("check-1-7", 1.0)):  # as formgrader does
            grade = book.find_grade(*place("bob", cell))
            grade.manual_score, grade.needs_manual_grade = points, False
        book.find_comment(*place("bob", "exercise-1-11")).manual_comment = "clear"
        book.find_comment(*place("bob", "exercise-1-7")).manual_comment = "half of it"
        book.db.commit()
    marks = nbgrader.marks_in(course)
    assert {key.partition(":")[0] for key in marks} == {file_stem("bob")}
    assert marks[overruled("bob", "1.7")] == ByHand(1.0, "half of it")
    (written,) = [key for key in marks if key.count(":") == 2]
    assert (marks[written].points, marks[written].comment) == (2.5, "clear")
    nbgrader.export(course, SETTINGS, [results[0], result("bob", answer="Another one.")], marks)
    with nbgrader.open_gradebook(course) as book:
        assert book.find_grade(*place("bob", "check-1-7")).score == 1.0
        assert book.find_grade(*place("bob", "exercise-1-11")).needs_manual_grade  # a new text
    assert set(nbgrader.marks_in(course)) == {overruled("bob", "1.7")}


@needs_nbgrader
@pytest.mark.filterwarnings("ignore")
def test_nbgrader_reads_the_notebooks(tmp_path):
    from nbgrader.nbgraderformat import read

    nbgrader.export(tmp_path, SETTINGS, [result("ada", answer="<b>x</b>\n# no heading")], {})
    paths = sorted(tmp_path.rglob("*.ipynb"))
    assert [path.relative_to(tmp_path).parts[0] for path in paths] == ["autograded", "source"]
    for path in paths:
        cells = {c.metadata.nbgrader.grade_id: c for c in read(path, as_version=4).cells
                 if "nbgrader" in c.metadata}  # fmt: skip
        assert {graded_id(e) for e in exercises(1)} | {answer_id(e) for e in exercises(1)} <= {
            *cells
        }
        assert sum(c.metadata.nbgrader.get("points", 0) for c in cells.values()) == 21
    shown = read(paths[0], as_version=4).cells
    assert "- 1 point:" in shown[-1].source
    assert "\n    <b>x</b>\n    # no heading" in shown[-1].source  # indented: code, not HTML
    (verdict,) = (c.outputs[0].text for c in shown if c.metadata.nbgrader.grade_id == "check-1-7")
    assert verdict == "wrong: one distance: <script>twice</script>\n"  # text, not HTML


@pytest.mark.skipif(find_spec("nbgrader") is not None, reason="nbgrader is there")
def test_without_nbgrader_it_is_said(tmp_path):
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'nnp-tutor\[grade\]'"):
        nbgrader.open_gradebook(tmp_path)
