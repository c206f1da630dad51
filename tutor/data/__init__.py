"""Data sets made by real engines, shipped with the library.

molecules = tutor.data.load("small_molecules")
train = tutor.data.load("ethanol", "train")
print(tutor.data.card("ethanol"))
"""

from tutor.data.card import Card, Statistic
from tutor.data.catalogue import Check, card, load, make, names, verify
from tutor.data.dataset import Dataset

__all__ = ["Card", "Check", "Dataset", "Statistic", "card", "load", "make", "names", "verify"]
