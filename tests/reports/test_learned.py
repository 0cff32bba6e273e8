"""What the evidence did to a belief: its status by the stated thresholds."""

import pytest

from reports.verdicts import CONFLICT, STATUSES, UNTOUCHED, conflicts, status


@pytest.mark.parametrize(
    ("sd_ratio", "shift", "expected"),
    [
        (0.49, 0.0, "learned"),
        (0.5, 1.9, "somewhat"),
        (0.89, -1.9, "somewhat"),
        (0.9, 0.0, "hardly"),
        (1.19, 0.0, "hardly"),
        (1.2, 0.0, CONFLICT),
        (0.04, -2.0, CONFLICT),
        (0.04, 2.0, CONFLICT),
    ],
)
def test_status_by_ratio_of_sds_and_shift(sd_ratio, shift, expected):
    assert status(sd_ratio, shift) == expected
    assert expected in STATUSES


def test_a_belief_that_no_evidence_touches_is_called_so():
    assert status(1.0, 0.0, untouched=True) == UNTOUCHED


def test_conflicts_come_farthest_first_and_rows_without_a_status_are_left_out():
    rows = [
        {"parameter": "a", "learned": CONFLICT, "shift": "2.1"},
        {"parameter": "b", "learned": "hardly", "shift": "0.0"},
        {"parameter": "c", "learned": CONFLICT, "shift": "-4.0"},
        {"parameter": "d"},
    ]
    assert [r["parameter"] for r in conflicts(rows)] == ["c", "a"]
