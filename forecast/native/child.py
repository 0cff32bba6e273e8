"""Compile in a child process, so that every process that samples runs loaded code.

What numba compiled before could change the instructions, and PyMC and PyTensor need not be imported
by the parent. ``python -m forecast.native.child FILE`` reads a function and its arguments from
stdin, pickled, and writes the bytes that the function returns to FILE; :func:`compile_in_child`
calls it.
"""

import errno
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from forecast.native.program import CompilationError, UnknownOperationError, refusal


def compile_in_child(build: Callable[..., bytes], *arguments: Any) -> bytes:
    """Return the bytes that ``build(*arguments)`` returns in a process of its own.

    Parameters
    ----------
    build
        Function of a module that the child can import.
    arguments
        Its arguments, which can be pickled.

    Returns
    -------
    bytes
        A program or function; of an operation that is not known, a refusal, which raises
        :class:`UnknownOperationError` once it is read.

    Raises
    ------
    OSError
        If there is no space for temporary files.
    CompilationError
        If the child fails.
    """
    # -P keeps the current folder off the child's path unless it is on ours.
    path = os.pathsep.join(place or str(Path.cwd()) for place in sys.path)
    with tempfile.TemporaryDirectory(prefix="native-") as folder:
        file = Path(folder) / "program"
        # PyTensor would compile helpers of its own with a C compiler, which are of no use here.
        flags = ["cxx=", *([] if _has_home() else [f"base_compiledir={folder}"])]
        given = os.environ.get("PYTENSOR_FLAGS")
        if given:
            flags = [given, *(f for f in flags if "base_compiledir" not in given or f == "cxx=")]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "forecast.native.child", str(file)],
            input=pickle.dumps((build, arguments)),
            capture_output=True,
            env=os.environ | {"PYTHONPATH": path, "PYTENSOR_FLAGS": ",".join(flags)},
        )
        if done.returncode == 0:
            return file.read_bytes()
    errors = done.stderr.decode(errors="replace")
    if "No space left on device" in errors:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), tempfile.gettempdir())
    raise CompilationError("compiling failed:\n" + errors)


def _has_home() -> bool:
    """Return whether PyTensor's folder in the user's home is there, or can be made, and written."""
    try:
        place = Path("~/.pytensor").expanduser()
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return True
    except (OSError, RuntimeError):
        return False


def main(path: str) -> None:
    """Call the function that stdin holds, and write the bytes it returns to ``path``."""
    build, arguments = pickle.load(sys.stdin.buffer)
    try:
        content = build(*arguments)
    except UnknownOperationError as error:
        content = refusal(str(error))
    Path(path).write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1])
