"""A class full of attackers: each gets a clear line, all others their marks, nothing is touched."""

import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tutor.grade.classroom import DISTANCES, FIT, LIMITS, hand_in
from tutor.exercises import day01, verify
from tutor.grade.remote import LAW
from tutor.grade.run import grade

MARKED = replace(LIMITS, total=59.0)  # tells these processes from those of other tests
RIGHT = DISTANCES.replace("def pair_distances", "def honest")
EVIL = {  # what `pair_distances` of the attacker does first
    "loop": "while True: pass",
    "sleeper": "import time; time.sleep(1e6)",
    "hog": "hoard = [np.empty(1 << 26) for _ in range(1000)]",
    "bomb": """\
    import os
    while True:
        try: os.fork()
        except OSError: pass""",
    "hive": """\
    import os, time
    hoard = b"x" * (100 << 20)
    while True:
        try: os.fork() or time.sleep(1e6)
        except OSError: time.sleep(0.1)""",
    "leaver": "import os; os._exit(0)",
    "killer": """\
    import os
    try: os.kill(-1, 9)
    except OSError: os.abort()""",
    "quitter": "raise SystemExit('right')",
    "deleter": """\
    import shutil, os
    for folder in (VICTIM, os.path.expanduser("~root"), "/etc", "/home"):
        shutil.rmtree(folder, ignore_errors=True)
    open(os.path.join(VICTIM, "new.txt"), "w")""",
    "reader": """\
    import os, glob
    seen = [os.environ.get("TUTOR_TEST_TOKEN"), glob.glob("/proc/[0-9]*"), glob.glob(SECRET)]
    for path in (SECRET, "/etc/shadow", "/etc/passwd", CHECKS):
        try: seen.append(open(path).read())
        except OSError as error: seen.append(type(error).__name__)
    raise RuntimeError(repr(seen)[:380])""",
    "caller": """\
    import socket
    socket.create_connection(("127.0.0.1", PORT), timeout=2).send(b"the secret")""",
    "talker": """\
    import sys
    while SAID < 1024: print("x" * (1 << 20)); sys.stderr.write("x"); globals()["SAID"] += 1""",
    "writer": """\
    with open("large", "wb") as file:
        for _ in range(2000): file.write(bytes(1 << 20))""",
    "scribbler": """\
    import os
    for stream in range(3, 64):
        try: os.write(stream, b'{"value": ["text", "right"]}' * 1000)
        except OSError: pass""",
    "boaster": "return np.zeros(2 * 10**6)",
    "patcher": """\
    import tutor.grade.child as child, tutor.exercises.guard as guard, tutor.exercises.expect as e
    child.json.dumps = lambda *_: '{"value": ["text", "right"], "status": "right", "points": 99}'
    guard.as_numpy = e.agree = e.expect = lambda *_, **__: None
    np.allclose = np.all = lambda *_, **__: True""",
    "thief": """\
    import sys, tutor.exercises.day01 as day
    frame = sys._getframe()
    while frame := frame.f_back:
        if "truth" in frame.f_locals: return frame.f_locals["truth"](positions)
    return day._pdist(positions)""",
    "equal": """\
    class Equal:
        shape, dtype, ndim, size = (1, 1), np.dtype(float), 2, 1
        def __eq__(self, other): return True
        def __array_ufunc__(self, *_, **__): return True
    return Equal()""",
    "forger": """\
    import tutor.grade.child as child
    child.encode = lambda *_: ["array", "float64", [1 << 40, 1 << 40], ""]""",
    "bearer": "return [[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]",
}
WORDS = {  # what the verdict says
    "loop": "no answer within 10 s",
    "sleeper": "no answer within 10 s",
    "hog": "MemoryError",
    "bomb": "",  # of time or of memory
    "hive": "more than 2 GiB of memory in all",
    "leaver": "the program ended before it answered",
    "killer": "stopped by SIG",
    "quitter": "SystemExit",
    "deleter": "Error: [Errno",
    "reader": "RuntimeError",
    "caller": "Error: [Errno",
    "writer": "Error: [Errno",
    "scribbler": "answer",
    "boaster": "larger than 8 MB",
    "patcher": "it returned None",
    "thief": "No module named 'tutor.exercises.day01'",
    "equal": "expected numbers",
    "forger": "cannot be read",
    "bearer": "",
}
LIMITED = {"loop", "sleeper", "bomb", "hive", "leaver", "killer", "scribbler", "boaster", "forger"}
OPEN = {"talker"}  # it may: nobody listens


class Listener(threading.Thread):
    """Counts who connects."""

    def __init__(self):
        super().__init__(daemon=True)
        self.heard, self.server = 0, socket.create_server(("127.0.0.1", 0))

    def run(self):
        with suppress(OSError):
            while True:
                self.server.accept()[0].close()
                self.heard += 1


@pytest.fixture(scope="module")
def graded(tmp_path_factory, protection):
    """The results by learner, and what must not have been touched."""
    base = tmp_path_factory.mktemp("class")
    victim, folder = base / "victim", base / "submissions"
    victim.mkdir(mode=0o777)
    (victim / "thesis.txt").write_text("ten years of work")
    secret = base / "secret.txt"
    secret.write_text("the-password")
    for path in (base, *base.parents[:2], victim, secret):
        with suppress(PermissionError):
            path.chmod(path.stat().st_mode | 0o755)
    listener = Listener()
    listener.start()
    known = {"VICTIM": str(victim), "SECRET": str(secret), "CHECKS": day01.__file__,
             "PORT": listener.server.getsockname()[1], "SAID": 0}  # fmt: skip
    constants = "\n".join(f"{name} = {value!r}" for name, value in known.items())
    for learner, deed in EVIL.items():
        deed = deed if deed.startswith("    ") else "    " + deed
        answer = f"def pair_distances(positions):\n{deed}\n    return honest(positions)"
        wrong = learner in ("patcher", "equal", "forger")
        answer = answer.replace("honest(positions)", "0 * honest(positions)" if wrong else
                                "honest(positions)")  # fmt: skip
        hand_in(folder, learner, "import numpy as np", constants, RIGHT, answer, FIT)
    hand_in(folder, "honest", "import numpy as np", DISTANCES, FIT)
    os.environ["TUTOR_TEST_TOKEN"] = "the-token"
    try:
        _, results = grade(folder, base / "out", protection, days=[1], limits=MARKED, seed=1)
    finally:
        del os.environ["TUTOR_TEST_TOKEN"]
        listener.server.close()
    marks = {r.learner: {m.id: m for m in r.marks} for r in results}
    return marks, base, listener


@pytest.mark.parametrize("learner", [name for name in EVIL if name not in OPEN])
def test_an_attack_earns_a_clear_line_and_no_points(graded, learner):
    mark = graded[0][learner]["1.7"]
    assert (mark.status, mark.points) == ("wrong", 0)
    assert WORDS[learner] in mark.message, mark
    assert mark.law
    assert (mark.law == LAW) == (learner in LIMITED), mark


@pytest.mark.parametrize("learner", [*EVIL, "honest"])
def test_other_exercises_of_the_attacker_are_graded_all_the_same(graded, learner):
    assert graded[0][learner]["1.3"].status == "right", graded[0][learner]["1.3"]


@pytest.mark.parametrize("learner", ["honest", *OPEN])
def test_who_answers_rightly_is_right(graded, learner):
    assert graded[0][learner]["1.7"].points == 2


def test_nothing_outside_is_touched(graded):
    _, base, listener = graded
    assert [p.name for p in (base / "victim").iterdir()] == ["thesis.txt"]
    assert (base / "victim/thesis.txt").read_text() == "ten years of work"
    assert (base / "secret.txt").read_text() == "the-password"
    assert listener.heard == 0


def test_nothing_secret_is_read(graded):
    marks, base, _ = graded
    said = marks["reader"]["1.7"].message
    assert "FileNotFoundError" in said
    for secret in ("the-password", "the-token", "root:", "def well", str(base)):
        assert secret not in said


def test_no_process_is_left(graded):
    def running():
        lines = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                lines.append((process / "cmdline").read_bytes())
        return [line for line in lines if b"tutor.grade.child" in line and b": 59.0" in line]

    until = time.monotonic() + 20
    while running() and time.monotonic() < until:
        threading.Event().wait(0.1)  # the kernel ends them
    assert not running()


def test_hard_coding_the_visible_cases_fails(tmp_path, protection):
    seen = []

    def answer(positions):
        i, j = np.triu_indices(positions.shape[1], k=1)
        seen.append((positions.shape, np.linalg.norm(positions[:, j] - positions[:, i], axis=-1)))
        return seen[-1][1]

    assert verify("1.7", answer).points == 2
    table = {shape: distances.tolist() for shape, distances in seen}
    parrot = f"def pair_distances(positions):\n    return np.array({table!r}[positions.shape])"
    hand_in(tmp_path / "in", "parrot", "import numpy as np", parrot, 'check("1.7", pair_distances)')
    _, (result,) = grade(tmp_path / "in", tmp_path / "out", protection, limits=LIMITS)
    mark = next(m for m in result.marks if m.id == "1.7")
    assert mark.status == "wrong"
    assert mark.law.startswith("one distance for each pair")
