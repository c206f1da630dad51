"""The program inside the sandbox: runs a submission and answers calls with values.

Everything here shares a process with the submission, so nothing here is trusted: it holds no
expected value, no check and no seed, and sends values, never verdicts.
"""

import json
import os
import random
import resource
import struct
import sys

from tutor.exercises.guard import Guarded, interpreted
from tutor.exercises.verdict import Broken, NotAttempted
from tutor.grade.notebook import Program
from tutor.grade.wire import encode, loads

HEAD = struct.Struct(">Q")


class Server:
    """Answers one order after the other; functions that it has given out are kept by number."""

    def __init__(self):
        self.program, self.functions = Program([]), []

    def answer(self, frame: bytes) -> dict:
        order, *arguments = loads(frame, self.functions.__getitem__)
        outcome, blamed = None, self.answer
        try:
            if order == "load":
                self.program = Program(*arguments)
                return {"value": ["none"]}
            if order == "candidates":
                value = len(self.program.candidates(*arguments))
            elif order == "take":
                exercise, name, number = arguments
                value = self.program.take(self.program.candidates(exercise, name)[number])
                value = Guarded(value) if callable(value) else value
            else:
                number, args, kwargs = arguments
                blamed = self.functions[number]
                value = blamed(*args, **kwargs)
            return {"value": encode(value, self._keep)}
        except (Broken, NotAttempted) as known:
            outcome = known
        except BaseException as error:
            outcome = interpreted(error, getattr(blamed, "raw", blamed))
        if isinstance(outcome, NotAttempted):
            return {"nothing": str(outcome)}
        return {"broken": [outcome.law, outcome.message, outcome.where]}

    def _keep(self, function: object) -> list:
        self.functions.append(function)
        raw = getattr(function, "raw", function)
        name = getattr(raw, "__name__", type(raw).__name__)
        return [len(self.functions) - 1, str(name), _parameters(raw)]


def _parameters(function: object) -> list:
    """Of every parameter, its name, its kind and whether it may be left out."""
    import inspect

    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [[p.name, int(p.kind), p.default is not p.empty] for p in parameters]


def limit(memory: int, processes: int, cores: int, file: int, total: float, **_) -> None:
    """Hard limits of this process and of all that it starts."""
    if hasattr(os, "sched_setaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, random.sample(usable, min(cores, len(usable))))
    seconds = int(total) + 60
    for what, most in (("AS", memory), ("NPROC", processes), ("FSIZE", file), ("CORE", 0),
                       ("CPU", seconds)):  # fmt: skip
        kind = getattr(resource, f"RLIMIT_{what}")
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):  # macOS knows some of these only by name
            if sys.platform == "linux":
                raise


def main() -> None:
    limit(**json.loads(sys.argv[1]))
    sys.argv[1:] = []
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    server = Server()
    while head := orders.read(HEAD.size):
        reply = json.dumps(server.answer(orders.read(*HEAD.unpack(head)))).encode()
        answers.write(HEAD.pack(len(reply)) + reply)
        answers.flush()
