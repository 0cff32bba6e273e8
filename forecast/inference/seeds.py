"""Streams of randomness by the name of the stage, never by the order of calls."""

from zlib import crc32

import numpy as np


def stream(seed: int, stage: str) -> np.random.Generator:
    """Return the generator of a stage; the same seed and name give the same numbers."""
    return np.random.default_rng(np.random.SeedSequence([seed, crc32(stage.encode())]))


def integer(seed: int, stage: str) -> int:
    """Return a 31-bit seed for a library that takes an integer."""
    return int(stream(seed, stage).integers(2**31 - 1))
