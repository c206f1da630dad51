"""Every rule for lessons and solutions, broken once; the problem names file and cell."""

import pytest

from tutor.build import check
from tutor.build.lesson import Lesson, signatures
from tutor.exercises.registry import Exercise, register

LESSON, SOLUTION = "lessons/day99_toy.py", "solutions/day99_toy.py"
STUB = f"{LESSON}, cell 4 (`def double(x: float, *, times: int = 1) -> float:`)"


def source_problems(root):
    return [problem for problem in check(None, root) if not problem.startswith("course/")]


def replace(root, path, old, new):
    text = (root / path).read_text()
    assert old in text
    (root / path).write_text(text.replace(old, new))


def test_the_toy_course_breaks_no_rule(sources, registered):
    assert source_problems(sources) == []


def test_the_header_can_be_read(sources):
    header = Lesson(sources, "day99_toy").header
    assert header.title == "Day 99: A toy"
    assert header.minutes == 5
    assert header.labels["Question of the day"] == "what is twice one?"
    assert header.objectives == ["double a number", "say how often, and why"]


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (LESSON, "# Day 99: ", "# Day 9: ", f"{LESSON}, cell 1: the title must be `# Day 99: …`"),
        (LESSON, "**Minutes:** 5", "", f"{LESSON}, cell 1: no **Minutes:** in the header"),
        (LESSON, "**Minutes:** 5", "**Minutes:** five", "must be a whole number"),
        (LESSON, "**Prerequisites:** none.", "", "cell 1: no **Prerequisites:**"),
        (LESSON, "**Objectives:** after", "After", "cell 1: no **Objectives:**"),
        (LESSON, "# - ", "# ", "**Objectives:** must be followed by a bulleted list"),
        (
            LESSON,
            "![a dot]",
            "![]",
            "cell 3 (`A picture: ![](dot.png). See [the syllabus](../sy…`",
        ),
        (LESSON, "![a dot]", "![]", "…`): the image dot.png has no alt text"),
        (LESSON, "syllabus.md#", "sillabus.md#", "the link ../sillabus.md#top leads nowhere"),
        (LESSON, "(dot.png)", "(/dot.png)", "the link /dot.png leads nowhere"),
        (LESSON, "import os\n", "import os\n" + "a = 1\n" * 19, "26 lines; a code cell has at mo"),
        (SOLUTION, "count: int", "a = 1\n" * 25 + "count: int", "cell 4 (`a = 1`): 26 lines"),
        (LESSON, '{"exercise": "99.1"}', "{exercise: 99.1}", f"{STUB}: the metadata `tutor={{exer"),
        (
            LESSON,
            'check("99.2", count)',
            'check("99.2", count); check("99.1", double)',
            'cell 7 (`check("99.2", count); check("99.1", double)`): checks several exercises',
        ),
        (LESSON, '"99.2"}', "99.2}", "cell 6 (`count: int = ...`): exercise=99.2 must be a string"),
        (LESSON, '"rtol": 0.05', '"rtol": "0.05"', "rtol='0.05' must be a number"),
        (LESSON, '"rtol"', '"rotl"', "unknown metadata 'rotl'; there is exercise, rtol, atol"),
        (LESSON, '{"rtol": 0.05}', '"loose"', "tutor='loose' must be of the form"),
        (LESSON, '{"exercise": "99.2"}', '{"exercise": "99.1"}', "2 cells have the exercise id"),
        (SOLUTION, '{"exercise": "99.2"}', "{}", f"exercise 99.2 has no answer in {SOLUTION}"),
        (LESSON, '{"exercise": "99.2"}', "{}", f"{SOLUTION}: the answer 99.2 has no stub in"),
        (LESSON, '{"exercise": "99.2"}', "{}", "tutor.exercises knows 99.2, but the lesson has no"),
        (SOLUTION, "x: float, *", "x, *", "99.1: `double` is `def double(x, *, times: int=1) -> f"),
        (SOLUTION, "int = 1) -> float", "int = 1)", "in the stub `def double(x: float, *, times"),
        (SOLUTION, "times: int = 1", "times: int = 2", "times: int=2) -> float`, but in the stub"),
        (SOLUTION, "times: int = 1", "n: int = 1", "n: int=1) -> float`, but in the stub"),
        (SOLUTION, "def double", "def treble", "99.1: defines _twice, treble, the stub defines d"),
        (SOLUTION, "count: int = 3", "number = 3", "99.2: defines number, the stub defines count"),
        (SOLUTION, "count: int = 3", "count = 3", "`count` is `a value`, but in the stub `a value"),
        (SOLUTION, "count: int = 3", "count: int = ", "99.2: the answer is not Python"),
        (LESSON, "count: int = ...", "count: int = ", "the stub is not Python"),
        (LESSON, "count: int = ...", "pass", "a stub must define a function, a class or a value"),
        (LESSON, 'check("99.2", count)', "", 'no cell below it calls check("99.2", …)'),
        (
            LESSON,
            'check("99.1", double(1.0))',
            'check("99.1", 2)',
            f'{STUB}: check("99.1", …) is no',
        ),
    ],
)
def test_a_broken_rule_is_named(sources, registered, path, old, new, said):
    replace(sources, path, old, new)
    problems = source_problems(sources)
    assert any(said in problem for problem in problems), "\n".join(problems)
    assert all(problem.startswith((LESSON, SOLUTION)) for problem in problems)


def test_an_exercise_that_tutor_does_not_know(sources):
    assert f"{LESSON}: exercise 99.1 is unknown to tutor.exercises.day99" in check(None, sources)


def test_an_exercise_that_the_lesson_does_not_have(sources, registered):
    register(Exercise("99.3", "more", "code", 1, ("", "", ""), lambda *_: ""))
    (problem,) = source_problems(sources)
    assert problem == f"{LESSON}: tutor.exercises knows 99.3, but the lesson has no stub for it"


def test_a_check_above_its_stub_does_not_count(sources, registered):
    replace(sources, LESSON, 'check("99.2", count)', "")
    replace(
        sources,
        LESSON,
        "# A picture:",
        '# %%\ncount = 1\ncheck("99.2", count)\n\n# %% [markdown]\n# A picture:',
    )
    (problem,) = source_problems(sources)
    assert 'no cell below it calls check("99.2", …)' in problem


def test_lessons_and_solutions_come_in_pairs(sources, registered):
    (sources / SOLUTION).rename(sources / "solutions" / "day98_other.py")
    problems = source_problems(sources)
    assert problems[0] == f"{SOLUTION} is missing: every lesson has a solution file"
    assert problems[-1] == "solutions/day98_other.py belongs to no lesson; remove it"


def test_a_link_to_a_lesson_that_is_not_built_yet_is_fine(sources, registered):
    replace(sources, LESSON, "](dot.png)", "](day99_toy.ipynb)")
    assert source_problems(sources) == []


def test_signatures_of_methods_and_tuples():
    code = (
        "class A(B, k=1):\n    def f(self, x=1): ...\n    async def g(self): ...\nx, (y, z) = 1, q"
    )
    assert signatures(code) == {
        "A": "class A(B, k=1)",
        "A.f": "def f(self, x=1)",
        "A.g": "async def g(self)",
        **dict.fromkeys("xyz", "a value"),
    }
