"""The models of this folder are importable by its tests."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

# The planted defects and sound models come in NumPy, JAX and torch, and are proved together. A
# machine without torch leaves them out; one that is there to test must have it.
if find_spec("torch") is None and not os.environ.get("CI"):
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session", autouse=True)
def _one_torch_thread():
    """Arrays of a few atoms: on a busy machine torch's threads cost thirty times what they save."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
