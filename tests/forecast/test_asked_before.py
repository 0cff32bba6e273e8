"""An analysis beside a run goes into its page only if it is of the same draws."""

import json

import pytest

from forecast.runs.open import sensitivity_of

CONTEXT = {
    "headline": {"quantities": {"alignment_relevant": {"mean": 0.0123}}},
    "manifest": {"code_hash": "abc"},
}
TOLD = {"run": "default-1", "target": "alignment_relevant", "headline": {"mean": 0.0123}}


def lay(beside, *, told=TOLD, code="abc"):
    folder = beside / "sensitivity-default-1"
    folder.mkdir()
    (folder / "sensitivity.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "manifest.json").write_text(json.dumps({"code_hash": code}), encoding="utf-8")
    return folder


def test_one_of_the_same_draws_is_found(tmp_path):
    assert sensitivity_of(tmp_path, "default-1", context=CONTEXT) is None
    folder = lay(tmp_path)
    assert sensitivity_of(tmp_path, "default-1", context=CONTEXT) == folder


@pytest.mark.parametrize(
    "other",
    [
        {"code": "abd"},
        {"told": TOLD | {"headline": {"mean": 0.0124}}},
        {"told": TOLD | {"headline": {"mean": None}}},
        {"told": TOLD | {"run": "default-2"}},
        {"told": TOLD | {"target": "alignment_used"}},
        {"told": []},
        {"told": {}},
    ],
    ids=str,
)
def test_one_of_other_draws_or_a_damaged_one_is_not(tmp_path, other):
    lay(tmp_path, **other)
    assert sensitivity_of(tmp_path, "default-1", context=CONTEXT) is None


def test_one_that_is_no_json_is_not(tmp_path):
    (lay(tmp_path) / "sensitivity.json").write_text("{", encoding="utf-8")
    assert sensitivity_of(tmp_path, "default-1", context=CONTEXT) is None
