"""What a whole trajectory says about motion: displacements, diffusion, velocities and spectra.

On the host, in float64. Correlations are averaged over all origins of time by fast Fourier
transforms, so their cost grows as the number of frames, not as its square.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from tutor.md.observables import Estimate

Positions = Float[np.ndarray, "frames atoms 3"]


def unwrap(positions: Positions, cell: Float[np.ndarray, "3 3"], pbc=(True, True, True)):
    """Paths without the jumps that wrapping into the cell has made, in Å (frames, atoms, 3).

    Right where no atom moves by half a cell vector from one frame to the next.
    """
    inverse = np.linalg.inv(cell)
    steps = np.diff(np.asarray(positions, np.float64), axis=0)
    jumps = np.round(steps @ inverse) * np.asarray(pbc, float)
    path = np.array(positions, np.float64)
    path[1:] -= np.cumsum(jumps, axis=0) @ cell
    return path


def correlation(x: Float[np.ndarray, "frames *c"]) -> Float[np.ndarray, "frames *c"]:
    """⟨x(0) x(t)⟩ over all origins, for every lag t from 0, and every component on its own."""
    x = np.asarray(x, np.float64)
    n = len(x)
    power = np.abs(np.fft.rfft(x, 2 * n, axis=0)) ** 2
    count = np.arange(n, 0, -1).reshape(-1, *(1,) * (x.ndim - 1))
    return np.fft.irfft(power, 2 * n, axis=0)[:n] / count


def msd(positions: Positions) -> Float[np.ndarray, "frames"]:
    """Mean squared displacement ⟨|r(t) − r(0)|²⟩ in Å² over atoms and origins, for every lag.

    Args:
        positions: unwrapped, in Å. Take the drift of the centre of mass out, if there is any.

    Source: Calandrini et al., Collection SFN 12, 201 (2011), section 4.2.
    """
    r = np.asarray(positions, np.float64)
    r = r - r.mean(axis=0)  # the same displacements, and fewer digits lost
    n = len(r)
    squares = (r**2).sum(axis=-1)
    ends = np.cumsum(squares, axis=0)
    both = 2 * ends[-1] - np.vstack([np.zeros_like(ends[0]), ends[:-1]])  # Σ over origins of
    both -= np.vstack([np.zeros_like(ends[0]), np.cumsum(squares[::-1], axis=0)[:-1]])  # r² + r'²
    both /= np.arange(n, 0, -1)[:, None]
    return (both - 2 * correlation(r).sum(axis=-1)).mean(axis=1)


def diffusion(
    positions: Positions, timestep: float, *, fit: tuple[float, float], blocks: int = 5
) -> Estimate:
    """The coefficient of self-diffusion in Å²/fs: a sixth of the slope of the MSD, and its error.

    The run is cut into `blocks` parts that are taken for independent; the error is that of their
    mean. (1 Å²/fs = 0.1 cm²/s.)

    Args:
        timestep: between frames, in fs.
        fit: from which lag to which the line is laid, in fs: after the ballistic motion, and well
            before the length of a block.

    Raises:
        ValueError: where `fit` holds fewer than 3 lags, or reaches beyond half a block.
    """
    length = len(positions) // blocks
    low, high = (round(t / timestep) for t in fit)
    if not 0 < low < low + 2 <= high <= length // 2:
        raise ValueError(
            f"fit = {fit} fs are the lags {low} to {high} of blocks of {length} frames: give 3 or "
            f"more lags, from 1 to {length // 2} · {timestep} fs, or fewer blocks"
        )
    lags = np.arange(low, high + 1) * timestep
    parts = np.asarray(positions)[: blocks * length].reshape(blocks, length, -1, 3)
    found = [np.polyfit(lags, msd(part)[low : high + 1], 1)[0] / 6 for part in parts]
    return Estimate(float(np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(blocks)))


def vacf(velocities: Positions) -> Float[np.ndarray, "frames"]:
    """⟨v(0) · v(t)⟩ in Å²/fs² over atoms and origins. A third of its integral is the diffusion."""
    return correlation(velocities).sum(axis=-1).mean(axis=1)


class Spectrum(NamedTuple):
    """Frequencies in 1/fs (times 33356.41 in 1/cm), and the density at each."""

    frequency: Float[np.ndarray, "frequencies"]
    density: Float[np.ndarray, "frequencies"]


def spectrum(
    correlation: Float[np.ndarray, "lags"], timestep: float, *, window: bool = True
) -> Spectrum:
    """The Fourier transform 2 ∫₀^∞ c(t) cos(2πft) dt of an even correlation function.

    Of the VACF it is the power of the motion at each frequency: its integral over all f > 0 is
    half of c(0), that is of ⟨v²⟩.

    Args:
        timestep: between lags, in fs.
        window: fade c out after Hann, against ripples from the end of the series. Lines become
            1 / (length of the series) wide.
    """
    c = np.asarray(correlation, np.float64)
    n = len(c)
    if window:
        c = c * np.cos(np.pi / 2 * np.arange(n) / n) ** 2
    even = np.concatenate([c, [0.0], c[:0:-1]])
    return Spectrum(np.fft.rfftfreq(2 * n, timestep), np.fft.rfft(even).real * timestep)
