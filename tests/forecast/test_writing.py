"""What a run writes beside its tables."""

import numpy as np
import pytest

from forecast.runs.write import leads


def test_leads_are_shares_of_draws_with_their_errors():
    rng = np.random.default_rng(1)
    n, low = 4000, np.full(4000, 0.3)
    found = {
        "alignment_only": low + (rng.random(n) < 0.5),
        "capabilities_only": low + 0.1,
        "alignment_used": np.full(n, 0.9),
        "alignment_relevant": np.full(n, 0.1),
        "capabilities_relevant": low,
    }
    made = leads(found, 4)
    assert made["documented"]["mean"] == pytest.approx(0.5, abs=0.03)
    assert made["documented"]["mcse"] == pytest.approx(0.5 / n**0.5, rel=0.1)
    assert made["used"] == {"mean": 1.0, "mcse": 0.0}
    assert made["strict"] == {"mean": 0.0, "mcse": 0.0}
