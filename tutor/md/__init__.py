"""Molecular dynamics: how atoms move under any potential.

from tutor.md import Langevin, simulate
"""

from tutor.md.integrators import Langevin, Verlet, step
from tutor.md.simulate import Run, simulate
from tutor.md.state import State, state_of

__all__ = ["Langevin", "Run", "State", "Verlet", "simulate", "state_of", "step"]
