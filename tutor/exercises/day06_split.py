"""Day 6: splits of trajectories, 6.4 and 6.5."""

import numpy as np

from tutor.exercises.engine import choice, code
from tutor.exercises.expect import parts, require


@code(
    "6.4",
    "A split that does not leak",
    points=3,
    hints=(
        "Go through the runs one by one: `for k in np.unique(run)`.",
        "Within a run, the training block ends at `start + fraction * (end - start)`. The first "
        "test frame comes at least `gap` after the *last training frame*.",
        "For each run: `mine = run == k`, `start, end = time[mine].min(), time[mine].max()`, "
        "`train |= mine & (time <= start + fraction * (end - start))`, then "
        "`test |= mine & (time >= time[mine & train].max() + gap)`.",
    ),
)
def split(f, rng):
    for runs, frames in ((1, 8), (2, 12), (3, 20)):
        run = np.repeat(np.arange(runs), frames)
        begin = 40.0 * np.arange(runs)  # every run has a clock of its own
        time = np.concatenate([b + np.arange(frames) * 0.5 for b in begin])
        order = rng.permutation(len(run)) if runs > 1 else np.arange(frames)
        run, time = run[order], time[order]
        fraction, gap = 0.55, 1.2
        train, test = _blocks(run, time, fraction, gap)
        example = {"run": run, "time": time, "fraction": fraction, "gap": gap}
        found = parts(f(run, time, fraction, gap), "train", "test")
        mine, other = (_mask(x, name, len(run), example) for x, name in zip(
            found, ("train", "test"), strict=True))  # fmt: skip
        require(
            not (mine & other).any(),
            law="no frame is in both parts",
            message=f"{(mine & other).sum()} frames are",
            example=example,
        )
        for k in range(runs):
            here = run == k
            apart = np.abs(time[here & mine][:, None] - time[here & other][None, :])
            require(
                not apart.size or apart.min() >= gap - 1e-9,
                law="in every run, test frames are at least `gap` away from all training frames",
                message=f"in run {k} a test frame is {apart.min(initial=np.inf):.2g} from one",
                example=example,
            )
        _judge(mine, train, run, "the training block is the first part of *each* run, by its own "
               "clock", example)  # fmt: skip
        _judge(other, test, run, "all frames that come later than the gap are for testing", example)


def _blocks(run, time, fraction, gap):
    """The same by a slow loop: a frame is judged by the clock of its own run."""
    clock = {k: [t for j, t in zip(run, time, strict=True) if j == k] for k in run.tolist()}
    cut = {k: (1 - fraction) * min(times) + fraction * max(times) for k, times in clock.items()}
    last = {k: max(t for t in times if t <= cut[k]) for k, times in clock.items()}
    own = list(zip(run.tolist(), time, strict=True))
    return np.array([t <= cut[k] for k, t in own]), np.array([t >= last[k] + gap for k, t in own])


def _mask(value, name, n, example):
    mask = np.asarray(value)
    require(
        mask.shape == (n,) and mask.dtype == bool,
        law="each part is given as True or False for every frame",
        message=f"{name} is not: its shape is {mask.shape} and its type {mask.dtype}",
        example=example,
    )
    return mask


def _judge(got, wanted, run, law, example):
    wrong = np.flatnonzero(got != wanted)
    told = f"{len(wrong)} frames are judged differently, the first is frame {wrong[:1]}"
    empty = [k for k in np.unique(run) if not got[run == k].any()]
    if empty and got.any():
        told = f"run {empty[0]} has none; did you use one clock for all runs?"
    require(not len(wrong), law=law, message=told, example=example)


choice(
    "6.5",
    "What a shuffled split measures",
    right="b",
    why={
        "a": "Shuffling changes the order of frames, not what is in them: each still has a twin "
        "10 fs away, and nine times out of ten that twin is in the training set.",
        "b": "A frame 10 fs away says much about the forces, without any physics. So the number "
        "mixes what was learned with what was remembered. How large the second part is depends "
        "on the model, and only a split by time can tell.",
        "c": "It is no lie and may even be close to the truth: a model too small to remember "
        "cannot profit. But nobody can know that from the shuffled split alone.",
        "d": "More frames of the same run are more of the same few picoseconds; the twins remain.",
    },
)
