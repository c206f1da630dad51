"""The files of a class: in a folder, in archives, in archives within a folder.

Nothing is unpacked to disk and no link is followed; archives are read in memory and up to a
limit. A file that cannot be read comes with the reason in the place of its content.
"""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tutor.grade.owner import owner

LARGEST = 100 << 20  # bytes of one file, unpacked; figures make notebooks large
MOST = 1000  # files of one archive
IGNORED = {"__MACOSX", ".ipynb_checkpoints", ".git"}


class UnreadableError(ValueError):
    """This file cannot be graded; the message says why, for the learner."""


def in_folder(folder: Path) -> Iterator[tuple[tuple[str, ...], bytes | UnreadableError | None]]:
    """Path and content of every notebook; of another file, None."""
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - IGNORED)
        for name in sorted(names):
            file = Path(path, name)
            parts = file.relative_to(folder).parts
            try:
                yield from _opened(parts, _content(file), depth=0)
            except UnreadableError as error:
                yield parts, error


def _content(file: Path) -> bytes:
    if file.suffix.lower() not in (".ipynb", ".zip"):
        return b""
    if file.is_symlink() or not file.is_file():
        raise UnreadableError("a link or a device, not a file; it was not opened")
    if file.stat().st_size > LARGEST:
        raise UnreadableError(
            f"larger than {LARGEST >> 20} MB; clear the outputs and hand in again"
        )
    return file.read_bytes()


def _opened(parts: tuple, content: bytes, depth: int) -> Iterator:
    suffix = PurePosixPath(parts[-1]).suffix.lower()
    if suffix == ".ipynb" and not parts[-1].startswith("._"):
        yield parts, content
    elif suffix == ".zip":
        above = (*parts[:-1], PurePosixPath(parts[-1]).stem)
        yield from in_archive(content, above if parts[1:] else (owner(parts),), depth + 1)
    else:
        yield parts, None


def in_archive(content: bytes, above: tuple = (), depth: int = 0) -> Iterator:
    """As `in_folder`, for the bytes of a zip that lies at the path `above`."""
    at = above or ("archive",)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = [m for m in archive.infolist() if not m.is_dir()]
        if depth > 2 or len(members) > MOST:
            raise UnreadableError("too many files or archives within archives; it was not opened")
        left = LARGEST if above else 10 * LARGEST
        for member in members:
            path = PurePosixPath(member.filename.replace("\\", "/"))
            if set(path.parts) & IGNORED:
                continue
            parts = (*above, *path.parts)
            if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
                safe = tuple(part for part in parts if part not in ("..", "/"))
                yield (
                    safe,
                    UnreadableError(f"{member.filename!r:.80} leaves the archive; it was not read"),
                )
                continue
            if path.suffix.lower() not in (".ipynb", ".zip"):
                yield parts, None
                continue
            with archive.open(member) as file:
                data = file.read(min(left, LARGEST) + 1)
            left -= len(data)
            if left < 0 or len(data) > LARGEST:
                raise UnreadableError(
                    f"it unpacks to more than {LARGEST >> 20} MB; not read further"
                )
            yield from _opened(parts, data, depth)
    except UnreadableError as error:
        yield at, error
    except (zipfile.BadZipFile, zipfile.LargeZipFile, RuntimeError, OSError, ValueError, EOFError,
            NotImplementedError, zipfile.zlib.error) as error:  # fmt: skip
        yield at, UnreadableError(f"the archive cannot be read: {error}")
