"""Learners who write torch: their tensors are taken, and given where they are needed."""

import numpy as np
import pytest

from tutor.exercises.engine import verify
from tutor.exercises.guard import Guarded
from tutor.exercises.values import show
from tutor.exercises.verdict import Broken, NotAttempted, Status

torch = pytest.importorskip("torch")

X = np.arange(6.0).reshape(2, 3)

pytestmark = pytest.mark.usefixtures("double")


RIGHT = {
    "makes its own tensor": lambda x: 2 * torch.as_tensor(x),
    "from_numpy": lambda x: 2 * torch.from_numpy(x),
    "function of a tensor": lambda x: torch.add(x, x),
    "stack": lambda x: torch.stack([x, x]).sum(0),
    "tensor method": lambda x: x.unsqueeze(0).repeat(2, 1, 1).sum(0),
    "dim keyword": lambda x: x * x.shape[0] + 0 * x.sum(dim=0),
    "with a gradient": lambda x: 2 * x.clone().requires_grad_(),
    "list of rows": lambda x: [torch.mul(row, 2) for row in torch.as_tensor(x)],
    "list of lists of scalars": lambda x: [list(torch.mul(row, 2)) for row in torch.as_tensor(x)],
    "complex parts": lambda x: (
        torch.complex(2 * torch.as_tensor(x), torch.as_tensor(x)).conj().real
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_torch_answers_are_accepted(name):
    verdict = verify("99.1", RIGHT[name])
    assert verdict.status is Status.RIGHT, verdict.text()


def test_a_module_with_single_precision_weights_is_accepted():
    layer = torch.nn.Linear(3, 3, bias=False)
    with torch.no_grad():
        layer.weight.copy_(2 * torch.eye(3))
    assert verify("99.1", layer).status is Status.RIGHT


def test_wrong_torch_answers_are_wrong():
    verdict = verify("99.1", lambda x: -2 * torch.as_tensor(x))
    assert verdict.message == "the sign is flipped"


def test_bfloat16_becomes_single_precision():
    value = Guarded(lambda x: torch.ones(2, dtype=torch.bfloat16))(X)
    assert value.dtype == np.float32
    np.testing.assert_array_equal(value, [1.0, 1.0])


def test_a_check_may_ask_for_tensors():
    seen = []
    f = Guarded(lambda x: seen.append(x) or x, "torch")
    assert isinstance(f(X), np.ndarray)
    assert seen[0].dtype == torch.get_default_dtype()
    assert f(np.arange(3)).dtype == np.int64


def test_the_first_call_decides_the_library_for_the_rest():
    seen = []

    def f(x):
        seen.append(type(x))
        return torch.exp(x)

    guarded = Guarded(f)
    guarded(X)
    guarded(X)
    assert seen == [np.ndarray, torch.Tensor, torch.Tensor]


def test_a_changed_tensor_is_found():
    def f(a, b):
        torch.add(a, a)
        b.add_(1)
        return a

    with pytest.raises(Broken, match="changed its input `b`"):
        Guarded(f)(X, np.ones(2))


def test_a_fault_in_torch_code_is_told_as_torch_tells_it():
    verdict = verify("99.1", lambda x: torch.exp(x).no_such_thing)
    assert "'Tensor' object has no attribute 'no_such_thing'" in verdict.message


def test_a_stub_in_a_module_is_not_attempted():
    class Net(torch.nn.Module):
        def forward(self, x):
            raise NotImplementedError

    with pytest.raises(NotImplementedError):
        Guarded(Net())(X)
    assert verify("99.1", Net()).status is Status.NOT_ATTEMPTED
    with pytest.raises(NotAttempted):
        Guarded(lambda x: ...)(X)


def test_tensors_as_text():
    assert show(torch.ones(2, requires_grad=True)) == "[1 1]"
