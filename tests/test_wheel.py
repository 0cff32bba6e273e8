"""The wheel holds what ships, and works from an empty folder without the checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel with the tools of this environment."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    done = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def scripts(wheel, tmp_path_factory):
    """Install the wheel in a new environment that sees this one's libraries, not our code.

    A path file adds a folder without reading the path files in it, so that the editable
    install of the checkout stays out of sight.
    """
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, with_pip=False)
    names = {"base": str(home), "platbase": str(home)}
    library = Path(sysconfig.get_path("purelib", "venv", vars=names))
    scripts = Path(sysconfig.get_path("scripts", "venv", vars=names))
    python = next(scripts.glob("python*"))
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps"]
    done = subprocess.run([*command, str(wheel)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    outer = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (library / "outer.pth").write_text("\n".join(sorted(outer)) + "\n", encoding="utf-8")
    return scripts


def run(scripts, arguments, *, cwd):
    """Run a program of the new environment in an empty folder."""
    settings = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    program = str(scripts / arguments[0])
    done = subprocess.run(
        [program, *arguments[1:]],
        cwd=cwd,
        env=settings,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_wheel_holds_every_file_of_priors_and_evidence(wheel):
    wanted = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for folder in ("priors", "evidence")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        missing = [name for name in wanted if f"forecast/data/{name}" not in names]
        changed = [
            name
            for name, content in wanted.items()
            if name not in missing and archive.read(f"forecast/data/{name}") != content
        ]
    assert "priors/default.toml" in wanted
    assert "evidence/ratings.csv" in wanted
    assert not missing
    assert not changed


def test_wheel_holds_every_module_and_template_and_nothing_else_of_ours(wheel):
    packages = ("forecast", "models", "reports")
    wanted = {
        path.relative_to(ROOT).as_posix()
        for folder in packages
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert not wanted - names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == set(packages)


def test_installed_package_is_not_the_checkout(scripts, tmp_path):
    shown = run(
        scripts, ["python", "-c", "import forecast; print(forecast.__file__)"], cwd=tmp_path
    )
    assert Path(shown.strip()).is_relative_to(scripts.parent)


def test_help_works_from_an_empty_folder(scripts, tmp_path):
    shown = run(scripts, ["forecast", "--help"], cwd=tmp_path)
    assert "run" in shown
    assert "check" in shown


def test_shipped_priors_are_found_from_an_empty_folder(scripts, tmp_path):
    run(scripts, ["forecast", "check", "default"], cwd=tmp_path)
    assert not list(tmp_path.iterdir())
