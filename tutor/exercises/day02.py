"""Day 2: Symmetry-preserving networks, in four parts."""

from tutor.exercises import day02_clouds, day02_laws, day02_sets, day02_sight

__all__ = ["day02_clouds", "day02_laws", "day02_sets", "day02_sight"]
