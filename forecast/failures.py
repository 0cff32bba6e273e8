"""A model that cannot start, or a sampler that failed: what is said, and the threads it leaves."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from forecast.starts import Layout, unconstrained
from models.errors import InputError
from models.prior import Prior

STARTS = 50
"""Starting points tried before a model is refused."""
FAR = 1e3
"""Distance of a median from zero, on the sampler's scale, at which a prior is a suspect."""
NARROW = 1e-6
"""Width of the middle 90%, on that scale, below which a prior is named as a suspect."""
THREADS = Path("/proc/self/task")
SETTLE = 60.0
"""Most seconds to wait for the sampler's threads; each ends after 500 starting points."""
BLIND = 3.0
"""Seconds to wait where the system does not list the threads of a process."""


def check_starts(native: Any, layout: Layout, *, priors: Mapping[str, Prior]) -> None:
    """Refuse a model at none of whose first starting points the sampler could begin.

    The rule is nutpie's own: density and gradient finite, and no derivative exactly zero. Its
    threads would fail one by one, and take the process with them.
    """
    from forecast.compiler.program import value_and_gradient

    still: set[str] = set()
    for seed in range(STARTS):
        value, gradient = value_and_gradient(native, native.initial_point_func(seed))
        flat = np.flatnonzero(gradient == 0.0)
        if np.isfinite(value) and np.isfinite(gradient).all() and not flat.size:
            return
        still |= {_names(layout)[i] for i in flat}
    raise InputError(refusal([*sorted(still & set(priors)), *extreme(layout, priors)]))


def _names(layout: Layout) -> list[str]:
    """Return the variable, or the belief in it, at each place of the unconstrained point."""
    return [one for name, members, size in layout for one in (members or (name,) * size)]


def extreme(layout: Layout, priors: Mapping[str, Prior]) -> list[str]:
    """Return the sampled priors that lie far off or are narrow on the sampler's scale."""
    out = []
    for name in dict.fromkeys(_names(layout)):
        if name in priors:
            with np.errstate(all="ignore"):
                low, middle, high = (unconstrained(priors[name], q) for q in (0.05, 0.5, 0.95))
            if not (abs(middle) < FAR and high - low > NARROW):
                out.append(name)
    return out


def refusal(suspects: list[str]) -> str:
    """Return the message, with up to three suspects."""
    named = ", ".join(f"[priors.{name}]" for name in list(dict.fromkeys(suspects))[:3])
    which = named or "a prior"
    return (
        "priors: no starting point has a finite log density and slope; "
        f"{which} lies too far off, or is too narrow, for the evidence: move or widen it "
        "(forecast check shows each)"
    )


def failed(error: Exception, *, settle: Callable[[], None] | None = None) -> Exception:
    """Return what to raise for a failure of the sampler, once its threads have ended.

    nutpie reports the first chain's failure and lets go of the others, which go on to run compiled
    code and would crash a process that ends, or frees that code, before them.
    """
    (settle or _settle)()
    if "nitiali" in str(error):  # "All initialization points failed", "Could not initialize state"
        return InputError(refusal([]))
    return error


def _settle() -> None:
    if not THREADS.exists():
        time.sleep(BLIND)
        return
    end = time.monotonic() + SETTLE
    while time.monotonic() < end and any(map(_samples, THREADS.iterdir())):
        time.sleep(0.02)


def _samples(thread: Path) -> bool:
    """Return whether a thread is one of nutpie's; one that has ended meanwhile is not."""
    try:
        return (thread / "comm").read_text(encoding="utf-8").startswith("nutpie-worker")
    except OSError:
        return False
