"""What the tests of grading share."""

import pytest

from tests.tutor.grade.classroom import DISTANCES, ESSAY, LIMITS, NUMPY, hand_in
from tutor.grade import grade_class
from tutor.grade.sandbox import choose


@pytest.fixture(scope="session")
def protection():
    """The sandbox of this machine; where there is none, the test is skipped."""
    try:
        return choose()
    except RuntimeError as error:
        pytest.skip(str(error))


@pytest.fixture
def submissions(tmp_path):
    folder = tmp_path / "in"
    hand_in(folder, "ada", NUMPY, DISTANCES, ("1.11", ESSAY), ("1.5", 'choice = "b"'))
    hand_in(folder, "bob", NUMPY, DISTANCES.replace("k=1", "k=0"), ("1.5", 'choice = "c"'))
    hand_in(folder, "<eve>", NUMPY, DISTANCES.replace("k=1", "k=0"), ("1.11", "advice = '=1+1'"))
    (folder / "dan").mkdir()
    (folder / "dan/day01.ipynb").write_bytes(b"")
    return folder


@pytest.fixture
def grade(submissions, tmp_path, protection):
    def grade(**options):
        out = tmp_path / "out"
        graded = grade_class(submissions, out, protection, limits=LIMITS, jobs=2, **options)
        return graded, out

    return grade
