"""Day 1: From positions to an energy, in three parts."""

from tutor.exercises import day01_energies, day01_inputs, day01_split

__all__ = ["day01_energies", "day01_inputs", "day01_split"]
