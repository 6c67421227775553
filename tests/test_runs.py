"""Runs are found by their content, computed once, and survive whatever happens around them."""

import csv
import dataclasses
import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import run_functions as functions

from ann_keras.errors import UserError
from ann_keras.runs import engine as engines
from ann_keras.runs.engine import Engine, NotReady
from ann_keras.runs.run import Finished, Result, Results, Run, differences
from ann_keras.runs.store import FORMAT, Store


def training(seed=0, **recipe):
    return Run(functions.train, recipe=functions.Recipe(**recipe), seed=seed)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "smoke" / "runs")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """An engine whose process serves several tests."""
    with Engine(tmp_path_factory.mktemp("results") / "smoke" / "runs", workers=1) as engine:
        yield engine


# Keys

def test_the_same_call_is_the_same_run_however_it_is_written():
    assert training().key == training(rate=0.1).key
    given = Run(functions.score, training=training(), scale=1.0)
    assert given.key == Run(functions.score, training=training()).key
    assert Run(functions.noted, folder="a", seed=np.int64(1)).key == Run(
        functions.noted, folder="a", seed=1
    ).key


def test_whatever_decides_the_outcome_is_in_the_key(monkeypatch):
    keys = {training().key, training(seed=1).key, training(rate=0.2).key,
            Run(functions.score, training=training()).key,
            Run(functions.score, training=training(seed=1)).key,
            Run(functions.score, training=training(), scale=2.0).key,
            Run(functions.pool, trainings=[training(), training(seed=1)]).key,
            Run(functions.pool, trainings=[training(seed=1), training()]).key}
    monkeypatch.setattr(functions.train, "version", 2, raising=False)
    keys |= {training().key, Run(functions.score, training=training()).key}
    assert len(keys) == 10


def test_a_field_that_came_later_leaves_the_keys_of_earlier_runs():
    later = functions.LaterRecipe(decay=0.0)
    assert Run(functions.train, recipe=later, seed=0).key == training().key
    assert Run(functions.train, recipe=functions.LaterRecipe(), seed=0).key != training().key


def test_a_checkpoint_decides_nothing():
    run = Run(functions.die, folder="f", times=1)
    assert run.takes_checkpoint and "checkpoint" not in run.arguments
    assert not training().takes_checkpoint


def test_calls_that_no_other_process_can_make_are_refused():
    with pytest.raises(TypeError):
        Run(lambda: {})
    with pytest.raises(TypeError):
        Run(functions.train, seed=0)
    with pytest.raises(TypeError):
        Run(functions.noted, folder=Path()).key  # noqa: B018
    with pytest.raises(ValueError):
        training(rate=float("nan")).key  # noqa: B018


def test_a_run_is_named_for_people():
    assert training(seed=2, rate=0.25).label == "run_functions.train, rate 0.25, seed 2"


def test_differences_reach_into_nested_settings():
    @dataclasses.dataclass(frozen=True)
    class Outer:
        recipe: functions.Recipe = functions.Recipe()
        seeds: int = 3

    changed = Outer(functions.Recipe(rate=0.5), seeds=4)
    assert differences(Outer(), changed) == {"recipe.rate": 0.5, "seeds": 4}
    assert differences(changed, changed) == {}


# Store

def test_what_was_written_is_read(store):
    run = training()
    store.write(run, functions.train(run.recipe, 0), 1.5)
    found = store.read(run)
    assert found["loss"].dtype == np.float64 and found["weights"].dtype == np.float32
    assert (found.seconds, found.recipe, found.seed) == (1.5, run.recipe, 0)
    assert set(found) == {"loss", "weights", "process"}
    assert store.read(training(seed=1)) is None
    with pytest.raises(UserError, match="bias"):
        found["bias"]


def test_equal_runs_are_equal_files_and_leave_the_others_alone(store):
    run, other = training(), training(seed=1)
    store.write(run, {"loss": np.ones(3)}, 1.0)
    path, = store.folder.glob("*/*.npz")
    content = path.read_bytes()
    store.write(other, {"loss": np.ones(3)}, 1.0)
    store.write(run, {"loss": np.ones(3)}, 1.0)
    assert path.read_bytes() == content and len(list(store.folder.glob("*/*.npz"))) == 2


def damaged(content):
    middle = len(content) // 2
    yield b""
    yield b"no archive"
    yield content[:-50]
    yield content[:middle]
    yield content[:middle] + bytes(20) + content[middle + 20:]


def test_a_damaged_file_is_told_and_kept(store):
    run = training()
    store.write(run, functions.train(run.recipe, 0), 1.0)
    path, = store.folder.glob("*/*.npz")
    for content in damaged(path.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(UserError, match=f"{path.name} is damaged"):
            store.read(run)
        assert path.read_bytes() == content
    for values in (np.zeros(3), {"loss": np.zeros(3)}):
        with open(path, "wb") as file:
            np.savez(file, **values) if isinstance(values, dict) else np.save(file, values)
        with pytest.raises(UserError, match="damaged"):
            store.read(run)


def test_another_runs_file_is_not_taken(store):
    run, other = training(), training(seed=1)
    store.write(other, {"loss": 0.0}, 1.0)
    path, = store.folder.glob("*/*.npz")
    path.rename(path.with_name(f"{run.key}.npz"))
    assert store.read(run) is None


def test_a_later_versions_file_is_told(store):
    run = training()
    store.write(run, {"loss": 0.0}, 1.0)
    path, = store.folder.glob("*/*.npz")
    with np.load(path) as archive:
        values = dict(archive)
    np.savez(path, **values | {"_format": FORMAT + 1})
    with pytest.raises(UserError, match="newer version"):
        store.read(run)


def test_the_index_has_a_line_a_run(store):
    for seed in (1, 0):
        store.write(training(seed=seed), {"loss": 0.0}, 2.0)
    store.write_index()
    rows = list(csv.DictReader((store.folder / "index.csv").open()))
    assert [row["run"] for row in rows] == [training(seed=seed).label for seed in (0, 1)]
    assert all((store.folder / row["file"]).is_file() and row["seconds"] == "2.0" for row in rows)


def test_a_full_disk_is_told_and_harms_nothing(store, monkeypatch):
    store.write(training(), {"loss": 1.0}, 1.0)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UserError, match="cannot write"):
        store.write(training(), {"loss": 2.0}, 1.0)
    assert store.read(training())["loss"] == 1
    assert len([path for path in store.folder.rglob("*") if path.is_file()]) == 1


# Engine

def test_values_are_those_of_the_function(engine):
    first = engine.submit(training())
    values = functions.train(functions.Recipe(), 0)
    np.testing.assert_array_equal(first["loss"], values["loss"])
    assert first["process"] != os.getpid()
    assert set(first) == set(values) and isinstance(first, Result)
    again = engine.submit(training())
    assert again["process"] == first["process"], "computed once"


def test_runs_receive_what_they_depend_on(engine):
    group = [training(seed=seed, rate=0.5) for seed in range(3)]
    scores = Results(engine.submit(Run(functions.score, training=run, scale=2.0))
                     for run in group)
    np.testing.assert_array_equal(scores["score"], [2 * (1.5 + 3 * seed) for seed in range(3)])
    np.testing.assert_array_equal(scores["seed"], range(3))
    assert (scores["rate"] == 0.5).all() and len(scores[1:]) == 2
    assert engine.submit(Run(functions.pool, trainings=group))["mean"] == 1.5


def test_what_a_function_raises_reaches_whoever_reads(engine):
    failed = engine.submit(Run(functions.refuse))
    with pytest.raises(ValueError, match="no such thing"):
        failed["loss"]
    dependent = engine.submit(Run(functions.score, training=Run(functions.refuse)))
    with pytest.raises(ValueError, match="no such thing"):
        dependent["score"]


def test_a_stored_run_needs_neither_a_process_nor_its_dependencies(tmp_path):
    run = Run(functions.score, training=training())
    Store(tmp_path / "smoke" / "runs").write(run, {"score": 7.0}, 1.0)
    with Engine(tmp_path / "smoke" / "runs", workers=1) as engine:
        assert engine.submit(run)["score"] == 7 and engine.is_stored(run)
        assert engine._thread is None and len(engine._jobs) == 1


def test_fresh_runs_are_repeated_once_with_their_dependencies(tmp_path):
    folder = tmp_path / "smoke" / "runs"
    run = Run(functions.score, training=training())
    store = Store(folder)
    store.write(run, {"score": 7.0}, 1.0)
    store.write(training(), {"loss": np.zeros(3)}, 1.0)
    with Engine(folder, workers=1, fresh=True) as engine:
        first, second = engine.submit(run), engine.submit(run)
        assert first["score"] == second["score"] == pytest.approx(0.3)
        assert not engine.is_stored(run)
    assert store.read(training())["loss"][1] == 0.1


def test_a_worker_that_died_between_two_runs_is_replaced(tmp_path):
    with Engine(tmp_path / "smoke" / "runs", workers=1) as engine:
        first = engine.submit(training())["process"]
        os.kill(int(first), signal.SIGKILL)
        time.sleep(0.3)
        second = engine.submit(training(seed=1))
        np.testing.assert_array_equal(second["loss"], [1, 1.1, 1.2])
        assert second["process"] != first


def test_a_plan_computes_nothing(tmp_path):
    store = Store(tmp_path / "smoke" / "runs")
    store.write(training(seed=5, epochs=10), {"loss": 0.0}, 20.0)
    with Engine(store.folder, plans=True) as engine:
        result = engine.submit(Run(functions.score, training=training(epochs=30)))
        with pytest.raises(NotReady):
            result["score"]
        missing = {run.name: engine.estimate(run) for run in engine.open_runs()}
        assert missing == {"run_functions.train": 60.0, "run_functions.score": None}
    elsewhere = Store(tmp_path / "quick" / "runs")
    with Engine(elsewhere.folder, plans=True) as engine:
        assert engine.estimate(training(epochs=5)) == 10, "by another preset's run"
    assert not elsewhere.folder.exists()


def test_a_worker_that_dies_is_replaced_and_its_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "_STARTS", 2)
    notes = tmp_path / "notes"
    notes.mkdir()
    with Engine(tmp_path / "smoke" / "runs", workers=1) as engine:
        before = engine.submit(training())["process"]
        assert engine.submit(Run(functions.die, folder=str(notes), times=1))["died"] == 1
        after = engine.submit(training(seed=1))["process"]
        assert before != after and len(list(notes.iterdir())) == 2
        hopeless = engine.submit(Run(functions.die, folder=str(notes), times=100))
        with pytest.raises(UserError, match="died 2 times"):
            hopeless["died"]


SCRIPT = """
import sys
sys.path[:0] = [{tests!r}]
import run_functions as functions
from ann_keras.runs.engine import Engine
from ann_keras.runs.run import Run
if __name__ == "__main__":
    with Engine(sys.argv[1], workers=1) as engine:
        result = engine.submit(Run(functions.slow, folder=sys.argv[2], seconds=float(sys.argv[3])))
        print("begun", flush=True)
        print(int(result["done"]), flush=True)
"""


def begin(tmp_path, seconds):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(tests=str(Path(__file__).parent)))
    (tmp_path / "notes").mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, script, tmp_path / "smoke" / "runs", tmp_path / "notes", str(seconds)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )


def test_two_processes_share_a_run(tmp_path):
    both = [begin(tmp_path, 2) for _ in range(2)]
    ended = [process.communicate(timeout=120) for process in both]
    assert all(process.returncode == 0 and out.endswith("1\n")
               for process, (out, err) in zip(both, ended)), ended
    assert len(list((tmp_path / "notes").iterdir())) == 1
    assert not list((tmp_path / "smoke" / "runs").glob("*/*_checkpoint"))


def test_workers_end_with_the_process_that_was_killed_and_leave_no_lock(tmp_path):
    first = begin(tmp_path, 600)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "notes").iterdir()):
        assert time.monotonic() < deadline and first.poll() is None
        time.sleep(0.05)
    worker = int(next((tmp_path / "notes").iterdir()).name.partition("_")[2])
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    while is_alive(worker):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with Engine(tmp_path / "smoke" / "runs", workers=1) as engine:
        lock = engine.store.lock(Run(functions.slow, folder=str(tmp_path / "notes"),
                                     seconds=600.0))
        lock.acquire(blocking=False)
        lock.release()


def is_alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def draw_in_the_background():
    """Let a thread of this process draw random numbers for a while, as a worker's own may."""
    def draw():
        end = time.monotonic() + 5
        while time.monotonic() < end:
            random.random()
            time.sleep(0.01)

    threading.Thread(target=draw, daemon=True).start()


def test_dask_workers_give_the_same_bits(engine, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        local_directory=str(tmp_path / "dask"),
    ) as cluster:
        with Engine(tmp_path / "smoke" / "runs", scheduler=cluster.scheduler_address) as remote:
            assert remote.slots() == 2
            runs = [Run(functions.sums, seed=seed) for seed in range(2)]
            for run in runs:
                np.testing.assert_array_equal(
                    remote.submit(run)["product"], engine.submit(run)["product"]
                )
            disturbed = remote.submit(Run(functions.drawn, seed=0))
            with distributed.Client(cluster, set_as_default=False) as client:
                client.run(draw_in_the_background)
            np.testing.assert_array_equal(
                disturbed["kernel"], engine.submit(Run(functions.drawn, seed=0))["kernel"]
            )
            with pytest.raises(ValueError, match="no such thing"):
                remote.submit(Run(functions.refuse))["loss"]
        cluster.scale(0)
        cluster.sync(cluster._correct_state)
        monkeypatch.setattr(engines, "_WORKERS", 0.5)
        with pytest.raises(UserError, match="no worker"):
            Engine(tmp_path / "runs", scheduler=cluster.scheduler_address)


def test_a_cluster_that_is_not_there_is_told(tmp_path, monkeypatch):
    if "distributed" in sys.modules or pytest.importorskip("distributed"):
        monkeypatch.setattr(engines, "_ANSWER", 0.5)
        with pytest.raises(UserError, match="no Dask scheduler"):
            Engine(tmp_path, scheduler="tcp://127.0.0.1:1")
        with pytest.raises(UserError, match="no Dask scheduler"):
            Engine(tmp_path, scheduler="nonsense")
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    with pytest.raises(UserError, match="cluster"):
        Engine(tmp_path, scheduler="tcp://127.0.0.1:1")


def test_finished_values_survive_the_way_to_a_worker():
    import pickle

    finished = Finished({"loss": np.ones(2)}, training(seed=3), 1.0)
    copy = pickle.loads(pickle.dumps(finished))
    assert (copy.seed, copy.recipe, copy.seconds) == (3, functions.Recipe(), 1.0)
    np.testing.assert_array_equal(copy["loss"], np.ones(2))


def test_content_is_json(store):
    store.write(training(), {"loss": 0.0}, 3.0)
    (content, seconds), = store.history()
    assert content == json.loads(training().text) and seconds == 3
    assert content["arguments"]["recipe"] == {"rate": 0.1, "epochs": 3}
