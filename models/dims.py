"""What forces a compilation: families, options, coordinates and capacities.

Two Cases with equal :class:`Structure` share one compiled model; everything else (numbers of
priors, weights, figures, ratings) is data that is swapped.
"""

from dataclasses import dataclass

LEVELS = tuple(range(8))
STEPS = tuple(range(1, 8))
GROUPS = ("alignment", "capabilities", "interpretability")
SIDES = ("capabilities", "alignment")
COLUMNS = ("tracking", "capabilities", "alignment")
WORLDS = ("no-learning", "wrong-code", "learned-representation")
TASKS = ("detect", "locate", "explain")
FIRST_YEAR = 2013
"""First year of the fixed axis: the earliest rated work."""
LAST_YEAR = 2026
"""Last year of the fixed axis: the evidence closes on 22 November 2026."""
CENTRE_YEAR = 2023
"""Year at which maturity, steps and tracking are stated: where the rated works are."""
LEVEL_YEARS = {"alignment": 2021, "capabilities": 2018, "interpretability": 2023}
"""Year at which each group's size is stated: the middle of its data."""
LOG_RATIO = 4.3
"""Log ratio of workers near which ``ease`` and the elasticity are centred (about 74 to 1)."""
YEARS = tuple(range(FIRST_YEAR, LAST_YEAR + 1))


@dataclass(frozen=True)
class Structure:
    """The hashable description of one compiled model.

    ``families`` holds (prior, distribution) pairs, ``hyper`` the names of the hyperparameter
    vector; the tuples of labels are coordinates; ``capacities`` holds (dim, length) pairs of
    the padded evidence arrays.
    """

    families: tuple[tuple[str, str], ...]
    link: str
    tails: str
    agendas: tuple[str, ...]
    family_of: tuple[int, ...]
    agenda_families: tuple[str, ...]
    definitions: tuple[str, ...]
    lists: tuple[str, ...]
    studies: tuple[str, ...]
    raters: tuple[str, ...]
    kind_of: tuple[int, ...]
    kinds: tuple[str, ...]
    capacities: tuple[tuple[str, int], ...]

    def coords(self) -> dict[str, tuple[object, ...]]:
        """Return the model's coordinates by dim."""
        fixed: dict[str, tuple[object, ...]] = {
            "year": YEARS,
            "shock": tuple(YEARS[1:-1]),
            "group": GROUPS,
            "level": LEVELS,
            "step": STEPS,
            "side": SIDES,
            "column": COLUMNS,
            "world": WORLDS,
            "task": TASKS,
            "agenda": self.agendas,
            "family": self.agenda_families,
            "definition": self.definitions,
            "list": self.lists,
            "study": self.studies,
            "rater": self.raters,
            "kind": self.kinds,
        }
        return fixed | {dim: tuple(range(n)) for dim, n in self.capacities}
