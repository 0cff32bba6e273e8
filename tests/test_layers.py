"""Imports point down, without cycles."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "models": {"models"},
    "reports": {"reports", "models"},  # the registry of quantities is read by every surface
    "forecast": {"forecast", "models", "reports"},
}
FOLDERS = [*MAY_IMPORT, "tests", "scripts", "benchmarks"]
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the dotted name of a file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def parse(path: Path) -> ast.Module:
    """Parse one file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def typing_only(tree: ast.Module) -> set[ast.AST]:
    """Return the nodes that stand under ``if TYPE_CHECKING``, and so never run."""
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    return {inner for block in blocks for stmt in block.body for inner in ast.walk(stmt)}


def imported(path: Path, tree: ast.Module, *, running: bool = False) -> Iterator[tuple[int, str]]:
    """Yield the line and dotted name of each import; ``running`` leaves out typing's own."""
    skipped = typing_only(tree) if running else set()
    package = module_name(path).split(".")
    package = package if path.name == "__init__.py" else package[:-1]
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def edges(paths: list[Path]) -> dict[str, set[str]]:
    """Return which of our modules each of our modules imports."""
    names = {module_name(path): path for path in paths}
    graph: dict[str, set[str]] = {}
    for name, path in names.items():
        targets = {target for _, target in imported(path, parse(path), running=True)}
        found = {target if target in names else target.rpartition(".")[0] for target in targets}
        graph[name] = (found & set(names)) - {name}
    return graph


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """Return one cycle as the modules along it, or nothing."""
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for target in sorted(graph.get(name, ())):
            if cycle := visit(target, [*trail, name]):
                return cycle
        done.add(name)
        return []

    return next((cycle for name in sorted(graph) if (cycle := visit(name, []))), [])


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_point_down(path):
    allowed = MAY_IMPORT.get(path.relative_to(ROOT).parts[0])
    if allowed is None:
        return
    faults = [
        f"line {line}: {name}"
        for line, name in imported(path, parse(path))
        if name.split(".")[0] in {*MAY_IMPORT, "tests"} - allowed
    ]
    assert not faults


def test_no_import_cycle():
    cycle = find_cycle(edges([path for path in FILES if path.parts[-2] != "tests"]))
    assert not cycle, " -> ".join(cycle)


def test_a_cycle_is_found_and_reported():
    graph = {"models.a": {"models.b"}, "models.b": {"models.c"}, "models.c": {"models.b"}}
    assert find_cycle(graph) == ["models.b", "models.c", "models.b"]
