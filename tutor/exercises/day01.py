"""Day 1: From positions to an energy."""

import numpy as np
from scipy.spatial.distance import pdist

from tutor.exercises.engine import choice, code, number, written
from tutor.exercises.expect import agree, expect, parts, require


@code(
    "1.1",
    "Read the well",
    points=2,
    hints=(
        "Where is the lowest point? `np.argmin(energy)` gives its index k; its neighbours are "
        "k - 1 and k + 1, and the three are not equally spaced.",
        "`np.polyfit(x, y, 2)` returns a, b, c of the parabola a x² + b x + c through three "
        "points. Its minimum is at x = -b / (2 a) and has the value c - b² / (4 a).",
        "`k = np.argmin(energy)`, `a, b, c = np.polyfit(distance[k - 1 : k + 2], "
        "energy[k - 1 : k + 2], 2)`; return -b / (2 a) and energy[-1] - (c - b**2 / (4 a)).",
    ),
)
def well(f, rng):
    # A curve that is a parabola near its minimum, so that the answer is known in closed form.
    for bond, depth, far in ((0.741, 4.75, -27.2), (1.098, 9.8, 3.0), (2.0, 0.5, 0.0)):
        grid = bond + np.cumsum(rng.uniform(0.03, 0.05, 60)) - 0.4
        energy = far + np.minimum(20 * (grid - bond) ** 2 - depth, 0.0)
        k = np.argmin(energy)
        r_e, d_e = parts(f(grid, energy), "bond length", "well depth")
        a, b, _ = np.polyfit(np.arange(3), energy[k - 1 : k + 2], 2)
        expect(
            r_e,
            bond,
            law="the minimum lies between the grid points",
            slips={
                "this is the lowest grid point itself; put a parabola through it and its two "
                "neighbours": grid[k],
                "you fitted the parabola against the index, as if the grid were even": grid[k - 1]
                - b / (2 * a) * (grid[k] - grid[k - 1]),
                "this is an index, not a distance": k,
            },
        )
        expect(
            d_e,
            depth,
            law="the depth is measured from the energy at the largest distance",
            rtol=1e-3,
            slips={
                "this is the energy at the minimum; subtract it from the energy at the largest "
                "distance": far - depth,
                "you measured from zero, not from the energy at the largest distance": depth - far,
                "you measured from the energy at the smallest distance": energy[0] - far + depth,
            },
        )


def _rhf_error():
    from tutor.data import load

    h2 = load("h2")
    return h2.properties["energy_rhf"][-1] - h2.energy[-1]


number(
    "1.2",
    "The price of a level of theory",
    answer=_rhf_error,
    unit="eV",
    rtol=0.01,
    slips={
        "the sign: you were asked how far RHF lies above FCI": lambda right: -right,
        "this is in Hartree; the data are in eV, so no conversion is needed": lambda right: (
            right / 27.211386
        ),
    },
    hints=(
        "`levels` is a dictionary of arrays, one energy per distance, distances increasing.",
        "The last entry of an array a is a[-1].",
        '`rhf_error = levels["RHF"][-1] - levels["FCI"][-1]`',
    ),
    remark="RHF forces both electrons into one shared orbital: half of its wave function is "
    "H⁺ and H⁻, and that costs more than the bond is worth.",
)


def _least_squares(counts, energy):
    return np.linalg.solve(counts.T @ counts, counts.T @ energy)


def _with_intercept(counts, energy):
    return _least_squares(np.column_stack([counts, np.ones(len(counts))]), energy)[:-1]


@code(
    "1.3",
    "Fit an energy per element",
    points=2,
    hints=(
        "There are more molecules than elements, so no coefficients fit exactly: least squares.",
        "`np.linalg.lstsq(A, y, rcond=None)` returns several things; the first is the solution.",
        "`coefficients, *_ = np.linalg.lstsq(counts, energy, rcond=None)`; return coefficients.",
    ),
)
def fit_elements(f, rng):
    cases = []
    for molecules, elements in ((6, 2), (30, 5)):
        counts = rng.integers(1, 9, size=(molecules, elements)).astype(float)
        energy = counts @ rng.uniform(-120, -10, elements) + rng.normal(size=molecules)
        cases.append({"counts": counts, "energy": energy})
    agree(
        f,
        _least_squares,
        cases,
        law="the coefficients minimise the sum of squared errors",
        rtol=1e-4,
        slips={
            "you fitted an intercept as well; this model has none": _with_intercept,
            "you subtracted the mean energy first; then the coefficients no longer give the "
            "energy": lambda counts, energy: _least_squares(counts, energy - energy.mean()),
            "you solved for the first molecules only; use all of them": lambda counts, energy: (
                np.linalg.lstsq(counts[: counts.shape[1]], energy[: counts.shape[1]])[0]
            ),
            "these are the predicted energies; return the coefficients": lambda counts, energy: (
                counts @ _least_squares(counts, energy)
            ),
        },
    )


number(
    "1.4",
    "A slip in the talk",
    answer=2 * -0.6 - 75.2,
    unit="Hartree",
    rtol=0.001,
    slips={
        "that is the slide's number; compute it from the formula": 151.12,
        "the sign: a molecule is more stable than its separated electrons and nuclei": 76.4,
        "that is one H and one O": -75.8,
        "that is H₂O₂": 2 * -0.6 + 2 * -75.2,
        "that is two O and one H: water has two H": -0.6 - 2 * 75.2,
    },
    hints=(
        "Water is H₂O: two hydrogens, one oxygen.",
        "Only the terms of n_H and n_O are not zero.",
        "-0.6 · 2 - 75.2 · 1",
    ),
    remark="Total energies are negative, so the sign on the slide is a slip; and 151 Hartree is "
    "about twice the water: the size of hydrogen peroxide, H₂O₂.",
)

choice(
    "1.5",
    "The constant that does not belong",
    right="b",
    why={
        "a": "A constant is harmless for one molecule, but here it is the same for one molecule "
        "and for two of them.",
        "b": "Two distant molecules A and B count as one structure: the model gives b + a + a' "
        "where the sum of the two is 2 b + a + a'. Errors then grow with the number of molecules.",
        "c": "The model never sees the orientation, so it cannot depend on it.",
        "d": "Counting does not depend on the order.",
    },
    hints=(
        "Write down the prediction for two water molecules that are one kilometre apart.",
        "Compare it with twice the prediction for one.",
        "How many times does b appear in each?",
    ),
)


def _mirror(positions):
    return positions * np.array([1.0, 1.0, -1.0])


@code(
    "1.6",
    "Write a symmetry test",
    points=3,
    hints=(
        "Ask the model twice: once about the positions, once about the transformed positions.",
        "Both answers are arrays with one energy per frame. A change may go up or down, and one "
        "bad frame is enough to break a law.",
        "`np.abs(model(transform(positions)) - model(positions)).max()`",
    ),
)
def largest_change(f, rng):
    law = "the largest absolute change of the energy over all frames"
    for heights in ((0.3, -0.8, 0.5), (-0.3, 0.8, -0.5, 0.2)):  # the largest change: up, then down
        positions = rng.normal(size=(len(heights), 3, 3))
        positions[:, 0, 2] = height = np.array(heights) * rng.uniform(0.5, 2)
        example = {"positions": positions, "model": "E = z of the first atom, in eV",
                   "transform": "reflection, z to -z"}  # fmt: skip
        change = -2 * height
        expect(
            f(lambda r: r[:, 0, 2], positions, _mirror),
            np.abs(change).max(),
            law=law,
            example=example,
            slips={
                "that is the mean change: one bad frame is enough to break a law, so take the "
                "largest": np.abs(change).mean(),
                "a change downwards counts too: take absolute values before the maximum": (
                    change.max()
                ),
                "a change upwards counts too: take absolute values before the maximum": (
                    (-change).max()
                ),
                "you looked at the first frame only": np.abs(change[0]),
                "that is the energy after the transformation, not its change": (
                    np.abs(height).max()
                ),
                "that is one change for each frame; return the largest": np.abs(change),
                "you compared the transformed frames with themselves": 0.0,
            },
        )
    inside = rng.normal(size=(4, 3, 3))
    expect(
        f(lambda r: ((r - r.mean(axis=1, keepdims=True)) ** 2).sum(axis=(1, 2)), inside,
          lambda r: r + 5.0),
        0.0,
        law="a model that keeps the law has no change",
        atol=1e-5,
        example={"model": "E = Σ |r - centre|²", "transform": "a shift by 5 Å"},
    )  # fmt: skip


def _pdist(positions):
    return np.stack([pdist(frame) for frame in positions])


def _table(positions):
    return np.linalg.norm(positions[:, :, None] - positions[:, None, :], axis=-1)


@code(
    "1.7",
    "Distances of all pairs",
    points=2,
    hints=(
        "`np.triu_indices(n, k=1)` gives the indices i and j of all pairs with i < j.",
        "With i and j in hand, `positions[:, j] - positions[:, i]` holds all difference vectors, "
        "shape (frames, pairs, 3).",
        "`i, j = np.triu_indices(positions.shape[1], k=1)`; return "
        "`np.linalg.norm(positions[:, j] - positions[:, i], axis=-1)`.",
    ),
)
def pair_distances(f, rng):
    upper = lambda r, k: _table(r)[:, *np.triu_indices(r.shape[1], k=k)]  # noqa: E731
    agree(
        f,
        _pdist,
        [{"positions": rng.normal(size=shape)} for shape in ((1, 2, 3), (2, 3, 3), (5, 9, 3))],
        law="one distance for each pair i < j, in the order (0,1), (0,2), …, (1,2), …",
        slips={
            "these are squared distances: take the square root": lambda r: _pdist(r) ** 2,
            "you counted each pair twice, and every atom with itself": lambda r: _table(r).reshape(
                len(r), -1
            ),
            "this is the whole table; every pair is in it twice": _table,
            "you included the distance of every atom to itself, i = j": lambda r: upper(r, 0),
            "you left out neighbours in the list, j = i + 1": lambda r: upper(r, 2),
            "you summed |x| + |y| + |z| instead of taking the norm": lambda r: np.stack(
                [pdist(frame, metric="cityblock") for frame in r]
            ),
        },
    )


number(
    "1.8",
    "The price of not tying weights",
    answer=784 * 676,
    unit="weights",
    rtol=1e-6,
    slips={
        "that is the convolution: nine weights, used everywhere": 9,
        "those are the pixels of the image": 784,
        "that counts the outputs twice: the image has 28 × 28 pixels": 676 * 676,
        "that is a map as large as the image; with a 3×3 filter inside, it has 26 × 26": 784 * 784,
        "that includes biases": 784 * 676 + 676,
    },
    hints=(
        "In a fully connected layer every output has a weight for every input.",
        "28 × 28 inputs, 26 × 26 outputs.",
        "(28 · 28) · (26 · 26)",
    ),
    remark="A convolution does the same with 9 weights, and gets translation equivariance as well.",
)


def _screened(positions, jnp):
    """A smooth pair energy Σ_{i<j} exp(-d_ij), written for jax.numpy or numpy."""
    i, j = np.triu_indices(len(positions), k=1)
    return jnp.exp(-jnp.sqrt(((positions[i] - positions[j]) ** 2).sum(-1))).sum()


def _screened_forces(positions):
    forces = np.zeros_like(positions)
    for i in range(len(positions)):
        for j in range(len(positions)):
            if i != j:
                d = positions[i] - positions[j]
                r = np.linalg.norm(d)
                forces[i] += np.exp(-r) * d / r
    return forces


@code(
    "1.9",
    "Forces are minus the gradient",
    points=2,
    library="jax",
    hints=(
        "`jax.grad(energy)` is a function: it takes what `energy` takes, and returns the gradient.",
        "A force pushes downhill: mind the sign.",
        "`return -jax.grad(energy)(positions)`",
    ),
)
def forces(f, rng):
    import jax.numpy as jnp

    law = "F = -dE/dr, for every atom and every direction"
    positions = rng.normal(size=(4, 3)).astype(np.float32)
    expect(
        f(lambda r: 1.5 * (r**2).sum(), positions),
        -3.0 * positions,
        law=law,
        example={"positions": positions, "energy": "E = 1.5 Σ |r|², springs to the origin"},
        slips={
            "the sign: this is the gradient, which points uphill": 3.0 * positions,
            "this is the energy": 1.5 * (positions**2).sum(),
            "you summed over the atoms: every atom has its own force": -3.0 * positions.sum(0),
            "these are the lengths of the forces; a force has three components": (
                np.linalg.norm(3.0 * positions, axis=1)
            ),
        },
    )
    expect(
        f(lambda r: _screened(r, jnp), positions),
        _screened_forces(positions.astype(float)),
        law=law,
        example={"positions": positions, "energy": "E = Σ exp(-|r_i - r_j|) over pairs"},
        rtol=1e-3,
    )


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
