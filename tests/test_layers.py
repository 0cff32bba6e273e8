"""Imports point down, without cycles; files and functions stay small."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from forecast import EXPORTS

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "models": {"models"},
    "reports": {"reports", "models"},  # the registry of quantities is read by every surface
    "forecast": {"forecast", "models", "reports"},
}
FOLDERS = [*MAY_IMPORT, "tests", "scripts", "benchmarks"]
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
HOOKS = {"callback", "logp", "logcdf", "logccdf", "random", "dist", "support_point"}
HOOK_NAMES = ("_logp", "_random")  # frameworks pass value and parameters by position
# The inner functions of routines are called by native code, by position.
COMPILED = {"forecast.compiler.routines"}
# What numba compiles may have more than 2 that are not keyword-only: it knows no such mark.
# xp: the operations to compute with, of models/ops.py; b and f: the function of LLVM in the making
IMPLICIT = {"self", "cls", "xp", "b", "f"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


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


def code_lines(function: Function, source: list[str]) -> int:
    """Count the lines of a function that are neither blank, comment nor docstring."""
    first = function.body[0]
    doc = ast.get_docstring(function, clean=False) is not None
    skipped = set(range(first.lineno, (first.end_lineno or 0) + 1)) if doc else set()
    numbers = set(range(function.lineno, (function.end_lineno or 0) + 1)) - skipped
    texts = (source[number - 1].strip() for number in numbers)
    return sum(1 for text in texts if text and not text.startswith("#"))


def hooks(tree: ast.Module) -> set[str]:
    """Return functions that PyMC or click calls by position, since each was given it as a hook."""
    keywords = (node for node in ast.walk(tree) if isinstance(node, ast.keyword))
    return {
        keyword.value.id
        for keyword in keywords
        if keyword.arg in HOOKS and isinstance(keyword.value, ast.Name)
    }


def inner_functions(path: Path, tree: ast.Module) -> set[str]:
    """Return the functions within functions of a file that makes native code."""
    if module_name(path) not in COMPILED:
        return set()
    outer = [node for node in tree.body if isinstance(node, Function)]
    inner = (node for function in outer for node in ast.walk(function) if node is not function)
    return {node.name for node in inner if isinstance(node, Function)}


def parameter_faults(path: Path, tree: ast.Module) -> Iterator[str]:
    """Yield each function with over 6 parameters, or with over 2 that are not keyword-only."""
    test = module_name(path).startswith("tests")
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    methods = {item: node for node in classes for item in node.body}
    exempt = hooks(tree) | inner_functions(path, tree)
    public = {name for name, home in EXPORTS.items() if home == module_name(path)}
    for node in ast.walk(tree):
        if not isinstance(node, Function) or node.name in exempt or node.name.endswith(HOOK_NAMES):
            continue
        marks = [ast.unparse(mark) for mark in node.decorator_list]
        by_name = any("fixture" in mark for mark in marks) or node.name.startswith("test_")
        owner = methods.get(node)
        if (test and by_name) or (owner and (owner.bases or node.name.startswith("__"))):
            continue  # pytest passes by name; a base class or the language fixes the parameters
        names = [arg.arg for arg in [*node.args.posonlyargs, *node.args.args]]
        places = len(names) - (names[:1] != [] and names[0] in IMPLICIT)
        total = places + len(node.args.kwonlyargs)
        total += (node.args.vararg is not None) + (node.args.kwarg is not None)
        command = any(".command" in mark or ".group" in mark for mark in marks)
        options = node.name in public  # of Python, the same as the command's
        if total > 6 and not (command or options):
            yield f"{path.name}:{node.lineno} {node.name} has {total} parameters"
        if places > 2 and not (command or any("njit" in mark for mark in marks)):
            yield f"{path.name}:{node.lineno} {node.name} has {places} that are not keyword-only"


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


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_files_and_functions_are_small(path):
    source = path.read_text(encoding="utf-8").splitlines()
    tree = parse(path)
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    faults = [
        f"{path.name}:{node.lineno} {node.name} has {lines} lines of code"
        for node in functions
        if (lines := code_lines(node, source)) > 40
    ]
    faults += parameter_faults(path, tree)
    assert len(source) <= 300
    assert not faults, "\n".join(faults)


def test_limits_see_a_long_function_and_its_parameters():
    path = ROOT / "models" / "invented.py"
    text = "def f(a, b, c, d, e, g, h):\n    '''Say.'''\n\n    # why\n" + "    a += 1\n" * 40
    tree = ast.parse(text)
    assert code_lines(tree.body[0], text.splitlines()) == 41
    assert list(parameter_faults(path, tree)) == [
        "invented.py:1 f has 7 parameters",
        "invented.py:1 f has 7 that are not keyword-only",
    ]
