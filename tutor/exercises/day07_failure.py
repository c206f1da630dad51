"""Day 7: when simulations go wrong, 7.8 and 7.9; what gradients are for, 7.10 and 7.11."""

import jax.numpy as jnp
import numpy as np

from tutor.exercises.engine import choice, code, written
from tutor.exercises.expect import expect
from tutor.precision import float64


def _gradient(rng, n):
    """F = −∂E/∂x of E = Σ sin(w · x), and its Jacobian, which is symmetric."""
    W = rng.normal(size=(n + 1, n))
    return (
        lambda x: -jnp.cos(x.reshape(-1) @ W.T) @ W,
        lambda x: W.T @ (np.sin(W @ x.reshape(-1))[:, None] * W),
    )


def _free(rng, n):
    """F = A sin(x), in which nothing makes ∂F_a/∂x_b the same as ∂F_b/∂x_a."""
    A = rng.normal(size=(n, n)) - 2 * np.eye(n)
    return (lambda x: jnp.sin(x.reshape(-1)) @ A.T, lambda x: A * np.cos(x.reshape(-1)))


@code(
    "7.8",
    "A test without a path",
    points=3,
    library="jax",
    hints=(
        "For n atoms the derivatives of all 3n forces with respect to all 3n coordinates are a "
        "matrix J. If F = −∂E/∂x, what does J consist of, and what follows for its transpose?",
        "`jax.jacfwd(force)(x)` has the shape (atoms, 3, atoms, 3): bring it to (3n, 3n). Half of "
        "J − Jᵀ is what a gradient cannot have.",
        "`J = jax.jacfwd(force)(x).reshape(x.size, x.size)`; "
        "`return jnp.linalg.norm(J - J.T) / 2 / jnp.linalg.norm(J)`.",
    ),
)
def whirl(f, rng):
    norm = np.linalg.norm
    with float64():
        for atoms in (2, 1, 4):
            x = rng.normal(size=(atoms, 3))
            for kind in (_free, _gradient):
                flat, jacobian = kind(rng, x.size)
                J = jacobian(x)
                odd, blocks = (J - J.T) / 2, J.reshape(atoms, 3, atoms, 3)
                swapped = [blocks.transpose(axes) for axes in ((2, 1, 0, 3), (0, 3, 2, 1))]
                slips = {
                    "half of J − Jᵀ: where J is antisymmetric the share is 1, not 2": (
                        2 * norm(odd) / norm(J)
                    ),
                    "that is the symmetric part, of which a gradient consists": (
                        norm(J + J.T) / 2 / norm(J)
                    ),
                    "compare with the size of J: a share has no unit": norm(odd),
                    "that is the square of the share; take the root": (norm(odd) / norm(J)) ** 2,
                    "compare with the whole of J, not with its symmetric part": (
                        2 * norm(odd) / norm(J + J.T)
                    ),
                    "you swapped the atoms, not the axes x, y, z: transpose J as (3n, 3n)": (
                        norm(blocks - swapped[0]) / 2 / norm(J)
                    ),
                    "you swapped the axes x, y, z, not the atoms: transpose J as (3n, 3n)": (
                        norm(blocks - swapped[1]) / 2 / norm(J)
                    ),
                    "each J_ab − J_ba has a sign, and they cancel: take the norm": 0.0,
                }
                expect(
                    f(lambda x, flat=flat: flat(x).reshape(-1, 3), jnp.asarray(x)),
                    norm(odd) / norm(J),
                    law="the share is ½ |J − Jᵀ| / |J|, and zero where the force is a gradient",
                    example={"force": kind.__doc__.partition(",")[0], "x": x},
                    scale=1.0,
                    slips={w: v for w, v in slips.items() if abs(v - norm(odd) / norm(J)) > 1e-3},
                )


choice(
    "7.9",
    "Diagnose the run",
    right="b",
    why={
        "a": "A time step that is too long shows an error that falls by four when dt is halved. "
        "Here halving dt changed nothing.",
        "b": "Heat that comes at a steady rate, whatever dt is, and no sudden jumps: the forces do "
        "work around loops. The test is exercise 7.8, and the cure is to differentiate an energy.",
        "c": "A hard cutoff gives a jump each time a pair crosses it. The energy then changes in "
        "small steps, both up and down, and ethanol is smaller than the cutoff anyway.",
        "d": "Outside of its data a network errs suddenly: bonds break or atoms fall together. "
        "This run stayed close to what the network was trained on.",
    },
    hints=(
        "Which of the four faults depends on dt?",
        "Which of the others act all the time, and which at single moments?",
        "Steady heating means that energy comes from somewhere at every step.",
    ),
)


def _dimer(x, theta):
    q = (theta / x[0]) ** 6
    return 4 * (q**2 - q)


def _lengths(theta):
    return jnp.stack([theta, 1.0 + 0.5 * theta, 2.0 - theta**2 / 4])


def _chain(x, theta):
    """Three springs in a row, whose natural lengths depend on θ."""
    bonds = jnp.diff(jnp.concatenate([jnp.zeros(1), x]))
    return (jnp.array([4.0, 7.0, 2.0]) * (bonds - _lengths(theta)) ** 2).sum() / 2


@code(
    "7.10",
    "How a minimum moves",
    points=3,
    library="jax",
    hints=(
        "At a minimum ∂E/∂x = 0, for every θ. Differentiate this equation with respect to θ: x "
        "depends on θ, too.",
        "H dx/dθ + ∂²E/∂x∂θ = 0 with the Hessian H. The mixed derivative is "
        "`jax.jacfwd(jax.grad(energy), argnums=1)(x, theta)`.",
        "`H = jax.hessian(energy)(x, theta)`; `mixed = jax.jacfwd(jax.grad(energy), argnums=1)"
        "(x, theta)`; `return -jnp.linalg.solve(H, mixed)`.",
    ),
)
def response(f, rng):
    A = rng.normal(size=(3, 3))
    A, b = A @ A.T + 2 * np.eye(3), rng.normal(size=3)

    def well(x, theta):
        return x @ jnp.array(A) @ x / 2 - theta * (jnp.array(b) @ x)

    theta = float(rng.uniform(0.9, 1.1))
    sixth, pushed = 2 ** (1 / 6), np.linalg.solve(A, b)
    stiff = 72 / (sixth * theta) ** 2
    bonds, change = np.array([theta, 1 + theta / 2, 2 - theta**2 / 4]), [1, 0.5, -theta / 2]
    springs = np.array([[11.0, -7, 0], [-7, 9, -2], [0, -2, 2]])
    cases = {  # an energy, its minimum, how it moves, its Hessian there
        "two atoms of argon, θ = σ": (
            _dimer, np.array([sixth * theta]), np.array([sixth]), np.array([[stiff]])
        ),
        "a well that θ pushes": (well, theta * pushed, pushed, A),
        "a chain of springs": (_chain, np.cumsum(bonds), np.cumsum(change), springs),
    }  # fmt: skip
    with float64(), np.errstate(divide="ignore"):
        for name, (energy, x, truth, H) in cases.items():
            mixed = -H @ truth
            expect(
                f(energy, x, theta),
                truth,
                law="dx/dθ is how far the minimum moves when θ changes",
                example={"energy": name, "x": x, "theta": theta},
                slips={
                    "the sign: H dx/dθ + ∂²E/∂x∂θ = 0": np.linalg.solve(H, mixed),
                    "that is −∂²E/∂x∂θ, a force; the Hessian says how far it pushes": -mixed,
                    "that is ∂²E/∂x∂θ; solve H dx/dθ = −∂²E/∂x∂θ with it": mixed,
                    "the atoms are coupled: solve with the whole Hessian, not with its diagonal": (
                        -mixed / np.diag(H)
                    ),
                    "you divided by the elements of H; solve the linear system": (
                        -(mixed[None] / H).sum(axis=1)
                    ),
                    "you multiplied by H; solve with it": -H @ mixed,
                },
            )


written(
    "7.11",
    "Would you publish it?",
    points=3,
    min_words=40,
    rubric=(
        "1 point: says what was measured on the network's run: the distribution of distances "
        "against the reference's own frames at the same temperature, with a number.",
        "1 point: names a test that was not made or not passed (longer runs, other seeds, hotter, "
        "the rare rotation of the hydroxyl group, several molecules), and which result it could "
        "overturn.",
        "1 point: tells small force errors on test frames apart from a stable and correct "
        "simulation, with an example from round 6.",
    ),
)
