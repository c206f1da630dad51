"""A small course of one lesson, to build and to break."""

import shutil

import pytest

from tutor.build import build
from tutor.exercises.registry import Exercise, register, throwaway

LESSON = '''\
# %% [markdown]
# # Day 99: A toy
#
# **Question of the day:** what is twice one?
#
# **You will have built:** a doubling function.
#
# **Minutes:** 5
#
# **Prerequisites:** none.
#
# **Objectives:** after this day you can
#
# - double a number;
# - say how often, and
#   why.

# %%
import os

from IPython.display import HTML


def check(exercise, attempt):
    print(exercise, "not attempted" if attempt in (..., None) else "attempted")


# %% [markdown]
# A picture: ![a dot](dot.png). See [the syllabus](../syllabus.md#top), [below](#end) and
# [the web](https://example.org); in code, `x[0](y)` is no link.

# %% tutor={"exercise": "99.1"}
def double(x: float, *, times: int = 1) -> float:
    """Twice x."""


# %%
check("99.1", double(1.0))
HTML('<img alt="a dot" src="data:image/png;base64,AAAA">')

# %% tutor={"exercise": "99.2"}
count: int = ...

# %%
check("99.2", count)

# %% tutor={"rtol": 0.05}
print({"b", "a", "c"}, 0.125)
'''

SOLUTION = '''\
"""Answers."""

# %%
import math

FACTOR = math.floor(2.5)


# %% tutor={"exercise": "99.1"}
def _twice(x):
    return 2 * x


def double(x: float, *, times: int = 1) -> float:
    """Twice x."""
    for _ in range(times):
        x = _twice(x)
    return x


# %% tutor={"exercise": "99.2"}
count: int = 3
'''


@pytest.fixture
def registered():
    """The exercises of the toy lesson, known to tutor.exercises during one test."""
    with throwaway():
        for key in ("99.1", "99.2"):
            register(Exercise(key, f"toy {key}", "code", 1, ("", "", ""), lambda *_: ""))
        yield


def make_course(root, lesson=LESSON, solution=SOLUTION):
    """Write the sources of the toy course."""
    for folder in ("lessons", "solutions", "course/notebooks", "course/solved"):
        (root / folder).mkdir(parents=True)
    (root / "pyproject.toml").write_text('[tool.tutor]\nrepository = ""\n')
    (root / "lessons" / "day99_toy.py").write_text(lesson)
    (root / "solutions" / "day99_toy.py").write_text(solution)
    (root / "course" / "syllabus.md").write_text("# Syllabus\n")
    (root / "course" / "notebooks" / "dot.png").write_bytes(b"")
    return root


@pytest.fixture
def sources(tmp_path):
    """The toy course, not built."""
    return make_course(tmp_path / "toy")


@pytest.fixture(scope="session")
def _built_once(tmp_path_factory):
    with throwaway():
        for key in ("99.1", "99.2"):
            register(Exercise(key, f"toy {key}", "code", 1, ("", "", ""), lambda *_: ""))
        root = make_course(tmp_path_factory.mktemp("built") / "toy")
        build(None, root)
    return root


@pytest.fixture
def course(_built_once, tmp_path, registered):
    """The toy course, built; a copy to break."""
    return shutil.copytree(_built_once, tmp_path / "toy")
