"""A priors file becomes a frozen Config; what it extends is resolved."""

import datetime
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecast.config import load as priors_files
from forecast.config.load import (
    MOST_EXTENDS,
    Config,
    EvidenceOptions,
    ModelOptions,
    Question,
    SamplerOptions,
    find_priors,
    load_config,
    resolved_toml,
)
from models.errors import InputError
from models.parameters import SLOTS
from models.priors import ppf

CHILD = """\
schema = 1
extends = "test.toml"
name = "child"
author = "Another"
date = 2026-11-23
summary = "One belief differs."
"""
GATE = """
[priors.gate_tracked]
dist = "LogitNormal"
quantiles = [[0.05, 0.1], [0.95, 0.6]]
unit = "probability"
block = "relevance"
claims = ["C14"]
source = "a guess"
why = "to differ"
"""
OPTIONS = """
[question]
horizon = 2050
[model]
tails = "student-t"
[sampler]
draws = 500
[evidence]
path = "tables"
off = ["uses"]
expert_weight = 1
[decision]
options.fund = { cost = 2, do.effort = "2x" }
payoffs.strict_both = 1.5
"""


@pytest.fixture
def child(priors_file) -> Path:
    path = priors_file.parent / "child.toml"
    path.write_text(CHILD + OPTIONS + GATE, encoding="utf-8")
    return path


def by_name(config: Config):
    return {prior.name: prior for prior in config.priors}


def test_plain_file_has_every_slot_and_the_defaults(priors_file):
    config = load_config(priors_file)
    assert [prior.name for prior in config.priors] == sorted(SLOTS)
    assert (config.question, config.model) == (Question(2026, 2040), ModelOptions())
    assert (config.sampler, config.evidence) == (SamplerOptions(), EvidenceOptions())
    assert config.date == datetime.date(2026, 11, 22)
    assert (config.decision, config.outside_view, config.path) == (None, None, priors_file)
    assert by_name(config)["gate_tracked"].values == {"alpha": 2.0, "beta": 3.0}


def test_child_replaces_a_whole_prior_and_merges_options(child):
    config = load_config(child)
    gate, parent = by_name(config)["gate_tracked"], load_config(child.parent / "test.toml")
    assert (config.name, config.author) == ("child", "Another")
    assert (gate.dist, gate.source) == ("LogitNormal", "a guess")
    assert gate.quantiles == ((0.05, 0.1), (0.95, 0.6))
    np.testing.assert_allclose(ppf(gate, [0.05, 0.95]), [0.1, 0.6])
    others = [prior for prior in config.priors if prior.name != "gate_tracked"]
    assert others == [prior for prior in parent.priors if prior.name != "gate_tracked"]
    assert config.question == Question(2026, 2050)
    assert (config.model.tails, config.sampler.draws, config.sampler.tune) == (
        "student-t",
        500,
        1000,
    )


def test_options_of_a_parent_are_merged_key_by_key(child):
    grand = child.parent / "grand.toml"
    text = CHILD.replace('"test.toml"', '"child.toml"').replace('"child"', '"grand"')
    grand.write_text(
        text + "\n[question]\ncohort = 2027\n[decision]\nunit = 'x'\n", encoding="utf-8"
    )
    config = load_config(grand)
    assert config.question == Question(2027, 2050)
    assert set(json.loads(config.decision or "")) == {"unit", "options", "payoffs"}
    assert by_name(config)["gate_tracked"].dist == "LogitNormal"


def test_evidence_folder_is_relative_to_the_file_that_states_it(child, tmp_path):
    below = tmp_path / "below"
    below.mkdir()
    grand = below / "grand.toml"
    grand.write_text(CHILD.replace('"test.toml"', '"../child.toml"'), encoding="utf-8")
    evidence = load_config(grand).evidence
    assert evidence == EvidenceOptions(str((tmp_path / "tables").resolve()), ("uses",), 1.0)


def test_resolved_file_loads_back_to_an_equal_config(child, tmp_path):
    config = load_config(child)
    text = resolved_toml(config)
    written = tmp_path / "elsewhere" / "resolved.toml"
    written.parent.mkdir()
    written.write_text(text, encoding="utf-8")
    again = load_config(written)
    assert again == config
    assert again.path != config.path
    assert "extends" not in text
    assert resolved_toml(again) == text


def test_resolved_file_keeps_awkward_text(priors_file, tmp_path):
    awkward = 'quote " backslash \\ line\nbreak \u2028 é \x7f tab\t'
    config = load_config(priors_file)
    first, *rest = config.priors
    odd = replace(config, author=awkward, priors=(replace(first, why=awkward), *rest))
    path = tmp_path / "odd.toml"
    path.write_text(resolved_toml(odd), encoding="utf-8", newline="")
    assert load_config(path) == odd


@pytest.mark.parametrize("number", [1e-12, 0.1 + 0.2, 1e22, -1.5e300])
def test_resolved_file_keeps_every_digit(number, priors_file, tmp_path):
    config = load_config(priors_file)
    place = [prior.name for prior in config.priors].index("halo")
    odd = replace(config.priors[place], params=(("mu", number), ("sigma", max(1.0, abs(number)))))
    priors = (*config.priors[:place], odd, *config.priors[place + 1 :])
    path = tmp_path / "odd.toml"
    path.write_text(resolved_toml(replace(config, priors=priors)), encoding="utf-8")
    assert by_name(load_config(path))["halo"].values["mu"] == number


def test_config_is_hashable_plain_data(child):
    assert hash(load_config(child)) == hash(load_config(child))


def test_integers_are_numbers_and_byte_order_mark_and_line_ends_do_not_count(priors_file):
    config = load_config(priors_file)
    text = priors_file.read_text(encoding="utf-8").replace("alpha = 2.0", "alpha = 2")
    priors_file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load_config(priors_file) == config


def test_eight_extends_are_allowed_and_nine_are_not(priors_file, tmp_path):
    for i in range(MOST_EXTENDS + 1):
        parent = "test.toml" if i == 0 else f"f{i - 1}.toml"
        text = CHILD.replace("test.toml", parent).replace('"child"', f'"f{i}"')
        (tmp_path / f"f{i}.toml").write_text(text, encoding="utf-8")
    assert len(load_config(tmp_path / f"f{MOST_EXTENDS - 1}.toml").priors) == len(SLOTS)
    with pytest.raises(InputError, match="more than 8 files"):
        load_config(tmp_path / f"f{MOST_EXTENDS}.toml")


@pytest.fixture
def shipped(monkeypatch, tmp_path, priors_text) -> Path:
    folder = tmp_path / "shipped" / "priors"
    folder.mkdir(parents=True)
    for name in ("default", "doubter"):
        text = priors_text.replace('"test"', f'"{name}"')
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(priors_files, "shipped_priors", lambda: folder)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return folder


@pytest.mark.parametrize("name", ["default", "default.toml", "priors/default.toml"])
def test_shipped_file_is_found_by_name(name, shipped):
    assert find_priors(name) == shipped / "default.toml"
    assert load_config(name).name == "default"


def test_own_file_wins_over_a_shipped_name(shipped, priors_text):
    Path("default.toml").write_text(priors_text, encoding="utf-8")
    assert load_config("default.toml").name == "test"
    assert load_config("default").name == "default"


def test_near_miss_of_a_shipped_name_is_suggested(shipped):
    with pytest.raises(InputError, match=re.escape("no shipped name; did you mean 'doubter'?")):
        load_config("douter")
    with pytest.raises(InputError, match="shipped names: default, doubter"):
        load_config("../priors/x")


@pytest.mark.parametrize("name", ["default", "default.toml", "priors/default.toml"])
def test_extends_takes_a_shipped_name(name, shipped):
    Path("mine.toml").write_text(CHILD.replace("test.toml", name), encoding="utf-8")
    assert len(load_config("mine.toml").priors) == len(SLOTS)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all files")
def test_unreadable_file_is_refused(priors_file):
    priors_file.chmod(0)
    with pytest.raises(InputError, match="found Permission denied; give a readable TOML file"):
        load_config(priors_file)
