"""What names a run: sources, libraries, inputs."""

import pytest

from forecast.inference.identity import COMPILED, NUMBERS, code_hash, compiler_hash, sources_hash


def test_every_package_that_makes_numbers_is_there_and_counts():
    hashes = {sources_hash(place) for place in NUMBERS}
    assert len(hashes) == len(NUMBERS)
    assert code_hash() == sources_hash(*NUMBERS)
    assert compiler_hash() == sources_hash(*COMPILED) != code_hash()


def test_a_package_that_is_gone_is_no_identity():
    with pytest.raises(FileNotFoundError, match="absent"):
        sources_hash("models", "forecast/absent")
