"""What a simulation shows while it runs: steps, speed, and how well it keeps its energy."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from tutor.live import live

Display = Callable[[int, float], None]
DAY = 86_400.0  # s


@contextmanager
def display(
    steps: int, timestep: float, atoms: int, *, done: int = 0, show: bool = True
) -> Iterator[Display]:
    """A function to call now and then with the number of steps made and the conserved energy.

        with display(100_000, timestep=2.0, atoms=500) as show:
            show(1000, energy)      # 1000/100000 steps, 40 s left, 2470 steps/s, 427 ns/day; …

    Args:
        steps: of the whole run.
        timestep: in fs.
        atoms: how many; the drift is shown per atom.
        done: how many steps were made in earlier sessions.
        show: whether anything is shown at all.

    The energy, in eV, is what the dynamics conserves: with a thermostat, the energy of the system
    and of its bath. Its drift is counted from the first call. The speed is that since the first
    call, so that compiling is not in it.
    """
    with live("steps", steps, done, show) as update:
        first: dict[str, float] = {}

        def report(step: int, energy: float) -> None:
            now = {"step": step, "energy": float(energy), "time": monotonic()}
            first.update({} if first else now)
            made, change, seconds = (now[name] - first[name] for name in now)
            drift = f"energy drift {change / atoms:+.1e} eV per atom"
            update(step, drift, speed(made, seconds, timestep))

        yield report


def speed(steps: int, seconds: float, timestep: float) -> str:
    """Steps per second and nanoseconds per day; nothing where there is nothing to tell yet.

    Args:
        timestep: in fs.
    """
    if steps <= 0 or seconds <= 0:
        return ""
    rate = steps / seconds
    return f"{rate:.3g} steps/s, {rate * timestep * 1e-6 * DAY:.3g} ns/day"
