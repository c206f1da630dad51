"""How each set was made. A recipe is a module named like its set, with

    generate(progress) -> Dataset      everything anew, by the real engine, seeded
    relabel(system) -> dict            labels of one structure, to audit the shipped ones
    statistics(dataset) -> dict        numbers that a regenerated set must reproduce
    ENGINES                            the packages that it needs

Positions are rounded to the stored step first and labelled afterwards, so that every stored label
belongs exactly to the stored positions.
"""
