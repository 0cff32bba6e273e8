"""A user's priors file: read, checked, and turned into frozen data."""
