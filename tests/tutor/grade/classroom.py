"""Submissions, made on the spot."""

import json
from dataclasses import replace
from pathlib import Path

from tutor.grade.sandbox import Limits

ROOT = Path(__file__).parents[3]
LIMITS = replace(Limits(), seconds=10.0, total=60.0, memory=2 << 30, processes=40)

NUMPY = "import numpy as np"
ESSAY = 'advice = """' + "Forces first, <b>because</b> they cost nothing. " * 12 + '"""'
FIT = "def fit_elements(counts, energy):\n    return np.linalg.pinv(counts) @ energy"
DISTANCES = """\
def pair_distances(positions):
    i, j = np.triu_indices(positions.shape[1], k=1)
    return np.linalg.norm(positions[:, j] - positions[:, i], axis=-1)"""


def notebook(*cells, **metadata):
    """The text of a notebook; a cell is its source, or a pair of exercise id and source."""
    pairs = [cell if isinstance(cell, tuple) else ("", cell) for cell in cells]
    code = [
        {"cell_type": "code", "execution_count": None, "outputs": [], "source": source,
         "metadata": {"tutor": {"exercise": exercise}} if exercise else {}}
        for exercise, source in pairs
    ]  # fmt: skip
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": code})


def hand_in(folder, learner, *cells, name="day01.ipynb"):
    path = folder / learner / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook(*cells))
    return path
