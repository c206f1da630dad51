"""The grader's end: a sandbox with a submission in it, and functions that run in there."""

import inspect
import os
import select
import signal
import struct
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from tutor.exercises.verdict import Broken, NotAttempted
from tutor.grade.sandbox import Limits, Protection, new_folder
from tutor.grade.wire import LARGEST, ForgedError, decode, dumps, read_reply

HEAD = struct.Struct(">Q")
LOOK = 0.5  # seconds between looks at the memory
PAGE = os.sysconf("SC_PAGE_SIZE")
START = 60.0  # seconds until a fresh sandbox must answer
LAW = "the program keeps within its limits"


class LostError(Broken):
    """The program in the sandbox gives no answer any more."""

    def __init__(self, message: str):
        super().__init__(LAW, message)


class Sandbox:
    """A running sandbox. Use it with `with`; whatever runs in it ends with that."""

    def __init__(self, protection: Protection, limits: Limits):
        self.limits = limits
        self._folder = new_folder()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        try:
            self._process = protection.start(limits, Path(self._folder.name), **pipes)
        except BaseException:
            self._folder.cleanup()
            raise
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            os.set_blocking(pipe.fileno(), False)
        self.deadline = time.monotonic() + START

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with suppress(OSError):
                pipe.close()
        self._process.wait()
        self._folder.cleanup()

    def count(self, *arguments) -> int:
        """How many candidates there are for the answer to an exercise."""
        count = self.ask("candidates", *arguments)
        if not isinstance(count, np.ndarray) or count.shape or count.dtype.kind not in "iu":
            raise LostError("the answer cannot be read: not a number")
        return int(count)

    def ask(self, order: str, *arguments) -> object:
        """The value that comes back.

        Raises:
            Broken, NotAttempted: what the submission's code amounts to.
            LostError: there is no answer.
        """
        try:
            self._send(dumps((order, *arguments)))
            (length,) = HEAD.unpack(self._receive(HEAD.size))
            if length > LARGEST:
                raise LostError(f"the answer is larger than {LARGEST >> 20} MB")
            return self._understood(read_reply(self._receive(length)))
        except ForgedError as error:
            raise LostError(str(error)) from None

    def _understood(self, reply: dict) -> object:
        match reply:
            case {"value": code}:
                return decode(code, lambda *about: Remote(self, *about))
            case {"nothing": str(message)}:
                raise NotAttempted(_line(message))
            case {"broken": [str(law), str(message), str(where)]}:
                raise Broken(_line(law), _line(message), where=_line(where))
        raise ForgedError("the answer cannot be read: unknown form")

    def _send(self, payload: bytes) -> None:
        rest = memoryview(HEAD.pack(len(payload)) + payload)
        pipe = self._process.stdin.fileno()
        while rest:
            self._wait(writing=True)
            try:
                rest = rest[os.write(pipe, rest) :]
            except OSError:
                raise self._ended() from None

    def _receive(self, length: int) -> bytes:
        parts, pipe = [], self._process.stdout.fileno()
        while length:
            self._wait(writing=False)
            part = os.read(pipe, min(length, 1 << 20))
            if not part:
                raise self._ended()
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _wait(self, *, writing: bool) -> None:
        read, write = self._process.stdout.fileno(), self._process.stdin.fileno()
        while True:
            left = max(0.0, min(LOOK, self.deadline - time.monotonic()))
            ready = select.select([] if writing else [read], [write] if writing else [], [], left)
            if any(ready):
                return
            if memory_of(self._process.pid) > self.limits.memory:
                raise LostError(f"more than {self.limits.memory / 2**30:g} GiB of memory in all")
            if time.monotonic() >= self.deadline:
                raise LostError(
                    f"no answer within {self.limits.seconds:g} s: does a loop never end? Does it "
                    "compute more than was asked for?"
                )

    def _ended(self) -> LostError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        said = ""
        with suppress(OSError, TypeError):
            said = self._process.stderr.read(4000).decode(errors="replace").strip()
        last = f" ({said.splitlines()[-1][:200]})" if said else ""
        return LostError(f"the program ended before it answered: {_how(self._process)}{last}")


def memory_of(root: int) -> int:
    """Bytes that a process and its descendants hold; a page that two share counts twice."""
    held, below = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
            process = int(stat.parent.name)
            held[process] = int(fields[21]) * PAGE
            below.setdefault(int(fields[1]), []).append(process)
    found, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        found += held.get(process, 0)
        waiting += below.get(process, ())
    return found


def _how(process: subprocess.Popen) -> str:
    status = process.returncode or 0
    stopped = -status if status < 0 else status - 128  # a shell's way of saying it
    with suppress(ValueError):
        return f"stopped by {signal.Signals(stopped).name}"
    return f"exit status {process.returncode}"


class Remote:
    """A function of the submission, as the grader sees it: a call runs in the sandbox."""

    def __init__(self, sandbox: Sandbox, number: int, name: str, parameters: list):
        self.remote_number, self.__name__ = number, name
        self._sandbox = sandbox
        with suppress(TypeError, ValueError):
            self.__signature__ = inspect.Signature([_parameter(*p) for p in parameters])

    def __call__(self, *args, **kwargs) -> object:
        return self._sandbox.ask("call", self.remote_number, args, kwargs)

    def __repr__(self) -> str:
        return f"the function {self.__name__}"


def _line(text: str) -> str:
    return text[:1000].encode("utf-8", "replace").decode()


def _parameter(name: str, kind: int, optional: bool) -> inspect.Parameter:
    default = ... if optional is True else inspect.Parameter.empty
    return inspect.Parameter(name, inspect._ParameterKind(kind), default=default)
