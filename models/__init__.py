"""The sub-models and the generated quantities: pure functions, no files, no seeds."""

PROJECT = "mi-forecast"
"""Marks this package as ours; ``forecast`` checks it, since another ``models`` may shadow it."""
