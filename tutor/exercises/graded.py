"""What nbgrader 0.9.6 reads in the cells of a lesson: which are answers, and what earns points.

A lesson says it with metadata of schema version 3. The points of code, of a number and of a choice
belong to the cell that checks the answer; those of a written answer to the answer itself, because
a person marks it.
"""

from tutor.exercises.registry import Exercise

SCHEMA = 3


def answer_id(exercise: Exercise) -> str:
    """The grade id of the cell in which the learner answers."""
    return f"exercise-{exercise.id.replace('.', '-')}"


def check_id(exercise: Exercise) -> str:
    """The grade id of the cell that checks the answer."""
    return f"check-{exercise.id.replace('.', '-')}"


def graded_id(exercise: Exercise) -> str:
    """The grade id of the cell that holds the points."""
    return answer_id(exercise) if exercise.kind == "written" else check_id(exercise)


def answer_metadata(exercise: Exercise) -> dict:
    """Of the cell in which the learner answers, which may be edited."""
    return _metadata(exercise, answer_id(exercise), solution=True)


def check_metadata(exercise: Exercise) -> dict:
    """Of the cell that checks the answer, which is locked."""
    return _metadata(exercise, check_id(exercise), solution=False)


def _metadata(exercise: Exercise, grade_id: str, *, solution: bool) -> dict:
    graded = grade_id == graded_id(exercise)
    return {
        "grade": graded,
        "grade_id": grade_id,
        "locked": not solution,
        **({"points": float(exercise.points)} if graded else {}),
        "schema_version": SCHEMA,
        "solution": solution,
        "task": False,
    }
