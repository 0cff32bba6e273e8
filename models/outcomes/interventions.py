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


def on_log(
    x: Array, key: str, *, years: Sequence[int], do: Sequence[Do], base: Array | float = 0.0
) -> Array:
    """Return the log of a quantity (..., year) after what is done to it.

    What is set is set beside ``base``: a ratio of workers, beside the number on the other side.
    """
    for act in acts(do, key):
        later, value = np.asarray(years) >= act.since, np.log(act.value)
        x = np.where(later, (x if act.times else base) + value, x)
    return x


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


def with_set_shares(
    share: Array, agendas: Sequence[str], *, years: Sequence[int], do: Sequence[Do]
) -> Array:
    """Return shares (draw, year, agenda) with those that are set; the others keep their ratios."""
    some = [act for act in do if act.key.startswith("share.") and not act.times]
    if not some:
        return share
    fixed = np.stack([level(f"share.{a}", years, do=some, none=np.nan) for a in agendas], axis=-1)
    is_set = ~np.isnan(fixed)
    rest = np.where(is_set, 0.0, share)
    left = np.broadcast_to(1.0 - np.where(is_set, fixed, 0.0).sum(axis=-1), rest.shape[:2])
    whole, scale = rest.sum(axis=-1), np.ones(rest.shape[:2])
    np.divide(left, whole, out=scale, where=is_set.any(axis=-1) & (whole > 0.0))
    return np.where(is_set, fixed, rest * scale[..., None])
