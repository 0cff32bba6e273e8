"""What the forecast must do at the edges of each belief, at least one fact for each claim."""

import numpy as np
import pytest

from models.outcomes.interventions import Do
from models.quantities import CLAIMS, OUTCOMES

FOUR = ("alignment_only", "both", "capabilities_only", "neither")
EXACT = {"rtol": 1e-9, "atol": 1e-12}  # the same sums in another order


def test_every_claim_has_a_limit_here():
    named = {name.split("_")[1].upper() for name in globals() if name.startswith("test_c")}
    assert set(CLAIMS) <= named


def test_c1_level_5_needs_works(forecast):
    few = forecast(works_2025=1e-9)
    assert few["level5_established"].max() < 1e-6
    assert few["works_at_level"].max() < 1e-5


def test_c1_many_works_establish_level_5(forecast):
    assert forecast(works_2025=1e9)["level5_established"].mean() > 0.99


def test_c2_a_ceiling_at_5_ends_the_field_there(forecast):
    out = forecast(stop_6=1.0)
    np.testing.assert_array_equal(out["established"][:, 5:], 0.0)
    np.testing.assert_allclose(out["plateau"][:, :6].sum(axis=1), 1.0, **EXACT)
    np.testing.assert_array_equal(out["alignment_relevant"], 0.0)


def test_c3_without_a_bottleneck_diagnosis_does_not_matter(forecast):
    low, high = (forecast(bottleneck=0.0, diagnosis_rate=rate) for rate in (0.1, 0.9))
    np.testing.assert_array_equal(low["bottleneck_gain"], 1.0)
    np.testing.assert_array_equal(low["capabilities_relevant"], high["capabilities_relevant"])


def test_c3_with_a_bottleneck_diagnosis_raises_capabilities_use(forecast):
    low, high = (forecast(diagnosis_rate=rate) for rate in (0.1, 0.9))
    assert (high["capabilities_relevant"] >= low["capabilities_relevant"]).all()
    assert high["capabilities_relevant"].mean() > low["capabilities_relevant"].mean()


def test_c4_no_value_constancy_asks_for_level_7(forecast):
    out = forecast(value_constancy=0.0)
    np.testing.assert_allclose(
        out["alignment_relevant"], out["relevant_if_reflection_needed"], **EXACT
    )


def test_c5_off_target_tracking_leaves_the_leak_alone(forecast):
    out = forecast(on_target=0.0)
    np.testing.assert_array_equal(out["tracks_end_goal"], 0.0)
    np.testing.assert_array_equal(out["relevant_tracked"], 0.0)
    assert (out["relevant_untracked"] > 0).all()


def test_c6_no_effect_of_tracking_gives_a_ratio_of_one(forecast):
    out = forecast(tracking_capabilities=0.0)
    np.testing.assert_allclose(out["tracking_effect_capabilities"], 1.0, **EXACT)
    assert (forecast(tracking_capabilities=1.0)["tracking_effect_capabilities"] < 1).all()


def test_c6_no_tracking_and_no_leak_give_no_relevance(forecast):
    out = forecast(tracking_share=1e-12, tracking_agenda_sd=0.0, leak_untracked=0.0)
    assert out["alignment_relevant"].max() < 1e-8
    assert out["alignment_used"].min() > 0


def test_c7_no_wrong_thing_learned_leaves_code_worlds(forecast):
    shares = forecast(fault_learned_share=0.0)["fault_shares"]
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, **EXACT)
    np.testing.assert_array_equal(shares[:, 2], 0.0)


def test_c8_perfect_tools_diagnose_all_from_level_3(forecast):
    out = forecast(diagnosis_rate=1 - 1e-12, diagnosis_practice=0.0)
    np.testing.assert_allclose(out["diagnosed"][:, 3:], 1.0, atol=1e-6)
    assert (np.diff(out["diagnosed"], axis=1) >= 0).all()


def test_c9_twice_the_paths_halve_the_catch_of_each(forecast, usual):
    out = forecast(paths=lambda n: 2 * n)
    np.testing.assert_allclose(out["path_caught"], usual["path_caught"] / 2, **EXACT)
    np.testing.assert_array_equal(out["no_path_caught"], usual["no_path_caught"])


def test_c10_full_documentation_makes_both_eases_equal(forecast):
    out = forecast(capabilities_documented=1.0, alignment_documented=1.0)
    np.testing.assert_array_equal(out["ease_actual"], out["ease_documented"])


def test_c11_tenfold_capabilities_workers_raise_capabilities_first(forecast, usual):
    out = forecast(
        workers_capabilities=lambda w: 10 * w, worker_ratio_elasticity=lambda b: np.abs(b)
    )
    same = forecast(worker_ratio_elasticity=lambda b: np.abs(b))
    assert (out["capabilities_first"] > same["capabilities_first"]).all()
    np.testing.assert_allclose(out["worker_ratio"], 10 * usual["worker_ratio"])


def test_c12_full_constancy_makes_level_6_enough(forecast):
    out = forecast(value_constancy=1.0)
    np.testing.assert_allclose(out["alignment_relevant"], out["relevant_if_values_enough"], **EXACT)


def test_c13_constancy_only_adds(forecast):
    low, high = (forecast(value_constancy=s) for s in (0.2, 0.8))
    assert (high["alignment_relevant"] >= low["alignment_relevant"]).all()
    assert high["alignment_relevant"].mean() > low["alignment_relevant"].mean()


def test_c14_tracking_is_necessary_without_a_leak_and_not_sufficient(forecast):
    out = forecast(leak_untracked=0.0, gate_tracked=1.0, on_target=1.0)
    np.testing.assert_array_equal(out["relevant_untracked"], 0.0)
    assert (out["relevant_tracked"] < 1).all()
    assert out["relevant_tracked"].mean() > 0


def test_c14_groups_by_tracking_add_up(forecast, usual):
    share = forecast(on_target=1.0)["tracks_end_goal"]
    for part, whole in (
        ("relevant", "alignment_relevant"),
        ("capabilities_first", "capabilities_first"),
        ("capabilities_only", "capabilities_only"),
    ):
        mixed = share * usual[f"{part}_tracked"] + (1 - share) * usual[f"{part}_untracked"]
        np.testing.assert_allclose(mixed, usual[whole], **EXACT)


def test_full_documentation_without_delay_makes_documented_actual(forecast):
    out = forecast(capabilities_documented=1.0, alignment_documented=1.0, reporting_delay=1e-9)
    np.testing.assert_allclose(out["documented_alignment"], out["alignment_used"], atol=1e-8)
    np.testing.assert_allclose(
        out["documented_capabilities"], out["capabilities_relevant"], atol=1e-8
    )


@pytest.mark.parametrize("strict", ["", "strict_"])
@pytest.mark.parametrize("prefix", ["", "agenda_", "cohort_", "new_agenda_"])
def test_both_splits_add_up_to_one(usual, prefix, strict):
    parts = [usual[f"{prefix}{strict}{name}"] for name in FOUR]
    assert min(part.min() for part in parts) >= -1e-12  # rounding
    np.testing.assert_allclose(sum(parts), 1.0, **EXACT)


def test_effort_raises_levels_where_the_slope_is_positive(forecast):
    slope = {"effort_slope": 0.4, "effort_slope_sd": 0.0}
    more = forecast(do=(Do("effort", 5.0, 2024, times=True),), **slope)
    same = forecast(**slope)
    reach = [out["level_field"][:, -1, ::-1].cumsum(axis=1) for out in (more, same)]
    assert (reach[0][:, :-1] > reach[1][:, :-1]).all()


def test_withholding_lowers_capabilities_use_of_later_works_only(forecast, usual):
    out = forecast(do=(Do("withhold", 0.9, 2025),))
    later, before = out["cohort_capabilities_relevant"], usual["cohort_capabilities_relevant"]
    np.testing.assert_array_equal(later[:, :5], before[:, :5])  # cohorts 2020 to 2024
    assert (later[:, 5:] < before[:, 5:]).all()
    np.testing.assert_array_equal(out["alignment_used"], usual["alignment_used"])


def test_tracking_set_to_one_makes_every_later_work_track(forecast):
    out = forecast(do=(Do("tracking", 1.0, 2026),))
    np.testing.assert_allclose(out["tracking_field"][:, 13:], 1.0)
    np.testing.assert_array_equal(out["relevant_untracked"], 0.0)


def test_a_larger_agenda_draws_the_field_to_itself(forecast):
    out = forecast(do=(Do("share.b", 1e12, 2026, times=True),))
    for name in OUTCOMES:
        np.testing.assert_allclose(out[name], out[f"agenda_{name}"][:, 1], atol=1e-8)


def test_outcomes_are_chances_and_nested(usual):
    for name in OUTCOMES:
        assert usual[name].min() >= -1e-12
        assert usual[name].max() <= 1 + 1e-12
    assert (usual["alignment_relevant"] <= usual["alignment_used"]).all()
    assert (usual["alignment_used_by_others"] <= usual["alignment_used"]).all()
    assert (usual["capabilities_first"] <= usual["capabilities_relevant"]).all()
    assert (usual["documented_alignment"] <= usual["alignment_used"]).all()
