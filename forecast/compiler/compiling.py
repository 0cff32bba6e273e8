"""The child process that compiles: priors, arrays and structure on stdin, a program in a file.

``python -m forecast.compiler.compiling FILE``; called by :mod:`program` and by nothing else.
"""

import os
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from forecast.inference.children import end_with_parent


def main(path: str) -> None:
    """Compile the model that stdin describes and write it to ``path``.

    The ratings' kernel, half of the work, needs no model: a process of its own compiles it.
    """
    # PyTensor would compile helpers of its own with a C compiler, which we have no use for.
    flags = filter(None, [os.environ.get("PYTENSOR_FLAGS"), "cxx="])
    os.environ["PYTENSOR_FLAGS"] = ",".join(flags)
    priors, arrays, structure = pickle.load(sys.stdin.buffer)
    kinds = structure.kind_of, len(structure.kinds)
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=end_with_parent) as other:
        kernel = other.submit(_ratings, *kinds, link=structure.link)
        program = _program(priors, arrays, structure=structure)
        program = replace(program, code=(*program.code, kernel.result()))
    Path(path).write_bytes(pickle.dumps(program))


def _ratings(kind_of: tuple[int, ...], n_kinds: int, *, link: str) -> bytes:
    from forecast.compiler.routines import ratings_object

    return ratings_object(kind_of, n_kinds, link=link)


def _program(priors: Any, arrays: Any, *, structure: Any) -> Any:
    from forecast.compiler.native import compile_program
    from models.model import build_sampled

    model, alone = build_sampled(priors, arrays, structure=structure)
    keep = [rv.name for rv in model.free_RVs if not rv.name.startswith("beliefs_")]
    keep += [v.name for v in model.deterministics]
    return compile_program(model, keep, alone=alone)


if __name__ == "__main__":
    main(sys.argv[1])
