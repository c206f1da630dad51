"""Gradebook, pages and the queue of written answers."""

import csv
import re

import pytest

from tests.tutor.grade.classroom import ESSAY, hand_in
from tutor.grade import written


def book(out):
    with (out / "gradebook.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["learner"]: row for row in csv.DictReader(file)}


def test_gradebook_pages_and_queue(grade):
    graded, out = grade(seed=1)
    assert (graded.days, graded.learners, graded.waiting) == ((1,), 4, 1)
    assert graded.troubles == [("dan", "day01.ipynb: the file is empty")]
    rows = book(out)
    assert rows["ada"]["1.7 (of 2)"] == "2"
    assert rows["ada"]["1.11 (of 3)"] == ""
    assert (rows["ada"]["points"], rows["ada"]["to be marked"]) == ("3", "1")
    assert rows["bob"]["points"] == rows["dan"]["points"] == "0"
    page = (out / "index.html").read_text()
    assert "<strong>2 ×</strong> one distance for each pair" in page
    assert "you included the distance of every atom to itself" in page
    assert "(c) The model never sees the orientation" in page
    assert "&lt;eve&gt;" in page
    texts = [page, *(p.read_text() for p in (out / "feedback").iterdir())]
    assert len(texts) == 5
    assert not any("<eve>" in text or "<b>because" in text for text in texts)
    for link in re.findall(r'href="([^"#]+)"', page):
        assert (out / link).is_file(), link
    assert set(re.findall(r'href="#([^"]+)"', page)) == set(re.findall(r' id="([^"]+)"', page))
    assert not any(re.search(r"(src|href)=.?(http|//)", text) for text in texts)


def test_written_answers_are_marked_and_merged(grade, submissions):
    _, out = grade(seed=1)
    sheet = out / "written.csv"
    text = sheet.read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    assert [(row["learner"], row["exercise"]) for row in rows] == [("ada", "1.11")]
    assert rows[0]["rubric"].count("1 point:") == 3
    assert rows[0]["key"] in (out / "written.html").read_text()
    saved = f'key;points;comment\n"{rows[0]["key"]}";2,5;"=good & clear"\n'
    sheet.write_text(saved, encoding="cp1252")  # as some spreadsheets save
    graded, out = grade()
    assert graded.waiting == 0
    assert book(out)["ada"]["1.11 (of 3)"] == "2.5"
    (page,) = (out / "feedback").glob("ada-*.html")
    assert "2.5 of 3 points.<br>=good &amp; clear" in page.read_text()
    assert "'=good & clear" in sheet.read_text(encoding="utf-8-sig")
    hand_in(submissions, "ada", ("1.11", ESSAY.replace("Forces", "Energies")))
    graded, out = grade()
    assert graded.waiting == 1
    assert "2.5" in sheet.read_text(encoding="utf-8-sig")  # kept, but for no answer of now


@pytest.mark.parametrize("points", ["4", "-1", "two", "nan"])
def test_a_wrong_mark_is_refused(tmp_path, points):
    (tmp_path / "w.csv").write_text(f"key,points,comment\na:1.6:0,{points},x\n")
    with pytest.raises(ValueError, match=r"points = .* must be a number from 0 to 3"):
        written.read(tmp_path / "w.csv")


def test_a_sheet_without_its_columns_is_refused(tmp_path):
    (tmp_path / "w.csv").write_text("learner,points\na,1\n")
    with pytest.raises(ValueError, match="needs the columns points, and key or"):
        written.read(tmp_path / "w.csv")


def test_a_person_overrules_any_mark(grade, tmp_path):
    sheet = tmp_path / "mine.csv"
    sheet.write_text("learner,exercise,points,comment\nbob,1.7,1.5,off by the diagonal\n")
    _, out = grade(marks=sheet)
    assert book(out)["bob"]["1.7 (of 2)"] == "1.5"
    _, out = grade()  # it is kept in written.csv
    assert book(out)["bob"]["1.7 (of 2)"] == "1.5"
    (page,) = (out / "feedback").glob("bob-*.html")
    assert "1.5 of 2 points.<br>off by the diagonal" in page.read_text()
