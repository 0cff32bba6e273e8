"""The terms of every sub-model from draws: what the graph has, with a leading draw axis."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.components import faults, maturity, output, spillover, tracking, workers
from models.ops import NumPy
from models.priors import Array
from models.ratings import formula as ratings


def terms_from_draws(draws: Mapping[str, Array]) -> dict[str, dict[str, Any]]:
    """Return the terms by sub-model, as :func:`models.model.build` makes them in the graph."""
    n = len(draws["use_rate"])
    offset = draws["definition_offset"]
    shares = faults.world_shares(NumPy, draws["fault_learned_share"], draws["fault_no_learning"])
    diagnosis = faults.diagnosis_from_draws(draws)
    return {
        "workers": {
            "log_workers": workers.workers_from_draws(draws),
            "offsets": np.concatenate([offset, np.zeros((n, 1))], axis=-1),
            "error": draws["worker_error"],
        },
        "output": output.from_draws(draws),
        "maturity": maturity.from_draws(draws),
        "tracking": tracking.from_draws(draws),
        "faults": {
            "mixed": faults.mixed_probability(
                draws["fault_no_learning"], draws["fault_mixed_chance"]
            ),
            "study": draws["fault_concentration"],
            "diagnosis": diagnosis,
            "concentration": draws["diagnosis_concentration"],
            "diagnosed": faults.diagnosed(NumPy, shares, faults.rates(NumPy, diagnosis)),
        },
        "spillover": spillover.from_draws(draws),
        "raters": ratings.from_draws(draws),
    }
