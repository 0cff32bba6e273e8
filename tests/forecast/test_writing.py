"""What a run writes beside its tables."""

import numpy as np

from forecast.writing import leads


def test_leads_are_shares_of_draws():
    found = {
        "alignment_used": np.array([0.2, 0.4, 0.6, 0.8]),
        "alignment_relevant": np.array([0.1, 0.1, 0.1, 0.75]),
        "capabilities_relevant": np.array([0.3, 0.3, 0.7, 0.7]),
    }
    assert leads(found) == {"used": 0.5, "strict": 0.25}
