"""The page's scripts: plain files of ``js/``, joined in order into one inline script.

The content policy allows this one script by its hash, so that nothing else can run.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from markupsafe import Markup

FOLDER = Path(__file__).parent / "js"
ORDER = (
    "special",
    "families",
    "psis",
    "sums",
    "answer",
    "words",
    "picture",
    "toml",
    "warm",
    "controls",
    "page",
)
"""Files in the order in which they are joined; each uses those before it."""


def script() -> str:
    """Return the page's script: one function around all files, so that no name leaks."""
    parts = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in ORDER]
    return '(() => {\n"use strict";\n' + "\n".join(parts) + "})();\n"


def policy(text: str) -> str:
    """Return the content policy of a page whose only script is ``text``."""
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def data_block(data: Any) -> Markup:
    """Return data as JSON that cannot end the element that holds it."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
