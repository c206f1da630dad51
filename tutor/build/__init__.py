"""From lessons and solutions to executed notebooks, and whether these are still up to date.

    lessons/dayNN_slug.py + solutions/dayNN_slug.py
        -> course/notebooks/dayNN_slug.ipynb    the learner's, executed with nothing solved
        -> course/solved/dayNN_slug.ipynb       the same with the answers spliced in, executed

Rules for authors; `tutor build` refuses, and `tutor build --check` names, whatever breaks one.

The first cell of a lesson is Markdown, a title and five bold labels in any order:

    # Day 1: From positions to an energy

    **Question of the day:** one sentence.

    **You will have built:** one sentence.

    **Minutes:** 90

    **Prerequisites:** what a learner must know, or "none".

    **Objectives:** after this day you can

    - say what ...
    - fit ...

An exercise is a stub cell, `# %% tutor={"exercise": "1.2"}`, and below it a cell that calls
`check("1.2", name)`, where `name` is what the stub defines. A stub is a function with a typed
signature and `raise NotImplementedError`, or `name = ...`, or, for bug hunts, code with a bug.
The solution file has a cell with the same metadata that defines the same names: functions with
the same arguments, defaults and annotations, or assignments. It may also define helpers. An
answer cell replaces the stub cell as it stands, so it can use what the lesson's cells above it
have defined and nothing else. Cells of the solution file without an exercise id only make that
file importable (imports, stand-ins for the lesson's variables) and are never copied.

Every cell runs without an exception, without a word on stderr (so without warnings) and without
looking at the working folder, solved or not: cells below a stub use the library, never the
learner's answer. Building twice gives the same bytes: no clock times, no unseeded randomness, no
`<object at 0x...>`, no paths. A cell that must show a timing carries `tags=["nbval-ignore-output"]`
and prints nothing: it asserts, or draws a figure.

Code cells have at most 25 lines, answers too. Figures are shown with `tutor.show(fig, alt="...")`;
images in Markdown have alt text. Relative links start at `course/notebooks/`.

The tests run both notebooks again. Words and integers must come out equal, other numbers within
rtol 1e-3 (atol 1e-9): so print four significant digits. A cell can state its own tolerance, which
then holds for integers too: `# %% tutor={"rtol": 0.05, "atol": 1e-6}`. Images are not compared.

The "Open in Colab" badge and the set-up cell come after the title cell by themselves.
"""
