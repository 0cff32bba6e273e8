"""Figures: three files each, with the draws' own numbers, and without any evidence too."""

import csv
import re
from html import escape
from xml.etree import ElementTree

import numpy as np
import pytest
import xarray as xr

from models.outcomes.milestones import milestone_dates
from models.quantities import QUANTITIES
from reports.figures import MODULES, write_figures
from reports.figures import drawing as d
from reports.figures import shapes as forest
from reports.figures.answer import NARROW, NOW, plot_headline
from reports.figures.drawing import percent, style
from reports.figures.draws import MOST, ranked
from reports.figures.field import _looks, _top
from reports.words import INTERVAL, LOWER, NO_EVIDENCE, UPPER, chance


def rows(folder, name):
    with (folder / "figures" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def draws(tree, name, *, group="predictions"):
    x = tree[group][name].transpose("chain", "draw", ...).values
    return x.reshape(-1, *x.shape[2:])


def assert_summary(row, x):
    expected = [x.mean(), *np.quantile(x, (LOWER, 0.5, UPPER))]
    found = [float(row[key]) for key in ("mean", "lower", "median", "upper")]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_every_figure_is_drawn(run_folder):
    assert [figure["name"] for figure in run_folder[1]] == list(MODULES)
    assert len(MODULES) == 20


@pytest.mark.parametrize("name", MODULES)
def test_files_and_words_of_each_figure(run_folder, name):
    folder, told = run_folder
    assert (folder / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert rows(folder, name)
    svg = (folder / "figures" / f"{name}.svg").read_text(encoding="utf-8")
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert "alert(1)</" not in svg.replace("alert(1)&lt;/", "")
    assert "Date" not in svg
    figure = next(f for f in told if f["name"] == name)
    assert all(figure[key] for key in ("title", "caption", "alt"))
    if name not in {"contraction", "energy", "ranks"}:  # ratios of sds, densities and ranks
        assert INTERVAL in figure["caption"]


def test_the_timeline_holds_milestones_and_dates_on_one_axis(run_folder, tree):
    found = rows(run_folder[0], "timeline")
    reached = [(r["level"], r["reached"], r["median"]) for r in found if r["kind"] == "reached"]
    assert reached == [("5", "2024", "2024"), ("5", "2024", "2024"), ("1", "1999", "2013")]
    first = {
        r["level"]: (r["lower"], r["median"], r["upper"]) for r in found if "first" in r["kind"]
    }
    assert first == {"5": ("2021", "2025", "2030"), "7": ("2026", "", "")}
    dates = milestone_dates(draws(tree, "established"))
    for row in (r for r in found if r["kind"] == "established"):
        expected = dates[int(row["level"])]["year"]
        assert all(row[key] == str(expected[key] or "") for key in ("lower", "median", "upper"))
    told = next(f for f in run_folder[1] if f["name"] == "timeline")
    assert "level 5: reached 2024, 2024; first work 2025 (2021 to 2030); established" in told["alt"]
    assert "first work after 2040 (2026 to after 2040)" in told["alt"]


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"splits"}))
def test_axes_have_labels(run_folder, name):
    svg = (run_folder[0] / "figures" / f"{name}.svg").read_text(encoding="utf-8")
    units = "probability|share|people|year|ratio|factor|nats|rank|level"
    assert re.search(units, svg)


def test_a_caption_names_the_file_of_its_numbers(run_folder):
    told = {f["name"]: f["caption"] for f in run_folder[1]}
    for name in ("levels", "splits"):
        assert f"The file {name}.csv has the 89% equal-tailed interval" in told[name]
        assert (run_folder[0] / "figures" / f"{name}.csv").is_file()


def test_headline_and_splits_hold_the_draws_numbers(run_folder, tree):
    for name in ("headline", "splits"):
        for row in rows(run_folder[0], name):
            group = "predictions" if row["draws"] == "posterior" else "prior_predictions"
            assert_summary(row, draws(tree, row["quantity"], group=group))


def test_agendas_are_sorted_and_hold_the_draws_numbers(run_folder, tree):
    for name, variable in (("agendas", "alignment_relevant"), ("race", "capabilities_first")):
        x, labels = draws(tree, f"agenda_{variable}"), list(tree["predictions"]["agenda"].values)
        found = rows(run_folder[0], name)
        for row in found:
            assert_summary(row, x[:, labels.index(row["agenda"])])
        means = [float(row["mean"]) for row in found]
        assert means == sorted(means, reverse=True)


@pytest.mark.parametrize(
    ("figure", "variable", "at"),
    [
        ("workers", "workers", (slice(None), 0, 0)),
        ("worker_ratio", "worker_ratio", (slice(None), 0)),
        ("levels", "level_field", (slice(None), 0, 0)),
        ("milestones", "established", (slice(None), 0, 0)),
        ("tracking", "tracking_field", (slice(None), 0)),
    ],
)
def test_first_year_of_each_series_is_that_of_the_draws(run_folder, tree, figure, variable, at):
    found = [r for r in rows(run_folder[0], figure) if r.get("draws") != "prior"]
    assert found[0]["year"] == "2013"
    assert_summary(found[0], draws(tree, variable)[at])


def test_claims_hold_the_draws_numbers(run_folder, tree):
    found = rows(run_folder[0], "claims")
    assert {row["claim"] for row in found} == {f"C{i}" for i in range(1, 15)}
    for row in found:
        group = "predictions" if row["draws"] == "posterior" else "prior_predictions"
        x = draws(tree, row["quantity"], group=group)
        if row["quantity"] == "worker_ratio":
            assert_summary(row, x[:, NOW])
        elif row["unit"] == "factor":
            assert_summary(row, np.exp(x))
        elif not QUANTITIES[row["quantity"]].dims:
            assert_summary(row, x)


def test_evidence_points_are_those_of_the_fit_and_for_comparison(run_folder):
    points = [row for row in rows(run_folder[0], "workers") if row["use"]]
    assert [(p["year"], p["use"], float(p["median"])) for p in points] == [
        ("2022", "fit", 300.0),
        ("2022", "fit", 700.0),
        ("2023", "compare", pytest.approx(200_000**0.5)),
    ]


def test_workers_tell_the_reference_definition_from_others_and_give_their_factor(run_folder):
    folder, told = run_folder
    svg = (folder / "figures" / "workers.svg").read_text(encoding="utf-8")
    assert "alignment: technical (reference)" in svg
    assert "alignment: other (2.5 × the line)" in svg
    assert "for comparison only" in svg
    caption = next(f["caption"] for f in told if f["name"] == "workers")
    assert "(filled circles; alignment: technical)" in caption


def test_only_the_reference_definition_in_the_fit_is_filled():
    base = {"group": "alignment", "definition": "a", "use": "fit", "reference": True}
    points = [base, base | {"definition": "b", "reference": False}, base | {"use": "compare"}]
    looks = _looks(points, {"alignment/b": 0.352})
    marks = {key[1:]: (x["marker"], x.get("markerfacecolor")) for key, x in looks.items()}
    assert marks["a", "fit"] == ("o", None)
    assert marks["b", "fit"] == ("s", "none")
    assert marks["a", "compare"] == ("x", None)
    assert looks["alignment", "b", "fit"]["label"] == "alignment: b (0.35 × the line)"


def test_raters_hold_the_lean_of_the_draws(run_folder, tree):
    row = next(r for r in rows(run_folder[0], "raters") if r["what"] == "lean")
    sd, z = (draws(tree, f"rater_lean_{x}", group="posterior") for x in ("sd", "z"))
    assert_summary(row, sd**0.5 * z[:, 0])


def test_contraction_is_the_ratio_of_sds(run_folder):
    found = {r["parameter"]: float(r["ratio"]) for r in rows(run_folder[0], "contraction")}
    assert found == {"use_rate": 0.4, "stop_6": 1.0, "step_5": 0.04, "reporting_delay": 3.9}


def test_contraction_names_what_is_in_conflict_with_its_prior(run_folder):
    folder, told = run_folder
    svg = (folder / "figures" / "contraction.svg").read_text(encoding="utf-8")
    assert "step_5" in svg
    assert "reporting_delay" in svg
    assert "use_rate" not in svg
    alt = next(f["alt"] for f in told if f["name"] == "contraction")
    assert alt.endswith("in conflict with their prior: step_5, reporting_delay.")


def test_levels_say_that_a_last_level_above_those_below_it_is_no_finding():
    share = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.03, 0.03, 0.04])
    found = {"mean": share[None], "median": np.zeros((1, 8))}
    assert "(mean 4.0%, median <0.1%) is an assumption and no finding" in _top(found, [2040])
    share[5] = 0.05
    assert not _top(found, [2040])


def test_narrow_parts_of_a_split_are_told_under_their_bar(run_folder):
    means = {
        r["draws"]: float(r["mean"])
        for r in rows(run_folder[0], "splits")
        if r["quantity"] == "strict_both"
    }
    assert max(means.values()) < NARROW
    svg = (run_folder[0] / "figures" / "splits.svg").read_text(encoding="utf-8")
    assert escape(f"both {chance(means['posterior'])}") in svg


def test_ticks_have_no_more_digits_than_they_need():
    assert [percent(x) for x in (0.0, 0.02, 0.025, 0.07, 1.0)] == ["0%", "2%", "2.5%", "7%", "100%"]


def test_series_say_where_the_evidence_ends(run_folder):
    for name in ("workers", "worker_ratio", "levels", "milestones", "tracking"):
        svg = (run_folder[0] / "figures" / f"{name}.svg").read_text(encoding="utf-8")
        assert "evidence ends" in svg


def test_figures_without_evidence_and_without_other_groups(tree, tmp_path):
    alone = xr.DataTree.from_dict({"predictions": tree["predictions"].ds})
    seen = []
    told = write_figures(alone, {}, folder=tmp_path / "figures", progress=seen.append)
    assert [figure["name"] for figure in told] == seen
    assert not {"headline", "raters", "energy", "contraction"} & set(seen)
    caption = {figure["name"]: figure["caption"] for figure in told}["workers"]
    assert NO_EVIDENCE in caption
    assert all(row["kind"] == "model" for row in rows(tmp_path, "workers"))


def test_the_same_draws_give_the_same_svg(tree, frames, run_folder, tmp_path):
    alone = xr.DataTree.from_dict({"predictions": tree["predictions"].ds})
    write_figures(alone, frames, folder=tmp_path)
    for name in ("levels", "agendas"):
        first = (run_folder[0] / "figures" / f"{name}.svg").read_bytes()
        assert (tmp_path / f"{name}.svg").read_bytes() == first


def test_a_curve_of_few_points_is_that_of_all_draws():
    """Draws that wander: every k-th of them would be another distribution, even ranks are not."""
    x = np.cumsum(np.random.default_rng(3).normal(size=(4, 2500)), axis=1)
    dt = xr.DataTree.from_dict({"predictions": xr.Dataset({"y": (("chain", "draw"), x)})})
    few = ranked(dt, "predictions", name="y")
    assert few.shape == (1, MOST)
    at = (0.0, 0.055, 0.5, 0.945, 1.0)
    told, all_ = np.quantile(few, at), np.quantile(x, at)
    np.testing.assert_array_equal(told[[0, -1]], all_[[0, -1]])
    np.testing.assert_allclose(told, all_, atol=0.01 * np.ptp(x))


def test_the_headline_draws_the_outside_view_and_holds_its_numbers(tree, tmp_path):
    points = [
        {"quantity": "alignment_relevant", "weight": 0.3, "value": x}
        for x in np.linspace(0.1, 0.3, 9)
    ]
    mixed = {"mean": 0.07, "median": 0.02, "lower": 0.001, "upper": 0.28}
    frames = {"outside_view": points, "considered": [mixed]}
    with style():
        told = plot_headline(tree, tmp_path / "headline", frames=frames)
    with (tmp_path / "headline.csv").open(encoding="utf-8", newline="") as file:
        found = [r for r in csv.DictReader(file) if r["draws"] == "all things considered"]
    assert [{key: float(r[key]) for key in mixed} for r in found] == [mixed]
    assert "all things considered, mean 7.0%" in told.alt
    assert "all things considered" in (tmp_path / "headline.svg").read_text(encoding="utf-8")


def test_dots_of_agendas_are_the_means_of_all_draws(monkeypatch, tmp_path):
    """Also where a run has more draws than a curve needs: dot and table say the same."""
    x = np.random.default_rng(0).beta(1.0, 20.0, (4, 1500, 2))
    names = {"agenda": ["first", "second"]}
    ds = xr.Dataset({"agenda_alignment_relevant": (("chain", "draw", "agenda"), x)}, names)
    kept = {}
    monkeypatch.setattr(d, "save", lambda fig, path, rows: kept.update(axes=fig.axes, rows=rows))
    forest.plot_forest(
        xr.DataTree.from_dict({"predictions": ds}),
        tmp_path / "agendas",
        frames={},
        name="alignment_relevant",
        caption=d.Caption("title", "caption", "text"),
    )
    parts = [part for ax in kept["axes"] for part in ax.collections]
    dots = [at[0] for part in parts for at in part.get_offsets() if len(part.get_offsets()) == 1]
    means = sorted(x.mean(axis=(0, 1)))
    assert sorted(dots) == pytest.approx(means, rel=1e-9)
    assert sorted(row["mean"] for row in kept["rows"]) == pytest.approx(means, rel=1e-9)
