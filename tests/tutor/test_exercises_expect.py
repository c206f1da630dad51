"""Expectations: what passes, what does not, and in which words."""

import numpy as np
import pytest

from tutor.exercises.expect import agree, expect, finite, parts, require, same, shape, vanishes
from tutor.exercises.verdict import Broken

LAW = "the law"
E = np.array([1.0, -2.0, 4.0])


def broken(expectation, *args, **kwargs):
    with pytest.raises(Broken) as caught:
        expectation(*args, law=LAW, **kwargs)
    assert caught.value.law == LAW
    return caught.value


@pytest.mark.parametrize(
    "got",
    [E, E.astype(np.float32), list(E), tuple(E), E + 3.9e-4, [np.array(1.0), -2, 4]],
    ids=["same", "float32", "list", "tuple", "within", "list of arrays"],
)
def test_right_values_pass(got):
    expect(got, E, law=LAW)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (True, np.array([True])[0]),
        ([1, 0], [True, False]),
        ([2.0, 3.0004], [2, 3]),
        (np.array([1.0, np.inf, np.nan]), np.array([1.0, np.inf, np.nan])),
        (5e-7, 0.0),
        (1j, 1j),
        ("H2O", "H2O"),
        ((), np.zeros((0,))),
    ],
)
def test_other_kinds_that_pass(got, expected):
    expect(got, expected, law=LAW)


def test_the_error_is_measured_against_the_outputs_own_scale():
    forces = np.array([1000.0, 1e-3])
    expect(forces + 0.09, forces, law=LAW)
    assert (
        broken(expect, forces + 0.11, forces).error
        == "off by 0.11, 0.011 % of the largest value, at [0]"
    )
    expect(forces + 0.11, forces, law=LAW, rtol=1e-3)
    expect(forces + 0.11, forces, law=LAW, atol=0.02)


def test_a_scale_finds_a_small_change_on_a_large_offset():
    expect(-10000.5, -10000.0, law=LAW)
    error = broken(expect, -10000.5, -10000.0, scale=1.0).error
    assert error == "off by 0.5, 50 % of the scale 1"
    same(-10000.5, -10000.0, law=LAW)
    assert broken(same, -10000.5, -10000.0, scale=1.0).error == "off by 0.5, 50 % of the scale 1"


@pytest.mark.parametrize(
    ("got", "expected", "words"),
    [
        (-E, E, "the sign is flipped"),
        (2 * E, E, "it is twice what it should be: is each pair counted twice?"),
        (E / 2, E, "it is half"),
        (E / 27.2114, E, "from eV to hartree"),
        (E * 27.2114, E, "from hartree to eV"),
        (E * 23.0605, E, "from eV to kcal/mol"),
        (-4.75, 4.75, "the sign is flipped"),
        (1.7 * E, E, "everything is 1.7 times what it should be"),
        (E + 0.5, E, "everything is shifted by 0.5"),
        (0 * E, E, "everything is zero"),
        (E[:, None], E, "the shape is (3, 1), expected (3,); the numbers are right"),
        (E[:2], E, "the shape is (2,), expected (3,)"),
        (np.arange(6).reshape(3, 2).T, np.arange(6).reshape(3, 2), "it is transposed"),
        ([1.0, np.nan, np.nan], E, "2 NaN value(s) of 3, the first at [1]"),
        ([1.0, -2.0, np.inf], E, "1 infinite value(s) of 3, the first at [2]"),
        (np.nan, 1.0, "1 NaN value(s)"),
        ("x", E, "expected numbers of shape (3,), got str"),
        ({"a": 1}, 1.0, "expected one number, got dict"),
        ([[1, 2], [3]], E, "expected numbers of shape (3,), got a mixed or ragged sequence"),
        (np.add(E, [0, 0, 1]), E, ""),
        (1.7, 1.0, ""),
        (4e307 * E, E, "times what it should be"),
        ("CO2", "H2O", ""),
        (3.0, "H2O", ""),
        (2 * (1 + 1j) * E, (1 + 1j) * E, ""),
    ],
)
def test_a_wrong_value_is_told_apart(got, expected, words):
    message = broken(expect, got, expected).message
    assert words in message if words else message == ""


def test_the_worst_place_of_a_long_array_is_shown():
    expected = np.ones((20, 3))
    got = expected.copy()
    got[9, 1] = 1.25
    error = broken(expect, got, expected).error
    assert error == "off by 0.25, 25 % of the largest value, at [9, 1]: 1.25 against 1"


def test_counts_are_compared_as_counts():
    error = broken(expect, [1, 2, 5], [1, 3, 4]).error
    assert error == "2 of 3 values differ, the worst by 1"


def test_a_slip_is_recognised_even_in_another_shape():
    slips = {"you forgot the sum": E, "you squared it": E.sum() ** 2}
    assert broken(expect, E, E.sum(), slips=slips).message == "you forgot the sum"
    assert broken(expect, 9.0, E.sum(), slips=slips).message == "you squared it"
    assert "the shape is (2,)" in broken(expect, [9.0, 9.0], E.sum(), slips=slips).message
    expect(3.0, E.sum(), law=LAW, slips={"never for a right value": 3.0})


def count(numbers):
    return np.array([(numbers == z).sum() for z in (1, 6)])


CASES = [{"numbers": np.array(n)} for n in ([1, 6, 6, 0, 1, 1], [1, 6], [6, 0, 6])]


def test_agree_passes_and_reports_the_smallest_case_that_fails():
    agree(count, count, CASES, law=LAW)
    found = broken(agree, lambda n: count(n) + (len(n) > 2), count, CASES)
    np.testing.assert_array_equal(found.example["numbers"], [6, 0, 6])
    np.testing.assert_array_equal(found.expected, [0, 2])
    np.testing.assert_array_equal(found.got, [1, 3])


def test_agree_names_a_slip_only_if_it_explains_every_case():
    def pads(numbers):
        return count(numbers) + (numbers == 0).sum()

    slips = {"always one": lambda n: [1, 1], "you counted the padding": pads}
    assert broken(agree, pads, count, CASES, slips=slips).message == "you counted the padding"
    assert broken(agree, lambda n: [1, 1], count, CASES, slips=slips).message == "always one"
    assert broken(agree, lambda n: [5, len(n)], count, CASES, slips=slips).message == ""


def test_same_compares_two_outputs():
    same(E, E.astype(np.float32), law=LAW)
    same(0.0, 0.0, law=LAW)
    found = broken(
        same, E, np.add(E, [0, 0, 0.46]), labels=("as it was", "rotated"), message="it moved"
    )
    assert found.error == "off by 0.46, 11.5 % of the largest value, at [2]"
    assert (found.labels, found.message) == (("as it was", "rotated"), "it moved")
    assert "the shape changes from (3,) to (2,)" in broken(same, E, E[:2]).message
    assert "NaN" in broken(same, E * np.nan, E * np.nan).message
    assert "infinite" in broken(same, E, E * np.inf).message
    assert "got str" in broken(same, "x", E).message


def test_vanishes_compares_with_a_scale():
    vanishes([1e-6, 0], scale=1.0, law=LAW)
    error = broken(vanishes, [0.0, 0.02], scale=2.0).error
    assert error == "off by 0.02, 1 % of the scale 2, at [1]"
    assert "NaN" in broken(vanishes, [np.nan], scale=1.0).message


def test_shape_takes_any_length_for_none():
    shape(np.zeros((5, 3)), (None, 3), law=LAW)
    message = broken(shape, np.zeros((3, 5)), (None, 3)).message
    assert message == "the shape is (3, 5), expected (any, 3)"
    assert "expected ()" in broken(shape, E, ()).message


def test_finite():
    finite(E, law=LAW)
    assert "1 NaN value(s) of 1, the first at [0]" in broken(finite, [np.nan]).message


def test_parts():
    assert parts((1.0, E), "energy", "forces") == (1.0, E)
    assert parts([1.0, 2.0], "energy", "forces") == (1.0, 2.0)
    assert len(parts(np.zeros((2, 5)), "energy", "forces")) == 2
    for got, words in [
        (np.array(3.0), "expected 2 values (energy, forces), got one value"),
        ((1, 2, 3), "got 3 values"),
        (np.zeros(3), "got 3 values"),
    ]:
        assert words in broken(parts, got, "energy", "forces").message


def test_require():
    require(True, law=LAW)
    found = broken(require, False, message="so it is", got=3)
    assert (found.message, found.got) == ("so it is", 3)
