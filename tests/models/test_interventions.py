"""What is done from a year on: exact limits, and doing told apart from observing."""

import numpy as np
import pytest

from models.components.output import REFERENCE
from models.dims import FIRST_YEAR
from models.errors import InputError
from models.outcomes.interventions import Do
from models.quantities import OUTCOMES

Y2026, Y2030 = 2026 - FIRST_YEAR, 2030 - FIRST_YEAR


@pytest.mark.parametrize(
    "act",
    [
        Do("ratio", 1.0, 2026, times=True),
        Do("effort", 1.0, 2020, times=True),
        Do("share.b", 1.0, 2026, times=True),
        Do("withhold", 0.0, 2026),
        Do("delay", 0.0, 2026),
        Do("tracking", 0.5, 2041),
    ],
    ids=lambda act: act.key,
)
def test_to_do_nothing_changes_nothing(act, forecast, usual):
    out = forecast(do=(act,))
    for name, x in usual.items():
        np.testing.assert_array_equal(out[name], x)


def test_all_withheld_leaves_no_capabilities_use_from_its_year_on(forecast, usual):
    out = forecast(do=(Do("withhold", 1.0, 2027),))
    found, before = out["cohort_capabilities_relevant"], usual["cohort_capabilities_relevant"]
    np.testing.assert_array_equal(found[:, 7:], 0.0)  # cohorts 2027 to 2030
    np.testing.assert_array_equal(found[:, :7], before[:, :7])
    np.testing.assert_array_equal(out["cohort_capabilities_first"][:, 7:], 0.0)
    np.testing.assert_array_equal(
        out["cohort_alignment_relevant"], usual["cohort_alignment_relevant"]
    )


def test_a_delay_to_the_horizon_leaves_own_use_alone(forecast, usual):
    out = forecast(do=(Do("delay", 14.5, 2026),))
    for side in ("alignment", "capabilities"):
        np.testing.assert_array_equal(out[f"{side}_used_by_others"], 0.0)
    assert (out["alignment_used"] > 0.0).all()
    assert (out["alignment_used"] < usual["alignment_used"]).all()
    sooner = forecast(do=(Do("delay", 10.0, 2026),))["alignment_used"]
    assert (out["alignment_used"] <= sooner).all()
    assert (sooner <= usual["alignment_used"]).all()
    assert out["alignment_used"].mean() < sooner.mean() < usual["alignment_used"].mean()


def test_a_ratio_is_set_and_a_later_act_meets_the_earlier_one(forecast, usual):
    out = forecast(do=(Do("ratio", 2.0, 2030, times=True), Do("ratio", 50.0, 2026)))
    ratio = out["worker_ratio"]
    np.testing.assert_array_equal(ratio[:, :Y2026], usual["worker_ratio"][:, :Y2026])
    np.testing.assert_allclose(ratio[:, Y2026:Y2030], 50.0)
    np.testing.assert_allclose(ratio[:, Y2030:], 100.0)


def test_effort_of_the_past_adds_works_from_its_year_on(forecast, usual):
    """Also where its year lies before the one that works are counted from."""
    out = forecast(do=(Do("effort", 4.0, 2024, times=True),), output_elasticity=0.5)
    same = forecast(output_elasticity=0.5)
    factor = out["field_works"] / same["field_works"]
    np.testing.assert_allclose(factor[:, REFERENCE - 1 :], 2.0)
    np.testing.assert_allclose(factor[:, : REFERENCE - 1], 1.0)
    assert usual["field_works"].shape == out["field_works"].shape


def test_a_share_is_set_and_the_others_keep_their_ratios(forecast, usual):
    out = forecast(do=(Do("share.b", 0.6, 2026),))
    share, before = out["agenda_share"], usual["agenda_share"]
    np.testing.assert_allclose(share[:, 1], 0.6)
    np.testing.assert_allclose(share.sum(axis=1), 1.0)
    np.testing.assert_allclose(share[:, 0] / share[:, 2], before[:, 0] / before[:, 2])


def test_a_whole_field_on_one_agenda_is_that_agenda(forecast):
    out = forecast(do=(Do("share.b", 1.0, 2026),))
    for name in OUTCOMES:
        np.testing.assert_allclose(out[name], out[f"agenda_{name}"][:, 1], atol=1e-12)


def test_doing_tells_nothing_of_the_past_and_observing_does(forecast, usual):
    """To set the ratio of 2030 moves no earlier year; to learn that it is high does."""
    ratio = usual["worker_ratio"]
    high = ratio[:, Y2030] > np.median(ratio[:, Y2030])
    observed = np.log(ratio[high][:, Y2026]).mean() - np.log(ratio[:, Y2026]).mean()
    spread = np.log(ratio[:, Y2026]).std() / high.sum() ** 0.5
    assert observed > 3 * spread
    value = float(np.exp(np.log(ratio[high][:, Y2030]).mean()))
    out = forecast(do=(Do("ratio", value, 2030),))
    np.testing.assert_array_equal(out["worker_ratio"][:, :Y2030], ratio[:, :Y2030])
    old = "cohort_capabilities_relevant"
    np.testing.assert_array_equal(out[old][:, :10], usual[old][:, :10])
    assert not np.isclose(usual[old][high][:, 6].mean(), usual[old][:, 6].mean(), rtol=1e-3)


@pytest.mark.parametrize(
    ("acts", "message"),
    [
        ([("share.z", 0.2, 2026)], r"no agenda 'z'; use one of: a, b"),
        ([("share.a", 0.7, 2026), ("share.b", 0.4, 2028)], "set from 2028 add up to 1.1"),
        ([("share.a", 0.7, 2026), ("share.a", 2.0, 2028, True)], "both set and multiplied"),
    ],
)
def test_impossible_shares_are_refused(acts, message, forecast):
    with pytest.raises(InputError, match=message):
        forecast(do=tuple(Do(*act[:3], times=len(act) > 3) for act in acts))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (("worker_ratio", 2.0, 2026), "no key 'worker_ratio'; use one of tracking, ratio"),
        (("withhold", 1.2, 2026), "withhold = 1.2; give a chance from 0 to 1"),
        (("share.a", 1.5, 2026), "share.a = 1.5; give a chance from 0 to 1"),
        (("delay", -1.0, 2026), "delay = -1.0; give 0 or more years"),
        (("effort", float("inf"), 2026), "effort = inf; give a number above 0"),
    ],
)
def test_impossible_acts_are_refused(act, message):
    with pytest.raises(InputError, match=message):
        Do(*act)


def test_a_chance_is_never_multiplied():
    with pytest.raises(InputError, match="tracking is set, not multiplied; write tracking=VALUE"):
        Do("tracking", 0.5, 2026, times=True)
