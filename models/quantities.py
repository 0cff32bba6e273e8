"""The registry: every predicted quantity, the claims they answer, and the words for them.

Terminal, JSON, figures, report, glossary and docs read names, units, labels and questions here.

The words that reports use, each with an example and a counter-example from the evidence.

Examples in quotation marks are titles of evidence/works.csv and names of evidence/milestones.csv; a
test looks them up.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Word:
    """A word, what it means here, a case of it, and something that is not a case."""

    meaning: str
    example: str
    counter_example: str


_ROWS = """
alignment-relevant (strict)
A work is used by alignment work, contributes to the milestone it is needed for, and the field gets as far as it must: to reading values, or to predicting reflection.
"Utility Engineering: Analyzing and Controlling Emergent Value Systems in AIs" is nearest: rated at level 6, tracked and used; it counts if the field establishes that level and values stay.
"Simple probes can catch sleeper agents" was used, which is weaker: it counts as alignment-used until the field reaches level 6 or 7.
alignment-used
Alignment or safety work uses the finding or method, inside the work itself or later; how much it helps does not count.
"Auditing language models for hidden objectives": safety auditing is its own use.
"Efficient Streaming Language Models with Attention Sinks": used, but by capabilities work.
capabilities-relevant
Capabilities work uses the finding or method, inside the work itself or later; how much it helps does not count.
"In-context Learning and Induction Heads": later architectures were designed against its finding.
"Auditing language models for hidden objectives": raters found no use for better models.
capabilities-first
The first use of a work, on either side, is a capabilities use; a work used by itself on both sides counts half.
"The Dormant Neuron Phenomenon in Deep Reinforcement Learning": its finding raises performance in the work itself.
"Simple probes can catch sleeper agents": the first use is on the alignment side.
tracks
A work names the specific alignment milestone that it works toward and says how its result bears on it.
"Auditing language models for hidden objectives" names finding a concealed objective as its aim.
"In-context Learning and Induction Heads": that interpretability matters for safety in general is not tracking.
established
At least the set number of works (three, unless changed) at that level or above exist in the field, family or agenda.
Level 2: "End-to-end circuit of a natural language behaviour" and "Location of factual recall found and tested by edit" stand among many.
Level 7: "Outcome of an agent's own reflection predicted" is open, and no rated work is at that level.
reach
The chance that the field gets as far as relevance needs: level 6 as far as values stay as they are, else level 7.
"Value profile of a language model read from internals" is what reach asks for at level 6.
"Internal monitor runs in a deployed product" is of use, but a level below what reach asks for.
gate
The chance that a used work which tracks contributes to the required milestone: tracks the required one, and then helps reach it.
"Auditing language models for hidden objectives" stands before the gate: it tracks a named milestone.
"In-context Learning and Induction Heads" does not track, so it passes by the leak or not at all.
leak
The chance that a used work which tracks nothing contributes all the same.
"Learning to Generate Reviews and Discovering Sentiment": what it turned up was not its aim.
"Persona Features Control Emergent Misalignment" tracks, so it passes by the gate.
ease
How much more often one capabilities worker uses a work than one alignment worker does, as a log ratio.
"Efficient Streaming Language Models with Attention Sinks": a finding that serves performance at once.
That there are more capabilities workers is not ease: it is the ratio of workers.
bottleneck
How much being able to diagnose faults adds to capabilities use, since not knowing why a sound set-up fails holds progress back.
"Loss of learning ability detected by internal counts": a diagnosis, and a repair for performance.
"Internal world state decoded and edited": it shows what a model holds, and no fault in its training.
fault worlds
Three reasons why a training run disappoints: nothing is learned, some code does the wrong thing, or a learned representation does harm.
"A training fault is noticed from internals": a part of a network is bypassed, so that nothing is learned there.
Too little compute or data is no fault: the set-up is sound and does what it can.
cohort
All works of the sampled kind that appear in one year; forecasts are for a cohort and never for a single work.
The cohort of 2026, asked about at the end of 2040.
"Building Production-Ready Probes For Gemini" alone: a single work is looked up, not forecast or ranked.
"""


def _read(text: str) -> dict[str, Word]:
    lines = text.strip().splitlines()
    groups = [lines[i : i + 4] for i in range(0, len(lines), 4)]
    return {name: Word(*rest) for name, *rest in groups}


GLOSSARY: dict[str, Word] = _read(_ROWS)
"""Every word by name, in the order in which a reader meets it."""


@dataclass(frozen=True)
class Quantity:
    """One named quantity of the group ``predictions``.

    ``dims`` are those after the draw's; ``claims`` the ids of the claims it bears on.
    """

    name: str
    unit: str
    label: str
    question: str
    claims: tuple[str, ...] = ()
    dims: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """One claim of the argument, in our words, with its quantities in the order to be read."""

    who: str
    text: str
    quantities: tuple[str, ...]


# name | unit | label | question | dims
_OUTCOMES = """
alignment_relevant | probability | alignment-relevant (strict) | How likely is a work to be used by alignment work, to contribute to the required milestone, and to belong to a field that gets there?
alignment_used | probability | alignment-used | How likely is a work to be used by alignment work by the horizon?
capabilities_relevant | probability | capabilities-relevant | How likely is a work to be used by capabilities work by the horizon?
alignment_used_by_others | probability | alignment-used by others | How likely is a separate alignment work to use it by the horizon?
capabilities_used_by_others | probability | capabilities-used by others | How likely is a separate capabilities work to use it by the horizon?
capabilities_first | probability | capabilities-first | How likely is the first use by the horizon to be a capabilities use?
alignment_only | probability | alignment use only | How likely is documented use on the alignment side alone?
both | probability | use on both sides | How likely is documented use on both sides?
capabilities_only | probability | capabilities use only | How likely is documented use on the capabilities side alone?
neither | probability | use on neither side | How likely is no documented use on either side?
strict_alignment_only | probability | strictly relevant, no capabilities use | How likely is strict alignment relevance without capabilities use?
strict_both | probability | strictly relevant, and capabilities use | How likely is strict alignment relevance together with capabilities use?
strict_capabilities_only | probability | capabilities use, not strictly relevant | How likely is capabilities use without strict alignment relevance?
strict_neither | probability | neither strictly relevant nor used for capabilities | How likely is neither strict alignment relevance nor capabilities use?
documented_alignment | probability | documented alignment use | How likely is an alignment use that one can read about by the horizon?
documented_capabilities | probability | documented capabilities use | How likely is a capabilities use that one can read about by the horizon?
"""
_OTHERS = """
level5_established | probability | level 5 established | How likely are works that find structure nobody looked for to be established by the horizon? |
plateau | probability | last level established | At which level does the field end by the horizon? | level
level_share | share | share of works by level | Which share of the cohort's works reaches just this level? | level
bottleneck_gain | ratio | gain from diagnosis | By which factor does being able to name causes raise capabilities use? |
relevant_if_reflection_needed | probability | strictly relevant, if reflection must be predicted | How likely is strict relevance if level 7 is always required? |
tracks_end_goal | share | tracks the required milestone | Which share of the cohort's works tracks the milestone that is required? |
tracking_effect_capabilities | ratio | capabilities use, tracked to untracked | How much likelier is capabilities use of a work that tracks, at the same level and agenda? |
untracked_leak | probability | leak | How likely does a used work that tracks nothing contribute? |
fault_shares | share | shares of fault worlds | Which share of faults lies in each world? | world
diagnosed | share | faults diagnosed in practice | Which share of faults does a work at this level diagnose? | level
diagnosis_rate_practice | probability | diagnosis rate in practice | How likely is a fault of this world found at this task, outside benchmarks? | world task
path_count | paths | paths to capabilities | By how many separate paths can one insight help capabilities? |
path_caught | uses per path | uses caught per path | How many capabilities uses by others does a path yield in the long run? |
no_path_caught | probability | no path ever caught | How likely does no path of a work ever lead to a capabilities use by others? |
ease_documented | log ratio | ease, documented uses | How much easier is a documented use for one capabilities worker than for one alignment worker? |
ease_actual | log ratio | ease, actual uses | How much easier is any use for one capabilities worker than for one alignment worker? |
worker_ratio | ratio | capabilities to alignment workers | How many capabilities workers are there for each alignment worker? | forecast_year
relevant_if_values_enough | probability | strictly relevant, if reading values is enough | How likely is strict relevance if level 6 is always enough? |
value_constancy | probability | value constancy | How likely are values formed so far to stay, so that reading them is enough? |
relevant_tracked | probability | strictly relevant, tracked works | How likely is strict relevance of a work that tracks? |
relevant_untracked | probability | strictly relevant, untracked works | How likely is strict relevance of a work that tracks nothing? |
capabilities_first_tracked | probability | capabilities-first, tracked works | How likely is a work that tracks to be used first by capabilities work? |
capabilities_first_untracked | probability | capabilities-first, untracked works | How likely is a work that tracks nothing to be used first by capabilities work? |
capabilities_only_tracked | probability | capabilities use only, tracked works | How likely is documented use on the capabilities side alone, of a work that tracks? |
capabilities_only_untracked | probability | capabilities use only, untracked works | How likely is documented use on the capabilities side alone, of a work that tracks nothing? |
workers | people | workers | How many people work in each group? | group forecast_year
field_works | works per year | works | How many works of the sampled kind appear in a year? | forecast_year
agenda_share | share | share of works by agenda | Which share of the cohort's works belongs to this agenda? | agenda
tracking_by_agenda | share | tracking by agenda | Which share of an agenda's works tracks some milestone? | agenda forecast_year
tracking_field | share | tracking in the field | Which share of the field's works tracks some milestone? | forecast_year
level_by_agenda | share | level by agenda | Which share of an agenda's works in the cohort reaches just this level? | agenda level
level_field | share | level by year | Which share of the field's works reaches just this level? | forecast_year level
established | probability | established by year | How likely is this level established by the end of the year? | step forecast_year
established_field | probability | established in the field | How likely is this level established in the field by the horizon? | step
established_family | probability | established in a work's family | How likely is this level established in a work's family of agendas by the horizon? | step
established_agenda | probability | established in a work's agenda | How likely is this level established in a work's agenda by the horizon? | step
alignment_relevant_field | probability | strictly relevant, established in the field | How likely is strict relevance if levels count once the field has established them? |
alignment_relevant_family | probability | strictly relevant, established in the family | How likely is strict relevance if levels count once the family has established them? |
alignment_relevant_agenda | probability | strictly relevant, established in the agenda | How likely is strict relevance if levels count once the agenda has established them? |
works_at_level | works | works at this level or above by 2026 | How many works at this level or above does the model think exist by 2026? | step
"""
_CLAIMS = """
C1 | doubter | The field will hardly mature so far that it points at alignment-relevant high-level structure which nobody was looking for. | level5_established established works_at_level
C2 | doubter | It will level off at telling why a model does not work, well enough to fix it. | plateau level_share
C3 | doubter | Not knowing why a sound set-up fails holds reinforcement learning back, so such insight helps capabilities. | bottleneck_gain
C4 | doubter | Alignment needs to know what an agent's values become on reflection. | relevant_if_reflection_needed
C5 | doubter | People in the field mostly do not keep that goal in view as the aim of their work. | tracks_end_goal tracking_field tracking_by_agenda
C6 | doubter | Work without that aim follows what impresses from one step to the next, and this leads to capabilities. | tracking_effect_capabilities untracked_leak
C7 | questioner | Trouble in reinforcement learning is mostly faulty code, not wrong things learned. | fault_shares
C8 | doubter | Looking inside can tell three cases apart: nothing is learned, some code does the wrong thing, a learned representation does harm. | diagnosed diagnosis_rate_practice
C9 | doubter | No single path is likely, but an insight can help capabilities by many paths, and many of them will be taken. | path_count path_caught no_path_caught
C10 | doubter | Progress in capabilities is easier than progress in alignment. | ease_documented ease_actual
C11 | doubter | More people work on capabilities than on alignment. | worker_ratio
C12 | questioner | To know the values formed so far would be enough to be relevant. | relevant_if_values_enough
C13 | doubter | That holds only as far as values stay: one must know how the agent reflects, and what in it is active when that begins. | value_constancy
C14 | doubter | Who does not check whether the work serves a specific, necessary milestone of alignment ends up doing capabilities by default; checking is necessary and not sufficient. | relevant_tracked relevant_untracked capabilities_first_tracked capabilities_first_untracked capabilities_only_tracked capabilities_only_untracked
"""


def _cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


CLAIMS: dict[str, Claim] = {
    key: Claim(who, text, tuple(names.split())) for key, who, text, names in _cells(_CLAIMS)
}
"""The claims C1 to C14, in the order of the argument."""


def claims_of(name: str) -> tuple[str, ...]:
    """Return the claims that a quantity bears on."""
    return tuple(key for key, claim in CLAIMS.items() if name in claim.quantities)


def _variants(q: Quantity) -> list[Quantity]:
    return [
        q,
        replace(
            q,
            name=f"agenda_{q.name}",
            label=f"{q.label}, by agenda",
            question=f"By agenda: {q.question}",
            dims=("agenda",),
        ),
        replace(
            q,
            name=f"cohort_{q.name}",
            label=f"{q.label}, by cohort",
            question=f"By year of the works: {q.question}",
            dims=("cohort",),
        ),
        replace(
            q,
            name=f"new_agenda_{q.name}",
            label=f"{q.label}, new agenda",
            question=f"In an agenda nobody has rated: {q.question}",
        ),
    ]


OUTCOMES: tuple[str, ...] = tuple(row[0] for row in _cells(_OUTCOMES))
"""What becomes of a work: each also by agenda, by cohort and for a new agenda."""
HEADLINE: tuple[str, ...] = OUTCOMES[:14]
"""The names of headline.json, in order."""
QUANTITIES: dict[str, Quantity] = {
    q.name: q
    for name, unit, label, question in _cells(_OUTCOMES)
    for q in _variants(Quantity(name, unit, label, question))
} | {
    name: Quantity(name, unit, label, question, claims_of(name), tuple(dims.split()))
    for name, unit, label, question, dims in _cells(_OTHERS)
}
"""Every predicted quantity by name."""
SCOPES = {
    "outcome_field": "",
    "outcome_by_agenda": "agenda_",
    "outcome_by_cohort": "cohort_",
    "outcome_new_agenda": "new_agenda_",
}
"""Variables of the group ``predictions`` that hold every outcome, with the prefix of its names."""


def scope_of(name: str) -> tuple[str, str] | None:
    """Return the variable and its ``outcome`` that hold a quantity; None for one by itself."""
    for variable, prefix in SCOPES.items():
        if name.startswith(prefix) and name.removeprefix(prefix) in OUTCOMES:
            return variable, name.removeprefix(prefix)
    return None
