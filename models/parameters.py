"""Every belief that the model asks for: its name, where it may lie, and what it is.

A priors file must answer each slot exactly once. Which of them a likelihood touches is not
said here: it follows from the graph (:func:`models.model.split`).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Slot:
    """A place for one prior.

    ``support`` is the widest range a prior may cover: ``real``, ``positive`` or ``unit``.
    ``families`` restricts the distribution where the algebra needs it (else empty).
    """

    name: str
    support: str
    block: str
    unit: str
    question: str
    families: tuple[str, ...] = ()


_ROWS = """
workers_alignment | positive | workers | people | How many technical alignment workers were there in 2021?
workers_capabilities | positive | workers | people | How many authors published at leading AI conferences in 2018?
workers_interpretability | positive | workers | people | How many full-time mechanistic-interpretability workers were there in 2023?
worker_growth_mean | real | workers | log per year | By how much do such groups grow in a typical year?
worker_growth_sd | positive | workers | log per year | How far do the groups' growth rates differ?
worker_shock_sd | positive | workers | log per year | How far does growth change from one year to the next?
worker_damping | unit | workers | share | Which share of growth is kept from one future year to the next?
definition_sd | positive | workers | log people | How far do definitions of a group differ in size?
worker_error | positive | workers | log people | How wrong is a published figure, beyond its own interval?
step_1 | unit | maturity | share | Of works of 2023, which share shows at least that something is off?
step_2 | unit | maturity | share | Of works at level 1 or above, which share reaches level 2?
step_3 | unit | maturity | share | Of works at level 2 or above, which share reaches level 3?
step_4 | unit | maturity | share | Of works at level 3 or above, which share reaches level 4?
step_5 | unit | maturity | share | Of works at level 4 or above, which share reaches level 5?
step_6 | unit | maturity | share | Of works at level 5 or above, which share reaches level 6?
step_7 | unit | maturity | share | Of works at level 6 or above, which share reaches level 7?
step_4_discrimination | positive | maturity | ratio | How strongly does maturity move step 4, against those below?
upper_discrimination | positive | maturity | ratio | How strongly does maturity move steps 5 to 7, against those up to 3?
effort_slope | real | maturity | logit per log worker-year | How far does accumulated effort raise the steps?
effort_slope_sd | positive | maturity | logit per log worker-year | How far does that differ by agenda?
maturity_family_sd | positive | maturity | logit | How far do families of agendas differ in maturity?
maturity_agenda_sd | positive | maturity | logit | How far do agendas of a family differ in maturity?
maturity_purposive | real | maturity | logit | How much more mature are works taken as known cases?
stop_6 | unit | maturity | probability | How likely is it that the field's ceiling by the horizon lies at level 5?
stop_7 | unit | maturity | probability | If level 6 is open, how likely is it that the ceiling lies there?
works_2025 | positive | output | works | How many works of the sampled kind appeared in 2025?
output_elasticity | real | output | log works per log worker | How does yearly output follow the number of workers?
list_level | positive | output | works | How many works would a hand-made list hold for 2025?
list_dispersion | positive | output | size | How regular are counts on such lists (negative binomial size)?
agenda_share_sd | positive | output | log share | How far do agendas differ in size?
fte_level | real | output | log people | Typical size of an agenda in the review (nuisance)?
fte_error | positive | output | log people | How wrong is a review's guess, beyond its own range?
cluster_size | positive | output | size | How regular is the yearly flow of works at a high level (negative binomial size)?
tracking_share | unit | tracking | share | Which share of works of 2023 names the milestone it works toward?
tracking_agenda_sd | positive | tracking | logit | How far do agendas differ in tracking?
tracking_trend | real | tracking | logit per year | How does tracking change from year to year?
tracking_damping | unit | tracking | share | Which share of that trend is kept from one future year to the next?
tracking_level_sd | positive | tracking | logit | How far does tracking differ by level?
tracking_purposive | real | tracking | logit | How much more do works taken as known cases track?
on_target | unit | tracking | share | Of works that track some milestone, which share tracks the required one?
fault_learned_share | unit | faults | share | Which share of faults is a wrong thing learned?
fault_no_learning | unit | faults | share | Of the other faults, which share leaves nothing learned?
fault_mixed_chance | unit | faults | probability | How likely is a code fault to fall in a bin that mixes worlds?
fault_concentration | positive | faults | faults | How alike are studies of faults (pooling concentration)?
diagnosis_rate | unit | faults | probability | Which share of faults does a typical tool find on a benchmark?
diagnosis_world_sd | positive | faults | logit | How far do fault worlds differ in how easily they are found?
diagnosis_task_sd | positive | faults | logit | How far do detecting, locating and explaining differ?
diagnosis_concentration | positive | faults | faults | How alike are tools (beta-binomial concentration)?
diagnosis_practice | positive | faults | logit | How far does diagnosis drop from benchmark to practice?
use_rate | positive | spillover | uses per work | How many documented uses by others does a work get on a side, in the long run?
ease | real | spillover | log uses per worker | How much easier is a use for a capabilities worker than for an alignment worker? | Normal
worker_ratio_elasticity | real | spillover | log hazard per log worker | How far do uses follow the ratio of workers? | Normal
bottleneck | positive | spillover | ratio | How much does being able to diagnose every fault add to capabilities use?
capabilities_level_sd | positive | spillover | log uses | How far does capabilities use differ by level?
alignment_level_sd | positive | spillover | log uses | How far does alignment use differ by level?
capabilities_agenda_sd | positive | spillover | log uses | How far does capabilities use differ by agenda?
alignment_agenda_sd | positive | spillover | log uses | How far does alignment use differ by agenda?
capabilities_purposive | real | spillover | log uses | How much more are known cases used by capabilities work?
alignment_purposive | real | spillover | log uses | How much more are known cases used by alignment work?
tracking_capabilities | real | spillover | log uses | By how much does tracking a milestone lower capabilities use?
tracking_alignment | real | spillover | log uses | By how much does tracking a milestone raise alignment use?
capabilities_year_sd | positive | spillover | log uses | How far do raters' years differ in recorded capabilities use?
alignment_year_sd | positive | spillover | log uses | How far do raters' years differ in recorded alignment use?
capabilities_lag | positive | spillover | years | Mean wait until a capabilities use that will happen?
alignment_lag | positive | spillover | years | Mean wait until an alignment use that will happen?
lag_slip | unit | spillover | probability | How often is the year of a first use plainly wrong?
capabilities_own | positive | spillover | ratio | Own use against later use by others, on the capabilities side?
alignment_own | positive | spillover | ratio | Own use against later use by others, on the alignment side?
capabilities_documented | unit | spillover | share | Which share of capabilities uses is ever documented?
alignment_documented | unit | spillover | share | Which share of alignment uses is ever documented?
reporting_delay | positive | spillover | years | Mean wait until a use that happened can be read about?
paths | positive | spillover | paths | By how many separate paths can one insight help capabilities?
shared_level_scale | positive | ratings | levels | How far does a kind of rater misread the level in common?
shared_level_slip | unit | ratings | probability | How often is that common reading plainly wrong?
shared_sensitivity | unit | ratings | probability | How often does a kind of rater see what is there (tracking, use)?
shared_specificity | unit | ratings | probability | How often does a kind of rater rightly see nothing?
shared_own_error | unit | ratings | probability | How often does a kind of rater misplace own use and use by others?
rater_lean_sd | positive | ratings | log odds per level | How far do raters' errors in level lean up or down?
rater_level_scale | positive | ratings | levels | How far does one rater scatter around the common level?
rater_level_slip | unit | ratings | probability | How often is one rater's level plainly wrong?
rater_sensitivity | unit | ratings | probability | How often does one rater record what the kind sees?
rater_specificity | unit | ratings | probability | How often does one rater rightly record nothing?
rater_spread_sd | positive | ratings | logit | How far do raters differ in these two?
rater_own_error | unit | ratings | probability | How often does one rater misplace own use and use by others?
halo | real | ratings | log odds | How far does recorded tracking shift the odds of recording a use?
gate_tracked | unit | relevance | probability | If used, on target, and the field gets there: how likely does a tracking work contribute?
leak_untracked | unit | relevance | probability | How likely does a work contribute that tracks nothing, under the same conditions?
value_constancy | unit | relevance | probability | How likely are values formed so far to stay, so that reading them is enough?
"""


def _read(line: str) -> Slot:
    name, support, block, unit, question, *families = (part.strip() for part in line.split("|"))
    return Slot(name, support, block, unit, question, tuple(families))


SLOTS: dict[str, Slot] = {slot.name: slot for slot in map(_read, _ROWS.strip().splitlines())}
"""Every slot by name, in the order of the model's sections."""

BLOCKS: tuple[str, ...] = tuple(dict.fromkeys(slot.block for slot in SLOTS.values()))
"""The blocks of priors, in order."""
