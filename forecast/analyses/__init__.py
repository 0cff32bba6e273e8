"""Analyses: each makes Cases, has them evaluated, and reduces the Answers to a table."""
