"""The ratings: what raters record of a work, its formula, simulator and compiled likelihood."""
