"""What is done, where the user allows it, about a fit that does not converge: once more, slower.

The same chains are drawn anew with twice the tuning and a target acceptance halfway to 1, so with
shorter steps. The second fit stands, whatever becomes of it, and says so.
"""

from dataclasses import replace

from forecast.case import Case
from forecast.sampling import Fit


def harder(case: Case) -> Case:
    """Return the Case with longer tuning and a higher target acceptance."""
    accept = 0.5 * (1.0 + case.sampler.target_accept)
    sampler = replace(case.sampler, tune=2 * case.sampler.tune, target_accept=accept)
    return replace(case, sampler=sampler)


def again(first: Fit, second: Fit) -> Fit:
    """Return the second fit, saying why it was made and how."""
    sampler = harder(second.case).sampler
    said = (
        f"the first fit failed ({'; '.join(first.diagnosis.failures)}), so once more with "
        f"{sampler.tune} tuning steps and target acceptance {sampler.target_accept:g}"
    )
    return replace(second, diagnosis=replace(second.diagnosis, retried=said))
