"""The notebooks that are committed are exactly what the sources give."""

from pathlib import Path

from tutor.build import check

ROOT = Path(__file__).resolve().parents[2]


def test_the_notebooks_are_up_to_date():
    assert check(None, ROOT) == []
