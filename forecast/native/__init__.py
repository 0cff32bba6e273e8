"""A PyMC model, or any PyTensor graph of static shapes, as machine code that is kept on disk.

Independent of the rest of this project; README.md says what it compiles, how, and what it does not.
Importing it imports neither PyMC nor PyTensor: only what compiles does.
"""

from importlib import import_module
from typing import Any

HOMES = {
    "compile_model": "lowering",
    "compile_function": "lowering",
    "Program": "program",
    "Function": "program",
    "UnknownOperationError": "program",
    "CompilationError": "program",
    "nutpie_model": "program",
    "values_and_gradients": "program",
    "expanded": "program",
}
"""The public names, and the file of each."""


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)


__all__ = list(HOMES)
