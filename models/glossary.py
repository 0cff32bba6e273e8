"""The words that reports use, each with an example and a counter-example from the evidence.

Examples in quotation marks are titles of evidence/works.csv and names of evidence/milestones.csv; a
test looks them up.
"""

# ruff: noqa: E501 (a table, one entry a line)

from dataclasses import dataclass


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
