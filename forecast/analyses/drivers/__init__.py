"""What drives a target: each file one way to ask (:mod:`forecast.analyses.sensitivity`)."""
