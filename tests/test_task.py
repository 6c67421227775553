"""One task's record: its runs, measurements beside published ones, verdicts, files whole."""

import dataclasses
import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
import run_functions as functions
from matplotlib.figure import Figure

from ann_keras.errors import UserError
from ann_keras.files import write_whole
from ann_keras.report.published import CLAIMS
from ann_keras.report.task import NOT_JUDGED, Task
from ann_keras.runs.run import Finished, Result, differences

OWN_CLAIMS = [identifier for identifier, claim in CLAIMS.items() if claim.task == "1.3.6"]


@dataclasses.dataclass(frozen=True)
class Settings:
    recipe: functions.Recipe = functions.Recipe()
    seeds: int = 2


class Here:
    """An engine that computes in this process what is read."""

    def __init__(self):
        self.begun, self.found = [], {}

    def submit(self, run):
        self.begun.append(run)
        return Result(run, self)

    def read(self, run):
        if run.key not in self.found:
            arguments = {name: self.given(value) for name, value in run.arguments.items()}
            values = run.function(**arguments)
            self.found[run.key] = Finished({k: np.asarray(v) for k, v in values.items()}, run, 1.5)
        return self.found[run.key]

    def given(self, value):
        if isinstance(value, list):
            return [self.given(item) for item in value]
        return self.read(value) if hasattr(value, "dependencies") else value

    def is_stored(self, run):
        return False


@pytest.fixture
def make(tmp_path):
    """Makes a task that writes below the test's own folder."""
    def make(identifier="1.3.6", settings=Settings(), **options):
        return Task(identifier, "smoke", settings, Here(), tmp_path, **options)

    return make


def judge_all(task):
    task.decide(dict.fromkeys(OWN_CLAIMS, {}))


def saved(task):
    return json.loads((task.folder / "summary.json").read_text())


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_everything_is_written_to_the_folder_of_preset_and_task_at_the_end(make, tmp_path):
    task = make()
    assert task.folder == tmp_path / "smoke" / "task_1_3_6" and task.seeds == [0, 1]
    figure = Figure()
    figure.subplots().plot([0, 1], [1, 0])
    task.figure("fig3_validation_accuracy", figure)
    task.table("times", ["optimizer", "seconds"], [["sgd", 1.5], ["a, b", 2]])
    task.measure("adam/val_accuracy/last", task.repeat(functions.train, Settings().recipe)["loss"])
    judge_all(task)
    assert not files(tmp_path)
    task.save()
    assert files(task.folder) == [
        "config.json", "fig3_validation_accuracy.png", "summary.json", "times.csv",
    ]
    assert json.loads((task.folder / "config.json").read_text()) == {
        "preset": "smoke", "seeds": 2, "recipe": {"rate": 0.1, "epochs": 3},
    }
    assert (task.folder / "times.csv").read_text() == 'optimizer,seconds\nsgd,1.5\n"a, b",2\n'
    assert (task.folder / "fig3_validation_accuracy.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    summary = saved(task)
    assert {name: summary[name] for name in ("task", "preset", "seeds", "figures", "tables")} == {
        "task": "1.3.6", "preset": "smoke", "seeds": [0, 1],
        "figures": ["fig3_validation_accuracy.png"], "tables": ["times.csv"],
    }
    assert [claim["id"] for claim in summary["claims"]] == OWN_CLAIMS
    assert summary["seconds"] == 3.0, "of both runs"
    assert summary["environment"]["tensorflow"].startswith("2.")


def test_equal_figures_are_equal_files(make):
    pictures = []
    for _ in range(2):
        figure = Figure()
        figure.subplots().plot([0, 1], [1, 0])
        task = make()
        task.figure("fig3", figure)
        judge_all(task)
        task.save()
        pictures.append((task.folder / "fig3.png").read_bytes())
    assert pictures[0] == pictures[1]


def test_a_run_a_seed(make):
    task = make()
    trainings = task.repeat(functions.train, functions.Recipe(epochs=2))
    assert [run.seed for run in trainings] == [0, 1]
    np.testing.assert_array_equal(trainings["loss"], [[0, 0.1], [1, 1.1]])
    assert [run.seed for run in task.repeat(functions.train, Settings().recipe, seeds=3)] == [
        0, 1, 2
    ]
    assert task.repeat(functions.train, Settings().recipe, seeds=[5])[0].seed == 5


def test_runs_go_to_the_runs_that_depend_on_them(make):
    task = make()
    trainings = task.repeat(functions.train, Settings().recipe, seeds=3)
    scores = task.repeat(functions.score, training=trainings)
    assert len(scores) == 3 and (scores["seed"] == range(3)).all()
    first = task.repeat(functions.score, training=trainings[0], seeds=2)
    assert (first["seed"] == 0).all(), "a single run is shared"
    assert task.run(functions.pool, trainings=trainings)["mean"] == pytest.approx(1.1)
    assert task.run(functions.train, Settings().recipe, seed=1)["loss"][0] == 1


def test_runs_are_begun_before_any_is_read(make):
    task = make()
    task.repeat(functions.train, Settings().recipe)
    assert len(task._engine.begun) == 2 and not task._engine.found
    task.repeat(functions.train, Settings().recipe)
    assert len(task.runs) == 2, "each once"


def test_a_task_of_changed_settings_has_a_folder_of_its_own_and_judges_nothing(make):
    own = make()
    judge_all(own)
    own.save()
    before = {name: (own.folder / name).read_bytes() for name in files(own.folder)}
    settings = Settings(functions.Recipe(rate=0.5), seeds=3)
    task = make(settings=settings, changes=differences(Settings(), settings))
    task.measure("own", 1.0)
    judge_all(task)
    task.save()
    assert task.folder.name == "task_1_3_6--recipe.rate-0.5_seeds-3"
    assert {claim["verdict"] for claim in saved(task)["claims"]} == {NOT_JUDGED}
    assert saved(task)["changes"] == {"recipe.rate": "0.5", "seeds": "3"}
    assert saved(task)["measurements"][0]["values"] == [1.0]
    assert {name: (own.folder / name).read_bytes() for name in files(own.folder)} == before
    assert NOT_JUDGED in task.findings() and str(task.folder) in task.findings()


def test_folders_of_many_changes_differ_and_are_short(make):
    names = {make(changes={f"setting_{n}": n + shift for n in range(20)}).folder.name
             for shift in (0, 1)}
    assert len(names) == 2 and all(len(name) < 100 for name in names)
    name = make(changes={"source": "../../x y"}).folder.name
    assert "/" not in name and " " not in name


def entry(task, *arguments, **options):
    mean = task.measure(*arguments, **options)
    judge_all(task)
    task.save()
    measurement, = saved(task)["measurements"]
    assert measurement["mean"] == mean
    return measurement


def test_a_measurement_stands_beside_the_published_value(make):
    assert entry(make(), "adam/val_accuracy/last", [0.99, 0.994], better="higher") == {
        "name": "adam/val_accuracy/last",
        "values": [0.99, 0.994],
        "mean": pytest.approx(0.992),
        "sd": pytest.approx(0.004 / 2**0.5),
        "published": 0.992,
        "place": "run behind Figure 3",
        "deviation": "D1",
        "better": "higher",
        "unit": "fraction",
    }


def test_a_measurement_of_another_task_has_another_published_value(make):
    measurement = entry(make(), "sgd/val_accuracy/last", 0.9)
    assert measurement["published"] == 0.977 and "deviation" not in measurement
    task = make("1.3.5")
    assert task.measure("adam/val_accuracy/last", 0.9) == 0.9
    assert "published" not in task._measurements["adam/val_accuracy/last"]
    task.measure("with_dropout", 0.5, deviation="D13")
    assert task._measurements["with_dropout"]["deviation"] == "D13"


def test_a_measurement_without_published_value(make):
    assert entry(make(), "own", np.float32([1, 2, 4]), unit="s") == {
        "name": "own", "values": [1, 2, 4], "mean": pytest.approx(7 / 3),
        "sd": pytest.approx((7 / 3) ** 0.5), "better": None, "unit": "s",
    }


def test_one_value_has_no_spread(make):
    measurement = entry(make(), "own", 5)
    assert (measurement["values"], measurement["mean"], measurement["sd"]) == ([5.0], 5.0, 0.0)


def test_own_unit_is_kept(make):
    assert entry(make(), "adam/val_accuracy/last", 99, unit="%")["unit"] == "%"


def test_measuring_again_replaces(make):
    task = make()
    task.measure("own", 1.0)
    assert entry(task, "own", 2.0)["values"] == [2.0]


@pytest.mark.parametrize("values", [np.nan, [1.0, np.inf], [-np.inf], []])
def test_what_is_not_a_number_is_refused(make, values):
    task = make()
    with pytest.raises(ValueError, match="own"):
        task.measure("own", values)
    assert not task._measurements


def test_a_claim_is_saved_with_verdict_effects_and_evidence(make):
    task = make()
    judge_all(task)
    better = np.array([0.5, 0.51, 0.52])
    task.decide({
        "1.3.6-a": {"first epoch": better, "last epoch": [0.1]},
        "1.3.6-c": ({"between": better}, {"between": -better}),
    })
    task.save()
    claims = {claim["id"]: claim for claim in saved(task)["claims"]}
    first, last = claims["1.3.6-a"]["effects"]
    assert claims["1.3.6-a"]["verdict"] == "undecided" and claims["1.3.6-a"]["n"] == 1
    assert first["estimate"] == pytest.approx(51) and (first["n"], first["unit"]) == (3, "points")
    assert first["low"] < 51 < first["high"] and last["low"] is last["high"] is None
    assert (claims["1.3.6-c"]["verdict"], claims["1.3.6-c"]["deviation"]) == ("artefact", "D1")
    assert "51" in claims["1.3.6-c"]["evidence"] and "deviation" not in claims["1.3.6-a"]
    assert "effects" not in claims["1.3.6-d"]


def test_a_claim_of_another_task_is_refused(make):
    with pytest.raises(ValueError, match="1.3.4-a is not of task 1.3.6"):
        make().decide({"1.3.4-a": {}})
    with pytest.raises(KeyError):
        make().decide({"1.3.6-z": {}})


def test_what_was_found_is_told(make):
    task = make()
    task.measure("adam/val_accuracy/last", [0.99, 0.994])
    judge_all(task)
    told = task.findings()
    assert "0.992" in told and "undecided" in told


def test_a_task_ends_with_a_verdict_on_each_of_its_claims(make):
    task = make()
    task.decide(dict.fromkeys(OWN_CLAIMS[:-1], {}))
    with pytest.raises(ValueError, match=OWN_CLAIMS[-1]):
        task.save()
    assert not (task.folder / "summary.json").exists()


def full_disk(*arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def refusal(call, *arguments, **options):
    with pytest.raises(UserError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_in_place_of_the_folder_is_named(make, tmp_path):
    task = make()
    judge_all(task)
    (tmp_path / "smoke").mkdir()
    (tmp_path / "smoke" / "task_1_3_6").write_text("mine")
    assert str(task.folder) in refusal(task.save)
    assert task.folder.read_text() == "mine"


def test_a_full_disk_is_told_and_leaves_what_was_there(make, monkeypatch):
    task = make()
    task.table("times", ["seconds"], [[1]])
    judge_all(task)
    task.save()
    before = files(task.folder)
    monkeypatch.setattr(os, "replace", full_disk)
    task.table("times", ["seconds"], [[2]])
    message = refusal(task.save)
    assert message.startswith("cannot write ") and message.endswith(os.strerror(errno.ENOSPC))
    assert files(task.folder) == before
    assert (task.folder / "times.csv").read_text() == "seconds\n1\n"


def test_half_a_file_never_takes_the_place_of_a_whole_one(tmp_path, monkeypatch):
    path = tmp_path / "summary.json"
    write_whole(path, "whole")
    write_bytes = Path.write_bytes

    def write_half(path, content):
        write_bytes(path, content[: len(content) // 2])
        full_disk()

    monkeypatch.setattr(Path, "write_bytes", write_half)
    assert refusal(write_whole, path, "replaced").startswith(f"cannot write {path}")
    assert [found.name for found in tmp_path.iterdir()] == ["summary.json"]
    assert path.read_text() == "whole"


def test_text_and_bytes_are_written_as_they_are(tmp_path):
    write_whole(tmp_path / "text", "ä → ∞\n")
    write_whole(tmp_path / "bytes", b"\x00\xff")
    assert (tmp_path / "text").read_bytes() == "ä → ∞\n".encode()
    assert (tmp_path / "bytes").read_bytes() == b"\x00\xff"
    write_whole(tmp_path / "text", "new")
    assert (tmp_path / "text").read_text() == "new"
    assert files(tmp_path) == ["bytes", "text"]
