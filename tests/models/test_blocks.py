"""Blocks of draws: in order, whatever the number of threads."""

import numpy as np
import pytest

from models import batches as blocks
from models.batches import joined, limited, over_blocks


@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_come_back_in_order(monkeypatch, threads):
    monkeypatch.setattr(blocks, "threads", lambda: threads)
    x = np.arange(25.0)
    parts = over_blocks(lambda some: {"y": 2.0 * some["x"]}, {"x": x}, n=25, size=4)
    assert [len(part["y"]) for part in parts] == [4] * 6 + [1]
    np.testing.assert_array_equal(joined(parts)["y"], 2.0 * x)


def test_an_error_in_a_block_is_raised(monkeypatch):
    monkeypatch.setattr(blocks, "threads", lambda: 2)

    def fail(some):
        raise ValueError("no such agenda")

    with pytest.raises(ValueError, match="no such agenda"):
        over_blocks(fail, {"x": np.arange(9.0)}, n=9, size=2)


def test_threads_are_no_more_than_the_cores_that_were_asked_for():
    free = blocks.threads()
    with limited(1):
        assert blocks.threads() == 1
        with limited(None):
            assert blocks.threads() == free
        assert blocks.threads() == 1
    assert blocks.threads() == free
