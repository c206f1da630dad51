"""Constants and conversions. The library's units: eV, Å, fs, amu, K, and e·Å for dipoles.

Multiply a number by its unit to bring it into the library's units, divide to take it out:
`1.85 * DEBYE` is a dipole in e·Å, `energy / KCAL_PER_MOL` an energy in kcal/mol.
Source: CODATA 2018 (https://physics.nist.gov/cuu/Constants), as in `ase.units`.
"""

HARTREE = 27.211386245988  # eV
BOHR = 0.529177210903  # Å
KCAL_PER_MOL = 0.0433641042385  # eV; the thermochemical calorie, 4.184 J
KJ_PER_MOL = KCAL_PER_MOL / 4.184  # eV
MEV = 1e-3  # eV
DEBYE = 0.20819433442462576  # e·Å
KB = 8.617333262e-5  # eV/K
AMU = 103.64269652680505  # eV fs²/Å², the mass of 1 amu in units of energy · (time/length)²
GPA = 1 / 160.21766208  # eV/Å³
