r"""Interventions: what is done from a year on, to works of that year and later.

Doing is not observing. An intervention replaces one quantity of the forecast and leaves every
belief, and all that came before its year, as it is (the do of Pearl 2009, Causality, section 3.2);
to hear that the same quantity *has* that value would move the beliefs behind it as well.

============== =============================================== ===================================
key            meaning                                         where it acts
============== =============================================== ===================================
tracking       share of works that track a milestone, set      :math:`\pi` of every agenda, level
ratio          capabilities workers for each alignment worker  :math:`l(t)`
effort         interpretability workers                        :math:`W_{int}(t)`: works, maturity
withhold       share of capabilities uses that are prevented   a factor on :math:`M_{cap}`
delay          years until others can use a work               the age of uses by others
share.AGENDA   an agenda's share of works                      shares of the field
============== =============================================== ===================================

``ratio``, ``effort`` and ``share.AGENDA`` are set, or multiplied (an agenda's size, not its share,
takes the factor). Everything then follows by the formulas of the forecast, year by year: more
workers add up to more effort in each later year, and uses race with the hazards of each cohort.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.errors import InputError
from models.priors import Array

KEYS = ("tracking", "ratio", "effort", "withhold", "delay")
"""What can be done, besides ``share.AGENDA``."""
CHANCES = ("tracking", "withhold")
"""Keys whose value is a chance from 0 to 1."""
SET_ALONE = (*CHANCES, "delay")
"""Keys that no factor multiplies."""


@dataclass(frozen=True)
class Do:
    """An intervention on works of the year ``since`` and later.

    It sets the key's quantity to ``value``, or multiplies it (``times``).
    """

    key: str
    value: float
    since: int
    times: bool = False

    def __post_init__(self) -> None:
        if self.key not in KEYS and not self.key.startswith("share."):
            raise InputError(f"do: no key {self.key!r}; use one of {', '.join(known_keys())}")
        if self.times and self.key in SET_ALONE:
            raise InputError(f"do: {self.key} is set, not multiplied; write {self.key}=VALUE")
        need, ok = self._range()
        if not ok:
            raise InputError(f"do: {self.key} = {self.value}; give {need}")

    def _range(self) -> tuple[str, bool]:
        """Return in words what the value must be, and whether it is."""
        x = self.value
        if self.key in CHANCES or (self.key.startswith("share.") and not self.times):
            return "a chance from 0 to 1", 0.0 <= x <= 1.0
        if self.key == "delay":
            return "0 or more years", 0.0 <= x < np.inf
        return "a factor above 0" if self.times else "a number above 0", 0.0 < x < np.inf


def known_keys() -> tuple[str, ...]:
    """Return every key, as one may write it."""
    return (*KEYS, "share.AGENDA")


def acts(do: Sequence[Do], key: str) -> list[Do]:
    """Return what is done to a key, in the order of its years: a later act meets an earlier one."""
    return sorted((act for act in do if act.key == key), key=lambda act: act.since)


def level(key: str, years: Sequence[int], *, do: Sequence[Do], none: float) -> Array:
    """Return the value that is set in each year, ``none`` before the first act; dims (year,)."""
    out = np.full(len(years), none)
    for act in acts(do, key):
        out[np.asarray(years) >= act.since] = act.value
    return out


def log_changes(key: str, years: Sequence[int], *, do: Sequence[Do]) -> tuple[Array, Array]:
    """Return the log of what a quantity is set to, NaN where it is not, and the log of a factor.

    A factor meets what an earlier act set; dims (year,) each.
    """
    stated, factor = np.full(len(years), np.nan), np.zeros(len(years))
    for act in acts(do, key):
        later = np.asarray(years) >= act.since
        if act.times:
            factor[later] += np.log(act.value)
        else:
            stated[later], factor[later] = np.log(act.value), 0.0
    return stated, factor


def changes(do: Sequence[Do], *, years: Sequence[int], agendas: Sequence[str]) -> dict[str, Array]:
    """Return what is done by year, as the inputs of the forecast's graph.

    Returns
    -------
    dict
        ``tracking_set``, a chance or NaN; ``withheld``, a share; ``delay`` in years;
        ``KEY_set``, a logarithm or NaN, and ``KEY_factor``, a logarithm, of ``effort`` and
        ``ratio``; all (year,). ``share_set``, a share or NaN, and ``share_factor``
        (year, agenda).

    Raises
    ------
    InputError
        If shares are set that cannot be.
    """
    check_agendas(do, agendas)
    found = {
        "tracking_set": level("tracking", years, do=do, none=np.nan),
        "withheld": level("withhold", years, do=do, none=0.0),
        "delay": level("delay", years, do=do, none=0.0),
    }
    for key in ("effort", "ratio"):
        found[f"{key}_set"], found[f"{key}_factor"] = log_changes(key, years, do=do)
    keys = [f"share.{agenda}" for agenda in agendas]
    fixed, bigger = ([act for act in do if act.times is times] for times in (False, True))
    stated = [level(key, years, do=fixed, none=np.nan) for key in keys]
    factor = [np.exp(log_changes(key, years, do=bigger)[1]) for key in keys]
    return found | {"share_set": np.stack(stated, -1), "share_factor": np.stack(factor, -1)}


def check_agendas(do: Sequence[Do], agendas: Sequence[str]) -> None:
    """Refuse acts on shares that cannot be.

    Raises
    ------
    InputError
        If an agenda is unknown, or is both set and multiplied, or set shares exceed 1.
    """
    shares = [act for act in do if act.key.startswith("share.")]
    for act in shares:
        if act.key[6:] not in agendas:
            raise InputError(
                f"do: no agenda {act.key[6:]!r}; use one of: {', '.join(sorted(agendas))}"
            )
        if any(other.key == act.key and other.times != act.times for other in shares):
            raise InputError(f"do: {act.key} is both set and multiplied; do one of them")
    some = [act for act in shares if not act.times]
    for year in sorted({act.since for act in some}):
        fixed = [level(key, [year], do=some, none=0.0)[0] for key in {act.key for act in some}]
        total, whole = sum(fixed), len(fixed) == len(agendas)
        if total > 1.0 + 1e-9 or (whole and abs(total - 1.0) > 1e-9):
            need = "make it 1, as no agenda is left over" if whole else "make it 1 at most"
            raise InputError(f"do: shares set from {year} add up to {total:g}; {need}")
