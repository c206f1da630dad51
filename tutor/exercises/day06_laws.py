"""Day 6: distances are enough, networks on components are not, and closed paths, 6.6 to 6.8."""

import numpy as np

from tutor.exercises.engine import choice, code
from tutor.exercises.expect import expect


@code(
    "6.6",
    "Forces from distances alone",
    points=2,
    hints=(
        "The vector from i to j is `r_ij`; its length changes by its direction times the motion "
        "of j, and by minus that times the motion of i.",
        "If φ grows with the distance (φ' > 0), nearer is better: atom i is pulled *towards* j.",
        "`u = r_ij / np.linalg.norm(r_ij, axis=-1, keepdims=True)`, then "
        "`np.where(mask[..., None], slope[..., None] * u, 0).sum(axis=1)`. Empty slots hold the "
        "vector (1, 1, 1), so the division is safe.",
    ),
)
def forces(f, rng):
    for atoms, slots in ((1, 1), (2, 3), (4, 3)):
        r_ij = rng.normal(size=(atoms, slots, 3)) + np.array([0.4, 0.0, 0.0])
        slope = rng.uniform(0.5, 2.0, size=(atoms, slots))
        mask = np.ones((atoms, slots), bool)
        mask[-1, slots - 1] = slots == 1
        r_ij[~mask] = 1.0
        u = r_ij / np.linalg.norm(r_ij, axis=-1, keepdims=True)
        each = slope[..., None] * u
        expect(
            f(slope, r_ij, mask),
            np.where(mask[..., None], each, 0.0).sum(axis=1),
            law="F_i = -∂E/∂r_i = Σ_j φ'(r_ij) times the unit vector from i to j",
            example={"slope": slope, "r_ij": r_ij, "mask": mask},
            slips={
                "all forces point the wrong way: where φ' > 0, atom i is pulled towards j": (
                    -np.where(mask[..., None], each, 0.0).sum(axis=1)
                ),
                "divide r_ij by its length: a direction has length one": (
                    np.where(mask[..., None], slope[..., None] * r_ij, 0.0).sum(axis=1)
                ),
                "empty slots push too: use the mask": each.sum(axis=1),
                "each pair is in the energy once, and the two halves of ½ΣΣ both depend on r_i: "
                "no ½ is left": np.where(mask[..., None], each, 0.0).sum(axis=1) / 2,
                "you summed over the atoms; the neighbours are in the second axis": (
                    np.where(mask[..., None], each, 0.0).sum(axis=0)
                ),
                "one vector for each atom: keep the last axis": (
                    np.where(mask[..., None], each, 0.0).sum(axis=(1, 2))
                ),
                "that is a mean over the slots; add them": (
                    np.where(mask[..., None], each, 0.0).mean(axis=1)
                ),
            },
        )


choice(
    "6.7",
    "Where it is lost",
    right="c",
    why={
        "a": "A sum of vectors that turn is a vector that turns: nothing is lost here.",
        "b": "A number made from distances stays as it is under a rotation, and a number times "
        "a vector turns. Nothing is lost here either.",
        "c": "A network adds x, y and z with weights that know nothing of space, and bends each "
        "sum with PReLU. Turn the input, and the output does something else. Once is enough: no "
        "later layer can repair it.",
        "d": "Adding the vectors of two layers is harmless, as long as both turn.",
    },
    hints=(
        "Which of the steps could you do with arrows on paper, without axes?",
        "Add arrows: yes. Make them longer or shorter: yes.",
        "PReLU of an arrow: which number would you cut, if nobody drew the axes?",
    ),
)


@code(
    "6.8",
    "Work on a closed path",
    points=2,
    hints=(
        "Work is force times way. On each piece of the path: F · Δr.",
        "`np.roll(path, -1, axis=0)` is the next point of each; the last is followed by the first.",
        "`step = np.roll(path, -1, axis=0) - path`, then "
        "`sum(force(x + d / 2) @ d for x, d in zip(path, step))`.",
    ),
)
def work(f, rng):
    fields = {
        "F(x) = -x, a spring": lambda x: -x,
        "F(x) = (-y, x, 0), a whirl": lambda x: np.array([-x[1], x[0], 0 * x[2]]),
        "F(x) = (y² - z, x z, x³)": lambda x: np.array([x[1] ** 2 - x[2], x[0] * x[2], x[0] ** 3]),
    }
    for (name, field), points in zip(fields.items(), (3, 4, 6), strict=True):
        angle = np.linspace(0, 2 * np.pi, points, endpoint=False)[:, None]
        path = np.concatenate([np.cos(angle), np.sin(angle), 0.3 * np.cos(2 * angle)], axis=1)
        path += rng.normal(scale=0.2, size=path.shape)
        step = np.roll(path, -1, axis=0) - path
        right = _work(field, path, step, 0.5)
        size = sum(np.abs(field(x) @ d) for x, d in zip(path, step, strict=True))
        opened = _work(field, path[:-1], step[:-1], 0.5)
        slips = {
            "take the force in the middle of each piece, not at its beginning": (
                _work(field, path, step, 0.0)
            ),
            "take the force in the middle of each piece, not at its end": (
                _work(field, path, step, 1.0)
            ),
            "close the path: from the last point back to the first": opened,
            "you went around the other way": -right,
            "work has a sign: on the way back it is given back": sum(
                abs(field(x + d / 2) @ d) for x, d in zip(path, step, strict=True)
            ),
            "that is force times length; only the part along the way counts": sum(
                np.linalg.norm(field(x + d / 2)) * np.linalg.norm(d)
                for x, d in zip(path, step, strict=True)
            ),
        }
        expect(
            f(field, path),
            right,
            law="the work is Σ F(middle of the piece) · Δr over all pieces of the closed path",
            example={"path": path, "force": name},
            scale=size,
            slips={w: s for w, s in slips.items() if abs(s - right) > 1e-3 * size},
        )


def _work(field, path, step, where):
    return sum(field(x + where * d) @ d for x, d in zip(path, step, strict=True))
