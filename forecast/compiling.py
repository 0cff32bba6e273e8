"""The child process that compiles: priors, arrays and structure on stdin, a program in a file.

``python -m forecast.compiling FILE``; called by :mod:`forecast.program` and by nothing else.
"""

import os
import pickle
import sys
from pathlib import Path


def main(path: str) -> None:
    """Compile the model that stdin describes and write it to ``path``."""
    # PyTensor would compile helpers of its own with a C compiler, which we have no use for.
    os.environ["PYTENSOR_FLAGS"] = ",".join(
        filter(None, [os.environ.get("PYTENSOR_FLAGS"), "cxx="])
    )
    from forecast.native import compile_program
    from models.build import build_sampled

    priors, arrays, structure = pickle.load(sys.stdin.buffer)
    model, alone = build_sampled(priors, arrays, structure=structure)
    keep = [rv.name for rv in model.free_RVs if not rv.name.startswith("beliefs_")]
    keep += [v.name for v in model.deterministics]
    Path(path).write_bytes(pickle.dumps(compile_program(model, keep, alone=alone)))


if __name__ == "__main__":
    main(sys.argv[1])
