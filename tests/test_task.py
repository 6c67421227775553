"""One task's record: runs computed once, measurements beside published ones, files whole."""

import dataclasses
import errno
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from ann_keras.errors import UserError
from ann_keras.report.published import CLAIMS
from ann_keras.report.task import VERDICTS, Task, write_whole

OWN_CLAIMS = [identifier for identifier, claim in CLAIMS.items() if claim.task == "1.3.6"]


@dataclasses.dataclass(frozen=True)
class Settings:
    seeds: int = 2
    rate: float = 0.1


class Experiment:
    """A run that remembers with which settings it was really computed."""

    def __init__(self):
        self.computed = []

    def __call__(self, seed, rate=0.1):
        self.computed.append((seed, rate))
        return {"losses": [rate * seed, 1.0], "count": seed, "table": np.eye(2, dtype="float32")}


@pytest.fixture
def make(tmp_path):
    """Makes a task that writes below the test's own folder."""
    def make(identifier="1.3.6", settings=Settings(), **options):
        return Task(identifier, "smoke", settings, tmp_path, **options)

    return make


def judge_all(task):
    for identifier in OWN_CLAIMS:
        task.claim(identifier, "undecided", "nothing was run")


def saved(task):
    return json.loads((task.folder / "summary.json").read_text())


def packed(task):
    """Names of the runs kept with the finished task."""
    with zipfile.ZipFile(task.folder / "runs.zip") as archive:
        return archive.namelist()


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_everything_is_written_to_the_folder_of_preset_and_task(make, tmp_path):
    task = make()
    assert task.folder == tmp_path / "smoke" / "task_1_3_6" and task.seeds == [0, 1]
    task.run("adam, seed 0", Experiment(), seed=0)
    figure = Figure()
    figure.subplots().plot([0, 1], [1, 0])
    task.figure("fig3_validation_accuracy", figure)
    task.table("times", ["optimizer", "seconds"], [["sgd", 1.5], ["a, b", 2]])
    task.measure("adam/val_accuracy/last", [0.99, 0.98], better="higher")
    judge_all(task)
    task.save()

    assert sorted(path.name for path in task.folder.iterdir()) == [
        "config.json", "fig3_validation_accuracy.png", "runs.zip", "summary.json", "times.csv",
    ]
    run, = packed(task)
    assert run.startswith("adam_seed_0_") and run.endswith(".npz")
    assert json.loads((task.folder / "config.json").read_text()) == {
        "preset": "smoke", "seeds": 2, "rate": 0.1
    }
    assert (task.folder / "times.csv").read_text() == 'optimizer,seconds\nsgd,1.5\n"a, b",2\n'
    assert (task.folder / "fig3_validation_accuracy.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    summary = saved(task)
    assert {name: summary[name] for name in ("task", "preset", "seeds", "figures", "tables")} == {
        "task": "1.3.6", "preset": "smoke", "seeds": [0, 1],
        "figures": ["fig3_validation_accuracy.png"], "tables": ["times.csv"],
    }
    assert [claim["id"] for claim in summary["claims"]] == OWN_CLAIMS
    assert [entry["name"] for entry in summary["measurements"]] == ["adam/val_accuracy/last"]
    assert summary["environment"]["tensorflow"].startswith("2.")
    assert summary["environment"]["keras"].startswith("3.")


def test_equal_figures_are_equal_files(make):
    pictures = []
    for _ in range(2):
        figure = Figure()
        figure.subplots().plot([0, 1], [1, 0])
        task = make()
        task.figure("fig3", figure)
        pictures.append((task.folder / "fig3.png").read_bytes())
    assert pictures[0] == pictures[1]


def test_a_run_is_computed_once_and_read_after_that(make):
    experiment = Experiment()
    first = make().run("adam, seed 3", experiment, seed=3)
    second = make().run("adam, seed 3", experiment, seed=3)
    assert experiment.computed == [(3, 0.1)]
    assert second["losses"].dtype == np.float64
    for values in (first, second):
        assert set(values) == {"losses", "count", "table"}
        np.testing.assert_array_equal(values["losses"], [0.1 * 3, 1.0])
        assert values["count"] == 3 and values["table"].dtype == np.float32


def number_of_process(*, seed):
    if seed < 0:
        raise ValueError("negative seed")
    return {"process": os.getpid(), "seed": seed}


def test_an_isolated_run_has_a_process_of_its_own(make):
    task = make()
    here = task.run("here", number_of_process, seed=1)
    apart = task.run("apart", number_of_process, isolated=True, seed=1)
    assert here["process"] == os.getpid() != apart["process"] and apart["seed"] == 1
    # How it is computed does not decide the outcome: the same run is found either way.
    assert task.run("apart", number_of_process, seed=1)["process"] == apart["process"]
    with pytest.raises(ValueError, match="negative seed"):
        task.run("bad", number_of_process, isolated=True, seed=-1)


def test_other_settings_and_other_names_are_other_runs(make):
    experiment, task = Experiment(), make()
    task.run("adam", experiment, seed=1)
    task.run("adam", experiment, seed=2)
    task.run("adam", experiment, seed=1, rate=0.5)
    task.run("sgd", experiment, seed=1)
    assert experiment.computed == [(1, 0.1), (2, 0.1), (1, 0.5), (1, 0.1)]
    assert task.run("adam", experiment, seed=1, rate=0.5)["losses"][0] == 0.5
    assert len(experiment.computed) == 4


def test_a_fresh_task_repeats_its_runs_once(make):
    experiment = Experiment()
    make().run("adam", experiment, seed=1)
    task = make(fresh=True)
    task.run("adam", experiment, seed=1)
    task.run("adam", experiment, seed=1)
    assert experiment.computed == [(1, 0.1)] * 2


def test_seconds_are_those_of_the_computation_each_run_once(make, monkeypatch):
    clock = iter([10.0, 13.5])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    task = make()
    task.run("adam", Experiment(), seed=1)
    task.run("adam", Experiment(), seed=1)
    assert task.seconds == 3.5
    again = make()
    again.run("adam", Experiment(), seed=1)
    assert again.seconds == 3.5


def truncate(path):
    path.write_bytes(path.read_bytes()[:-50])


def break_the_compression(path):
    content = bytearray(path.read_bytes())
    start = content.index(b"losses.npy") + len(b"losses.npy") + 25
    content[start:start + 20] = b"\xff" * 20
    path.write_bytes(content)


def break_a_value(path):
    with np.load(path) as archive:
        values = dict(archive)
    np.savez(path, **values | {"losses": np.array([2.0, 3.0])})  # stored, not compressed
    content = path.read_bytes()
    path.write_bytes(content.replace(np.array([2.0, 3.0]).tobytes(), bytes(16)))


def store_an_array_alone(path):
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))


def store_another_run(path):
    np.savez(path, _key="another", _seconds=1.0, losses=0.0, count=0, table=0.0)


@pytest.mark.parametrize(
    "damage",
    [truncate, break_the_compression, break_a_value, store_an_array_alone, store_another_run,
     lambda path: path.write_bytes(b""), lambda path: path.write_text("no archive")],
    ids=["truncated", "no deflate stream", "other bytes", "array alone", "another run", "empty",
         "text"],
)
def test_a_damaged_run_is_computed_again(make, damage):
    experiment = Experiment()
    task = make()
    task.run("adam", experiment, seed=4)
    path, = (task.folder / "runs").iterdir()
    damage(path)
    values = make().run("adam", experiment, seed=4)
    assert experiment.computed == [(4, 0.1)] * 2
    np.testing.assert_array_equal(values["losses"], [0.1 * 4, 1.0])
    make().run("adam", experiment, seed=4)
    assert len(experiment.computed) == 2  # mended


def test_an_interrupted_task_goes_on_where_it_stopped(make):
    experiment = Experiment()

    def interrupted(seed):
        raise KeyboardInterrupt

    task = make()
    task.run("adam, seed 0", experiment, seed=0)
    with pytest.raises(KeyboardInterrupt):
        task.run("adam, seed 1", interrupted, seed=1)
    task = make()
    for seed in task.seeds:
        task.run(f"adam, seed {seed}", experiment, seed=seed)
    assert experiment.computed == [(0, 0.1), (1, 0.1)]


def test_an_unfinished_task_leaves_the_earlier_results_as_they_were(make):
    task = make()
    task.run("adam", Experiment(), seed=0)
    task.measure("own", 1.0)
    judge_all(task)
    task.save()
    before = {name: (task.folder / name).read_bytes() for name in files(task.folder)}
    other = make(settings=Settings(rate=0.5))
    other.run("adam", Experiment(), seed=0, rate=0.5)  # and then the power fails
    assert {name: (task.folder / name).read_bytes() for name in before} == before


def finish(task, experiment, **settings):
    values = task.run("adam", experiment, **settings)
    judge_all(task)
    task.save()
    return values


def test_a_finished_task_keeps_its_runs_for_the_next_time(make):
    experiment = Experiment()
    first = finish(make(), experiment, seed=2)
    content = (make().folder / "runs.zip").read_bytes()
    second = finish(make(), experiment, seed=2)
    assert experiment.computed == [(2, 0.1)]
    assert (make().folder / "runs.zip").read_bytes() == content
    for name, value in first.items():
        np.testing.assert_array_equal(second[name], value)


def test_saving_drops_runs_of_other_settings(make):
    experiment = Experiment()
    finish(make(), experiment, seed=0, rate=0.5)
    old, = packed(make())
    finish(make(), experiment, seed=0)
    new, = packed(make())
    assert new != old
    finish(make(), experiment, seed=0)
    assert experiment.computed == [(0, 0.5), (0, 0.1)]


def test_fresh_runs_replace_those_of_a_finished_task(make):
    finish(make(), lambda seed: {"loss": 1.0}, seed=0)
    task = make(fresh=True)
    assert finish(task, lambda seed: {"loss": 2.0}, seed=0)["loss"] == 2
    assert finish(make(), Experiment(), seed=0)["loss"] == 2


def test_a_damaged_file_of_runs_is_made_anew(make):
    experiment = Experiment()
    finish(make(), experiment, seed=1)
    path = make().folder / "runs.zip"
    path.write_bytes(path.read_bytes()[:-30])
    finish(make(), experiment, seed=1)
    finish(make(), experiment, seed=1)
    assert experiment.computed == [(1, 0.1)] * 2


def test_runs_outlive_a_failure_to_pack_them(make, monkeypatch):
    replace = os.replace

    def replace_others(source, target):
        if Path(target).name == "runs.zip":
            full_disk()
        replace(source, target)

    experiment = Experiment()
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace_others)
        assert "runs.zip" in refusal(finish, make(), experiment, seed=1)
    finish(make(), experiment, seed=1)
    assert experiment.computed == [(1, 0.1)]


def run_of_the_other(make, finished):
    """Task 2.2.1 with one run, kept in runs/ or, once the task has ended, in runs.zip."""
    task, experiment = make("2.2.1"), Experiment()
    task.run("mlp, seed 1", experiment, seed=1, rate=0.5)
    if finished:
        for identifier, claim in CLAIMS.items():
            if claim.task == "2.2.1":
                task.claim(identifier, "undecided", "nothing was run")
        task.save()
    assert (task.folder / "runs.zip").exists() == finished
    assert (task.folder / "runs").exists() != finished
    assert experiment.computed == [(1, 0.5)]
    return task


def never(**settings):
    raise AssertionError("computed again")


@pytest.mark.parametrize("finished", [False, True], ids=["runs", "runs.zip"])
def test_a_run_of_another_task_is_taken_from_there(make, finished):
    other = run_of_the_other(make, finished)
    content = {name: (other.folder / name).read_bytes() for name in files(other.folder)}
    task = make()
    values = task.run("mlp, seed 1", never, of="2.2.1", seed=1, rate=0.5)
    assert set(values) == {"losses", "count", "table"}
    np.testing.assert_array_equal(values["losses"], [0.5, 1.0])
    assert files(task.folder) == [] and task.seconds == 0
    task.run("own", Experiment(), seed=0)
    judge_all(task)
    task.save()
    name, = packed(task)  # not the other's
    assert name.startswith("own_")
    assert {name: (other.folder / name).read_bytes() for name in files(other.folder)} == content


@pytest.mark.parametrize("finished", [False, True], ids=["runs", "runs.zip"])
def test_a_run_that_the_other_task_has_not_is_computed_and_kept(make, finished):
    other = run_of_the_other(make, finished)
    before, experiment = files(other.folder), Experiment()
    for settings in ({"seed": 2, "rate": 0.5}, {"seed": 1, "rate": 0.1}):
        make().run("mlp, seed 1", experiment, of="2.2.1", **settings)
    assert experiment.computed == [(2, 0.5), (1, 0.1)]
    task = make()
    for settings in ({"seed": 2, "rate": 0.5}, {"seed": 1, "rate": 0.1}):
        task.run("mlp, seed 1", never, of="2.2.1", **settings)
    judge_all(task)
    task.save()
    assert len(packed(task)) == 2 and files(other.folder) == before
    make().run("mlp, seed 1", never, of="2.2.1", seed=2, rate=0.5)  # from its own runs.zip


def test_without_the_other_task_a_run_is_computed(make, tmp_path):
    experiment = Experiment()
    make().run("mlp", experiment, of="2.2.1", seed=1)
    make().run("mlp", never, of="2.2.1", seed=1)
    assert experiment.computed == [(1, 0.1)]
    assert not (tmp_path / "smoke" / "task_2_2_1").exists()


@pytest.mark.parametrize("damage", [truncate, store_another_run])
def test_a_damaged_run_of_the_other_task_is_computed(make, damage):
    other, experiment = run_of_the_other(make, finished=False), Experiment()
    path, = (other.folder / "runs").iterdir()
    damage(path)
    content = path.read_bytes()
    values = make().run("mlp, seed 1", experiment, of="2.2.1", seed=1, rate=0.5)
    assert experiment.computed == [(1, 0.5)] and values["losses"][0] == 0.5
    assert path.read_bytes() == content


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


@pytest.mark.parametrize(
    "verdict, expected",
    [*((verdict, verdict) for verdict in VERDICTS), (True, "reproduced"), (False, "refuted"),
     (np.float64(1) < 2, "reproduced")],
)
def test_a_claim_is_judged_with_its_evidence(make, verdict, expected):
    task = make()
    judge_all(task)
    task.claim("1.3.6-b", verdict, "0.99 against 0.5", deviation="D1")
    task.save()
    claims = {claim["id"]: claim for claim in saved(task)["claims"]}
    assert claims["1.3.6-b"] == {
        "id": "1.3.6-b", "verdict": expected, "evidence": "0.99 against 0.5", "deviation": "D1"
    }
    assert "deviation" not in claims["1.3.6-a"]


def test_a_claim_of_another_task_is_refused(make):
    with pytest.raises(ValueError, match="1.3.4-a is not of task 1.3.6"):
        make().claim("1.3.4-a", "reproduced", "")
    with pytest.raises(KeyError):
        make().claim("1.3.6-z", "reproduced", "")


@pytest.mark.parametrize("verdict", ["true", "Reproduced", "", None, 2])
def test_an_unknown_verdict_is_refused(make, verdict):
    with pytest.raises(ValueError, match="unknown verdict"):
        make().claim("1.3.6-a", verdict, "")


def test_a_task_ends_with_a_verdict_on_each_of_its_claims(make):
    task = make()
    for identifier in OWN_CLAIMS[:-1]:
        task.claim(identifier, "reproduced", "")
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


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "results").write_text("mine")
    message = refusal(Task, "1.3.6", "smoke", Settings(), tmp_path / "results")
    assert message.startswith(f"cannot write to {tmp_path / 'results' / 'smoke' / 'task_1_3_6'}: ")
    assert (tmp_path / "results").read_text() == "mine"


def test_a_file_in_place_of_the_runs_is_named(tmp_path):
    folder = tmp_path / "smoke" / "task_1_3_6"
    folder.mkdir(parents=True)
    (folder / "runs").write_text("mine")
    assert str(folder) in refusal(Task, "1.3.6", "smoke", Settings(), tmp_path)


def test_a_full_disk_is_told_and_leaves_what_was_there(make, monkeypatch):
    task = make()
    task.table("times", ["seconds"], [[1]])
    task.run("sgd", Experiment(), seed=0)
    judge_all(task)
    before = files(task.folder)
    monkeypatch.setattr(os, "replace", full_disk)
    for call, arguments, name in (
        (task.table, ("times", ["seconds"], [[2]]), "times.csv"),
        (task.run, ("adam", lambda: {"loss": 1.0}), "adam"),
        (task.save, (), ""),
    ):
        message = refusal(call, *arguments)
        assert message.startswith("cannot write ") and name in message
        assert message.endswith(os.strerror(errno.ENOSPC))
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
