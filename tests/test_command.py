"""The command line of a task script: quick help, and bad input answered in one line, status 2."""

import dataclasses
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import script_modules

from ann_keras import command
from ann_keras.errors import UserError
from ann_keras.recipes.fields import from_zero

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "task_1_3_6.py"

HELP = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    heavy = {"tensorflow", "keras", "tensorflow_probability", "matplotlib", "sklearn"}
    print("loaded:", *sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Function that gives a task's command line these options, in an empty folder.

    In this process, since Python and TensorFlow take seconds to start. Returns exit status and
    both outputs.
    """
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*arguments, task="1.3.6"):
        module = script_modules.load(task)
        monkeypatch.setattr(sys, "argv", [module.__file__, *map(str, arguments)])
        status = 0
        try:
            command.main(task, module.run, module.PRESETS, module.__doc__)
        except SystemExit as stop:
            status = stop.code or 0
        return SimpleNamespace(returncode=status, **capsys.readouterr()._asdict())

    return call


def test_help_answers_within_a_second_and_a_half_and_imports_nothing_heavy():
    def seconds():
        """Of processor time, which a busy machine does not lengthen."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = subprocess.run([sys.executable, "-c", HELP, SCRIPT, "--help"],
                                capture_output=True, text=True, timeout=300)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert result.returncode == 0 and "--epochs" in result.stdout
        assert result.stderr == "loaded:\n"
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    assert any(seconds() < 1.5 for _ in range(3))


def test_help_tells_the_task_and_every_option_with_its_default(run):
    help_text = run("--help").out
    assert "Task 1.3.6" in help_text
    for option in ("--preset {smoke,quick,report}", "--results PATH", "--fresh", "--epochs INT",
                   "--batch-size INT", "--source {full,sample}", "--seeds INT"):
        assert option in help_text
    assert "(default: 5)" in help_text  # epochs of the quick preset


def test_help_shows_the_defaults_of_the_preset_that_is_given(run):
    assert "(default: 15)" in run("--preset", "report", "--help").out


def assert_one_line(result, *words):
    line, end, rest = result.err.partition("\n")
    assert result.returncode == 2, result.err
    assert line.startswith("error: ") and end and not rest, result.err
    assert "Traceback" not in result.out
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--preset", "full"], ["full", "smoke", "quick", "report"]),
        (["--preset"], ["--preset"]),
        (["--optimizer", "adam"], ["--optimizer"]),
        (["--epochs", "many"], ["--epochs", "'many'"]),
        (["--epochs"], ["--epochs"]),
        (["--source", "fashion"], ["fashion", "full", "sample"]),
        (["--preset", "report", "--seeds", "1.5"], ["--seeds", "'1.5'"]),
        (["--workers", "0"], ["--workers", "0"]),
        (["quick"], ["quick"]),
    ],
    ids=" ".join,
)
def test_a_command_line_that_makes_no_sense(run, arguments, words):
    assert_one_line(run(*arguments), *words)
    assert not list(Path.cwd().iterdir())


def test_no_seeds(run):
    assert_one_line(run("--preset", "smoke", "--seeds", 0), "--seeds must be at least 1, got 0")
    assert not list(Path.cwd().iterdir())


def test_a_file_in_place_of_the_results(run, tmp_path):
    (tmp_path / "mine").write_text("kept")
    result = run("--preset", "smoke", "--results", tmp_path / "mine")
    assert_one_line(result, "cannot write to", str(tmp_path / "mine"))
    assert (tmp_path / "mine").read_text() == "kept"


def test_the_report_preset_without_its_data(run, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("ANN_KERAS_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(command, "quiet_tensorflow", lambda: None)  # its worker has TensorFlow
    result = run("--preset", "report", "--results", tmp_path / "results", "--workers", 1)
    assert_one_line(result, "ANN_KERAS_DATA", "mnist.npz")
    written = [path.name for path in (tmp_path / "results").rglob("*") if path.is_file()]
    assert set(written) <= {"config.json"}


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("seeds", 0, "--seeds must be at least 1, got 0"),
        ("batch_size", -5, "--batch-size must be at least 1, got -5"),
        ("widths", (10, 0), "--widths must be at least 1, got 0"),
        ("widths", (), "--widths needs at least one value"),
        ("learning_rate", -0.1, "--learning-rate must be a number from 0 on, got -0.1"),
        ("learning_rate", float("nan"), "--learning-rate must be a number from 0 on, got nan"),
        ("noises", (0.0, float("inf")), "--noises must be a number from 0 on, got inf"),
    ],
)
def test_settings_without_sense_are_refused(name, value, words):
    fields = {"seeds": 1, "batch_size": 32, "widths": (10, 50), "noises": (0.0, 1.0),
              "learning_rate": 0.0, "optimizer": "adam"}
    kind = dataclasses.make_dataclass("Settings", fields)
    command.check(kind(**fields))
    with pytest.raises(UserError) as caught:
        command.check(kind(**fields | {name: value}))
    assert str(caught.value) == words


@dataclasses.dataclass(frozen=True)
class Recipe:
    epochs: int = 5
    noise: float = 0.0
    patience: int = from_zero(10)


Flat, Group = command.flat(Recipe, "noise"), command.group(Recipe, "epochs")


@dataclasses.dataclass(frozen=True)
class Settings:
    recipe: Flat = Recipe()
    other: Group = Recipe()


def test_settings_of_recipes_are_checked_by_the_names_of_their_options():
    command.check(Settings(Recipe(patience=0)))
    for settings, words in (
        (Settings(Recipe(epochs=0)), "--epochs must be at least 1, got 0"),
        (Settings(Recipe(patience=-1)), "--patience must be at least 0, got -1"),
        (Settings(other=Recipe(epochs=0)), "--other.epochs must be at least 1, got 0"),
    ):
        with pytest.raises(UserError) as caught:
            command.check(settings)
        assert str(caught.value) == words


def test_what_a_task_sets_itself_is_no_option():
    command.refuse_fixed(Settings(Recipe(epochs=7), Recipe(noise=0.5)), Settings())
    for settings, option in ((Settings(Recipe(noise=0.5)), "--noise "),
                             (Settings(other=Recipe(epochs=7)), "--other.epochs ")):
        with pytest.raises(UserError, match=option):
            command.refuse_fixed(settings, Settings())


@pytest.mark.parametrize(
    "error, status, message",
    [
        (UserError("no such file"), 2, "error: no such file\n"),
        (ValueError("first line\nsecond line"), 2, "error: first line\n"),
        (KeyboardInterrupt(), 130, "interrupted: finished runs are kept, run the command again "
                                   "to go on\n"),
    ],
)
def test_errors_are_one_line_and_a_status(capsys, error, status, message):
    with pytest.raises(SystemExit) as stop:
        with command.one_line_errors():
            raise error
    assert stop.value.code == status
    assert capsys.readouterr().err == message


def test_mistakes_of_ours_keep_their_traceback():
    with pytest.raises(TypeError), command.one_line_errors():
        raise TypeError


def test_settings_within_settings_are_options_with_a_prefix(run):
    shown = run("--preset", "smoke", "--help", task="4.3.4").out
    for option in ("--gan.epochs INT", "--vae.epochs INT", "--vae.latent-dim INT", "--seeds INT"):
        assert option in shown
    assert "--gan.seeds" not in shown and "--vae.seeds" not in shown
    assert_one_line(run("--vae.latent-dim", 0, task="4.3.4"),
                    "--vae.latent-dim must be at least 1, got 0")
