"""The sub-models: one file each, with the mathematics in its docstring."""
