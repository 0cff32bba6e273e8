"""Scenarios as text: what is read, and how faults are told."""

import pytest

from forecast.config.scenarios import (
    Scenario,
    check_scenarios,
    load_scenarios,
    read_act,
    scenarios_of,
)
from models.errors import InputError
from models.outcomes.interventions import Do

FILE = """
[scenarios.quiet]
since = 2028
summary = "Half of it is withheld."
do = { withhold = 0.5, effort = "2x@2030" }

[scenarios.probes.do]
share.probes = "3x"
"""


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("tracking=0.8", Do("tracking", 0.8, 2026)),
        ("effort=2x", Do("effort", 2.0, 2026, times=True)),
        ("ratio = 50@2030", Do("ratio", 50.0, 2030)),
        ("share.probes=1.5e0x@2028", Do("share.probes", 1.5, 2028, times=True)),
    ],
)
def test_an_act_is_read(text, act):
    assert read_act(text, 2026) == act


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tracking", r"--do tracking: found no '='; write KEY=VALUE"),
        ("trakcing=0.8", r"--do trakcing=0.8: unknown key 'trakcing'; did you mean 'tracking'\?"),
        ("tracking=80%", r"--do tracking=80%: tracking found '80%'; write a number as 0.8, or 2x"),
        ("tracking=1.8", r"tracking = 1.8; give a chance from 0 to 1"),
        ("withhold=0.5x", r"withhold is set, not multiplied"),
        ("effort=2x@1999", r"found the year 1999; name one from 2013 on"),
        ("effort=e-e", r"effort found 'e-e'; write a number"),
    ],
)
def test_what_is_no_act_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        read_act(text, 2026)


def test_acts_stand_alone_and_all_together():
    found = scenarios_of(["tracking=0.8", "effort=2x"], 2026)
    assert [one.name for one in found] == ["tracking=0.8", "effort=2x", "all together"]
    assert found[2].do == (*found[0].do, *found[1].do)
    assert len(scenarios_of(["tracking=0.8"], 2026)) == 1
    with pytest.raises(InputError, match="a key stands twice with the same year"):
        scenarios_of(["tracking=0.8", "tracking=0.5"], 2026)


def test_a_file_is_read(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(FILE, encoding="utf-8")
    quiet, probes = load_scenarios(path, 2026)
    assert quiet.do == (Do("withhold", 0.5, 2028), Do("effort", 2.0, 2030, times=True))
    assert quiet.summary == "Half of it is withheld."
    assert probes.do == (Do("share.probes", 3.0, 2026, times=True),)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("withhold = 0.5", "withold = 0.5", r"s.toml:5 .*unknown key 'withold'; did you mean"),
        ("withhold = 0.5", "withhold = 5", r"s.toml:5 .*withhold = 5.0; give a chance"),
        ("since = 2028", "since = 1999", r"s.toml:3 .*since.*: found 1999; must be greater"),
        ("summary", "sumary", r"s.toml:4 .*found an unknown key; did you mean 'summary'"),
        ("scenarios.quiet", "scenarios.Quiet", r"s.toml:2 .*the name 'Quiet'; use a-z"),
    ],
)
def test_faults_of_a_file_are_told_with_their_line(old, new, message, tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(FILE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_scenarios(path, 2026)


def test_a_file_without_scenarios_is_refused(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text("schema = 1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"found no scenario; add a table \[scenarios.NAME\]"):
        load_scenarios(path, 2026)


def test_scenarios_must_fit_the_run():
    late = Scenario("late", (Do("effort", 2.0, 2041, times=True),))
    with pytest.raises(InputError, match="effort from 2041, after the horizon 2040"):
        check_scenarios([late], ("a", "b"), horizon=2040)
    with pytest.raises(InputError, match="scenario 'x': do: no agenda 'z'; use one of: a, b"):
        check_scenarios([Scenario("x", (Do("share.z", 0.2, 2026),))], ("a", "b"), horizon=2040)
    with pytest.raises(InputError, match="scenario 'late': found twice"):
        check_scenarios([late, late], ("a", "b"), horizon=2050)
