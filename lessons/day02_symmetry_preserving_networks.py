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
# # Day 2: Symmetry-preserving networks
#
# **Question of the day:** how do you build a network that *cannot* break a law, and what does it
# lose the power to see?
#
# **You will have built:** networks of sets, of point clouds and of a molecule that keep every
# symmetry of physics exactly, a test that would have told you if they did not, and two shapes that
# one of them cannot tell apart.
#
# **Minutes:** 90
#
# **Prerequisites:** Day 1; matrices, their products and their transposes.
#
# **Objectives:** after this day you can
#
# - tell invariance from equivariance, and write a test for either that is able to fail;
# - write any function of a set as a sum, and say what sum, mean and maximum forget;
# - build features of a cloud of points that keep shifts, rotations and exchanges at once;
# - find out what a symmetric model is blind to, and repair it;
# - read vectors and tensors out of a cloud;
# - say from measurements what symmetry buys, and what it does not.

# %% [markdown]
# The first network of Day 1 gave a shifted molecule another energy. The best one still told two
# hydrogens apart. Today no network learns a symmetry. It is built so that there is nothing to
# learn.
#
# Exercises work as on Day 1: write your lines, run `check(...)`, ask `hint("2.1")` up to three
# times. No cell needs your answers to the exercises before it.

# %%
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from matplotlib.patches import Circle
from scipy.spatial.transform import Rotation

import tutor
from tutor import check, hint, show, symmetry
from tutor.models.deep_potential import DeepPotential
from tutor.models.deep_sets import DeepSets, SetPotential, max_pool, mean_pool, sum_pool
from tutor.models.fixed_molecule import (
    FixedMolecule,
    centred_coordinates,
    inverse_distances,
    raw_coordinates,
)
from tutor.models.vector_cloud import Scalar, Vector, VectorCloud, gram
from tutor.neighbors import graph
from tutor.plot import COLORS, curves, figure, learning_curve, parity
from tutor.potential import energy
from tutor.precision import float64
from tutor.train import fit

# %% [markdown]
# ## 1 Two words and a test
#
# Turn a molecule. Its energy stays. Its dipole turns with it. Its polarisability, a matrix, turns
# on both sides:
#
# | quantity | shift | rotation $R$ | exchange of like atoms |
# |---|---|---|---|
# | energy $E$ | stays | stays | stays |
# | dipole $\boldsymbol\mu$ (of a neutral molecule) | stays | $R\boldsymbol\mu$ | stays |
# | polarisability $\alpha$ | stays | $R\,\alpha\,R^\top$ | stays |
# | force on atom $i$ | stays | $R\,\mathbf F_i$ | goes to the atom's new place in the list |
#
# A map $f$ is **invariant** if $f(g\,x) = f(x)$ for every transformation $g$ in question, and
# **equivariant** if
#
# $$f(g\,x) = g\,f(x).$$
#
# The two $g$ are one transformation in two costumes: on the left it moves positions, on the right
# it moves whatever $f$ returns. A shift moves positions and leaves a dipole alone. Invariance is
# the case in which the right-hand $g$ does nothing.
#
# Positions are rows, shape (atoms, 3), so in code turning all of them is `x @ R.T`.
#
# ### Exercise 2.1: a test that can fail
#
# `f` maps positions (atoms, 3) to one vector for each atom, (atoms, 3). Return the largest
# deviation of a component of $f(R\,x)$ from $R\,f(x)$, divided by the largest component of $f(x)$.
# All in absolute values. Where $f(x)$ is zero everywhere, return `np.nan`: zero turned is zero, and
# a test that cannot fail must not pass.


# %% tutor={"exercise": "2.1"}
def rotation_error(f, x: np.ndarray, R: np.ndarray) -> float:
    """The largest |f(R x) - R f(x)| of a component, relative to the largest |f(x)|."""
    raise NotImplementedError


# %%
check("2.1", rotation_error)

# %% [markdown]
# Why relative? An untrained network may return numbers of order 10⁻⁴. An absolute tolerance of 10⁻³
# then passes every model, however wrong.
#
# ### Exercise 2.2: a test that looks away
#
# To keep a simulation stable, a public generator of benchmark data limits each *component* of a
# force to ±100. Below, springs pull to the centre, and we limit to ±1. Which test finds the fault?
#
# - **a** A quarter turn about the z axis, with forces well above the limit.
# - **b** A random rotation, with all forces below the limit.
# - **c** A random rotation, with some forces above the limit.
# - **d** The mirror z → −z, with forces well above the limit.

# %% tutor={"exercise": "2.2"}
finds_the_clamp = ...

# %%
check("2.2", finds_the_clamp)

# %% [markdown]
# In the library, `tutor.symmetry.check` takes any function of positions and atomic numbers. It
# draws random structures at many scales and random transformations. It measures the noise of the
# function by itself and compares with that. Then it looks for the smallest example that fails.


# %% tutor={"rtol": 0.5, "atol": 1e-5}
def limited_springs(positions, species):
    """Forces towards the centre, each component limited to ±1 eV/Å."""
    return np.clip(positions.mean(axis=0) - positions, -1.0, 1.0)


def tell(report):
    """Print a report, without the line that says how long it took."""
    print("\n".join(line for line in report.text().splitlines() if not line.endswith(" s")))


laws = ["translation", "rotation", "permutation"]
report = symmetry.check(limited_springs, laws=laws, progress=False)
tell(report)

# %%
show(
    report.plot("rotation"),
    alt="Two drawings of the same two atoms, before and after a rotation. After it, full arrows "
    "show the forces that came and dotted arrows those expected; they point in other directions.",
)

# %% [markdown]
# Read the example at the end of the report: two atoms are enough. What the limit cuts off depends
# on how the molecule lies. The column *floor* is the noise that the check measured, and the last
# one says what the trials prove: after $n$ of them without a failure, fewer than $3/n$ of all cases
# break the law, at 95 % confidence. Limit the *length* of each force instead, and the law holds.
#
# ## 2 A sum does not care
#
# Now the law that Day 1 left open. Exchanging like atoms must change nothing. So the model must be
# a function of a *set*. A sum has no order:
#
# $$f(\{x_1, \dots, x_n\}) = \rho\Bigl(\sum_{i=1}^n \phi(x_i)\Bigr).$$
#
# This form is called **Deep Sets**. $\phi$ looks at one element at a time, $\rho$ at the sum. The
# talk on which this day builds gives an example: for $f = z_1^2 + z_2^2 + z_1 z_2$ take
# $\phi(z) = (z, z^2)$ and $\rho(a, b) = a^2/2 + b/2$. The product $z_1 z_2$, in which the two
# meet, comes out of a sum in which they never met.

# %%
example = DeepSets(
    phi=lambda z: jnp.concatenate([z, z**2], axis=-1),
    rho=lambda s: s[..., :1] ** 2 / 2 + s[..., 1:] / 2,
)
with float64():
    z = jnp.array(np.random.default_rng(0).normal(size=(1000, 2, 1)))
    z1, z2 = z[:, 0], z[:, 1]
    off = np.abs(example(z) - (z1**2 + z2**2 + z1 * z2)).max()
    print(f"largest difference over 1000 pairs below 1e-13: {bool(off < 1e-13)}")

# %% [markdown]
# ### Exercise 2.3: all pairs from two sums
#
# A sum over all pairs of different elements, $\sum_{i<j} z_i z_j$, takes $n(n-1)/2$ products. Write
# it as $\rho(\sum_i \phi(z_i))$, for sets of *any* size. Return the two functions: `phi` maps $n$
# numbers to an array (n, m), one row each; `rho` maps the sum of the rows, (m,), to the result.


# %% tutor={"exercise": "2.3"}
def all_pairs() -> tuple:
    """φ and ρ, two functions, with ρ(Σ_i φ(z_i)) = Σ_{i<j} z_i z_j."""
    raise NotImplementedError


# %%
check("2.3", all_pairs)

# %% [markdown]
# This trick carries whole fields. Many-body potentials use it to get by without sums over triples
# and quadruples. Ewald's sum uses it for pairs of charges far apart in a crystal:
# $|\sum_i q_i e^{i\mathbf k \cdot \mathbf r_i}|^2$ is a sum over atoms, then a square.
#
# Instead of the sum one also sees the mean and the maximum. All three ignore the order. What else
# do they ignore?
#
# ### Exercise 2.4: what the mean and the maximum forget
#
# Find two different sets of numbers, in which an element may occur several times, that mean pooling
# *and* max pooling cannot tell apart, whatever $\phi$ and $\rho$ are. Return them as two lists.


# %% tutor={"exercise": "2.4"}
def twins() -> tuple[list, list]:
    """Two sets of numbers, repetitions allowed, that mean and max pooling cannot tell apart."""
    raise NotImplementedError


# %%
check("2.4", twins)

# %% [markdown]
# Does it matter in practice? The paper that introduced Deep Sets has a test: the network is given a
# set of digits, as symbols and not as numbers, and must say their sum. It is trained on sets of at
# most 10 digits and tested on sets of up to 100.
#
# > **Predict first.** Three pools, and one variant: sum pooling with a linear $\rho$, and with an
# > MLP for $\rho$. Which of the four are right at 10 digits? Which at 100?


# %%
def digit_sets(n, largest, smallest=1, seed=0):
    """Sets of digits, padded: symbols (n, largest, 10), which are there, and their sums."""
    rng = np.random.default_rng(seed)
    digits = rng.integers(0, 10, (n, largest))
    mask = np.arange(largest) < rng.integers(smallest, largest + 1, (n, 1))
    symbols = np.eye(10, dtype=np.float32)[digits]
    return symbols, mask, np.where(mask, digits, 0).sum(axis=1).astype(np.float32)


def absolute_error(model, batch):
    """The loss of the paper."""
    symbols, mask, total = batch
    return jnp.mean(jnp.abs(model(symbols, mask)[:, 0] - total))


kinds = {
    "sum, linear ρ": (sum_pool, [16, 1]),
    "sum, MLP ρ": (sum_pool, [16, 32, 1]),
    "mean, MLP ρ": (mean_pool, [16, 32, 1]),
    "max, MLP ρ": (max_pool, [16, 32, 1]),
}

# %% tutor={"rtol": 0.3, "atol": 0.1}
sizes, accuracy = [5, 10, 20, 50, 100], {}
for name, (pool, then) in kinds.items():
    model = DeepSets.of_networks([10, 32, 16], then, pool, rngs=nnx.Rngs(0))
    model = fit(model, absolute_error, digit_sets(20_000, 10), steps=2500, batch_size=64,
                learning_rate=3e-3, key=jax.random.key(0)).model  # fmt: skip
    accuracy[name] = []
    for size in sizes:
        symbols, mask, total = digit_sets(1000, size, smallest=size, seed=1)
        answer = np.asarray(model(symbols, mask))[:, 0]
        accuracy[name].append(float(np.mean(np.round(answer) == total)))
    print(f"{name:14s}" + "".join(f"{a:7.2f}" for a in accuracy[name]))

# %%
fig = curves(
    sizes, accuracy, xlabel="digits in the set", ylabel="fraction that is exactly right", log="x"
)
fig.axes[0].axvspan(4.6, 10, color="#EEEEEE", zorder=0)
fig.axes[0].text(4.7, 0.55, "sizes seen\nin training")
fig.axes[0].set_xticks(sizes, sizes)
show(
    fig,
    alt="Fraction of exactly right sums against the number of digits. Sum pooling with a linear "
    "read-out is right at every size up to 100. Sum pooling with an MLP is right up to 20 and "
    "fails at 50. Mean and maximum are nearly always wrong.",
)

# %% [markdown]
# Mean and maximum fail even where they were trained: they cannot count. The sum can. But only with
# a linear $\rho$ does it go on to 100: an MLP for $\rho$ has never seen a sum that large. **The
# pool makes the right answer possible; it does not make it learned.** That energies are a plain
# sum of atomic energies, with no network behind the sum, is the same choice, and it is why models
# of liquids run on more atoms than they were trained on.
#
# ### Possible, and well conditioned
#
# Every symmetric polynomial is a polynomial of power sums $p_k = \sum_i z_i^k$. The product
# $z_1 z_2 \cdots z_n$, for example, follows from $p_1, \dots, p_n$ by Newton's recursion
# $e_k = \frac1k \sum_{i=1}^k (-1)^{i-1} e_{k-i}\, p_i$, and $e_n$ is the product.
#
# > **Predict first.** The identity is exact. With how many elements will float32 still give the
# > product to 1 %?


# %%
def product_from_sums(z):
    """z_1 z_2 ... z_n from the power sums of z, in the precision of z."""
    p = [np.sum(z**k) for k in range(len(z) + 1)]
    e = [np.ones((), z.dtype)]
    for k in range(1, len(z) + 1):
        terms = [(-1) ** (i - 1) * e[k - i] * p[i] for i in range(1, k + 1)]
        e.append((np.sum(np.array(terms, z.dtype)) / k).astype(z.dtype))
    return e[-1]


lengths = np.arange(2, 41, 2)
lost = {"float32": [], "float64": []}
for n in lengths:
    samples = np.random.default_rng(n).uniform(0.5, 1.5, (200, n))
    for dtype, errors in lost.items():
        found = np.array([product_from_sums(z.astype(dtype)) for z in samples], float)
        exact = np.array([np.prod(z.astype(dtype).astype(float)) for z in samples])
        errors.append(np.median(np.abs(found / exact - 1)))
for dtype, errors in lost.items():
    print(f"{dtype}: right to 1 % for up to {lengths[np.array(errors) < 0.01].max()} elements")

# %%
fig = curves(
    lengths, lost, xlabel="number of elements n", ylabel="relative error of the product", log="y"
)
fig.axes[0].axhline(0.01, color="#777777", linewidth=1)
show(
    fig,
    alt="Relative error of a product computed from power sums, logarithmic, against the number of "
    "factors. Two parallel, nearly straight lines rise: float32 crosses 1 % between 14 and 16 "
    "elements, float64 between 36 and 38.",
)

# %% [markdown]
# Two more elements cost a factor of five to eight: large terms of alternating sign cancel. So a
# theorem that says "every function of a set can be written so" is no promise that a network in
# float32 will find it, or could hold it. And to represent every continuous function of $n$ numbers
# the sum needs at least $n$ components (Wagstaff et al. 2019). Models of atoms keep to few
# bodies at a time and leave the rest to depth.
#
# ## 3 A cloud of points: $D = L L^\top$
#
# Now all symmetries together. **Translation** first: subtract the mean, $\mathbf x'_i = \mathbf
# x_i - \bar{\mathbf x}$. **Rotation**: take scalar products, which only know lengths and angles,
#
# $$D'_{ij} = \mathbf x'_i \cdot \mathbf x'_j .$$
#
# The slide of the talk writes this as $D' = X^\top X$ with $X = [\mathbf x'_1, \dots, \mathbf
# x'_n]^\top$, the points as rows. Here is the slide, in code.


# %%
def slide_products(x):
    X = x - x.mean(axis=0)
    return X.T @ X


points = np.random.default_rng(0).normal(size=(5, 3))
turn = Rotation.from_rotvec([0.3, 1.1, -0.7]).as_matrix()
before, after = slide_products(points), slide_products(points @ turn.T)
print("shape:", before.shape)
print(f"change by a rotation, relative: {np.abs(after - before).max() / np.abs(before).max():.2f}")

# %% [markdown]
# ### Exercise 2.5: find the bug: which side the transpose is on
#
# One letter is wrong. Write the matrix that the formula above means.


# %% tutor={"exercise": "2.5"}
def scalar_products(x: np.ndarray) -> np.ndarray:
    """D'_ij = x'_i · x'_j, shape (n, n), from points x of shape (n, 3)."""
    raise NotImplementedError


# %%
check("2.5", scalar_products)

# %% [markdown]
# $D'$ keeps shifts, rotations and mirrors. But exchange two points, and two rows and two columns
# of it are exchanged. So **permutation** last, by a sum. Give each point $m$ numbers
# $\phi_1, \dots, \phi_m$ that depend on its distance from the centre only, and sum the *vectors*:
#
# $$L_{kj} = \frac1n \sum_{i=1}^n \phi_k(|\mathbf x'_i|)\, x'_{ij}, \qquad D = L L^\top .$$
#
# The rows of $L$ are $m$ vectors. They turn with the cloud, and the order of the points is gone.
# $D$ holds their scalar products, $m \times m$ numbers for any number of points, and a network
# $\rho(D)$ reads them.
#
# The slide writes $L = \frac1n G^\top X$ with $G_{ki} = \phi_k(|\mathbf x'_i|)$. Take that
# literally, with as many functions as points, and it runs.


# %% tutor={"rtol": 0.5, "atol": 1e-5}
def slide_cloud(x):
    X = x - x.mean(axis=0)
    r = jnp.sqrt((X**2).sum(axis=1))
    G = jnp.stack([jnp.exp(-0.5 * k * r) for k in range(1, 5)])  # G_ki = φ_k(|x'_i|)
    L = G.T @ X / len(x)
    return L @ L.T


spec = symmetry.Spec(inputs={"x": symmetry.points()}, outputs={"D": symmetry.scalar()})
four = symmetry.random_structures(spec, atoms=[4])
report = symmetry.check(slide_cloud, spec, four, scales=[1.0], laws=laws, progress=False)
print(report.headline())
for law in laws:
    print(f"{law:12s} {report[law].verdict}, cases broken: {report[law].power}")

# %% [markdown]
# ### Exercise 2.6: find the bug: the index of G
#
# The check says which law is broken, and the shapes say why. Write $D$ so that it runs for any
# number of points and of functions. `phi` maps lengths (n,) to an array (n, m).


# %% tutor={"exercise": "2.6"}
def descriptor(x: np.ndarray, phi) -> np.ndarray:
    """D = L Lᵀ, shape (m, m); phi maps lengths (n,) to G of shape (n, m)."""
    raise NotImplementedError


# %%
check("2.6", descriptor)

# %% [markdown]
# In the library: `VectorCloud` gives $L$, with a network for $\phi$, and `gram(L)` gives $D$. It
# comes from work on flows (Zhou, Han and Xiao), where the points are those of a mesh around the
# place at which a concentration is wanted.

# %%
cloud = VectorCloud(8, rngs=nnx.Rngs(0))


def scalars_of_cloud(x):
    return gram(cloud(x))


print(symmetry.check(scalars_of_cloud, spec, trials=20, progress=False).headline())

# %% [markdown]
# No training was needed for that, and none can spoil it. In a plane we can draw it. Take three
# bumps for $\phi_k$, at the distances 0.7, 1.4 and 2.1 from the centre: each row of $L$ then sums
# the points near one of the circles. On the right are the same points, turned by 70° and renamed.


# %%
def draw(ax, x, title):
    """Points, their numbers, and the three rows of L, enlarged; returns D."""
    X = x - x.mean(axis=0)
    G = np.exp(-8 * (np.linalg.norm(X, axis=1)[:, None] - [0.7, 1.4, 2.1]) ** 2)
    L = G.T @ X / len(x)
    for k, radius in enumerate([0.7, 1.4, 2.1]):
        ax.add_patch(Circle(x.mean(axis=0), radius, fill=False, color=COLORS[k], linestyle=":"))
    ax.scatter(*x.T, s=260, color="#BBBBBB", zorder=2)
    for i, point in enumerate(x):
        ax.text(*point, str(i), ha="center", va="center")
    tails = np.tile(x.mean(axis=0), (3, 1))
    ax.quiver(*tails.T, *(5 * L).T, color=COLORS, angles="xy", scale_units="xy", scale=1, zorder=3)
    ax.set(title=title, xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal")
    return L @ L.T


# %%
flat = np.array([[1.7, 0.3], [0.5, 0.7], [-0.6, 1.3], [-1.9, -1.0], [1.0, -1.1], [-0.6, 0.1]])
c, s = np.cos(np.radians(70)), np.sin(np.radians(70))
moved = (flat @ np.array([[c, s], [-s, c]]))[[3, 1, 5, 0, 2, 4]]
fig, axes = figure(1, 2)
D, D_moved = draw(axes[0], flat, "a cloud"), draw(axes[1], moved, "turned and renamed")
print("D is the same:", np.allclose(D, D_moved))
show(
    fig,
    alt="Six numbered points, three circles and three arrows from their centre; beside it the "
    "same points turned by 70 degrees with other numbers. The arrows have turned with the points "
    "and do not care for the numbers.",
)

# %% [markdown]
# ## 4 What it cannot see
#
# A model that gives two different molecules the same features must give them the same energy, with
# any weights and any amount of data. Symmetry removes differences that do not matter. Does $D$ also
# remove some that do?
#
# To ask that honestly we need a second function: are two clouds the *same* shape, up to motions,
# mirrors and order? For a few points we can try every order, and find the best rotation by a
# singular value decomposition.


# %%
def mismatch(a, b):
    """The least root mean square distance between points, over all motions, mirrors and orders."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    orders = np.array(list(itertools.permutations(range(len(b)))))
    overlap = np.linalg.svd(np.einsum("ia,pib->pab", a, b[orders]), compute_uv=False).sum(axis=1)
    return np.sqrt(max((a**2).sum() + (b**2).sum() - 2 * overlap.max(), 0) / len(a))


tetrahedron = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
with float64():
    print(f"random cloud: largest |D| = {np.abs(gram(cloud(jnp.array(points)))).max():.3g}")
    for radius in (0.5, 1.0, 3.0):
        D = gram(cloud(jnp.array(radius * tetrahedron)))
        print(f"tetrahedron, radius {radius}: |D| below 1e-25: {bool(np.abs(D).max() < 1e-25)}")

# %% [markdown]
# Methane is a tetrahedron. Pull its four hydrogens outwards together: all bonds break, and $D$
# stays zero. All $\phi_k$ are equal on the four, so $L_k$ is $\phi_k$ times the mean of the
# points, and that is the centre.
#
# ### Exercise 2.7: two shapes that look the same
#
# Find two clouds of four points, every point at distance 1 from the mean of its cloud, that are
# *not* congruent and have the same $D$ for every $\phi$. The check moves, mirrors and reorders
# your clouds to see whether they are really two shapes.


# %% tutor={"exercise": "2.7"}
def blind_pair() -> tuple[np.ndarray, np.ndarray]:
    """Two clouds (4, 3) of different shape, every point at distance 1 from its cloud's mean."""
    raise NotImplementedError


# %%
check("2.7", blind_pair)

# %% [markdown]
# The smallest blind pair has only two atoms: those of H₂ are opposite to each other, at the same
# distance from the centre, so $L = 0$ at *every* bond length. The first curve of Day 1 is invisible
# to this network. And a whole family has four: two pairs of opposite points, at
# any angle between the pairs.
#
# **Repair 1: higher moments.** $L$ is a weighted mean of vectors. Next to it take a weighted mean
# of *matrices*, and make scalars of them in the same way:
#
# $$M_k = \frac1n \sum_i \phi_k(|\mathbf x'_i|)\, \mathbf x'_i \mathbf x_i'^\top, \qquad
# B_{kl} = \operatorname{tr}(M_k M_l).$$
#
# ### Exercise 2.8: eyes for angles
#
# Write $B$. `phi` is as in 2.6.


# %% tutor={"exercise": "2.8"}
def second_moments(x: np.ndarray, phi) -> np.ndarray:
    """B_kl = tr(M_k M_l), shape (m, m), from points (n, 3); phi as in 2.6."""
    raise NotImplementedError


# %%
check("2.8", second_moments)

# %% [markdown]
# **Repair 2: more centres.** Let every *atom* be a centre and look at its own surroundings.
# DeepPot-SE, the network behind DeePMD, does that. In place of $\mathbf x'_j$ it has rows of four
# numbers, $s(r_{ij})\,(1, \hat{\mathbf r}_{ij})$, where $s$ is $1/r$ with a smooth end, and
# $D_i = T_i T_i^\top$ is again a matrix of scalar products. The energy is a sum over atoms.
#
# We put a carbon at the centre, four hydrogens around it as two opposite pairs, and change the
# angle between the pairs. The second moments are computed here by another route than in 2.8:
# $\operatorname{tr}(M_k M_l) = \frac1{n^2}\sum_{ij} \phi_k \phi_l\, (\mathbf x'_i \cdot \mathbf
# x'_j)^2$, scalar products again, but squared before the sum.
#
# > **Predict first.** Which of these four see the angle: $D$ of the cloud, DeepPot-SE at the
# > carbon, DeepPot-SE at a hydrogen, second moments?


# %%
def two_pairs(degrees):
    """A carbon at the origin, and two opposite pairs of hydrogens at 1.1 Å."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return 1.1 * np.array([[0, 0, 0], [1, 0, 0], [-1, 0, 0], [c, s, 0], [-c, -s, 0]])


def squared_products(x):
    G = jnp.exp(-jnp.sqrt((x**2).sum(axis=1, keepdims=True)) * jnp.arange(1.0, 5.0))
    return G.T @ (x @ x.T) ** 2 @ G / len(x) ** 2


def descriptors(degrees):
    x = two_pairs(degrees)
    system = tutor.System(np.array([6, 1, 1, 1, 1]), x)
    local = deep.descriptor(graph(system, 4.0, dtype=jnp.float64))
    x = jnp.array(x)
    return {"D of the cloud": cloud(x) @ cloud(x).T, "DeepPot-SE at C": local[0],
            "DeepPot-SE at H": local[1], "second moments": squared_products(x)}  # fmt: skip


# %%
tutor.view(
    *(tutor.System(np.array([6, 1, 1, 1, 1]), two_pairs(angle)) for angle in (60, 75, 90)),
    caption=["60°", "75°", "90°, a square"],
    size=(220, 200),
)

# %%
deep = DeepPotential(
    (1, 6), cutoff=4.0, neighbors=4.0, embedding=(8, 16), axis=4, fitting=(8,), rngs=nnx.Rngs(0)
)
angles = np.arange(40, 86, 5)
with float64():
    square = descriptors(90)
    seen = {name: [] for name in square}
    for angle in angles:
        for name, D in descriptors(angle).items():
            seen[name].append(float(jnp.abs(D - square[name]).max()))
for name, change in seen.items():
    print(f"{name:18s} sees the angle: {max(change) > 1e-9}")
print(f"40° and 90° differ in shape by {mismatch(two_pairs(40), two_pairs(90)):.2f} Å")

# %%
fig = curves(
    angles,
    {name: np.maximum(change, 1e-17) for name, change in seen.items()},
    xlabel="angle between the pairs (degrees)",
    ylabel="change of the descriptor\nagainst 90°",
    log="y",
)
show(
    fig,
    alt="Change of four descriptors against the angle between two pairs, logarithmic. The cloud's "
    "D and DeepPot-SE at the carbon lie on each other at rounding, below 1e-15; DeepPot-SE at a "
    "hydrogen and the second moments lie twelve and more orders of magnitude above.",
)

# %% [markdown]
# So the carbon of DeepPot-SE is blind for this angle: whatever its energy learns, it puts no force
# on it. The hydrogens see it, since for each of them the other three are at different distances.
# The model as a whole is saved by having many centres. Of a single centre it is often said that
# it uses "radial and angular information"; it does, but not all of it.
#
# Squared scalar products see here what plain ones do not, and there are shapes for which they are
# not enough either (Pozdnyakov et al. 2020). The ladder of powers goes on through Days 3 to 5.
#
# ### Exercise 2.9: in the mirror
#
# $D$ is the same for a cloud and its mirror image. Is that a fault?
#
# - **a** Yes: a left-handed and a right-handed molecule are different molecules, so their energies
#   differ.
# - **b** For energies no, for a quantity such as optical rotation, which changes sign in a mirror,
#   yes.
# - **c** No: with more functions $\phi_k$ the two get different $D$.
# - **d** No: $L$ changes in a mirror, and that is what $\rho$ reads.

# %% tutor={"exercise": "2.9"}
in_the_mirror = ...

# %%
check("2.9", in_the_mirror)

# %% [markdown]
# ## 5 Vectors and tensors
#
# $L$ turns with the cloud, $D$ does not. So a network may do what it likes with $D$, and we let it
# choose *how much* of each row of $L$ to take:
#
# $$\boldsymbol\mu = a(D)^\top L, \qquad Q = L^\top A(D)\, L + b(D)\,\mathbf 1 ,$$
#
# with any networks $a$, $A$ and $b$, and $A$ made symmetric. The first turns as $R\boldsymbol\mu$,
# the second as $R\,Q\,R^\top$.
#
# ### Exercise 2.10: a tensor that turns on both sides
#
# Write the second. `A` and `b` are functions of $D$: `A(D)` has shape (m, m) and need not be
# symmetric, so use $\frac12(A + A^\top)$; `b(D)` is a number.


# %% tutor={"exercise": "2.10"}
def tensor_from(L: np.ndarray, A, b) -> np.ndarray:
    """A symmetric tensor (3, 3) from L (m, 3); A(D) has shape (m, m), b(D) is a number."""
    raise NotImplementedError


# %%
check("2.10", tensor_from)

# %% [markdown]
# In the library these are `vector_cloud.Vector` and `vector_cloud.Tensor`. Let us use the first for
# the dipole of ethanol, which the data set of Day 1 has for every frame. The atoms are the points,
# and which element an atom is goes into $\phi$ beside its distance. Against it, the same cloud with
# a read-out that returns three numbers, $\rho(D)$, which is what one gets by not thinking.
#
# > **Predict first.** How good can the second be?


# %%
class Dipole(nnx.Module):
    """The dipole in e·Å from positions in Å and atomic numbers."""

    def __init__(self, head, *, rngs):
        self.cloud = VectorCloud(16, scalars=3, length=1.5, rngs=rngs)
        self.head = head(self.cloud.rows, rngs=rngs)

    def __call__(self, positions, numbers):
        elements = (numbers[:, None] == jnp.array([1, 6, 8])).astype(positions.dtype)
        return self.head(self.cloud(positions, scalars=elements))


def three_numbers(rows, *, rngs):
    return Scalar(rows, outputs=3, rngs=rngs)


def dipole_error(model, batch):
    positions, numbers, dipole = batch
    return jnp.mean((jax.vmap(model)(positions, numbers) - dipole) ** 2)


def dipole_arrays(frames):
    single = (frames.positions.astype(np.float32), frames.numbers.astype(np.int32))
    return (*single, frames.dipole.astype(np.float32))


# %% tutor={"rtol": 0.05, "atol": 1e-3}
ethanol = tutor.data.load("ethanol")
train, test, hot = (ethanol.split(part) for part in ("train", "test", "hot"))
dipoles = {"always zero": float(np.sqrt((test.dipole**2).mean()))}
fig, axes = figure(1, 2)
heads = {"three numbers ρ(D)": three_numbers, "vector a(D)ᵀ L": Vector}
for ax, (name, head) in zip(axes, heads.items(), strict=True):
    model = Dipole(head, rngs=nnx.Rngs(0))
    model = fit(model, dipole_error, dipole_arrays(train), steps=3000, batch_size=16,
                learning_rate=2e-3, key=jax.random.key(0)).model  # fmt: skip
    dipoles[name] = float(np.sqrt(dipole_error(model, dipole_arrays(test))))
    predicted = jax.vmap(model)(*dipole_arrays(test)[:2])
    parity(test.dipole, predicted, "e·Å", quantity="dipole component", ax=ax)
    ax.set_title(name)
for name, error in dipoles.items():
    print(f"{name:20s} {error:.3f} e·Å per component, on test frames")

# %%
show(
    fig,
    alt="Predicted against reference components of the dipole. With three invariant numbers the "
    "points lie in horizontal bands that know nothing of the diagonal; with a vector from L they "
    "lie along it.",
)

# %%
spec = symmetry.Spec(
    inputs={"positions": symmetry.points(), "numbers": symmetry.species()},
    outputs={"dipole": symmetry.vector()},
)
report = symmetry.check(model, spec, test[0], trials=20, scales=[1.0], progress=False)
print(report.headline())

# %% [markdown]
# $\rho(D)$ is invariant, exactly, and here that is the fault: the dipole turns with the tumbling
# molecule, and three invariant numbers cannot. The best they can do is to remember how the training
# frames lay on average, and on test frames that is worse than zero. **Invariance is not a virtue in
# itself. The law says how the answer must move, and the network must move that way.**
#
# What $a(D)^\top L$ cannot do: leave the span of the rows of $L$. Where $L = 0$, it says zero. For
# methane this is right, by symmetry. For a cloud that is merely invisible it is not.
#
# ## 6 Importance of symmetry
#
# That is the title of a slide in the talk. It promises three things: symmetric networks "respect
# the physics", have "better data efficiency" and "better accuracy". The first is proven. For the
# other two we go back to ethanol, its energies and forces, with one training loop for all models
# (the same frames, batches and number of steps):
#
# | model | shift | rotation | exchange | sees angles |
# |---|---|---|---|---|
# | MLP of raw coordinates | – | – | – | yes |
# | MLP of centred coordinates, trained on rotated copies | yes | learned | – | yes |
# | MLP of all distances (Day 1) | yes | yes | – | yes |
# | Deep Set of neighbours, `SetPotential` | yes | yes | yes | no |
# | DeepPot-SE | yes | yes | yes | yes |
#
# ### Exercise 2.11: the price of learning an order
#
# The MLP of all distances reads them in a fixed order. Suppose we teach it by augmentation, as
# Day 1 did with rotations. In how many orders of its atoms (C₂H₆O) would it have to see each frame?

# %% tutor={"exercise": "2.11"}
orders_of_ethanol = ...

# %%
check("2.11", orders_of_ethanol)

# %% [markdown]
# The library trains potentials with `tutor.train.train`. Here we need the coordinate MLPs in the
# same race, so we write the loss once more: energies relative to the mean of the training frames,
# and forces. One graph holds all nine atoms, each a neighbour of each; `molecule.at(positions)`
# moves its atoms.

# %%
molecule, mean_energy = graph(train[0], cutoff=6.0), train.energy.mean()


def energy_of(model, positions):
    if isinstance(model, FixedMolecule):
        return model(positions)
    return energy(model, molecule.at(positions))[0]


def energy_and_force_loss(model, batch):
    """Mean squared force error plus 0.1 times that of the energy, in eV and Å."""
    positions, E, F = batch
    value_and_slope = jax.value_and_grad(lambda r: energy_of(model, r))
    predicted, slope = jax.vmap(value_and_slope)(positions)
    return jnp.mean((slope + F) ** 2) + 0.1 * jnp.mean((predicted - E) ** 2)


def learn(rival, frames, steps=4000):
    make, learning_rate, copies = rival
    data = tuple(np.asarray(a, np.float32) for a in in_orientations(frames, copies))
    return fit(make(), energy_and_force_loss, data, steps=steps, batch_size=5,
               learning_rate=learning_rate, key=jax.random.key(0)).model  # fmt: skip


# %%
def in_orientations(frames, copies):
    """Positions, relative energies and forces, in random orientations where copies > 1."""
    E = np.tile(frames.energy - mean_energy, copies)
    if copies == 1:
        return frames.positions, E, frames.forces
    R = Rotation.random(len(E), rng=np.random.default_rng(0)).as_matrix()
    both = (np.tile(v, (copies, 1, 1)) for v in (frames.positions, frames.forces))
    positions, forces = (np.einsum("fab,fib->fia", R, v) for v in both)
    return positions, E, forces


def mlp(features):
    """An MLP for one molecule, which is told the mean and spread of its features and energies."""
    E = train.energy - mean_energy
    return FixedMolecule(
        features, (128, 128), positions=train.positions, energy=E, rngs=nnx.Rngs(0)
    )


# %%
def set_potential():
    return SetPotential((1, 6, 8), cutoff=5.0, neighbors=2.0, rngs=nnx.Rngs(0))


def deep_potential():
    return DeepPotential((1, 6, 8), cutoff=5.0, neighbors=8.0, rngs=nnx.Rngs(0))


# %% [markdown]
# For each rival: how to make it, its learning rate (of 0.001, 0.002 and 0.005 one that no other
# beat by more than 1 % on the validation frames), and in how many orientations it is shown each
# frame.
#
# > **Predict first.** Order the five by their force error after 100 training frames. Where do you
# > put the symmetric one that is blind for angles?

# %%
rivals = {
    "raw coordinates": (lambda: mlp(raw_coordinates), 5e-3, 1),
    "centred, augmented": (lambda: mlp(centred_coordinates), 2e-3, 50),
    "distances": (lambda: mlp(inverse_distances), 1e-3, 1),
    "Deep Set, no angles": (set_potential, 5e-3, 1),
    "DeepPot-SE": (deep_potential, 2e-3, 1),
}


def errors_on(model, frames):
    """Root mean square errors of the energy (meV) and of a force component (meV/Å)."""
    both = jax.jit(jax.vmap(jax.value_and_grad(lambda r: energy_of(model, r))))
    E, slope = both(frames.positions.astype(np.float32))
    off = np.asarray(E) - (frames.energy - mean_energy), np.asarray(slope) + frames.forces
    return [1e3 * float(np.sqrt(np.mean(d**2))) for d in off]


def largest_change(model, positions, moved):
    energies = jax.jit(jax.vmap(lambda r: energy_of(model, r)))
    change = energies(moved.astype(np.float32)) - energies(positions.astype(np.float32))
    return 1e3 * float(np.abs(change).max())


# %% tutor={"rtol": 0.3, "atol": 0.5}
few = train[np.linspace(0, 999, 100).astype(int)]
some = test.positions[:50]
turned, swapped = some @ turn.T, some[:, [0, 1, 2, 3, 4, 5, 7, 6, 8]]  # two hydrogens of CH3
score, trained = {}, {}
print(f"{'100 frames':21s}{'rotation':>9s}{'swap':>7s}{'E test':>8s}{'F test':>8s}"
      f"{'E hot':>8s}{'F hot':>8s}   (meV, meV/Å)")  # fmt: skip
for name, rival in rivals.items():
    trained[name, 100] = model = learn(rival, few)
    broken = [largest_change(model, some, moved) for moved in (turned, swapped)]
    score[name] = errors_on(model, test) + errors_on(model, hot)
    print(f"{name:21s}{broken[0]:9.1f}{broken[1]:7.1f}", end="")
    print("".join(f"{e:8.0f}" for e in score[name]))

# %% [markdown]
# The first two columns say which laws hold: exactly where they are built in, badly where they are
# learned, not at all otherwise. The rest is accuracy. A force component has a root mean square of
# 1.0 eV/Å, so the raw MLP has learned nothing about forces, and 50 orientations of each frame teach
# a network of this size little. Then every law that is built in lowers the error: rotation, and
# exchange. The Deep Set, blind for angles, beats the MLP that sees everything. **With few data a
# blind symmetric model can be better than an all-seeing one that has to learn the law.**
#
# ### More data
#
# > **Predict first.** Does that order last? Which of the three curves will flatten?

# %% tutor={"rtol": 0.1, "atol": 1}
sizes = [32, 100, 316, 1000]
curve = {}
for name in ("distances", "Deep Set, no angles", "DeepPot-SE"):
    curve[name] = []
    for n in sizes:
        if n != 100:  # that one was trained above
            part = train[np.linspace(0, 999, n).astype(int)]
            trained[name, n] = learn(rivals[name], part)
        curve[name].append(errors_on(trained[name, n], test)[1])
    print(f"{name:21s}" + "".join(f"{e:8.0f}" for e in curve[name]) + "   meV/Å")

# %%
fig = learning_curve(
    {name: (sizes, errors) for name, errors in curve.items()},
    unit="meV/Å",
    ylabel="test error of a force component",
)
show(
    fig,
    alt="Test error of a force component against 32 to 1000 training frames, both logarithmic. The "
    "MLP of distances falls steeply from the top. The Deep Set is nearly flat and is overtaken by "
    "it at 1000 frames. DeepPot-SE lies lowest everywhere and falls slowly.",
)

# %% [markdown]
# **Blindness is a floor.** Thirty times the data hardly help the Deep Set: what it lacks is not in
# the data. The MLP of distances sees everything and pays in frames for the law it has to learn;
# given enough of them, it overtakes. DeepPot-SE keeps the laws *and* sees angles, and with 100
# frames it is better than the MLP with 1000. In the end its curve flattens too, for a third reason:
# it wants more than 4000 steps.
#
# Is the race fair? On one core a step of DeepPot-SE takes about ten times as long as a step of the
# MLP. So let us give the MLP ten times as many steps, and look at the hot frames as well.

# %% tutor={"rtol": 0.1, "atol": 1}
final = {}
print(f"{'at equal time':22s}{'E test':>9s}{'F test':>8s}{'E hot':>8s}{'F hot':>8s}   (meV, meV/Å)")
for n, part in ((100, few), (1000, train)):
    longer = learn(rivals["distances"], part, steps=40_000)
    for name, model in (("distances", longer), ("DeepPot-SE", trained["DeepPot-SE", n])):
        final[name, n] = errors_on(model, test) + errors_on(model, hot)
        print(f"{name:11s}{n:4d} frames" + "".join(f"{e:8.0f}" for e in final[name, n]))

# %% [markdown]
# With 100 frames structure wins by far: about a third of the force error, and half of it at 1200 K.
# More steps do not help the MLP: it has learned all that its frames tell. With 1000 frames it draws
# level in the forces and is the better one in energy and on the hot frames. **Symmetry is worth
# data. Where data are plentiful and it is always the same molecule, it is worth little.** And no
# model is safe at 1200 K: with every law kept, the error is about three times as large.
#
# ### Exercise 2.12: what did symmetry buy?
#
# Write a verdict on the slide's three promises, in at least 50 words, with numbers of today. Say
# what symmetry bought, what it did not, and keep two reasons apart for which a model can fail: that
# it breaks a law, and that it cannot tell different structures apart. (A person marks this.)

# %% tutor={"exercise": "2.12"}
verdict = """
...
"""

# %%
check("2.12", verdict)

# %% [markdown]
# ## The day in numbers

# %% tutor={"rtol": 0.1, "atol": 1}
reached = [
    ("digit sums of 100 digits, sum and linear ρ", accuracy["sum, linear ρ"][-1], ""),
    ("digit sums of 100 digits, sum and MLP ρ", accuracy["sum, MLP ρ"][-1], ""),
    ("digit sums of 10 digits, mean", accuracy["mean, MLP ρ"][1], ""),
    ("dipole, invariant read-out", dipoles["three numbers ρ(D)"], "e·Å"),
    ("dipole, equivariant read-out", dipoles["vector a(D)ᵀ L"], "e·Å"),
    ("forces, 100 frames: distances", score["distances"][1], "meV/Å"),
    ("forces, 100 frames: Deep Set", score["Deep Set, no angles"][1], "meV/Å"),
    ("forces, 100 frames: DeepPot-SE", score["DeepPot-SE"][1], "meV/Å"),
    ("forces, 1000 frames, equal time: distances", final["distances", 1000][1], "meV/Å"),
    ("forces, 1000 frames: DeepPot-SE", final["DeepPot-SE", 1000][1], "meV/Å"),
    ("  at 1200 K, equal time: distances", final["distances", 1000][3], "meV/Å"),
    ("  at 1200 K: DeepPot-SE", final["DeepPot-SE", 1000][3], "meV/Å"),
]
for what, value, unit in reached:
    print(f"{what:44s} {value:8.2f} {unit}")

# %% [markdown]
# **What the talk claimed, and what we saw.**
#
# - *Respect the physics*: yes, exactly, before any training, and a check that could have failed
#   says so. Two formulas on the slides broke the law that they were meant to keep.
# - *Better data efficiency*: yes. This was the largest effect of the day.
# - *Better accuracy*: with few frames, yes. With 1000 frames of one small molecule and equal time
#   a plain MLP of distances was as good. But that MLP knows this one molecule. Where structures
#   differ in their atoms there is no table of distances in a fixed order, and sums over neighbours
#   are what is left.
# - *Adaptivity to size*: a sum accepts any size. That it is *right* at any size took a linear
#   read-out.
# - The talk leaves as an open question whether such networks can approximate everything. For
#   $D = L L^\top$ of a cloud the answer is no: a diatomic molecule was enough. More centres and
#   higher moments repair that, and Days 3 to 5 follow this road.
#
# **To read on**
#
# - Zaheer et al., *Deep Sets*, NeurIPS 2017, arXiv 1703.06114.
# - Wagstaff et al., *On the limitations of representing functions on sets*, ICML 2019.
# - Zhang et al., *End-to-end symmetry preserving inter-atomic potential energy model*, NeurIPS
#   2018, arXiv 1805.09003: DeepPot-SE.
# - Zhou, Han and Xiao, *Frame-independent vector-cloud neural network*, 2022, arXiv 2103.06685.
# - Pozdnyakov et al., *Incompleteness of atomic structure representations*, Phys. Rev. Lett. 125,
#   166001 (2020): shapes that no set of angles tells apart.
# - Villar et al., *Scalars are universal*, NeurIPS 2021, arXiv 2106.06610: when scalar products
#   are enough.
#
# Your progress: `tutor.progress()`, here or as `tutor progress` in a terminal.
