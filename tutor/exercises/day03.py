"""Day 3: Behler–Parrinello. In two parts."""

from tutor.exercises import day03_angular, day03_radial

__all__ = ["day03_angular", "day03_radial"]
