"""The command line: help, exit codes and streams, through real processes where it matters."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

import forecast
from forecast.cli.main import COMMANDS, cli, emit
from models.errors import InputError

ROOT = Path(__file__).parents[2]
HEAVY = {"pymc", "numpy", "scipy", "arviz", "pydantic", "preliz", "matplotlib", "xarray", "nutpie"}


def imported_by(*args: str) -> set[str]:
    code = (
        "import sys, contextlib, io\n"
        "from forecast.cli.main import cli\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    cli({list(args)!r})\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return set(done.stdout.split())


def test_help_of_the_program_names_every_command(forecast_process):
    done = forecast_process("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: forecast [OPTIONS] COMMAND")
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


def every_command() -> dict[tuple[str, ...], click.Command]:
    """Return each command by its words, those of groups too."""
    found: dict[tuple[str, ...], click.Command] = {}
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        found[name,] = command
        found |= {(name, word): one for word, one in getattr(command, "commands", {}).items()}
    return found


EVERY = every_command()


@pytest.mark.parametrize("args", [(), *EVERY], ids=str)
def test_help_ends_in_an_example_and_imports_nothing_heavy(args):
    shown = CliRunner().invoke(cli, [*args, "--help"]).output
    example = shown.split("\n  Example:\n")[1].split("\n\n")[0]
    assert all(line.startswith("    forecast ") for line in example.splitlines())
    assert not imported_by(*args, "--help") & HEAVY


@pytest.mark.parametrize("args", EVERY, ids=str)
def test_every_option_has_help_and_shows_its_default(args):
    with cli.make_context("forecast", list(args)) as ctx:
        for option in (one for one in EVERY[args].params if isinstance(one, click.Option)):
            assert option.help, option.name
            record = option.get_help_record(ctx)[1]
            shown = "[default: " in record or "[required]" in record
            assert option.is_flag or option.name == "work" or shown, option.name


def test_help_answers_fast(forecast_process):
    forecast_process("--help")  # the first call may write byte code
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        forecast_process("--help")
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.4


def test_version_is_printed(forecast_process):
    done = forecast_process("--version")
    assert (done.returncode, done.stdout) == (0, f"forecast {forecast.__version__}\n")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["chekc"], "No such command 'chekc'"),
        (["run"], "Missing argument 'PRIORS'"),
        (["check", "x", "--sede", "1"], "No such option"),
        (["check", "x", "--seed", "-1"], "Invalid value for '--seed'"),
        (["run", "x", "--chains", "0"], "Invalid value for '--chains'"),
        (["run", "x", "--draws", "many"], "Invalid value for '--draws'"),
        (["check", "gone.toml"], "Error: gone.toml: found no such file and no shipped name;"),
    ],
)
def test_wrong_use_ends_with_code_2_and_one_message(args, says, forecast_process):
    done = forecast_process(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("Error") == 1
    assert "Traceback" not in done.stderr


def test_check_of_a_valid_file_succeeds(priors_file, forecast_process):
    done = forecast_process("check", priors_file)
    assert (done.returncode, done.stderr) == (0, "")


def test_evidence_folder_that_is_not_there_ends_with_code_2(priors_file, forecast_process):
    done = forecast_process("check", priors_file, "--evidence", "gone")
    assert done.returncode == 2
    assert "evidence gone: found no such folder" in done.stderr


def test_evidence_option_wins_over_the_file(priors_file, forecast_process):
    text = priors_file.read_text(encoding="utf-8")
    stated = text.replace("\n\n", '\n\n[evidence]\npath = "gone"\n\n', 1)
    priors_file.write_text(stated, encoding="utf-8")
    wrong = forecast_process("check", priors_file)
    assert wrong.returncode == 2
    assert f"evidence {priors_file.parent / 'gone'}: found no such folder" in wrong.stderr
    right = forecast_process("check", priors_file, "--evidence", ROOT / "evidence")
    assert (right.returncode, right.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["check test.toml", "--help", "--version", "show --help"])
def test_full_disk_ends_with_code_2(command, priors_file):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "forecast", *command.split()],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=priors_file.parent,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "found No space left on device; free some space" in done.stderr


def result(converged: bool) -> str:
    return (
        "import types; print('noise'); return types.SimpleNamespace(folder='f', already=True,"
        f"converged={converged}, headline={{'schema': 1}}, text=lambda: 'table')"
    )


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ("raise KeyboardInterrupt", 130, "Interrupted."),
        ("raise ZeroDivisionError('bug')", 1, "ZeroDivisionError: bug"),
        ("raise OSError(28, 'x', 'out')", 2, "Error: out: found No space left on device"),
        ("raise PermissionError(13, 'x', 'out')", 2, "Error: out: found Permission denied"),
        ("raise FileNotFoundError(2, 'x', 'out')", 1, "Traceback"),
        ("from models.errors import InputError; raise InputError('a\\nb')", 2, "Error:\na\nb\n"),
    ],
)
def test_failure_of_a_run_has_its_exit_code(body, code, says, process_with_run):
    process = process_with_run(body)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    assert says in err
    assert ("Traceback" in err) == (code == 1)


@pytest.mark.parametrize(("converged", "code"), [(True, 0), (False, 3)])
def test_json_stands_alone_on_stdout_whatever_the_exit_code(converged, code, process_with_run):
    process = process_with_run(result(converged), "--json")
    out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert out == '{\n  "schema": 1\n}\n'
    assert "noise" in err
    assert "already computed: f" in err


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX pipes")
@pytest.mark.parametrize(("converged", "code"), [(True, 0), (False, 3)])
def test_reader_that_goes_away_changes_nothing(converged, code, process_with_run):
    read, write = os.pipe()
    os.close(read)
    process = process_with_run(result(converged), stdout=write)
    os.close(write)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in err
    assert "Broken" not in err


def test_no_color_is_honoured(monkeypatch, forecast_process):
    monkeypatch.setenv("NO_COLOR", "1")
    done = forecast_process("check", "gone", FORCE_COLOR="1")
    assert "\x1b" not in done.stderr


def test_options_reach_the_function_by_their_names(monkeypatch):
    seen = {}

    def run(priors, **options):
        seen.update(priors=priors, **options)
        return SimpleNamespace(
            folder="f",
            already=False,
            draws_of=None,
            converged=True,
            headline={},
            text=lambda: "table",
        )

    monkeypatch.setitem(sys.modules, "forecast.runs.run", SimpleNamespace(run=run))
    args = ["run", "x", "--out", "o", "--seed", "7", "--no-report", "--force", "--cores", "2"]
    done = CliRunner().invoke(cli, args)
    assert (done.exit_code, done.stdout) == (0, "table\n")
    expected = {"priors": "x", "out": Path("o"), "seed": 7, "report": False, "force": True}
    expected |= {"cores": 2, "draws": None, "tune": None, "chains": None, "evidence": None}
    expected |= {"backend": None}
    assert seen == {**expected, "quiet": False, "retry": None}


def test_check_that_fails_ends_with_code_2(monkeypatch):
    failed = SimpleNamespace(ok=False, text=lambda: "gate")
    stub = SimpleNamespace(check=lambda priors, **options: failed)
    monkeypatch.setitem(sys.modules, "forecast.analyses.check", stub)
    done = CliRunner().invoke(cli, ["check", "x"])
    assert (done.exit_code, done.stdout) == (2, "gate\n")


def test_emit_prints_a_line(capsys):
    emit("result")
    assert capsys.readouterr().out == "result\n"


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX processes")
def test_a_closed_stdout_is_no_failure():
    code = "import sys; from forecast.cli.main import emit; emit('x'); sys.exit(sys.stdout and 1)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1), check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_no_module_bears_the_name_of_an_export():
    modules = {path.stem for path in (ROOT / "forecast").iterdir()}
    assert not set(forecast.EXPORTS) & modules


def test_public_names_load_on_use():
    assert forecast.InputError is InputError
    assert forecast.load_config.__module__ == "forecast.config.load"
    assert set(forecast.EXPORTS) < set(dir(forecast))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        forecast.nothing  # noqa: B018


def test_import_of_forecast_is_light():
    code = "import sys, forecast; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert not set(done.stdout.split()) & {*HEAVY, "click"}


def shadowed(name, command, *, folder):
    """Return how a process ends that finds another package of that name before ours."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").touch()
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])},
        check=False,
    )


@pytest.mark.parametrize("name", ["models", "reports"])
def test_another_package_of_that_name_is_refused(name, tmp_path):
    done = shadowed(name, [sys.executable, "-c", "import forecast"], folder=tmp_path)
    assert done.returncode == 1
    assert f"ImportError: forecast needs its own package {name!r} at {ROOT / name}" in done.stderr
    assert f"but Python finds {tmp_path / name}" in done.stderr


@pytest.mark.parametrize("way", ["module", "script"])
def test_the_command_tells_of_another_package_in_one_line(way, tmp_path):
    script = shutil.which("forecast", path=Path(sys.executable).parent)
    command = [script] if way == "script" else [sys.executable, "-m", "forecast"]
    done = shadowed("models", [*command, "--help"], folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: forecast needs its own package 'models' at ")
    assert done.stderr.count("\n") == 1
