# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Day 5: Equivariant message passing
#
# **Question of the day:** how can a network point in a direction, and turn along when the molecule
# turns, without ever having been taught to?
#
# **You will have built:** a test of equivariance that knows what each quantity is, a layer that
# moves atoms by messages, a dipole model that cannot break a law, and the error floor of a
# benchmark.
#
# **Minutes:** 90
#
# **Prerequisites:** Day 2 (invariance, equivariance, how to test them) and Day 4 (messages).
#
# **Objectives:** after this day you can
#
# - say for any quantity how it answers a shift, a rotation, a mirror and a renumbering;
# - test a model with the right representation on each side of the equation;
# - find the slips that make a network equivariant on a slide and wrong in code;
# - write the EGNN layer by hand, and read vectors out of it;
# - measure how well any equivariant model can do on given data, before you train one;
# - read a published table for what it shows, and not for what it is said to show.

# %% [markdown]
# This day follows a talk: day 5 of a workshop on neural-network potentials, whose slides ended
# with the EGNN. Its idea is right and beautiful. Five of its slips are worth hunting, because
# everybody makes them once. As before, `check("5.1", …)` judges an answer and `hint("5.1")` helps,
# in three levels. No cell needs your answers.

# %%
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from scipy.spatial.transform import Rotation

import tutor
from tutor import check, hint, show, symmetry
from tutor.data.recipes.n_body import Systems, by_component, charged_particles, evolve
from tutor.models.egnn import EGNN, Dipole
from tutor.models.mlp import MLP
from tutor.models.n_body import NBody
from tutor.plot import COLORS, curves, figure, parity
from tutor.potential import energy
from tutor.train import fit, samples
from tutor.train.samples import atomic_energies
from tutor.units import BOHR, DEBYE, HARTREE

# %% [markdown]
# ## 1 What stays, and what turns
#
# The talk begins with a quiz. A water molecule, alone in space, is changed in six ways:
#
# - **a** shifted by 1 Å;
# - **b** rotated;
# - **c** reflected in a plane;
# - **d** its two hydrogens exchange places;
# - **e** the oxygen and a hydrogen exchange places;
# - **f** all its distances grow by a tenth.
#
# ### Exercise 5.1: the quiz
#
# Which of these leave its energy as it was? Which leave its dipole moment, a vector, as it was?


# %% tutor={"exercise": "5.1"}
def unchanged() -> dict:
    """For "energy" and for "dipole", a string with the letters of all changes that do nothing."""
    raise NotImplementedError


# %%
check("5.1", unchanged)

# %% [markdown]
# Now ask physics. Here is a model with nothing learned in it: charges flow between the atoms until
# nobody gains by more. An atom pulls with its electronegativity $\chi$, holds back with its
# hardness $J$, and charges attract or repel each other, softened at short distance. The total stays
# zero. The numbers for H and O are those of Rappé and Goddard (J. Phys. Chem. 95, 3358, 1991).

# %%
CHI, HARDNESS = {1: 4.528, 8: 8.741}, {1: 13.890, 8: 13.364}  # eV
COULOMB = HARTREE * BOHR  # eV Å for two unit charges


def equilibrated(numbers, r):
    """Energy in eV and dipole moment in e·Å of charges q that make the energy least."""
    chi, J = (np.array([table[int(z)] for z in numbers]) for table in (CHI, HARDNESS))
    distance = np.linalg.norm(r[:, None] - r, axis=-1)
    A = COULOMB / np.sqrt(distance**2 + (2 * COULOMB / (J[:, None] + J)) ** 2)
    one = np.ones((len(r), 1))
    q = np.linalg.solve(np.block([[A, one], [one.T, np.zeros((1, 1))]]), [*-chi, 0.0])[:-1]
    return chi @ q + q @ A @ q / 2, q @ r


numbers = np.array([8, 1, 1])
water = np.array([[0.0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
E, mu = equilibrated(numbers, water)
print(f"energy {E:.3f} eV, dipole {np.round(mu, 3)} e·Å, {np.linalg.norm(mu) / DEBYE:.2f} debye")

# %%
turn = symmetry.about([1, 2, 0], 100)
mirror = np.eye(3) - 2 * np.outer([0.6, 0.8, 0], [0.6, 0.8, 0])
changes = {
    "a shift": water + [1.0, 0, 0],
    "b rotation": water @ turn.T,
    "c reflection": water @ mirror.T,
    "d H and H exchange": water[[0, 2, 1]],
    "e O and H exchange": water[[1, 0, 2]],
    "f stretched by 10 %": 1.1 * water,
}
print(f"{'':22s}{'energy':>10s}{'dipole':>10s}{'its length':>12s}")
for change, r in changes.items():
    E2, mu2 = equilibrated(numbers, r)
    kept = (np.isclose(E2, E), np.allclose(mu2, mu),
            np.isclose(np.linalg.norm(mu2), np.linalg.norm(mu)))  # fmt: skip
    print(f"{change:22s}" + "".join(f"{'stays' if k else 'changes':>{w}s}"
                                    for k, w in zip(kept, (10, 10, 12), strict=True)))  # fmt: skip

# %% [markdown]
# A rotation changes the dipole, but not in any odd way: it turns along. The picture shows the
# arrows that the model gives.


# %%
def draw(r, ax, title):
    """Water from above, and its dipole moment as an arrow from its middle."""
    mu = equilibrated(numbers, r)[1]
    middle = r.mean(axis=0)
    for j in (1, 2):
        ax.plot(*r[[0, j], :2].T, color="#777777", linewidth=3, zorder=1)
    for k, (x, y) in enumerate(r[:, :2]):
        ax.scatter(x, y, s=700 if k == 0 else 420, color="#F4A582" if k == 0 else "#FFFFFF",
                   edgecolors="#222222", zorder=2)  # fmt: skip
        ax.text(x, y, ("O", "H₁", "H₂")[k], ha="center", va="center", zorder=4)
    ax.annotate("", middle[:2] + 3 * mu[:2], middle[:2], zorder=3,
                arrowprops={"width": 2.5, "headwidth": 10, "color": COLORS[0]})  # fmt: skip
    ax.set(title=title, xlim=(-2.2, 2.2), ylim=(-2.0, 2.2), aspect="equal")
    ax.axis("off")


flat = symmetry.about([0, 0, 1], 130)
fig, axes = figure(1, 4, size=(960, 250))
poses = {"as it is": water, "rotated": water @ flat.T, "reflected": water @ mirror.T,
         "hydrogens exchanged": water[[0, 2, 1]]}  # fmt: skip
for ax, (title, r) in zip(axes, poses.items(), strict=True):
    draw(r, ax, title)
show(fig, alt="Water four times, with its dipole as an arrow from the oxygen side towards the "
     "hydrogens. Rotated and reflected, the arrow turns and flips along with the molecule. With "
     "the hydrogens exchanged it is the same arrow as at first.")  # fmt: skip

# %% [markdown]
# ## 2 The same T on both sides?
#
# The slide writes **equivariance** as
#
# $$\mathcal T(f(X)) \equiv f(\mathcal T X)$$
#
# with the same $\mathcal T$ on both sides. Read it literally for a shift $\mathcal T$ by 1 Å: the
# dipole, a vector in e·Å, should move by 1 Å. It does not, as you have just seen. What acts on the
# left is not the $\mathcal T$ that acts on the right. It is *what the same transformation does to
# this kind of quantity*: its **representation** $\rho$,
#
# $$f(g X) = \rho(g)\, f(X).$$
#
# Take $g$: turn by $R$ (which may contain a mirror), then shift by $\mathbf t$, then list the
# atoms in a new order. Positions become `(x @ R.T + t)[order]`. And the others:
#
# | quantity | shape | rotation or mirror $R$ | shift $\mathbf t$ | new order |
# |---|---|---|---|---|
# | `"energy"` | () | stays | stays | stays |
# | `"dipole"`, of a neutral molecule | (3,) | $R\boldsymbol\mu$ | stays | stays |
# | `"angular momentum"`, about the centre | (3,) | $\det(R)\,R\,\mathbf L$ | stays | stays |
# | `"forces"` | (atoms, 3) | each $R\,\mathbf F_i$ | stay | to the new places |
# | `"positions"`, predicted | (atoms, 3) | each $R\,\mathbf x_i$ | $+\,\mathbf t$ | to the new places |
#
# The third row is a **pseudovector**: built from a cross product, it keeps its sign when all
# positions change theirs. The talk leaves this kind out, and magnetic moments are of it.
#
# ### Exercise 5.2: the right representation on each side
#
# `f` maps positions of like atoms, (atoms, 3), to a quantity of the given kind. Return the largest
# component of $|f(gX) - \rho(g) f(X)|$, divided by the largest component of $|f(X)|$.


# %% tutor={"exercise": "5.2"}
def deviation(
    f, kind: str, x: np.ndarray, R: np.ndarray, t: np.ndarray, order: np.ndarray
) -> float:
    """How far f is from equivariance under g, for a quantity of this kind (see the table)."""
    raise NotImplementedError


# %%
check("5.2", deviation)

# %% [markdown]
# In the library the kinds are `scalar()`, `vector()`, `pseudovector()`, `points()`, and so on; a
# `symmetry.Spec` says which input and output is what. Declare the wrong one, and the report says
# so. Here a cross product of two vectors, declared as a vector:


# %% tutor={"rtol": 0.5, "atol": 1e-12}
def twist(positions, species):
    """A cross product: of the positions weighted by r² and by species, about the centre."""
    c = positions - positions.mean(axis=0)
    a, b = ((c**2).sum(axis=1) @ c), (species.astype(c.dtype) @ c)
    return np.cross(a, b)


def spec_for(kind):
    return symmetry.Spec({"positions": symmetry.points(), "species": symmetry.species()},
                         {"twist": kind})  # fmt: skip


options = {"trials": 12, "dtypes": ["float64"], "scales": [1.0], "examples": False,
           "progress": False}  # fmt: skip
for kind in (symmetry.vector(), symmetry.pseudovector()):
    report = symmetry.check(twist, spec_for(kind), laws=["rotation", "reflection"], **options)
    for law in ("rotation", "reflection"):
        print(f"{kind.words():14s}{law:12s}{report[law].verdict.name:8s}{report[law].note}")
