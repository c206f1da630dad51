"""Every protection of this machine, and what a program inside can reach."""

import json
import shutil
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from tests.tutor.grade.classroom import LIMITS
from tutor.exercises.registry import find
from tutor.exercises.verdict import Broken
from tutor.grade import sandbox
from tutor.grade.judge import Session, mark
from tutor.grade.remote import LAW, LostError, Sandbox
from tutor.grade.sandbox import PLAIN, Protection, choose, probe, protections

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
HERE = [p for p in protections() if sys.platform == "linux" and not probe(p)]
CONTAINED = [p for p in HERE if p.contained]
names = lambda p: p.name  # noqa: E731

LOOK = """
import os, json, socket, resource
def answer():
    def can(do, *args):
        try: do(*args); return True
        except OSError: return False
    return json.dumps({
        "write /": can(os.mkdir, "/new"),
        "write /dev": can(os.mkdir, "/dev/new"),
        "write code": can(os.mkdir, os.path.dirname(np.__file__) + "/new"),
        "write home": can(os.mkdir, os.environ["HOME"] + "/new"),
        "root": os.geteuid() == 0 or can(os.setuid, 0),
        "network": can(socket.create_connection, ("192.0.2.1", 80), 1),
        "environment": sorted(os.environ),
        "folder": os.listdir("."),
        "processes": len([p for p in os.listdir("/proc") if p.isdigit()]),
        "memory": resource.getrlimit(resource.RLIMIT_AS)[1],
        "checks": can(os.stat, CHECKS) and os.path.getsize(CHECKS) > 0,
        "status": [x for x in open("/proc/self/status") if x[:6] in ("CapEff", "NoNewP")],
    })
"""


def looked(protection):
    source = f"import numpy as np\nCHECKS = {sandbox.hidden()[0]!r}\n{LOOK}"
    with Sandbox(protection, LIMITS) as box:
        box.ask("load", [(source, "")])
        return json.loads(box.ask("take", "1.1", "answer", 0)())


@pytest.mark.parametrize("protection", CONTAINED, ids=names)
def test_inside_there_is_nothing_but_an_empty_folder(protection):
    seen = looked(protection)
    for deed in ("write /", "write /dev", "write code", "root", "network", "checks"):
        assert seen[deed] is False, deed
    assert seen["write home"] is True
    assert seen["folder"] in ([], ["new"])
    assert seen["processes"] <= 2
    assert [line.split()[1].strip("0") for line in seen["status"]] == ["", "1"]


@pytest.mark.parametrize("protection", HERE, ids=names)
def test_the_environment_is_not_the_instructors_and_limits_hold(protection, monkeypatch):
    monkeypatch.setenv("TUTOR_TEST_TOKEN", "secret")
    seen = looked(protection)
    assert set(seen["environment"]) - {"LC_CTYPE", "PWD"} == set(sandbox.environment())
    assert seen["memory"] == LIMITS.memory


@pytest.mark.parametrize("protection", HERE, ids=names)
def test_values_and_faults_come_back(protection):
    cells = [("import numpy as np\ndef well(a, b=2): return a * b\ndef bad(): return 1 / 0", "")]
    with Sandbox(protection, LIMITS) as box:
        box.ask("load", cells)
        well = box.ask("take", "1.1", "well", 0)
        assert well(np.arange(3.0), b=3).tolist() == [0, 3, 6]
        assert str(well.__signature__) == "(a, b=Ellipsis)"
        assert repr(well) == "the function well"
        with pytest.raises(Broken, match="ZeroDivisionError: division by zero") as caught:
            box.ask("take", "1.1", "bad", 0)()
        assert "return 1 / 0" in caught.value.where
        assert well(1).tolist() == 2


@pytest.mark.parametrize("protection", HERE, ids=names)
def test_a_lost_program_is_started_anew_until_the_time_is_used_up(protection):
    loop = ("def pair_distances(positions):\n    while True: pass", "1.7")
    limits = replace(LIMITS, seconds=1.0, total=20.0)
    with Session([loop, ("choice = 'b'", "1.5")], protection, limits) as session:
        lost = mark(session, find("1.7"), seed=0)
        assert (lost.status, lost.law) == ("wrong", LAW)
        assert "no answer within 1 s" in lost.message
        session.limits = LIMITS
        assert mark(session, find("1.5"), seed=0).status == "right"
        session.until = time.monotonic() - 1
        assert "are used up" in mark(session, find("1.5"), seed=0).message


def test_the_best_protection_is_chosen_and_plain_limits_only_when_allowed(monkeypatch):
    monkeypatch.setattr(sandbox, "protections", lambda: HERE)
    assert choose(uncontained=True) == HERE[0]
    monkeypatch.setattr(sandbox, "protections", lambda: [PLAIN])
    assert choose(uncontained=True) is PLAIN
    with pytest.raises(RuntimeError, match=r"could read and delete your files.*--uncontained"):
        choose()


def test_a_protection_that_does_not_work_says_why():
    def command(limits, folder):
        return {"args": [shutil.which("sh"), "-c", "echo it is forbidden >&2; exit 3"]}

    trouble = probe(Protection("broken", "", contained=True, command=command))
    assert trouble == "the program ended before it answered: exit status 3 (it is forbidden)"


def test_garbage_on_the_channel_is_no_answer():
    def command(limits, folder):
        return {"args": [shutil.which("sh"), "-c", "head -c 100 /dev/zero | tr '\\0' 'x'; cat"]}

    liar = Protection("liar", "", contained=True, command=command)
    with Sandbox(liar, LIMITS) as box, pytest.raises(LostError, match="larger than 8 MB"):
        box.ask("load", [])
