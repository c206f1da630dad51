"""Whose a file is, by the folder that it lies in or by the names that learning platforms give."""

import re
from pathlib import PurePosixPath

MOODLE = re.compile(r"(?P<who>.+?)_\d+_assignsubmission_[a-z]+_?(?P<rest>.*)")
CANVAS = re.compile(r"(?P<who>[^_]+)(_LATE)?_\d+_\d+_(?P<rest>.+)")
BLACKBOARD = re.compile(r".+?_(?P<who>[^_]+)_attempt_[\d-]+_?(?P<rest>.*)")
DAY = re.compile(r"[ _-]*day\d\d.*", re.IGNORECASE)


def owner(parts: tuple[str, ...]) -> str:
    """The learner to whom a file belongs: the folder, or what the platform's file name says."""
    first = parts[0] if len(parts) > 1 else PurePosixPath(parts[0]).stem
    for pattern in (MOODLE, BLACKBOARD, *([] if len(parts) > 1 else [CANVAS])):
        match = pattern.fullmatch(first)
        if match:
            return match["who"].strip()
    return first if len(parts) > 1 else DAY.sub("", first) or first
