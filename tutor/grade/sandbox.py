"""Which protection this machine offers for code that nobody has read, and its limits.

In order of preference: namespaces made by root (tutor/grade/jail.py; every sandbox then has a
user of its own), bubblewrap, namespaces made by an ordinary user, and at last plain limits. Each
is tried with a harmless program before it is used. With plain limits the program can read and
delete what its user can, so that is never chosen unasked.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
START = (
    f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); "
    "from tutor.grade.child import main; main()"
)
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache",
          "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        seconds: for one exercise, from the first needed line to the last answer.
        total: seconds for all exercises of one notebook.
        memory: bytes of address space of a process.
        processes: processes and threads together.
        cores: JAX starts about ten threads for each that it sees.
        file: bytes of a file, and of all files together where there is a disk of its own.
    """

    seconds: float = 30.0
    total: float = 300.0
    memory: int = 4 << 30
    processes: int = 192
    cores: int = 4
    file: int = 64 << 20


@dataclass(frozen=True)
class Protection:
    """A way of running a submission. `contained` says that nothing outside can be touched."""

    name: str
    words: str
    contained: bool
    command: Callable[[Limits, Path], dict]

    def start(self, limits: Limits, folder: Path, **pipes) -> subprocess.Popen:
        """Starts the program that waits for orders; `folder` is empty and its own."""
        how = self.command(limits, folder)
        return subprocess.Popen(**how, start_new_session=True, **pipes)


def protections() -> list[Protection]:
    """Those that may work on this machine, the best first."""
    if sys.platform != "linux":
        return [PLAIN]
    ordinary = [*([BUBBLEWRAP] if shutil.which("bwrap") else []), NAMESPACES]
    return [*ordinary, PLAIN] if os.geteuid() else [*reversed(ordinary), PLAIN_NOBODY, PLAIN]


def choose(*, uncontained: bool = False) -> Protection:
    """The best protection that works here.

    Args:
        uncontained: whether plain limits will do.

    Raises:
        RuntimeError: none does, or only plain limits do and `uncontained` is false.
    """
    if sys.platform == "win32":
        raise RuntimeError("grading needs Linux or macOS: on Windows, use WSL")
    troubles = []
    for protection in protections():
        if not protection.contained and not uncontained:
            continue
        trouble = probe(protection)
        if not trouble:
            return protection
        troubles.append(f"{protection.name}: {trouble}")
    raise RuntimeError(
        "no sandbox works on this machine, so a submission could read and delete your files"
        + "".join(f"; {trouble}" for trouble in troubles)
        + ". Install bubblewrap (`apt install bubblewrap`), or allow user namespaces, or grade in "
        "a virtual machine that holds nothing else, with --uncontained"
    )


def probe(protection: Protection, limits: Limits | None = None) -> str:
    """What goes wrong when a sandbox starts; "" when nothing does."""
    from tutor.grade.remote import LostError, Sandbox

    try:
        with Sandbox(protection, limits or Limits()) as sandbox:
            sandbox.ask("load", [])
    except (LostError, OSError) as error:
        return str(getattr(error, "message", error))
    return ""


def environment() -> dict[str, str]:
    """All that a submission sees of the environment."""
    one = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return dict.fromkeys(one, "1") | {
        "PATH": "/usr/bin:/bin",
        "HOME": "/sandbox",
        "TMPDIR": "/sandbox",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
        "MALLOC_ARENA_MAX": "2",
        "MPLBACKEND": "Agg",
        "TUTOR_PROGRESS": "off",
    }


def shown() -> list[str]:
    """Folders that a submission may read: the system, Python, its packages, and this one."""
    paths = [*SYSTEM, sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), str(PACKAGE)]
    outer = [p for p in paths if not any(_inside(p, q) for q in paths if q != p)]
    return list(dict.fromkeys(outer))


def hidden() -> list[str]:
    """Files within `shown` that hold the checks."""
    folder = PACKAGE / "exercises"
    return [str(path) for path in sorted([*folder.glob("day*.py"), *folder.glob("*/day*.pyc")])]


def _inside(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")


def _python(limits: Limits) -> list[str]:
    return [sys.executable, "-I", "-c", START, json.dumps(asdict(limits))]


def _bubblewrap(limits: Limits, folder: Path) -> dict:
    words = ["bwrap", "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534",
             "--die-with-parent", "--new-session", "--clearenv"]  # fmt: skip
    for name, value in environment().items():
        words += ["--setenv", name, value]
    for path in shown():
        words += ["--ro-bind-try", path, path]
    for path in hidden():
        words += ["--ro-bind", "/dev/null", path]
    words += ["--dev", "/dev", "--proc", "/proc", "--size", str(limits.file), "--tmpfs", "/sandbox",
              "--remount-ro", "/dev", "--remount-ro", "/"]  # fmt: skip
    return {"args": [*words, "--chdir", "/sandbox", *_python(limits)]}


def _namespaces(limits: Limits, folder: Path) -> dict:
    spec = {
        "root": str(folder),
        "show": shown(),
        "hide": hidden(),
        "disk": limits.file,
        "user": _nobody(),
        "command": _python(limits),
        "environment": environment(),
    }
    jail = str(PACKAGE / "grade" / "jail.py")
    return {"args": [sys.executable, "-I", "-S", jail, json.dumps(spec)], "env": {}}


def _plain(limits: Limits, folder: Path) -> dict:
    here = {"HOME": str(folder), "TMPDIR": str(folder)}
    return {"args": _python(limits), "env": environment() | here, "cwd": folder}


def _plain_nobody(limits: Limits, folder: Path) -> dict:
    user = _nobody()
    os.chown(folder, user, user)
    return _plain(limits, folder) | {"user": user, "group": user, "extra_groups": []}


def _nobody() -> int:
    """A user that nobody else is, so that the limit on processes counts these alone."""
    return 1_000_000_000 + int.from_bytes(os.urandom(3), "big")


def new_folder() -> tempfile.TemporaryDirectory:
    """An empty folder for one sandbox."""
    return tempfile.TemporaryDirectory(prefix="tutor-grade-", ignore_cleanup_errors=True)


_SEEN = "It sees Python and an empty folder of its own: none of your files, no network, no process"
BUBBLEWRAP = Protection("bubblewrap", f"{_SEEN}.", True, _bubblewrap)
NAMESPACES = Protection("namespaces", f"{_SEEN}.", True, _namespaces)
PLAIN_NOBODY = Protection(
    "limits, as another user",
    "Time, memory and file size are limited, and it runs as a user without rights, but it can read "
    "what everybody can read, and it has the network.",
    False,
    _plain_nobody,
)
PLAIN = Protection(
    "limits only",
    "Time, memory and file size are limited, but it can read and delete what you can, and it has "
    "the network.",
    False,
    _plain,
)
