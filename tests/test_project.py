"""What the project says of itself is true: README, pins, CI, pages."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from forecast.config.load import load_config

ROOT = Path(__file__).parents[1]
INDEX_HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "anaconda" + ".org")
FIRST_FOLDERS = ("work", "root", "home", "opt", "Users", "tmp", "mnt")
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
MACHINE_PATH = re.compile(r"(?<![\w./:~*-])(?:[A-Z]:\\|/(?:" + "|".join(FIRST_FOLDERS) + r")/\w)")


def text(name: str) -> str:
    """Read one file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def tracked() -> list[Path]:
    """Return the tracked files that hold text; skip where there is no checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name for name in done.stdout.decode().split("\0") if name]
    binary = {".png", ".nc", ".ico", ".woff2"}
    return [path for path in paths if path.is_file() and path.suffix not in binary]


def faults(pattern: re.Pattern[str]) -> list[str]:
    """Return where a pattern occurs in tracked files."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def project() -> dict:
    """Return pyproject.toml."""
    return tomllib.loads(text("pyproject.toml"))


def package_names(requirements: list[str]) -> set[str]:
    """Return the normalised names of requirements or pins."""
    names = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements)
    return {re.sub(r"[-_.]+", "-", name[0]).lower() for name in names if name}


def setup_commands() -> list[str]:
    """Return the code blocks of the README's section on setting up."""
    section = re.search(r"^## Set up\n(.*?)^## ", text("README.md"), re.DOTALL | re.MULTILINE)
    assert section
    return re.findall(r"^```sh\n(.*?)^```$", section[1], re.DOTALL | re.MULTILINE)


def test_constraints_pin_every_dependency():
    meta = project()["project"]
    extras = meta["optional-dependencies"].values()
    wanted = [*meta["dependencies"], *(line for extra in extras for line in extra)]
    pins = [line for line in text("constraints.txt").splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!]+", pin) for pin in pins)
    assert package_names(wanted) - package_names(pins) == {meta["name"]}


def test_every_dependency_has_a_lower_bound_and_a_pin_above_it():
    pins = dict(re.findall(r"^([\w.-]+)==([\d.]+)", text("constraints.txt"), re.MULTILINE))
    pins = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins.items()}

    def key(version: str) -> list[int]:
        return [int(part) for part in version.split(".") if part]

    for line in project()["project"]["dependencies"]:
        name, _, bounds = line.partition(">=")
        first, _, end = bounds.partition(",<")
        assert key(pins[name]) >= key(first), line
        assert not end or key(pins[name]) < key(end), line


def test_every_library_that_the_packages_import_is_a_dependency():
    extras = project()["project"]["optional-dependencies"]
    declared = package_names(project()["project"]["dependencies"] + extras["dask"])
    ours = {"forecast", "models", "reports"}
    nodes = (
        node
        for folder in sorted(ours)
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    assert package_names(sorted(names - sys.stdlib_module_names - ours)) <= declared


def test_readme_has_exactly_two_setup_commands():
    commands = setup_commands()
    assert len(commands) == 2
    assert [command.count("\n") for command in commands] == [1, 1]
    assert text("README.md").count("pip install") == 2
    run, tests = commands
    assert "forecast run priors/default.toml" in run
    assert "pytest" in tests


def test_priors_file_of_the_readme_is_valid(tmp_path):
    (example,) = re.findall(r"^```toml\n(.*?)^```$", text("README.md"), re.DOTALL | re.MULTILINE)
    path = tmp_path / "mine.toml"
    path.write_text(example, encoding="utf-8")
    priors = {prior.name: prior for prior in load_config(path).priors}
    assert priors["gate_tracked"].values == {"alpha": 2.0, "beta": 18.0}


def test_ci_runs_the_second_command_of_the_readme():
    script = text(".ci/run")
    reader = re.search(r"command=\$\((awk .*? README\.md \| sed -n 2p)\)", script)
    assert reader
    assert 'bash -c "$command"' in script
    done = subprocess.run(
        ["bash", "-c", reader[1]], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == setup_commands()[1]


def test_python_version_is_one_everywhere():
    version = text(".python-version").strip()
    assert all(f"python{version} -m venv .venv" in command for command in setup_commands())
    assert f"Programming Language :: Python :: {version}" in project()["project"]["classifiers"]


def test_versions_agree():
    version = project()["project"]["version"]
    assert f"version: {version}\n" in text("CITATION.cff")
    assert f"\n## {version} (" in text("CHANGELOG.md")


def test_architecture_is_short_and_names_files_that_exist():
    page = text("ARCHITECTURE.md")
    assert len(page.splitlines()) <= 100
    names = re.findall(r"[\w/.-]*\w\.(?:py|md|toml)\b", page)
    known = {path.name for path in tracked()}
    assert len(names) > 20
    assert not [name for name in names if not (ROOT / name).exists() and name not in known]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#:]+)(?:#[\w-]*)?\)", text(page))
    assert targets
    assert not [target for target in targets if not (ROOT / target).exists()]


def test_no_machine_paths():
    assert not faults(MACHINE_PATH)


def test_no_package_index_is_named():
    assert not faults(re.compile("|".join(map(re.escape, INDEX_HOSTS)) + "|index" + "-url"))


def test_nothing_is_left_unfinished():
    assert not faults(UNFINISHED)


def test_patterns_see_what_they_should():
    assert MACHINE_PATH.search("cd /" + "home/me")
    assert MACHINE_PATH.search("C:" + "\\data")
    assert not MACHINE_PATH.search("https://example.net/" + "home/page")
    assert UNFINISHED.search("# TO" + "DO later")
