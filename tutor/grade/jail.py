"""Runs a command that sees nothing but what it is shown: `python jail.py '{"show": …}'`.

Linux namespaces of its own for files, processes, network and messages. Its root is a small
memory disk with read-only binds of the folders to be shown and an empty /sandbox; no other file,
process or network exists for it. As root it becomes a user that nobody else is; otherwise it is
alone in a user namespace. When the process that started it ends, so does everything inside.

Needs Linux 5.14 and, unless root, unprivileged user namespaces. Only the standard library.
"""

import ctypes
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)  # fmt: skip
MS_NOSUID, MS_NODEV, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 2, 4, 4096, 8192, 16384, 1 << 18
RDONLY, NOSUID, NODEV, AT_FDCWD, AT_RECURSIVE, MOUNT_SETATTR = 1, 2, 4, -100, 0x8000, 442
PDEATHSIG, CAPBSET_DROP, NO_NEW_PRIVS = 1, 24, 38
DEVICES = ("null", "zero", "full", "random", "urandom")
libc = ctypes.CDLL(None, use_errno=True)


def call(function: str, *args) -> None:
    """A function of the C library; its error becomes an OSError."""
    if getattr(libc, function)(*args) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{function}: {os.strerror(error)}")


def mount(source: str, target: Path | str, kind: str, flags: int, data: str = "") -> None:
    call("mount", source.encode(), str(target).encode(), kind.encode(),
         ctypes.c_ulong(flags), data.encode())  # fmt: skip


def read_only(path: Path) -> None:
    """With everything that is mounted below it."""
    attributes = (ctypes.c_uint64 * 4)(RDONLY | NOSUID | NODEV, 0, 0, 0)
    call("syscall", MOUNT_SETATTR, AT_FDCWD, str(path).encode(), AT_RECURSIVE,
         ctypes.byref(attributes), ctypes.sizeof(attributes))  # fmt: skip


def bind(source: str, target: Path) -> None:
    if Path(source).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount(source, target, "", MS_BIND | MS_REC)


def furnish(root: Path, show: list[str], hide: list[str], disk: int, user: int) -> None:
    """Makes `root` the file system."""
    mount("", "/", "", MS_REC | MS_PRIVATE)
    mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755")
    for path in map(Path, show):
        target = root / path.relative_to("/")
        if path.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path.readlink())
        elif path.exists() and not target.exists():
            bind(str(path), target)
            read_only(target)
    for path in map(Path, hide):
        mount("/dev/null", root / path.relative_to("/"), "", MS_BIND)
    for name in DEVICES:
        bind(f"/dev/{name}", root / "dev" / name)
    for name in ("sandbox", "proc"):
        (root / name).mkdir()
    mount("tmpfs", root / "sandbox", "tmpfs", MS_NOSUID | MS_NODEV,
          f"size={disk},nr_inodes=10000,mode=700,uid={user},gid={user}")  # fmt: skip
    with suppress(OSError):  # forbidden in some containers, and not needed
        mount("proc", root / "proc", "proc", MS_NOSUID | MS_NODEV)
        Path(root / "proc/sys/user/max_user_namespaces").write_text("0")
    os.chdir(root)
    mount("", root, "", 32 | MS_BIND | RDONLY)  # remount
    mount(".", "/", "", MS_MOVE)
    os.chroot(".")
    os.chdir("/sandbox")


def main() -> None:
    spec = json.loads(sys.argv[1])
    outer, group = os.geteuid(), os.getegid()
    spaces = NEWNS | NEWUTS | NEWIPC | NEWPID | NEWNET
    call("unshare", spaces if outer == 0 else spaces | NEWUSER)
    user = spec["user"] if outer == 0 else 65534
    if outer != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {outer} 1")
        Path("/proc/self/gid_map").write_text(f"{user} {group} 1")
    call("prctl", PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    inside = os.fork()  # the first process of the new namespace
    if inside:
        os.closerange(0, 3)
        status = os.waitstatus_to_exitcode(os.waitpid(inside, 0)[1])
        os._exit(status if status >= 0 else 128 - status)
    furnish(Path(spec["root"]), spec["show"], spec["hide"], spec["disk"], user)
    if outer == 0:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    else:
        for capability in range(64):
            libc.prctl(CAPBSET_DROP, capability, 0, 0, 0)
    call("prctl", PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    call("prctl", NO_NEW_PRIVS, 1, 0, 0, 0)
    os.closerange(3, 4096)
    os.execve(spec["command"][0], spec["command"], spec["environment"])


if __name__ == "__main__":
    main()
