"""Day 1: an honest split, and what to buy, 1.10 and 1.11."""

import numpy as np

from tutor.exercises.engine import code, written
from tutor.exercises.expect import parts, require


@code(
    "1.10",
    "Find the bug: an honest split",
    points=3,
    hints=(
        "Neighbouring frames are nearly copies. Which frames may the test set not come near?",
        "Use two blocks: the first `n_train` frames for training, then leave out `gap` frames.",
        "`train = np.arange(n_train)`, `test = n_train + gap + np.arange(n_test)`.",
    ),
)
def honest_split(f, rng):
    drawn = [rng.integers((5, 3, 2, 0), (60, 30, 15, 20)) * scale for scale in (1, 10)]
    sizes = [(6, 3, 2, 1), *(tuple(map(int, numbers)) for numbers in drawn)]
    for n_train, n_test, gap, unused in sizes:
        n_frames = n_train + n_test + gap + unused
        train, test = parts(f(n_frames, n_train, n_test, gap), "train", "test")
        example = {"n_frames": n_frames, "n_train": n_train, "n_test": n_test, "gap": gap}
        train, test = (
            _indices(k, name, n_frames, example) for k, name in ((train, "train"), (test, "test"))
        )
        for k, name, size in ((train, "train", n_train), (test, "test", n_test)):
            require(
                len(k) == size and len(np.unique(k)) == size,
                law="the sets have the sizes asked for, and no frame twice",
                message=f"{name} holds {len(np.unique(k))} different frames, expected {size}",
                example=example,
            )
        nearest = int(np.abs(train[:, None] - test[None, :]).min())
        require(
            nearest > 0,
            law="no frame is both in the training and in the test set",
            message=f"frame {np.intersect1d(train, test)[:1]} is in both" if nearest == 0 else "",
            example=example,
        )
        require(
            nearest > gap,
            law="at least `gap` frames lie between a training frame and a test frame",
            message=f"somewhere only {nearest - 1} frame(s) lie between a training frame and a "
            "test frame: the test set holds near-copies of training frames",
            expected=f"{gap} or more",
            got=nearest - 1,
            example=example,
        )


def _indices(value, name, n_frames, example):
    index = np.asarray(value)
    whole = index.ndim == 1 and index.size > 0 and np.all(index == np.round(index.astype(float)))
    require(
        whole and index.min() >= 0 and index.max() < n_frames,
        law="a set is a list of frame numbers, from 0 to n_frames - 1",
        message=f"{name} is not",
        example=example,
        got=index,
    )
    return index.astype(int)


written(
    "1.11",
    "What would you buy?",
    points=3,
    min_words=40,
    rubric=(
        "1 point: says which change lowered the error most per unit of cost (distances instead of "
        "coordinates; forces as labels), with numbers from the table or the curve.",
        "1 point: says what more data or a larger network alone did and did not do.",
        "1 point: names a law that the best model of the day still breaks (exchange of like atoms; "
        "a fixed number of atoms) and why more data is a poor repair.",
    ),
)
