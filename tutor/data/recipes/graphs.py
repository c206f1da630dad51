"""Every reasonable neutral molecule of C, N, O and F, as a graph, by number of heavy atoms.

All graphs that the valences allow are grown atom by atom, with at most two rings; hydrogens fill
what is left. Then come rules of stability in the spirit of Fink & Reymond's GDB, in our own
selection (doi 10.1021/ci600423u).
"""

from typing import NamedTuple

from tutor.data.recipes.engines import Progress, require, silent

VALENCE = {"C": 4, "N": 3, "O": 2, "F": 1}
MAX_RINGS = 2

# Groups that fall apart, rearrange or react at once.
UNSTABLE = {
    "hydrazine": "[NX3;!a]-[NX3;!a]",
    "alkoxyamine": "[NX3;!a]-[OX2;!a]-[CX4]",
    "hydroxylamine": "[NX3;!a;!$(N-C=[O,N])]-[OX2H]",
    "three heteroatoms in a row": "[#7,#8]~[#7,#8]~[#7,#8]",
    "nitroso compound": "[#6]-[NX2]=O",
    "acyl azo compound": "N=N-C=[O,N]",
    "enol": "[OX2H]-[CX3]=[CX3;!$(C=O)]",
    "ynol": "[OX2H]-C#*",
    "ynamine": "[NX3;H1,H2]-C#[CX2]",
    "enamine": "[NX3;H1,H2;!a]-[CX3;!a]=[CX3;!a]",
    "hemiacetal": "[OX2H]-[CX4]-[OX2,NX3]",
    "aminal": "[NX3;H1,H2]-[CX4]-[NX3;H1,H2]",
    "alpha-fluoro alcohol or amine": "F-[CX4]-[OX2H,NX3;H1,H2]",
    "acyl or imidoyl fluoride": "F-C=[O,N]",
    "cumulated double bonds": "*=C=*",
    "imidic acid": "[OX2H]-C=N",
    "triple bond in a ring": "[R]#[R]",
    "linear atom in a ring": "[R;^1]",
    "double bond in a small ring": "[r3,r4]=;@[r3,r4]",
    "aromatic ring of three or four": "[a;r3,r4]",
    "double bond shared by two rings": "[R2]=;@[R2]",
    "atom of three rings": "[R3]",
    "planar carbon shared by two rings": "[CX3;R2]",
}


class Graph(NamedTuple):
    """Heavy atoms, and the order of each bond between two of them (i < j)."""

    elements: tuple[str, ...]
    bonds: dict[tuple[int, int], int]

    def free(self) -> list[int]:
        """Valences still open on each atom, which hydrogens would fill."""
        left = [VALENCE[element] for element in self.elements]
        for (i, j), order in self.bonds.items():
            left[i] -= order
            left[j] -= order
        return left

    def smiles(self) -> str:
        chem = require("rdkit.Chem")
        molecule = chem.RWMol()
        for element in self.elements:
            molecule.AddAtom(chem.Atom(element))
        for (i, j), order in self.bonds.items():
            molecule.AddBond(i, j, chem.BondType.values[order])
        chem.SanitizeMol(molecule)
        return chem.MolToSmiles(molecule)


def enumerate_molecules(heavy_atoms: int, progress: Progress = silent) -> list[list[str]]:
    """Canonical SMILES of all stable molecules with 1, 2, … `heavy_atoms` heavy atoms, sorted."""
    require("rdkit.RDLogger").DisableLog("rdApp.*")
    stable = _Rules()
    level = _unique(Graph((element,), {}) for element in VALENCE)
    found = [sorted(filter(stable, level))]
    for size in range(2, heavy_atoms + 1):
        level = _unique(larger for graph in level.values() for larger in _grown(graph))
        fresh = level
        while fresh:
            closed = _unique(ring for graph in fresh.values() for ring in _closed(graph))
            fresh = {smiles: graph for smiles, graph in closed.items() if smiles not in level}
            level |= fresh
        found.append(sorted(filter(stable, level)))
        progress("molecular graphs, heavy atoms", size, heavy_atoms)
    return found


def _unique(graphs):
    """The first graph of each canonical SMILES."""
    kept = {}
    for graph in graphs:
        kept.setdefault(graph.smiles(), graph)
    return kept


def _grown(graph):
    """Graphs with one atom more."""
    new = len(graph.elements)
    for i, free in enumerate(graph.free()):
        for element, valence in VALENCE.items():
            if not _forbidden(graph.elements[i], element):
                for order in range(1, min(free, valence, 3) + 1):
                    yield Graph((*graph.elements, element), {**graph.bonds, (i, new): order})


def _closed(graph):
    """Graphs with one ring more."""
    free, size = graph.free(), len(graph.elements)
    if len(graph.bonds) - size + 1 >= MAX_RINGS:
        return
    for i in range(size):
        for j in range(i + 1, size):
            bonded = (i, j) in graph.bonds
            if not bonded and not _forbidden(graph.elements[i], graph.elements[j]):
                for order in range(1, min(free[i], free[j], 2) + 1):
                    yield Graph(graph.elements, {**graph.bonds, (i, j): order})


def _forbidden(a, b):
    """Peroxides, and fluorine on anything but carbon."""
    return a == b == "O" or ("F" in (a, b) and "C" not in (a, b))


class _Rules:
    """Whether a SMILES is of a stable molecule."""

    def __init__(self):
        self._chem = require("rdkit.Chem")
        self._patterns = [self._chem.MolFromSmarts(smarts) for smarts in UNSTABLE.values()]

    def __call__(self, smiles: str) -> bool:
        molecule = self._chem.MolFromSmiles(smiles)
        small = [set(ring) for ring in molecule.GetRingInfo().AtomRings() if len(ring) <= 4]
        fused = any(len(a & b) >= 2 for k, a in enumerate(small) for b in small[:k])
        return not fused and not any(map(molecule.HasSubstructMatch, self._patterns))
