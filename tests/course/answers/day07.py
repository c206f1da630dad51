"""Day 7: other right answers, and planted mistakes with the words that must come back."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
from scipy.spatial import KDTree

from tutor.units import AMU, KB

# 7.1 ------------------------------------------------------------------------------------------


def verlet_by_half_steps(r, v, force, masses, dt):
    a = lambda r: force(r) / (AMU * masses[:, None])  # noqa: E731
    v = v + dt / 2 * a(r)
    r = r + dt * v
    return r, v + dt / 2 * a(r)


def verlet_by_positions(r, v, force, masses, dt):
    """Störmer's form: from the position one step ago, r(−dt) = r − dt v + ½ dt² a."""
    m = AMU * masses[:, None]
    before = r - dt * v + dt**2 / 2 * force(r) / m
    now = 2 * r - before + dt**2 * force(r) / m
    return now, (now - r) / dt + dt / 2 * force(now) / m


def verlet_by_loops(r, v, force, masses, dt):
    r, v, F = r.copy(), v.copy(), force(r)
    for i, m in enumerate(masses):
        for a in range(3):
            v[i, a] += F[i, a] * dt / (2 * AMU * m)
            r[i, a] += v[i, a] * dt
    F = force(r)
    for i, m in enumerate(masses):
        v[i] += F[i] * dt / (2 * AMU * m)
    return [r, v]


def verlet_in_jax(r, v, force, masses, dt):
    m = AMU * jnp.asarray(masses)[:, None]
    v = v + dt / 2 * force(r) / m
    r = r + dt * v
    return r, v + dt / 2 * force(r) / m


def moved(first, second, *, mass=lambda m: AMU * m[:, None], old=False, new=False, drift=None):
    """Verlet with kicks of `first` and `second` steps, and with slips."""

    def step(r, v, force, masses, dt):
        m = mass(masses)
        a = force(r) / m
        half = v + first * dt * a
        after = r + dt * (v if drift == "v" else half)
        b = a if old else force(after) / m
        if new:
            half = v + first * dt * b
        return after, half + second * dt * b

    return step


VERLET = {
    "right": [verlet_by_half_steps, verlet_by_positions, verlet_by_loops, verlet_in_jax],
    "wrong": {
        "as Euler has it": moved(1, 0, drift="v"),
        "not a whole one": moved(1, 0),
        "both kicks used the old forces": moved(0.5, 0.5, old=True),
        "both kicks used the new forces": moved(0.5, 0.5, new=True),
        "the second kick is missing": moved(0.5, 0),
        "the second kick lasts half a step": moved(0.5, 1),
        "masses are in amu": moved(0.5, 0.5, mass=lambda m: m[:, None]),
        "divided by no mass": moved(0.5, 0.5, mass=lambda m: 1.0),
        "pushes against itself": moved(0.5, 0.5, mass=lambda m: -AMU * m[:, None]),
        "every atom has its own mass": moved(0.5, 0.5, mass=lambda m: AMU * m.mean()),
        "expected 2 values": lambda r, v, force, masses, dt: r + dt * v,
    },
}

# 7.2 ------------------------------------------------------------------------------------------


def length(x):
    return np.linalg.norm(x)


def order_by_fine_run(solve, dt):
    exact = solve(dt / 64)
    steps = dt / np.array([1.0, 2.0, 4.0])
    errors = [length(solve(h) - exact) for h in steps]
    return np.polyfit(np.log(steps), np.log(errors), 1)[0]


def order_by_logarithms(solve, dt):
    a, b, c = solve(dt), solve(dt / 2), solve(dt / 4)
    return np.log(length(a - b) / length(b - c)) / np.log(2)


def order_rounded(solve, dt):
    differences = [length(solve(dt / n) - solve(dt / (2 * n))) for n in (1, 2, 4)]
    return int(np.round(np.log2(differences[0] / differences[2]) / 2))


def wrong_order(change):
    def order(solve, dt):
        a, b, c = solve(dt), solve(dt / 2), solve(dt / 4)
        return change(length(a - b) / length(b - c), length(a - c) / length(b - c))

    return order


ORDER = {
    "right": [order_by_fine_run, order_by_logarithms, order_rounded],
    "wrong": {
        "take the logarithm to base 2": wrong_order(lambda x, y: np.log(x)),
        "a logarithm to base 10": wrong_order(lambda x, y: np.log10(x)),
        "upside down": wrong_order(lambda x, y: -np.log2(x)),
        "the ratio 2ᵖ itself": wrong_order(lambda x, y: x),
        "dt/4 is not exact": wrong_order(lambda x, y: np.log2(y)),
        "within 0.1": lambda solve, dt: 2.0 if len(solve(dt)) == 3 else 3.0,
    },
}

# 7.3 ------------------------------------------------------------------------------------------


def rounded(d, cell):
    return d - np.round(d @ np.linalg.inv(cell)) @ cell


def image_by_loops(d, cell):
    out = []
    for x in rounded(d, cell):
        images = [x + np.array(n) @ cell for n in product((-2, -1, 0, 1, 2), repeat=3)]
        out.append(min(images, key=length))
    return np.array(out)


def image_by_tree(d, cell):
    """The lattice point nearest to d, taken away from it."""
    lattice = np.array(list(product(range(-6, 7), repeat=3))) @ cell
    return d - lattice[KDTree(lattice).query(d)[1]]


def image_in_jax(d, cell):
    d = d - jnp.round(d @ jnp.linalg.inv(cell)) @ cell
    shifts = jnp.array(list(product((-1, 0, 1), repeat=3)), float) @ cell
    every = d[:, None] + shifts
    return jnp.take_along_axis(every, (every**2).sum(-1).argmin(1)[:, None, None], axis=1)[:, 0]


def by_lengths(d, sizes):
    return d - np.round(d / sizes) * sizes


IMAGE = {
    "right": [image_by_loops, image_by_tree, image_in_jax],
    "wrong": {
        "in boxes with right angles only": rounded,
        "cell vectors are the rows": lambda d, cell: rounded(d, cell.T),
        "the diagonal of the cell only": lambda d, cell: by_lengths(d, np.diag(cell)),
        "the lengths of the cell vectors": lambda d, cell: by_lengths(
            d, np.linalg.norm(cell, axis=1)
        ),
        "lies around the origin": lambda d, cell: (d @ np.linalg.inv(cell) % 1) @ cell,
        "still fractional": lambda d, cell: rounded(d, cell) @ np.linalg.inv(cell),
        "the vectors are asked for": lambda d, cell: np.linalg.norm(
            image_by_loops(d, cell), axis=1
        ),
    },
}

# 7.4 ------------------------------------------------------------------------------------------


def cells_of(positions, box, cutoff):
    n = int(box / cutoff)
    atoms = {}
    for i, c in enumerate((positions / box * n).astype(int) % n):
        atoms.setdefault(tuple(c.tolist()), []).append(i)
    return n, atoms


def list_by_cells(positions, box, cutoff, distance, *, reach=1, wrap=True, once=True, twice=False):
    """Pairs of cells; with slips."""
    n, atoms = cells_of(positions, box, cutoff)
    shifts = list(product(range(-reach, reach + 1), repeat=3))
    found = [(np.zeros(0, int), np.zeros(0, int))]
    for c, inside in atoms.items():
        around = [tuple((np.array(c) + s) % n) if wrap else tuple(np.add(c, s)) for s in shifts]
        for other in around if twice else set(around):
            i, j = np.meshgrid(inside, atoms.get(other, []), indexing="ij")
            i, j = i.ravel().astype(int), j.ravel().astype(int)
            keep = i < j if once else i != j
            i, j = i[keep], j[keep]
            near = distance(i, j) < cutoff
            found.append((i[near], j[near]))
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def list_by_tree(positions, box, cutoff, distance):
    pairs = KDTree(positions % box, boxsize=box).query_pairs(cutoff, output_type="ndarray")
    near = distance(pairs[:, 0], pairs[:, 1]) < cutoff
    return pairs[near].T


def list_by_atoms(positions, box, cutoff, distance):
    n, atoms = cells_of(positions, box, cutoff)
    where = (positions / box * n).astype(int) % n
    pairs = []
    for i, c in enumerate(where):
        around = {tuple(((c + s) % n).tolist()) for s in product((-1, 0, 1), repeat=3)}
        for j in (j for cell in around for j in atoms.get(cell, ()) if j > i):
            if distance(i, j)[0] < cutoff:
                pairs.append((j, i))
    return [p[0] for p in pairs], [p[1] for p in pairs]


def list_by_slabs(positions, box, cutoff, distance):
    """Thinner cells, and two layers of them."""
    return list_by_cells(positions, box, cutoff / 2, _within(distance, cutoff), reach=2)


def _within(distance, cutoff):
    return lambda i, j: np.where(distance(i, j) < cutoff, 0.0, np.inf)


def all_pairs(positions, box, cutoff, distance):
    i, j = np.triu_indices(len(positions), 1)
    near = distance(i, j) < cutoff
    return i[near], j[near]


def all_pairs_in_secret(positions, box, cutoff, distance):
    d = positions[:, None] - positions
    d = np.linalg.norm(d - box * np.round(d / box), axis=-1)
    return np.nonzero(np.triu(d < cutoff, 1))


def slip(**options):
    return lambda *arguments: list_by_cells(*arguments, **options)


CELL_LIST = {
    "right": [list_by_cells, list_by_tree, list_by_atoms],
    "wrong": {
        "grows as N, not as N²": all_pairs,
        "never asked it about": all_pairs_in_secret,
        "the opposite face": slip(wrap=False),
        "pairs are missing": slip(reach=0),
        "a cell was visited twice": slip(twice=True),
        "both (i, j) and (j, i)": slip(once=False),
        "are further apart": lambda r, box, c, d: all_pairs(r, box, 2 * c, d),
        "an atom is no pair with itself": lambda r, box, c, d: np.indices((len(r), len(r))).reshape(
            2, -1
        ),
        "expected 2 values": lambda r, box, c, d: all_pairs(r, box, c, d)[0][:3],
    },
}

# 7.5, 7.6, 7.9 --------------------------------------------------------------------------------

LIFETIME = {
    "right": [25, 25.0, np.int64(25)],
    "wrong": {
        "towards each other": 50,
        "the time in fs": 100,
        "two may move": 200,
        "the cutoff does not matter": 8.5 / 0.024,
        "a quarter": 12.5,
    },
}
SPREAD = {
    "right": [8.2, 100 * np.sqrt(2 / 300), np.float32(8.206)],
    "wrong": {
        "three degrees of freedom": 14.14,
        "a sum of f squares": 5.80,
        "relative variance": 0.673,
        "give percent": 0.0821,
        "not a clamp": 0,
    },
}
DIAGNOSIS = {
    "right": ["B", "(b)"],
    "wrong": {"falls by four": "a", "small steps": "c", "errs suddenly": "d"},
}

# 7.7 ------------------------------------------------------------------------------------------


def bath_with(keep, noise):
    def bath(v, masses, temperature, friction, dt, xi):
        x, kT = friction * dt, KB * temperature
        return keep(x) * v + np.sqrt(noise(x) * kT / (AMU * masses[:, None])) * xi

    return bath


def bath_by_loops(v, masses, temperature, friction, dt, noise):
    c, out = np.exp(-friction * dt), np.empty_like(v)
    for i, m in enumerate(masses):
        out[i] = c * v[i] + (KB * temperature * (1 - c * c) / (m * AMU)) ** 0.5 * noise[i]
    return out


def bath_by_expm1(v, masses, temperature, friction, dt, noise):
    width = -np.expm1(-2 * friction * dt) * KB * temperature / AMU / masses
    return np.exp(-friction * dt) * v + (np.sqrt(width) * noise.T).T


def bath_in_jax(v, masses, temperature, friction, dt, noise):
    c = jnp.exp(-friction * dt)
    return c * v + jnp.sqrt((1 - c**2) * KB * temperature / (AMU * masses))[:, None] * noise


def exact(x):
    return np.exp(-x)


def full(x):
    return 1 - np.exp(-2 * x)


BATH = {
    "right": [bath_with(exact, full), bath_by_loops, bath_by_expm1, bath_in_jax],
    "wrong": {
        "to first order": bath_with(lambda x: 1 - x, lambda x: 2 * x),
        "the noise is that of first order": bath_with(exact, lambda x: 2 * x),
        "not (1 − c)²": bath_with(exact, lambda x: (1 - np.exp(-x)) ** 2),
        "not 1 − c": bath_with(exact, lambda x: 1 - np.exp(-x)),
        "hotter and hotter": bath_with(exact, lambda x: 1.0),
        "freezes everything": bath_with(exact, lambda x: 0.0),
        "masses are in amu": bath_with(exact, lambda x: AMU * full(x)),
        "an energy in eV": bath_with(exact, lambda x: full(x) / KB),
        "with the mass of each atom": lambda v, m, T, g, dt, n: bath_by_loops(
            v, np.full(len(m), m.mean()), T, g, dt, n
        ),
        "take its root": lambda v, m, T, g, dt, n: (
            exact(g * dt) * v + full(g * dt) * KB * T / (AMU * m[:, None]) * n
        ),
    },
}

# 7.8 ------------------------------------------------------------------------------------------


def jacobian(force, x):
    return np.asarray(jax.jacrev(force)(x), float).reshape(x.size, x.size)


def share(odd, J):
    return np.linalg.norm(odd) / np.linalg.norm(J)


def whirl_by_reverse(force, x):
    J = jacobian(force, x)
    return share((J - J.T) / 2, J)


def whirl_by_differences(force, x):
    """Central differences, one coordinate at a time."""
    F = lambda y: np.asarray(force(jnp.asarray(y.reshape(-1, 3))), float).reshape(-1)  # noqa: E731
    x = np.asarray(x, float).reshape(-1)
    J = np.stack([(F(x + h) - F(x - h)) / 2e-5 for h in 1e-5 * np.eye(x.size)], axis=1)
    return share((J - J.T) / 2, J)


def whirl_by_parts(force, x):
    """By Pythagoras: what is not in the symmetric part."""
    J = jacobian(force, x)
    even = np.linalg.norm((J + J.T) / 2) / np.linalg.norm(J)
    return np.sqrt(max(0.0, 1 - even**2))


def whirl_in_four_axes(force, x):
    J = jax.jacfwd(force)(x)
    odd = J - jnp.transpose(J, (2, 3, 0, 1))
    return float(jnp.sqrt((odd**2).sum() / (J**2).sum()) / 2)


def wrong_whirl(change):
    return lambda force, x: change(jacobian(force, x))


def swapped(axes):
    def change(J):
        four = J.reshape(len(J) // 3, 3, len(J) // 3, 3)
        return share((four - four.transpose(axes)) / 2, J)

    return wrong_whirl(change)


WHIRL = {
    "right": [whirl_by_reverse, whirl_by_differences, whirl_by_parts, whirl_in_four_axes],
    "wrong": {
        "is 1, not 2": wrong_whirl(lambda J: share(J - J.T, J)),
        "that is the symmetric part": wrong_whirl(lambda J: share((J + J.T) / 2, J)),
        "a share has no unit": wrong_whirl(lambda J: np.linalg.norm(J - J.T) / 2),
        "take the root": wrong_whirl(lambda J: share((J - J.T) / 2, J) ** 2),
        "not with its symmetric part": wrong_whirl(lambda J: share(J - J.T, J + J.T)),
        "you swapped the atoms": swapped((2, 1, 0, 3)),
        "you swapped the axes x, y, z": swapped((0, 3, 2, 1)),
        "they cancel": wrong_whirl(lambda J: (J - J.T).sum()),
    },
}

# 7.10 -----------------------------------------------------------------------------------------


def parts_of(energy, x, theta):
    H = jax.hessian(energy)(x, theta)
    return H, jax.jacfwd(jax.grad(energy), argnums=1)(x, theta)


def response_by_inverse(energy, x, theta):
    H, mixed = parts_of(energy, x, theta)
    return -jnp.linalg.pinv(H) @ mixed


def response_the_other_way(energy, x, theta):
    mixed = jax.grad(lambda t, y: energy(y, t), argnums=0)
    H = jax.jacrev(jax.grad(energy))(x, theta)
    return np.linalg.lstsq(-np.asarray(H), np.asarray(jax.grad(mixed, 1)(theta, x)), rcond=None)[0]


def response_by_minimising(energy, x, theta):
    """Central difference of two minima, each by Newton's method."""
    slope, hessian = jax.jit(jax.grad(energy)), jax.jit(jax.hessian(energy))

    def minimum(t, y):
        for _ in range(5):
            y = y - np.linalg.solve(hessian(y, t), slope(y, t))
        return y

    return (minimum(theta + 1e-4, x) - minimum(theta - 1e-4, x)) / 2e-4


def response_by_newton(energy, x, theta):
    """One step of Newton's method, differentiated."""
    H = jax.hessian(energy)(x, theta)
    return jax.jacfwd(lambda t: x - jnp.linalg.solve(H, jax.grad(energy)(x, t)))(float(theta))


def wrong_response(change):
    return lambda energy, x, theta: change(*parts_of(energy, x, theta))


RESPONSE = {
    "right": [
        response_by_inverse,
        response_the_other_way,
        response_by_minimising,
        response_by_newton,
    ],
    "wrong": {
        "the sign": wrong_response(lambda H, m: jnp.linalg.solve(H, m)),
        "the Hessian says how far": wrong_response(lambda H, m: -m),
        "with it": wrong_response(lambda H, m: m),
        "not with its diagonal": wrong_response(lambda H, m: -m / jnp.diag(H)),
        "solve the linear system": wrong_response(lambda H, m: -(m[None] / H).sum(axis=1)),
        "multiplied by H": wrong_response(lambda H, m: -H @ m),
    },
}

PROOFS = {
    "7.1": VERLET,
    "7.2": ORDER,
    "7.3": IMAGE,
    "7.4": CELL_LIST,
    "7.5": LIFETIME,
    "7.6": SPREAD,
    "7.7": BATH,
    "7.8": WHIRL,
    "7.9": DIAGNOSIS,
    "7.10": RESPONSE,
    "7.11": {"wrong": {"at least 40": "It ran."}},
}
