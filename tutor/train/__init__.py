"""Training: one compiled loop, and what a potential needs around it.

    fit(model, loss, data, …)              any model, any loss: Adam on random batches
    train(potential, data, validation=…)   energies, forces and stress of structures of any size

`train` gives a Trained: the potential, the energies of its atoms, its history and its errors.
"""

from tutor.train.errors import Errors, errors
from tutor.train.loop import Fit, fit
from tutor.train.potentials import Trained, train
from tutor.train.samples import Samples, samples

__all__ = ["Errors", "Fit", "Samples", "Trained", "errors", "fit", "samples", "train"]
