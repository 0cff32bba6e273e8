"""Copy ``priors/`` and ``evidence/`` into the wheel, as package data of ``forecast``."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("priors", "evidence")


class CopyData(BuildHookInterface):
    """Place the shipped tables and priors under ``forecast/data/`` of a standard wheel.

    An editable install gets no copy: it reads the folders of the checkout, which would
    otherwise be shadowed by an older copy of themselves.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add each folder to the files that Hatchling must include."""
        if version == "standard":
            for folder in FOLDERS:
                build_data["force_include"][folder] = f"forecast/data/{folder}"
