"""Build the docs site into site/: `.venv/bin/python scripts/build_docs.py [RUN]`.

Pages of docs/ and the README as they are; the write-up of the model, the command line and the
Python reference made from code, registry and priors. With the folder of a finished run, its
figures and its report stand in the site too. Nothing is sampled and nothing is loaded from
elsewhere. A link that leads nowhere fails the build.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 (this checkout, wherever the script is run from)
from forecast import EXPORTS, GROUPS
from forecast.cli.main import SETTINGS, cli
from forecast.config.load import load_config
from forecast.runs.open import show
from models.errors import InputError
from scripts import docs_pages as writeup

SOURCE, SITE = ROOT / "build" / "docs", ROOT / "site"
COPIED = {
    "README.md": "readme.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "ARCHITECTURE.md": "architecture.md",
    "evidence/README.md": "evidence-tables.md",
    "evidence/RUBRIC.md": "rubric.md",
}
"""Pages outside docs/, and what they are called in the site."""
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s:]*)(#[^)\s]*)?\)")
NAV = [
    {"What it answers": "index.md"},
    {"The forecast": "forecast.md"},
    {
        "Start": [
            {"Tutorial": "tutorial.md"},
            {"README": "readme.md"},
            {"Your own files": "working.md"},
        ]
    },
    {
        "How to": [
            {"Read the report": "report.md"},
            {"Read a run": "reading-a-run.md"},
            {"Read the diagnostics": "checks.md"},
            {"Add works and raters": "desk.md"},
            {"Evidence": "evidence.md"},
            {"Compare, and use a cluster": "howto.md"},
            {"How far it is its priors": "sensitivity.md"},
            {"Scenarios and decisions": "decisions.md"},
            {"Disagreement": "disagreement.md"},
            {"The value of information": "value.md"},
            {"The ledger": "ledger.md"},
        ]
    },
    {
        "The model": [
            {"In words": "model.md"},
            {"From its code": "write-up.md"},
            {"Beliefs": "beliefs.md"},
            {"Quantities": "quantities.md"},
            {"The ladder": "rubric.md"},
            {"Limits and criticisms": "limits.md"},
        ]
    },
    {
        "Tests of it": [
            {"Backtest": "backtest.md"},
            {"Calibration": "calibration.md"},
            {"Scale": "scale.md"},
        ]
    },
    {
        "Reference": [
            {"Command line": "cli.md"},
            {"Python": "python.md"},
            {"Tables": "evidence-tables.md"},
            {"Architecture": "architecture.md"},
            {"Contributing": "contributing.md"},
            {"Changelog": "changelog.md"},
        ]
    },
]


def main(run: Path | None = None) -> None:
    """Write the sources and build the site; exit as mkdocs does."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    SOURCE.mkdir(parents=True)
    for source, target in pages().items():
        text = (ROOT / source).read_text(encoding="utf-8")
        write(target, relinked(text, source))
    write("write-up.md", model_text())
    write("quantities.md", writeup.quantities_page())
    write("cli.md", writeup.command_page(helps()))
    write("python.md", writeup.python_page(EXPORTS, GROUPS))
    nav = list(NAV)
    if run is not None:
        try:
            write("forecast.md", run_page(run))
        except InputError as error:
            sys.exit(f"build_docs: {error}")
        nav.insert(1, {"The default forecast": "forecast.md"})
    config = ROOT / "build" / "mkdocs.yml"
    config.write_text(json.dumps(settings(nav)), encoding="utf-8", newline="\n")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", str(config)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # of a release to come; we pin this one
    sys.exit(subprocess.run(command, check=False, env=quiet).returncode)


def pages() -> dict[str, str]:
    """Return every page that is copied: its path in the checkout and its name in the site."""
    own = {f"docs/{path.name}": path.name for path in sorted((ROOT / "docs").glob("*.md"))}
    return own | COPIED


def write(name: str, text: str) -> None:
    """Write a source page."""
    (SOURCE / name).write_text(text, encoding="utf-8", newline="\n")


def relinked(text: str, source: str) -> str:
    """Return a page whose links lead to pages of the site; others become their text."""
    known = pages()

    def link(m: re.Match[str]) -> str:
        if not m[2]:
            return m[0]
        path = (ROOT / source).parent.joinpath(m[2]).resolve()
        if not path.is_relative_to(ROOT):
            return m[1]
        target = known.get(path.relative_to(ROOT).as_posix())
        return f"[{m[1]}]({target}{m[3] or ''})" if target else m[1]

    return LINK.sub(link, text)


def model_text() -> str:
    """Return the write-up of the model, on the default priors."""
    names = {name for part in writeup.PARTS.values() for name in part}
    sources = {name: (ROOT / "models" / f"{name}.py").read_text(encoding="utf-8") for name in names}
    docstrings = {name: ast.get_docstring(ast.parse(text)) or "" for name, text in sources.items()}
    priors = {prior.name: prior for prior in load_config("default").priors}
    return writeup.model_page(docstrings, priors, formula=formula)


def formula(latex: str, display: str) -> str:
    """Return LaTeX as MathML, which browsers draw without scripts."""
    from latex2mathml.converter import convert

    text = latex.replace("\\tfrac", "\\frac")
    if "\\\\" in text:
        text = f"\\begin{{aligned}}{text}\\end{{aligned}}"
    made = convert(text, display=display)
    if display == "block":
        return f'<div style="overflow-x: auto">{made}</div>'
    return f"<span>{made}</span>"  # a line may begin with it, and is no block of HTML


def helps() -> list[tuple[str, str]]:
    """Return every command with what ``--help`` prints, groups before their own."""
    found = []

    def visit(command: click.Command, name: str, *, parent: click.Context | None) -> None:
        context = click.Context(command, info_name=name, parent=parent, **SETTINGS)
        found.append((context.command_path, command.get_help(context)))
        if isinstance(command, click.Group):
            for one in command.list_commands(context):
                inner = command.get_command(context, one)
                if inner is not None:
                    visit(inner, one, parent=context)

    visit(cli, "forecast", parent=None)
    return found


def run_page(run: Path) -> str:
    """Return the page of a run: its figures with their captions, and its report beside it.

    Raises
    ------
    InputError
        If it is no whole run, or its numbers were changed since it was written.
    """
    shown = show(run)
    shown.demand_whole("a page can be made of it")
    context = shown.context
    shutil.copyfile(run / "report.html", SOURCE / "report-of-the-default.html")
    out = [
        "# The default forecast",
        "",
        "[The whole report](report-of-the-default.html), with sliders.",
    ]
    for figure in context["figures"]:
        shutil.copyfile(run / "figures" / f"{figure['name']}.png", SOURCE / f"{figure['name']}.png")
        alt = figure["alt"].replace("]", ")").replace("[", "(").replace('"', "'")
        out += [
            "",
            f"## {figure['title']}",
            "",
            f"![{alt}]({figure['name']}.png)",
            "",
            figure["caption"],
        ]
    return "\n".join(out) + "\n"


def settings(nav: list[object]) -> dict[str, object]:
    """Return the configuration of mkdocs: nothing from elsewhere, neither fonts nor scripts."""
    python = {
        "paths": [str(ROOT)],
        "options": {"docstring_style": "numpy", "show_source": False, "show_root_heading": True}
        | {"heading_level": 3, "show_root_full_path": False}
        | {"show_root_toc_entry": False},
    }
    palette = [
        {"media": f"(prefers-color-scheme: {mode})", "scheme": scheme, "primary": "blue grey"}
        for mode, scheme in (("light", "default"), ("dark", "slate"))
    ]
    return {
        "site_name": "mi-forecast",
        "docs_dir": str(SOURCE),
        "site_dir": str(SITE),
        "use_directory_urls": False,
        "theme": {"name": "material", "font": False, "palette": palette}
        | {"features": ["navigation.indexes", "navigation.top", "search.highlight", "toc.follow"]},
        "plugins": ["search", {"mkdocstrings": {"handlers": {"python": python}}}],
        "markdown_extensions": [
            "admonition",
            "attr_list",
            "md_in_html",
            "tables",
            {"toc": {"permalink": True}},
        ],
        "validation": {"links": {"anchors": "warn", "unrecognized_links": "warn"}},
        "nav": nav,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
