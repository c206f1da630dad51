"""JAX MD both ways: any potential in its simulations, and its energies as potentials.

    argon = to_jax_md(potential, system, skin=1.0)
    neighbors = argon.neighbors.allocate(argon.positions)
    init, step = jax_md.simulate.nve(argon.energy, argon.shift, 2.0)            # 2 fs
    state = init(key, argon.positions, 60 * KB, mass=39.95 * AMU, neighbor=neighbors)
    neighbors = neighbors.update(state.position)
    state = step(state, neighbor=neighbors)

    silicon = from_jax_md(jax_md.energy.stillinger_weber_neighbor_list)         # a Potential

JAX MD knows no units: with energies in eV, lengths in Å and masses times `units.AMU` its time is in
fs, its kT is `units.KB` times the temperature, and its `quantity.stress` is in eV/Å³, positive
under compression, the opposite of ours. Schoenholz and Cubuk, NeurIPS 2020.
"""

from tutor.jax_md.potentials import FromJaxMD, from_jax_md
from tutor.jax_md.simulated import Simulated, to_jax_md

__all__ = ["FromJaxMD", "Simulated", "from_jax_md", "to_jax_md"]
