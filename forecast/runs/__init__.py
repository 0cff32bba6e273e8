"""A run and its folder: run, open, summarise, write."""
