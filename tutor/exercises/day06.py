"""Day 6: Forces in water. Here the data and the errors, 6.1 to 6.5; the rest is imported."""

import numpy as np

from tutor.exercises import day06_laws, day06_transfer  # noqa: F401
from tutor.exercises.engine import choice, code, number
from tutor.exercises.expect import expect, parts, require
from tutor.units import AMU, KCAL_PER_MOL

K, OXYGEN, HYDROGEN = 529.581 * KCAL_PER_MOL, 15.9994 * AMU, 1.008 * AMU
REDUCED = OXYGEN * HYDROGEN / (OXYGEN + HYDROGEN)

number(
    "6.1",
    "One swing of a bond",
    answer=2 * np.pi * np.sqrt(REDUCED / (2 * K)),
    unit="fs",
    rtol=0.01,
    points=2,
    slips={
        "the energy is K (r - r₀)² without the usual ½, so the spring constant is 2 K": (
            2 * np.pi * np.sqrt(REDUCED / K)
        ),
        "both atoms move: take the reduced mass, not that of hydrogen": (
            2 * np.pi * np.sqrt(HYDROGEN / (2 * K))
        ),
        "both atoms move: take the reduced mass, not that of oxygen": (
            2 * np.pi * np.sqrt(OXYGEN / (2 * K))
        ),
        "1/ω is the time for one radian; a period is 2π of them": np.sqrt(REDUCED / (2 * K)),
        "amu and eV do not make fs: multiply masses by `tutor.units.AMU`": (
            2 * np.pi * np.sqrt(REDUCED / AMU / (2 * K))
        ),
        "K is in kcal/mol/Å²: multiply it by `tutor.units.KCAL_PER_MOL`": (
            2 * np.pi * np.sqrt(REDUCED / (2 * K / KCAL_PER_MOL))
        ),
    },
    hints=(
        "A mass μ on a spring k swings with the period 2π √(μ/k).",
        "μ = m_O m_H / (m_O + m_H), and ½ k x² = K x².",
        "`2 * np.pi * np.sqrt(mu * AMU / (2 * 529.581 * KCAL_PER_MOL))` with mu = 0.948 amu.",
    ),
    remark="A step of 2 ps would leap over more than 200 swings; the report means 2 fs, and even "
    "that is less than five steps a swing.",
)


@code(
    "6.2",
    "Three numbers for one error",
    points=2,
    hints=(
        "All three are means; they differ in what is averaged: components, or atoms.",
        "`d = predicted - true`; the last axis holds x, y and z.",
        "`np.abs(d).mean()`, `np.abs(d).sum(axis=-1).mean()`, and "
        "`np.linalg.norm(d, axis=-1).mean()`.",
    ),
)
def errors(f, rng):
    for shape in ((1, 2, 3), (2, 3, 3), (2, 4, 3)):
        true = rng.normal(size=shape)
        d = rng.normal(size=shape) * rng.uniform(0.2, 1.0, size=(*shape[:2], 1))
        example = {"predicted": true + d, "true": true}
        names = ("per component", "summed over components", "length")
        found = parts(f(true + d, true), *names)
        size = np.abs(d)
        expect(
            found[0],
            size.mean(),
            law="per component: the mean over structures, atoms and components",
            example=example,
            slips={
                "that is the root of the mean square; here we want mean absolute values": (
                    np.sqrt((d**2).mean())
                ),
                "errors of both signs cancel: take absolute values first": d.mean(),
                "that is summed over the components": size.sum(axis=-1).mean(),
            },
        )
        expect(
            found[1],
            size.sum(axis=-1).mean(),
            law="summed: for each atom the sum of its three absolute errors, then the mean",
            example=example,
            slips={
                "add the three components of an atom before you average": size.mean(),
                "that is summed over the atoms too; average over them": size.sum() / shape[0],
                "that is the sum over everything": size.sum(),
                "errors of both signs cancel: take absolute values before you add": (
                    np.abs(d.sum(axis=-1)).mean()
                ),
            },
        )
        expect(
            found[2],
            np.linalg.norm(d, axis=-1).mean(),
            law="length: for each atom the length of its error vector, then the mean",
            example=example,
            slips={
                "that is the sum of the components again, not the length": size.sum(-1).mean(),
                "the length of all errors taken together; one length for each atom": (
                    np.linalg.norm(d)
                ),
                "lengths of the forces themselves: subtract first": abs(
                    np.linalg.norm(true + d, axis=-1) - np.linalg.norm(true, axis=-1)
                ).mean(),
            },
        )


number(
    "6.3",
    "4.18 in our units",
    answer=4.18 / 3 * KCAL_PER_MOL * 1e3,
    unit="meV/Å",
    rtol=0.01,
    slips={
        "4.18 is a sum over three components: divide by 3": 4.18 * KCAL_PER_MOL * 1e3,
        "that is in eV/Å; the answer is asked for in meV/Å": 4.18 / 3 * KCAL_PER_MOL,
        "that is in kcal/mol/Å": 4.18 / 3,
        "a sum of absolute values is no length: divide by 3, not by its root": (
            4.18 / np.sqrt(3) * KCAL_PER_MOL * 1e3
        ),
        "a kcal/mol is 0.0434 eV: multiply by it": 4.18 / 3 / KCAL_PER_MOL,
    },
    hints=(
        "Two steps: from a sum over three components to one, and from kcal/mol to meV.",
        "`tutor.units.KCAL_PER_MOL` is 0.0434 eV.",
        "4.18 / 3 · 43.4",
    ),
    remark="So 4.18 summed, 1.39 kcal/mol/Å per component, and 60 meV/Å are one and the same.",
)


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
    train, test = np.zeros(len(run), bool), np.zeros(len(run), bool)
    for k in np.unique(run):
        mine = run == k
        start, end = time[mine].min(), time[mine].max()
        train |= mine & (time <= start + fraction * (end - start))
        test |= mine & (time >= time[mine & train].max() + gap)
    return train, test


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
