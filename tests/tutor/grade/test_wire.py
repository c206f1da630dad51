"""What crosses the border: plain values out, functions in, and nothing forged."""

import json
import threading
from functools import partial

import numpy as np
import pytest

from tutor.grade.wire import (
    LONGEST,
    ForgedError,
    Other,
    UnsendableError,
    decode,
    dumps,
    encode,
    loads,
    read_reply,
)

MIRROR = np.array([1.0, 1.0, -1.0])


def refuse(*_):
    raise AssertionError


def through(value):
    return decode(json.loads(json.dumps(encode(value, refuse))), refuse)


@pytest.mark.parametrize(
    "value",
    [None, ..., "väl", np.arange(6.0).reshape(2, 3), np.array(True), np.zeros((0, 3)),
     np.array([1 + 2j]), np.array([np.nan, np.inf]), np.float16(2), np.uint8([255]),
     (1.0, np.arange(3)), ["a", "b"], {"x": np.ones(2), 3: "y"}],
    ids=str,
)  # fmt: skip
def test_values_come_through(value):
    got = through(value)
    if isinstance(value, tuple):
        assert got[0] == 1.0
        assert (got[1] == value[1]).all()
    elif isinstance(value, dict):
        assert got.keys() == value.keys()
    elif isinstance(value, np.ndarray | np.generic):
        assert got.dtype == value.dtype
        np.testing.assert_array_equal(got, value)
    else:
        assert got == value


def test_jax_and_lists_of_numbers_come_as_arrays():
    import jax.numpy as jnp

    assert through(jnp.arange(3, dtype="float32")).dtype == np.float32
    assert through([1, 2]).tolist() == [1, 2]


def test_an_object_is_only_named_and_cannot_pretend():
    class Equal:
        def __eq__(self, other):
            return True

        __hash__ = None

    got = through(Equal())
    assert type(got) is Other
    assert got != 3
    assert repr(got) == "an object of type Equal"


def test_a_long_text_is_cut():
    assert len(through("x" * 10**6)) == LONGEST


@pytest.mark.parametrize(
    "code",
    [
        None, 3, "text", [], ["verdict", "right"], ["text", 3], ["array", "object", [1], "AAAA"],
        ["array", "float64", [2], "AAAA"], ["array", "float64", [1 << 60, 1 << 60], ""],
        ["array", "float64", "x", ""], ["array", "float64", [-1, -1], ""], ["tuple", "ab"],
        ["dict", [["x"]]], ["dict", [[["list", []], ["none"]]]], ["function", "0", "f", []],
        ["other", 5], ["none", 1],
    ],
    ids=str,
)  # fmt: skip
def test_what_is_forged_is_refused(code):
    with pytest.raises(ForgedError):
        decode(code, lambda *_: None)


def test_a_deep_nest_is_refused():
    code = ["none"]
    for _ in range(100):
        code = ["list", [code]]
    with pytest.raises(ForgedError):
        decode(code, refuse)


@pytest.mark.parametrize("frame", [b"", b"\xff", b"[" * 10**5, b"[]", b"3", b'{"value": '])
def test_a_reply_must_be_an_object(frame):
    with pytest.raises(ForgedError):
        read_reply(frame)


def mirrored(positions):
    return positions * MIRROR


def curves(m):
    def phi(r):
        return np.stack([np.exp(-k * r) for k in range(m)], axis=1)

    return phi


def test_functions_of_checks_travel_by_value():
    """The sandbox cannot import the checks, so a pickle must not name them."""
    A = np.eye(2)

    def recursive(n):
        return 1 if n == 0 else n * recursive(n - 1)

    sent = [
        mirrored,
        lambda r, A=A: A @ r,
        recursive,
        curves(3),
        partial(curves(2)),
        np.linalg.norm,
    ]
    data = dumps(sent)
    assert __name__.encode() not in data
    mirror, product, factorial, phi, _, norm = loads(data, refuse)
    assert mirror(np.ones((1, 3))).tolist() == [[1, 1, -1]]
    assert product(np.ones(2)).tolist() == [1, 1]
    assert factorial(5) == 120
    assert phi(np.ones(4)).shape == (4, 3)
    assert norm is np.linalg.norm


def test_what_cannot_travel_is_no_fault_of_the_learner():
    with pytest.raises(UnsendableError, match="cannot travel"):
        dumps([threading.Lock()])
    assert not issubclass(UnsendableError, Exception)


def test_a_function_of_the_submission_goes_back_as_its_number():
    class Handle:
        remote_number = 7

    assert loads(dumps([Handle()]), lambda number: f"own {number}") == ["own 7"]
