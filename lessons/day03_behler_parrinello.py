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
# # Day 3: Behler–Parrinello
#
# **Question of the day:** can an atom's energy be read off its neighbourhood alone, and in which
# numbers should we describe that neighbourhood?
#
# **You will have built:** the symmetry functions of Behler and Parrinello, and a potential from
# them that is trained in seconds, on molecules of any size and on the forces of one.
#
# **Minutes:** 90
#
# **Prerequisites:** Days 1 and 2: symmetries of the energy, networks that sum over atoms, forces
# as derivatives.
#
# **Objectives:** after this day you can
#
# - say what a sum of atomic energies assumes, and how far a force then reaches;
# - write a cutoff function, a radial and an angular symmetry function, and say what each must do;
# - recognise three classic bugs: the atom that sees itself, the missing cutoff, the bad scaling;
# - choose widths, and count what more elements cost;
# - test a potential where it matters: in dynamics, and away from its training data.

# %% [markdown]
# In 2007 Jörg Behler and Michele Parrinello published a neural network that could stand in for
# density functional theory in simulations of silicon, solid and molten. Two ideas made it work, and
# most potentials today rest on the first. The second, to choose by hand what the network is told,
# is what Day 4 gives up. Today we find out what it is worth.
#
# As before: `check("3.1", …)` judges an answer, and `hint("3.1")` helps, in three levels. No cell
# needs your answers.

# %%
import os
from functools import partial
from importlib.util import find_spec
from time import perf_counter

import jax
import jax.numpy as jnp
import numpy as np
from ase import units
from ase.md.verlet import VelocityVerlet
from flax import nnx

import tutor
from tutor import check, hint, show

# %%
from tutor.ase import PotentialCalculator, to_atoms
from tutor.models.behler_parrinello import BehlerParrinello, Scaling, loss, precompute, predict
from tutor.models.composition import Composition
from tutor.models.deep_potential import DeepPotential
from tutor.models.fixed_molecule import FixedMolecule, inverse_distances
from tutor.models.symmetry_functions import SymmetryFunctions, angles, atomic_numbers, shifted
from tutor.neighbors import graph
from tutor.plot import curves, figure, learning_curve
from tutor.precision import float64
from tutor.radial import cosine_cutoff, polynomial_cutoff
from tutor.train import fit, train

# %% [markdown]
# ## 1 An energy for each atom
#
# The network of distances that ended Day 1 knows one molecule, and its atoms in one order. The
# first idea repairs both. Write the energy as a sum over atoms,
#
# $$E = \sum_i E_{Z_i}\big(\text{what lies within } r_c \text{ of atom } i\big),$$
#
# with one network for each element $Z$, the same for all its atoms. That is weight tying again: a
# carbon is a carbon wherever it sits, as a pixel is a pixel. A sum does not care about the order
# of the atoms, and it may have any number of terms, so the cost grows in proportion to the
# number of atoms. And each training structure teaches not one example, but one per atom.
#
# What it costs is an assumption, *locality*: beyond the cutoff $r_c$, nothing matters. That is
# never exactly true, and often nearly.
#
# Nobody can measure an atomic energy. Only the sum has a label, and the network is free to share it
# out as it likes.

# %%
molecules = tutor.data.load("small_molecules")
elements = (1, 6, 7, 8, 9)
some = SymmetryFunctions((1, 6, 8), 5.0, shifted(4, 0.8, 4.5), g5=[(0.05, 1, 1)])
untrained = BehlerParrinello(some, rngs=nnx.Rngs(0))
total = jax.jit(tutor.potential.energy)


def pick(smiles):
    """The molecule with these bonds."""
    return molecules[int(np.flatnonzero(molecules.properties["smiles"] == smiles)[0])]


def energy(system):
    return float(total(untrained, graph(system, 5.0, dtype=jnp.float64))[0])


a, b = pick("CCO"), pick("CC=O")
pair = tutor.System(
    np.concatenate([a.numbers, b.numbers]), np.concatenate([a.positions, b.positions + 100.0])
)
with float64():
    print(f"E(ethanol) + E(acetaldehyde)    {energy(a) + energy(b):.10f}")
    print(f"E(both, 173 Å from each other)  {energy(pair):.10f}")

# %% [markdown]
# Size consistency, which the intercept of exercise 1.5 broke, holds before any training.
#
# ### Exercise 3.1: how far a force feels
#
# Each atomic energy looks 5 Å far. What is the largest distance, in Å, at which an atom can still
# change the **force** on atom $i$?

# %% tutor={"exercise": "3.1"}
range_of_the_force = ...

# %%
check("3.1", range_of_the_force)

# %% [markdown]
# Let us measure it on a chain of carbon atoms: how much does the energy of the first atom change
# when another one moves, and how much does the force on the first atom?

# %%
count = 14
chain = np.stack([1.1 * np.arange(count), 0.4 * (-1.0) ** np.arange(count), np.zeros(count)], 1)
with float64():
    made = graph(tutor.System(np.full(count, 6), chain), 5.0, dtype=jnp.float64)
    at = jnp.array(chain)
    own = jax.jit(jax.grad(lambda positions: untrained(made.at(positions))[0]))(at)
    force = jax.grad(lambda positions: -untrained(made.at(positions)).sum())
    response = jax.jit(jax.jacfwd(lambda positions: force(positions)[0]))(at)
away = np.linalg.norm(chain - chain[0], axis=1)
feels = {
    "energy of the first atom (eV/Å)": np.linalg.norm(own, axis=1),
    "force on the first atom (eV/Å²)": np.linalg.norm(response, axis=(0, 2)),
}
for name, size in feels.items():
    print(f"{name}: largest distance felt {away[size > 0].max():.1f} Å")

# %%
fig, ax = figure()
for (name, size), marker in zip(feels.items(), "os", strict=True):
    ax.semilogy(away[1:][size[1:] > 0], size[1:][size[1:] > 0], marker=marker, label=name)
for reach in (5, 10):
    ax.axvline(reach, color="#777777", linewidth=1)
ax.set(xlabel="distance of the atom that moves (Å)", ylabel="change per Å of motion")
ax.legend()
show(
    fig,
    alt="Change of the energy of the first atom and of the force on it, on a logarithmic scale, "
    "against the distance of the atom that moves. The energy feels nothing beyond 5 Å, the force "
    "nothing beyond 10 Å; lines mark both.",
)

# %% [markdown]
# The figure leaves out what is exactly zero. Behind the first line the energy of the first atom is
# blind, but the force is not: it goes through a neighbour.
#
# ## 2 A smooth end
#
# An atom that wanders across $r_c$ must fade, not vanish. So each neighbour is weighed by a
# *cutoff function*. Behler and Parrinello took half a cosine,
#
# $$f_c(r) = \tfrac12\left[1 + \cos\left(\pi r / r_c\right)\right]\ \text{for } r < r_c,
# \qquad 0\ \text{beyond}.$$
#
# ### Exercise 3.2: a smooth end


# %% tutor={"exercise": "3.2"}
def smooth_end(r: np.ndarray, cutoff: float) -> np.ndarray:
    """The cutoff function of Behler and Parrinello, for distances r of any shape (Å)."""
    raise NotImplementedError


# %%
check("3.2", smooth_end)

# %% [markdown]
# ### Exercise 3.3: how smooth is smooth
#
# Forces are first derivatives, so they must not jump: $f_c$ and its slope must both be zero at
# the cutoff, and they are. Vibrations are second derivatives. By how much does the second
# derivative of $f_c$ jump at $r_c$ = 4 Å? Give the size of the jump in 1/Å².

# %% tutor={"exercise": "3.3"}
jump = ...

# %%
check("3.3", jump)

# %%
with float64():
    r = jnp.linspace(0.0, 6.0, 601)
    ends = {"cosine": cosine_cutoff, "polynomial": polynomial_cutoff}
    values = {name: f(r, 5.0) for name, f in ends.items()}
    bends = {name: jax.vmap(jax.grad(jax.grad(partial(f, cutoff=5.0))))(r[1:])
             for name, f in ends.items()}  # fmt: skip

fig, (left, right) = figure(1, 2)
curves(r, values, "distance (Å)", "cutoff function", ax=left)
curves(r[1:], bends, "distance (Å)", "its second derivative (1/Å²)", ax=right)
show(
    fig,
    alt="Left: two cutoff functions fall from 1 at 0 to 0 at 5 Å; the polynomial stays near 1 for "
    "longer. Right: their second derivatives. That of the cosine ends at 0.2 and jumps to 0 at "
    "5 Å; that of the polynomial comes back to 0 without a jump.",
)

# %% [markdown]
# In the library: `tutor.radial.cosine_cutoff` and `polynomial_cutoff`. All models of this course
# take the polynomial by default.
#
# ## 3 Radial symmetry functions
#
# The second idea: before the network sees anything, turn the neighbourhood into numbers that
# obey the laws. The simplest counts the neighbours of one element at about one distance,
#
# $$G^2_i = \sum_{j \neq i} e^{-\eta (r_{ij} - r_s)^2} f_c(r_{ij}),$$
#
# where $j$ runs over the atoms of that element. It is a sum over distances, so shift, rotation
# and exchange of like atoms are safe. With several shells $r_s$ and one set for each element, it
# is a histogram with soft edges. (The talk behind this day calls it $G^1$, as the paper of 2007
# did, and leaves out $r_s$. We use the names of Behler's paper of 2011.)
#
# ### Exercise 3.4: find the bugs
#
# A workshop on potentials hands out code like the one below. It has two bugs, and both survive in
# training: the loss falls, the curves look good. Find them with the smallest examples you can
# think of, then write it right. Use the cosine cutoff.


# %%
def radial_with_bugs(positions, numbers, element, eta, shift, cutoff):
    r = np.linalg.norm(positions[:, None] - positions[None, :], axis=-1)
    return np.sum(np.exp(-eta * (r - shift) ** 2) * (numbers[None, :] == element), axis=1)


lone = np.zeros((1, 3))
print("one hydrogen atom, alone:", radial_with_bugs(lone, np.array([1]), 1, 0.5, 1.0, 5.0).round(2))


# %% tutor={"exercise": "3.4"}
def radial(
    positions: np.ndarray,
    numbers: np.ndarray,
    element: int,
    eta: float,
    shift: float,
    cutoff: float,
) -> np.ndarray:
    """G2 of every atom, shape (atoms,), counting its neighbours with atomic number `element`."""
    raise NotImplementedError


# %%
check("3.4", radial)

# %% [markdown]
# In the library all functions of all atoms come at once: `SymmetryFunctions(species, cutoff,
# g2=...)` is a function from a graph to numbers. Here is what it says of four atoms, for shells
# $r_s$ that move from 0.7 to 5 Å: each panel shows how an atom sees one element.
#
# > **Predict first.** The rows of the figure, top to bottom, are the CH₃ carbon of acetaldehyde
# > (CH₃CHO), its CHO carbon, the OH hydrogen of ethanol (C₂H₅OH), and one of ethanol's CH₃
# > hydrogens. Which row has its first oxygen peak nearest? Which has none below 2 Å?

# %%
at_shells = np.linspace(0.7, 5.0, 120)
ethanol_molecule, aldehyde = pick("CCO"), pick("CC=O")


def first(system, z, nearest, bond):
    """The first atom of element z that has `nearest` neighbours within `bond` Å."""
    r = np.linalg.norm(system.positions[:, None] - system.positions, axis=-1)
    return next(
        i for i in np.flatnonzero(system.numbers == z) if (r[i] < bond).sum() == nearest + 1
    )


hydrogens = np.flatnonzero(ethanol_molecule.numbers == 1)
to_oxygen = np.linalg.norm(
    ethanol_molecule.positions - ethanol_molecule.positions[ethanol_molecule.numbers == 8], axis=1
)
chosen = {
    "C of CH₃": (aldehyde, first(aldehyde, 6, 4, 1.7)),
    "C of CHO": (aldehyde, first(aldehyde, 6, 3, 1.7)),
    "H of OH": (ethanol_molecule, hydrogens[to_oxygen[hydrogens].argmin()]),
    "H of CH₃": (ethanol_molecule, hydrogens[to_oxygen[hydrogens].argmax()]),
}


# %%
def fingerprints(width):
    """How four atoms see H, C and O through Gaussians of this width (σ in Å)."""
    eta = 1 / (2 * width**2)
    look = SymmetryFunctions((1, 6, 8), 5.0, [(eta, float(s)) for s in at_shells])
    fig, axes = figure(4, 3, size=(900, 640), sharex=True, sharey=True)
    for ax, symbol in zip(axes[0], "HCO", strict=True):
        ax.set_title(f"sees {symbol}")
    for row, (name, (system, i)) in zip(axes, chosen.items(), strict=True):
        G = np.asarray(look(graph(system, 5.0)))[i].reshape(len(at_shells), 3)
        away = np.linalg.norm(system.positions - system.positions[i], axis=1)
        for k, (ax, z) in enumerate(zip(row, (1, 6, 8), strict=True)):
            ax.fill_between(at_shells, G[:, k], alpha=0.3)
            ax.plot(at_shells, G[:, k])
            seen = away[(system.numbers == z) & (away > 0)]
            ax.plot(seen, np.zeros(len(seen)), "|", color="black", markersize=14, clip_on=False)
        row[0].set_ylabel(name)
    for ax in axes[-1]:
        ax.set_xlabel("shell $r_s$ (Å)")
    return fig


# %%
show(
    fingerprints(0.1),
    alt="Twelve small panels: four atoms in rows, the elements H, C and O in columns. Peaks stand "
    "where the neighbours are, marked by ticks, and shrink towards 5 Å. The OH hydrogen has its "
    "oxygen at 0.96 Å, the CHO carbon at 1.2 Å, the other two beyond 2 Å.",
)

# %% [markdown]
# Peaks stand over the ticks, the true distances, and fade towards 5 Å: that is $f_c$. Bonds are at
# 1 to 1.5 Å, second neighbours between 2 and 3 Å. The two carbons differ at first glance, though
# nobody told the functions what an aldehyde is.
#
# If you run this in Jupyter, move the width. At which σ do you lose the number of hydrogens of the
# CH₃ group? At which are the two carbons alike?


# %%
def slider(draw, alt, **ranges):
    """Redraws when a slider moves: for Jupyter with ipywidgets. A saved notebook has no slider."""
    if find_spec("ipywidgets") is None or os.environ.get("TUTOR_PROGRESS") == "off":
        print("a slider for:", ", ".join(ranges), "(in Jupyter, with ipywidgets installed)")
        return
    from ipywidgets import interact

    interact(lambda **values: show(draw(**values), alt=alt), **ranges)


slider(fingerprints, "The same panels with Gaussians of another width.", width=(0.05, 1.5, 0.05))

# %% [markdown]
# ### Width against overlap
#
# A network is not given curves, but a few numbers: $G^2$ at, say, eight shells. If the Gaussians
# are too narrow, a neighbour between two shells is seen by neither. If they are too wide, all eight
# say the same.
#
# ### Exercise 3.5: where Gaussians meet
#
# Gaussians $e^{-\eta (r - r_s)^2}$ stand every $\Delta$ = 0.5 Å. For which $\eta$, in 1/Å², do
# two neighbouring ones meet at half their height?

# %% tutor={"exercise": "3.5"}
eta_half = ...

# %%
check("3.5", eta_half)

# %% [markdown]
# Now the experiment. We train on the energies of small molecules, with eight shells and nothing
# else, and vary the width only. Symmetry functions do not change in training, so we compute
# them once; what remains to be trained are small networks, one for each element. From the energies
# we subtract an energy per element, the composition model of Day 1.

# %%
train_set, test_set = molecules.split("train"), molecules.split("test")
composition = Composition.fit(train_set.numbers, train_set.energy)
part = molecules[np.r_[molecules.splits["train"][:2000], molecules.splits["test"]]]
atoms = part.numbers.shape[1]
made = [graph(system, 5.0, atoms=atoms, slots=atoms - 1) for system in part]
graphs = jax.tree.map(lambda *leaves: np.stack(leaves), *made)  # one molecule per row


def described(functions):
    """Of each molecule: symmetry functions (atoms, functions), elements, energy to be learned."""
    G = jax.jit(lambda g: jax.lax.map(functions, g, batch_size=32))(graphs)
    chemistry = part.energy - composition(part.numbers)
    return G, part.numbers.astype(np.int32), chemistry.astype(np.float32)


def error(model, batch):
    """Prediction minus label, in eV."""
    G, z, energy = batch
    return jnp.where(z > 0, model.learned(G, z), 0.0).sum(axis=1) - energy


def energy_loss(model, batch):
    return jnp.mean(error(model, batch) ** 2)


# %%
def train_energies(functions, *, count, steps):
    """The error (MAE, eV) on the test molecules of a network trained on the first `count`."""
    model = BehlerParrinello(functions, scaling=Scaling.of(functions, part[:200]), rngs=nnx.Rngs(0))
    arrays = described(functions)
    known, unseen = (tuple(a[rows] for a in arrays) for rows in (slice(count), slice(2000, None)))
    options = {"steps": steps, "batch_size": 16, "learning_rate": 3e-3, "key": jax.random.key(0)}
    model = fit(model, energy_loss, known, **options).model
    return float(jnp.abs(jax.jit(error)(model, unseen)).mean())


# %% tutor={"rtol": 0.1}
widths = [0.1, 0.5, 2.0, 10.0]
by_width = []
for width in widths:
    functions = SymmetryFunctions(elements, 5.0, shifted(8, 0.8, 4.5, width=width))
    by_width.append(train_energies(functions, count=1000, steps=1000))
    print(f"width {width:5.1f} spacings: test error {1e3 * by_width[-1]:4.0f} meV (MAE)")

# %%
fig, axes = figure(1, 2)
r = np.linspace(0.5, 5.0, 400)
for width, style in ((0.1, ":"), (0.5, "-"), (10.0, "--")):
    for k, (eta, shift) in enumerate(shifted(8, 0.8, 4.5, width=width)):
        line = np.exp(-eta * (r - shift) ** 2) * polynomial_cutoff(r, 5.0)
        axes[0].plot(r, line, style, color={":": "#D55E00", "-": "#0072B2", "--": "#009E73"}[style],
                     label=f"width {width:g}" if k == 0 else None)  # fmt: skip
axes[0].set(xlabel="distance (Å)", ylabel="what one neighbour adds")
axes[0].legend()
curves(widths, {"test error": 1e3 * np.array(by_width)}, "width (spacings)", "test error (meV)",
       log="x", ax=axes[1])  # fmt: skip
axes[1].get_legend().remove()
show(
    fig,
    alt="Left: eight Gaussians times the cutoff function at three widths: separate spikes, "
    "overlapping hills, and curves that all look alike. Right: the test error against the width, "
    "with its minimum where neighbouring Gaussians overlap.",
)

# %% [markdown]
# Both ends about double the error, for opposite reasons: spikes miss most neighbours, and hills
# that are all alike cannot tell near from far. The best of these widths is half a spacing, where
# neighbours meet at 61 % of their height, close to your $\eta$.
#
# ## 4 Angles
#
# > **Predict first.** Take a water molecule and open its angle, with both bonds kept at 0.96 Å.
# > Which radial functions of the *oxygen* atom change?


# %%
def water(degrees):
    half, bond = np.radians(degrees) / 2, 0.96
    x, z = bond * np.sin(half), bond * np.cos(half)
    return tutor.System(np.array([8, 1, 1]), np.array([[0, 0, 0.0], [x, 0, z], [-x, 0, z]]))


degrees = np.linspace(60, 180, 61)
look = SymmetryFunctions((1, 8), 5.0, g2=[(4.0, 0.96)], g4=[(0.1, 1, 1), (0.1, 4, 1), (0.1, 1, -1)])
describe = jax.jit(look)
with float64():
    G = [describe(graph(water(d), 5.0, dtype=jnp.float64))[0] for d in degrees]
G = np.array(G)
lines = {"radial, sees H": G[:, 0]}
for k, name in enumerate(("angular, ζ = 1, λ = 1", "angular, ζ = 4, λ = 1", "angular, λ = −1")):
    lines[name] = G[:, 2 + 3 * k]
fig = curves(degrees, lines, "angle H–O–H (degrees)", "symmetry functions of O")
fig.axes[0].set_ylim(-0.1, 3.4)
show(
    fig,
    alt="Symmetry functions of the oxygen against the angle. The radial one is flat. The angular "
    "ones with λ = 1 fall as the angle opens, faster for ζ = 4; the one with λ = −1 rises.",
)

# %% [markdown]
# None: the oxygen's radial functions are flat, because its distances stay. (The hydrogens' own
# functions see each other's distance, so the molecule as a whole is not fooled.) So Behler and
# Parrinello added sums over pairs of neighbours,
#
# $$G^4_i = 2^{1-\zeta} \sum_{j<k} (1 + \lambda \cos\theta)^\zeta\,
# e^{-\eta (r_{ij}^2 + r_{ik}^2 + r_{jk}^2)} f_c(r_{ij})\, f_c(r_{ik})\, f_c(r_{jk}),$$
#
# with $\theta$ the angle at atom $i$ between its neighbours $j$ and $k$. Larger $\zeta$ is sharper,
# and $\lambda = \pm 1$ says whether it peaks at 0° or at 180°.
#
# The talk prints this with $\sum_{j\ne i}\sum_{k\ne i,j}$, so each pair counts twice, and with
# $\theta_{ijk}$, which in chemistry is the angle at $j$. The first is a factor of 2 that scaling
# removes. The second would be another function.
#
# ### Exercise 3.6: an angular symmetry function
#
# Return $G^4$ of every atom, over pairs of any elements, with the cosine cutoff. Count each pair
# once.


# %% tutor={"exercise": "3.6"}
def angular(
    positions: np.ndarray, eta: float, zeta: float, lambda_: float, cutoff: float
) -> np.ndarray:
    """G4 of every atom, shape (atoms,)."""
    raise NotImplementedError


# %%
check("3.6", angular)

# %% [markdown]
# In the library: `g4=` of `SymmetryFunctions`; `g5=` leaves out $r_{jk}$, which is cheaper and sees
# wide angles that G4 cuts off.
#
# ### The price of elements
#
# Radial functions need a set for every element that a neighbour can have, angular ones a set for
# every pair of elements. The talk counts: for $M$ elements, $M$ radial and $M(M-1)/2 + M$ angular.
#
# ### Exercise 3.7: how many numbers describe an atom
#
# Our molecules have five elements. How many symmetry functions describe an atom, with 8 radial
# functions for each element and 4 angular functions for each pair?

# %% tutor={"exercise": "3.7"}
functions_of_an_atom = ...

# %%
check("3.7", functions_of_an_atom)

# %% [markdown]
# There is a way out: keep one sum, and let a neighbour of element $Z$ count $Z$ times
# (weighted symmetry functions, Gastegger and others 2018). Then nothing grows.
#
# > **Predict first.** From one element to six, by which factor will memory grow? And time?

# %%
crowd = np.random.default_rng(0).uniform(0, 16.0, size=(400, 3))
four_angles = [(0.05, zeta, sign) for zeta in (1, 4) for sign in (1, -1)]


def cost(count, **options):
    """Symmetry functions of 400 atoms of `count` species: how many, bytes, and seconds."""
    species = (1, 6, 7, 8, 9, 16)[:count]
    look = SymmetryFunctions(species, 5.0, shifted(8, 0.8, 4.5), g5=four_angles, **options)
    made = graph(tutor.System(np.resize(species, len(crowd)), crowd), 5.0)
    compiled = jax.jit(look)
    G = compiled(made).block_until_ready()
    seconds = []
    for _ in range(10):
        start = perf_counter()
        compiled(made).block_until_ready()
        seconds.append(perf_counter() - start)
    return len(look), G.nbytes, min(seconds)


published = [cost(count) for count in range(1, 7)]
weighted = [cost(count, weights=atomic_numbers) for count in (1, 6)]

# %%
print("elements   numbers per atom   kB for 400 atoms")
for count, (numbers, memory, _) in enumerate(published, 1):
    print(f"{count:8d} {numbers:18d} {memory / 1000:18.1f}")
print(f"weighted, for one or six elements: {weighted[0][0]} or {weighted[1][0]} numbers")
print("six elements take more than twice the time of one:", published[5][2] > 2 * published[0][2])
print("and more time than six elements, weighted:", published[5][2] > weighted[1][2])

# %% [markdown]
# Numbers and memory grow as counted, quadratically. So does the first layer of the networks, of
# which there is one for each element, and with it what must be learned.
#
# Is the weighted variant as good? We compare on a part of the small molecules: radial functions
# alone, radial and angular ones for each element, and weighted ones with more shells.
#
# > **Predict first.** Order the three by test error. How far below the composition model
# > will the best be?

# %% tutor={"rtol": 0.1}
shells = shifted(8, 0.8, 4.5)
sets = {
    "radial": SymmetryFunctions(elements, 5.0, shells),
    "radial, angular": SymmetryFunctions(elements, 5.0, shells, g5=four_angles),
    "weighted": SymmetryFunctions(
        elements, 5.0, shifted(16, 0.8, 4.5), g5=four_angles, weights=atomic_numbers
    ),
}
baseline = float(np.abs(composition(test_set.numbers) - test_set.energy).mean())
print(f"{'composition':16s}   0 numbers: {1e3 * baseline:4.0f} meV (MAE)")
molecule_errors = {}
for name, functions in sets.items():
    molecule_errors[name] = train_energies(functions, count=2000, steps=3000)
    print(f"{name:16s} {len(functions):3d} numbers: {1e3 * molecule_errors[name]:4.0f} meV")

# %% [markdown]
# Two surprises. The angular functions bought nothing here, although they are 60 of the 100 numbers.
# These molecules are at rest: bond lengths and angles hardly vary, and what tells the molecules
# apart is who is bonded to whom. Distances show that.
#
# And the weighted set, with the fewest numbers, is the best, if by little: a tenth may be chance.
# That carbon counts 6 times and oxygen 8 times has no deep reason. A likely one for the result:
# what is learned from one element helps with the next, and 2000 molecules are few.
#
# All three are several times better than counting atoms. The floor for anything that sees only
# the formula was the spread of the isomers, on Day 1; geometry breaks through it.
#
# ## 5 Forces, and three ways to fail
#
# Ethanol again, the trajectory of Days 1 and 2, energies and forces. Here the precomputation pays
# twice. The chain rule splits a force into a part that training changes and one that it does not,
#
# $$\mathbf F_j = -\sum_i \sum_n \frac{\partial E_i}{\partial G_{in}}
# \frac{\partial G_{in}}{\partial \mathbf r_j},$$
#
# the formula of the talk (with its letters sorted: $i$ atoms, $n$ functions). The second factor
# is computed once for all frames. A step of training is then a small network and a contraction.

# %% tutor={"rtol": 0.1, "atol": 1}
ethanol = tutor.data.load("ethanol")
md_train, md_val, md_test, md_hot = (ethanol.split(s) for s in ("train", "val", "test", "hot"))
offset = Composition.fit(md_train.numbers, md_train.energy)
recipe = {
    "species": (1, 6, 8),
    "cutoff": 3.4,
    "g2": shifted(8, 0.8, 3.2),
    "g5": angles([(0.1, 0.0), (0.5, 0.0)], zetas=(1.0, 4.0, 16.0)),
}


def network(functions, frames, floor=0.05):
    """An untrained network, scaled on these frames."""
    scaling = Scaling.of(functions, frames, floor=floor)
    return BehlerParrinello(
        functions, scaling=scaling, energies=offset.coefficients, rngs=nnx.Rngs(0)
    )


# %%
functions = SymmetryFunctions(**recipe)
start = network(functions, md_train)
frames = ethanol[np.concatenate([ethanol.splits[name] for name in ("train", "test", "hot")])]
everything = precompute(start, frames)
known, unseen, hot = (
    jax.tree.map(lambda array, rows=rows: array[rows], everything)
    for rows in (slice(1000), slice(1000, 1500), slice(1500, None))
)
print(f"{len(functions)} numbers per atom; their derivatives, for 1000 frames: "
      f"{known.J.nbytes / 1e6:.0f} MB")  # fmt: skip


# %%
def train_forces(model, batches, *, steps=6000, size=10):
    options = {"steps": steps, "batch_size": size, "learning_rate": 2e-3, "key": jax.random.key(0)}
    return fit(model, loss, batches, **options).model


def rmse(model, batch):
    """Root mean square errors: energy (meV), forces (meV/Å)."""
    E, F = predict(model, batch)
    errors = E - batch.energy, F - batch.forces
    return np.array([1e3 * float(jnp.sqrt((error**2).mean())) for error in errors])


# %% [markdown]
# > **Predict first.** The same with the 24 radial functions alone, the first columns: on the small
# > molecules they did as well as all. Will they here?

# %% tutor={"rtol": 0.1, "atol": 1}
few = SymmetryFunctions((1, 6, 8), recipe["cutoff"], recipe["g2"])


def radial_part(batch):
    return batch._replace(G=batch.G[..., : len(few)], J=batch.J[:, :, : len(few)])


radial_only = train_forces(network(few, md_train), radial_part(known))
smooth = train_forces(start, known)
print("                     energy, forces at 500 K       at 1200 K   (meV, meV/Å)")
for name, model, view in (
    ("radial", radial_only, radial_part),
    ("with angles", smooth, lambda b: b),
):
    cold, warm = rmse(model, view(unseen)), rmse(model, view(hot))
    print(f"{name:20s} {cold[0]:8.0f} {cold[1]:10.0f} {warm[0]:10.0f} {warm[1]:8.0f}")

# %% [markdown]
# Here they do not: the angles more than halve the force error. The molecule is in motion, and every
# bent angle pulls back. **Whether a description suffices depends on the question.** Forces ask more
# than energies at rest.
#
# At 1200 K atoms go where the training frames never were, and errors grow two- to threefold.
#
# ### Failure 1: bad scaling
#
# Networks learn best from inputs of size one, so each function is shifted by its mean and divided
# by its standard deviation. The code below means to do that, and has three bugs.


# %%
def scale_with_bugs(G_train, G_new, floor):
    G = np.concatenate([G_train, G_new])
    return (G_new - G.mean()) / G.std(axis=0)


# %% [markdown]
# ### Exercise 3.8: find the bugs
#
# Write it right: rows are atoms, columns are functions. What may the scale depend on? What does
# each function need of its own? And what happens to a function that hardly varied in training?
# `floor` is the smallest standard deviation that counts.


# %% tutor={"exercise": "3.8"}
def scale(G_train: np.ndarray, G_new: np.ndarray, floor: float) -> np.ndarray:
    """`G_new` (atoms, functions), scaled by what is known of `G_train` (atoms, functions)."""
    raise NotImplementedError


# %%
check("3.8", scale)

# %% [markdown]
# The floor looks like a detail. Take a function that in training was 0.200 give or take 0.001.
# With a floor of 0.001 it enters the network at full size, and if on a hotter day it becomes 0.3,
# the network is asked about an input of 100. We train on 100 frames, with two floors.
#
# > **Predict first.** How much worse will the smaller floor be at 500 K, where the frames look like
# > those of training? And at 1200 K?

# %% tutor={"rtol": 0.3, "atol": 1}
k = np.linspace(0, 999, 100).astype(int)
some_frames = jax.tree.map(lambda array: array[k], known)
by_floor = {}
for floor in (1e-3, 0.05):
    model = train_forces(network(functions, md_train[k], floor), some_frames, steps=3000)
    by_floor[floor] = [rmse(model, batch)[1] for batch in (some_frames, unseen, hot)]
    trained_on, cold, warm = by_floor[floor]
    print(f"floor {floor:5.3f}: forces of the training frames {trained_on:4.0f}, "
          f"others at 500 K {cold:4.0f}, at 1200 K {warm:4.0f} meV/Å")  # fmt: skip

# %% [markdown]
# The first column gives no warning. On other frames the smaller floor is worse, and on hot ones
# more than twice as bad: a number chosen in passing did that. The repair costs nothing.
# `Scaling.of` has a floor of 0.05, because a function that hardly varies knows little that is worth
# amplifying.
#
# ### Failure 2: no smooth cutoff
#
# The second bug of exercise 3.4 was that nothing looked at the cutoff. Programs with a neighbour
# list then get a step: an atom counts in full at 3.39 Å and not at all at 3.41 Å. We train the
# same network with a step in place of the polynomial.


# %% tutor={"rtol": 0.1, "atol": 1}
def step(r, cutoff):
    return jnp.where(r < cutoff, 1.0, 0.0)


stepped = network(SymmetryFunctions(**recipe, envelope=step), md_train)
stepped = train_forces(stepped, precompute(stepped, md_train[::4]), steps=3000)
errors = rmse(stepped, precompute(stepped, md_test[::2]))
print(f"with a step, test: energy {errors[0]:.0f} meV, forces {errors[1]:.0f} meV/Å")

# %% [markdown]
# It had a quarter of the frames and half of the steps, so its errors are larger. But nothing in
# them says that something is broken.
#
# > **Predict first.** We let both models move the atoms, without a thermostat: Newton's equations,
# > 300 K at the start, steps of 0.25 fs. The total energy should stay what it was. Will it?


# %% tutor={"rtol": 0.5, "atol": 0.2}
def total_energy(model, steps=800):
    """Kinetic plus potential energy in meV during a run, minus that at its start."""
    molecule = to_atoms(md_test[0])
    spread = np.sqrt(molecule.get_masses() * units.kB * 300)  # Maxwell and Boltzmann
    molecule.set_momenta(spread[:, None] * np.random.default_rng(0).normal(size=(9, 3)))
    molecule.calc = PotentialCalculator(model)
    motion, found = VelocityVerlet(molecule, 0.25 * units.fs), []
    for _ in range(steps):
        motion.run(1)
        found.append(molecule.get_total_energy())
    return 1e3 * (np.array(found) - found[0])


drift = {"smooth cutoff": total_energy(smooth), "step": total_energy(stepped)}
largest = {name: np.abs(np.diff(change)).max() for name, change in drift.items()}
for name, change in largest.items():
    print(f"{name:14s} largest change in one step {change:6.2f} meV")
print("ten times larger with the step:", largest["step"] > 10 * largest["smooth cutoff"])

# %%
fig = curves(0.25 * np.arange(1, 801), drift, "time (fs)", "change of the total energy (meV)")
show(
    fig,
    alt="Change of the total energy with time. With the smooth cutoff it stays flat; with the step "
    "it jumps up and down each time a pair of atoms crosses 3.4 Å.",
)

# %% [markdown]
# ### Exercise 3.9: energy from nowhere
#
# Forces of the step model are exact derivatives of its energy, made by JAX. Why is energy not
# conserved?
#
# - **a** Automatic differentiation is not accurate near the step.
# - **b** The energy jumps when a pair crosses the cutoff, and no force does the work of that jump.
# - **c** The time step is too long.
# - **d** Rounding: single precision is not enough.

# %% tutor={"exercise": "3.9"}
why_not_conserved = ...

# %%
check("3.9", why_not_conserved)

# %% [markdown]
# The test error did not warn us, and cannot: it looks at frames one by one, and a step is seen only
# between two of them. **Let a potential run before you trust it.**
#
# (Failure 3 was in exercise 3.4, the atom that sees itself. It adds a constant to some functions.
# Scaling takes it away again, which is why such code trains, and why nobody noticed.)
#
# ## 6 Against Days 1 and 2
#
# Three ways to describe ethanol: all distances in a fixed order (Day 1), a descriptor that is
# learned (DeepPot-SE, Day 2), and one chosen by hand. All get the same: energies and forces of
# the same frames, and 3000 steps with five frames each.
#
# > **Predict first.** Which is best with 50 frames? Which with 1000? It could be that a learned
# > descriptor wins as soon as it has data to learn from.


# %%
def day_one(frames):
    """Distances in a fixed order."""
    arrays = (frames.positions, frames.energy, frames.forces)
    model = FixedMolecule(
        inverse_distances, (64, 64), positions=arrays[0], energy=arrays[1], rngs=nnx.Rngs(0)
    )
    data = tuple(a.astype(np.float32) for a in arrays)
    model = fit(model, fixed_loss, data, steps=3000, batch_size=5, learning_rate=2e-3,
                key=jax.random.key(0)).model  # fmt: skip
    forces = -jax.jit(jax.vmap(jax.grad(model)))(md_test.positions.astype(np.float32))
    return 1e3 * float(np.sqrt(np.mean((np.asarray(forces) - md_test.forces) ** 2)))


def fixed_loss(model, batch):
    positions, energy, force = batch
    E, slope = jax.vmap(jax.value_and_grad(model))(positions)
    return jnp.mean((slope + force) ** 2) + 0.01 * jnp.mean((E - energy) ** 2)


# %%
def day_two(frames):
    """A descriptor that is learned: the model of Day 2."""
    model = DeepPotential((1, 6, 8), cutoff=5.0, neighbors=8.0, rngs=nnx.Rngs(0))
    options = {"epochs": 15_000 // len(frames), "learning_rate": 2e-3, "key": jax.random.key(0)}
    trained = train(model, frames, validation=md_val[::10], progress=False, **options)
    return 1e3 * trained.errors(md_test).forces_rmse


def day_three(frames, batches):
    """A descriptor that is chosen."""
    return rmse(train_forces(network(functions, frames), batches, steps=3000, size=5), unseen)[1]


# %% tutor={"rtol": 0.1, "atol": 1}
sizes = [50, 200, 1000]
names = "distances (Day 1)", "learned, DeepPot-SE (Day 2)", "chosen, Behler–Parrinello"
curve = {name: [] for name in names}
for n in sizes:
    k = np.linspace(0, 999, n).astype(int)
    frames, batches = md_train[k], jax.tree.map(lambda array, k=k: array[k], known)
    for name, error in zip(
        names, (day_one(frames), day_two(frames), day_three(frames, batches)), strict=True
    ):
        curve[name].append(error)
for name, errors in curve.items():
    print(f"{name:28s}" + "".join(f"{e:8.0f}" for e in errors) + "   meV/Å")

# %%
fig = learning_curve({name: (sizes, errors) for name, errors in curve.items()}, unit="meV/Å",
                     xlabel="training frames", ylabel="force error at 500 K")  # fmt: skip
show(
    fig,
    alt="Force error against training frames, both axes logarithmic. Distances start far above "
    "the others and fall. DeepPot-SE is lowest with 50 frames, then goes flat. Behler–Parrinello "
    "falls steadily and is lowest with 1000.",
)

# %% [markdown]
# Distances need by far the most data. Between the other two it is the reverse of what one might
# guess: the learned descriptor leads with 50 frames, they meet near 200, and with 1000 the chosen
# one leads.
#
# Be careful with what this proves. A curve that goes flat says that something other than data is
# missing, and for the learned descriptor that is most likely training: it has more to learn in the
# same 3000 steps. Given ten times as many it may overtake. You have the code to find out.
#
# ### Exercise 3.10: what is worth choosing by hand?
#
# The talk says of these networks: "It perhaps encodes too much physics." From the day's numbers, in
# at least 40 words: what did choosing the functions by hand gain, what did it cost, and for which
# of our two data sets would you do it again? (A person marks this.)

# %% tutor={"exercise": "3.10"}
verdict = """
...
"""

# %%
check("3.10", verdict)

# %% [markdown]
# ## The day in numbers

# %% tutor={"rtol": 0.3, "atol": 1}
reached = [
    ("small molecules, composition (MAE)", 1e3 * baseline, "meV"),
    ("radial functions", 1e3 * molecule_errors["radial"], "meV"),
    ("radial and angular functions", 1e3 * molecule_errors["radial, angular"], "meV"),
    ("weighted functions", 1e3 * molecule_errors["weighted"], "meV"),
    ("ethanol at 500 K, energy (RMSE)", rmse(smooth, unseen)[0], "meV"),
    ("  forces", rmse(smooth, unseen)[1], "meV/Å"),
    ("  forces at 1200 K", rmse(smooth, hot)[1], "meV/Å"),
    ("  the same, 100 frames, floor 0.05", by_floor[0.05][2], "meV/Å"),
    ("  the same, 100 frames, floor 0.001", by_floor[1e-3][2], "meV/Å"),
    ("numbers per atom with one element", published[0][0], ""),
    ("numbers per atom with six", published[5][0], ""),
]
for what, value, unit in reached:
    print(f"{what:40s} {value:6.0f} {unit}".rstrip())

# %% [markdown]
# **What the sources claimed, and what we saw.** The talk counts $M$ radial and $M(M-1)/2 + M$
# angular functions: yes, and memory follows. Its formula counts pairs twice and leaves open whose
# angle is meant. "It perhaps encodes too much physics": yes and no. Sums weighted by $Z$, with far
# fewer numbers, did no worse on molecules of five elements; for the forces of one molecule the
# angles were worth their place. "Not clear how to stack layers in a useful way": not tested today,
# but a symmetry function is used once, and nothing is built on top of it.
#
# **What is still wrong.** Widths, shells and angles were chosen by us, and a new element means new
# functions and a new network. Tomorrow the atoms learn what to tell each other.
#
# **To read**
#
# - Behler and Parrinello,
#   [Phys. Rev. Lett. 98, 146401 (2007)](https://doi.org/10.1103/PhysRevLett.98.146401): four pages
#   that began it.
# - Behler, [J. Chem. Phys. 134, 074106 (2011)](https://doi.org/10.1063/1.3553717): the functions,
#   their names, and how to choose them.
# - Gastegger and others, [J. Chem. Phys. 148, 241709 (2018)](https://doi.org/10.1063/1.5019667):
#   weighted functions.
# - Behler, [Chem. Rev. 121, 10037 (2021)](https://doi.org/10.1021/acs.chemrev.0c00868): what became
#   of it in four generations.
#
# Your progress: `tutor.progress()`, here or as `tutor progress` in a terminal.
