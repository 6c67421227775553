"""Searches that are interrupted, killed, spread over workers, or asked for in a wrong way."""

import concurrent.futures
import contextlib
import dataclasses
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import grpc
import keras_tuner
import pytest
import slow_search

import tuning
from ann_keras.errors import UserError
from tuning import __main__ as command_line
from tuning import oracles, outputs, regression, run as runs, search as searches, workers
from tuning.tuner import LostChief, Tuner, project_folder

ROOT = Path(__file__).resolve().parents[1]
SLOW = [sys.executable, str(Path(slow_search.__file__))]


@pytest.fixture(autouse=True)
def quick_trials(monkeypatch):
    """Trials without a network spend most of their time on garbage, and waiting to be asked."""
    monkeypatch.setattr(gc, "collect", lambda: 0)
    monkeypatch.setattr("tuning.tuner._WAIT", 0.0)


class Valley(searches.Search):
    """A search without a network: the objective is a value of the space."""

    objective = "depth"
    max_epochs = 9

    def __init__(self, settings=None, *, result=lambda trial, x: x):
        super().__init__(settings or regression.PRESETS["smoke"])
        self.result, self.tried = result, []

    def values(self, hp):
        x = hp.Float("x", 0, 10, default=5.0)
        if x > 9.9:
            searches.refuse("too far")
        return {"x": x, "way": hp.Choice("way", ["left", "right"], default="right")}

    def build(self, values):
        return SimpleNamespace(count_params=lambda: 0)

    def fit(self, values, model, checkpoint, epochs):
        self.tried.append(values["x"])
        return {"depth": self.result(len(self.tried), values["x"]), "steps": 3}


def tuner_of(search, folder, kind="random", max_trials=6, **options):
    search.settings = dataclasses.replace(search.settings, max_trials=max_trials)
    oracle = oracles.create(kind, search, seed=1)
    return Tuner(search, oracle, project_folder(folder, kind, search, 1), **options)


def found(tuner):
    return outputs.rows(tuner.hypermodel, tuner.oracle.trials.values())


@pytest.mark.parametrize("kind", list(oracles.KINDS))
def test_the_first_trial_has_the_defaults(tmp_path, kind):
    search = Valley()
    tuner = tuner_of(search, tmp_path, kind)
    tuner.search(verbose=0)
    first = next(row for row in found(tuner) if row.trial == 0)
    assert first.settings == {"x": 5.0, "way": "right"}
    assert len(search.tried) == len(tuner.oracle.trials) == 6
    if kind != "hyperband":  # which takes good trials up again
        assert len({tuple(row.settings.values()) for row in found(tuner)}) == 6


def test_rows_are_best_first_with_what_fit_gave(tmp_path):
    tuner = tuner_of(Valley(), tmp_path)
    tuner.search(verbose=0)
    rows = found(tuner)
    assert [row.objective for row in rows] == sorted(row.settings["x"] for row in rows)
    assert rows[0].metrics["steps"] == 3 and rows[0].metrics["seconds"] >= 0


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None])
def test_failed_trials_do_not_end_the_search(tmp_path, bad):
    def result(trial, x):
        if 1 < trial < 6:
            if bad is None:
                raise MemoryError("no memory left")
            return bad
        return x

    tuner = tuner_of(Valley(result=result), tmp_path, max_trials=8)
    tuner.search(verbose=0)
    rows = found(tuner)
    assert [row.status for row in rows].count("FAILED") == 4
    assert [row.status for row in rows].count("COMPLETED") == 4
    assert all(row.objective is None for row in rows[4:])
    text = "no memory left" if bad is None else "is not finite"
    assert text in rows[-1].message


def test_a_combination_without_sense_is_refused_before_anything_is_built(tmp_path):
    class Strict(Valley):
        built = 0

        def values(self, hp):
            values = super().values(hp)
            if values["x"] != 5.0:
                searches.refuse("only five will do")
            return values

        def build(self, values):
            Strict.built += 1
            return super().build(values)

    tuner = tuner_of(Strict(), tmp_path)
    tuner.search(verbose=0)
    rows = found(tuner)
    assert Strict.built == 1 and rows[0].objective == 5.0
    assert {row.status for row in rows[1:]} == {"FAILED"}
    assert "only five will do" in rows[1].message


def test_an_interrupted_search_goes_on_and_repeats_nothing(tmp_path):
    def stop(trial, x):
        if trial == 3:
            raise KeyboardInterrupt
        return x

    whole = Valley()
    tuner_of(whole, tmp_path / "whole").search(verbose=0)
    first, second = Valley(result=stop), Valley()
    with pytest.raises(KeyboardInterrupt):
        tuner_of(first, tmp_path / "parts").search(verbose=0)
    tuner = tuner_of(second, tmp_path / "parts")
    tuner.search(verbose=0)
    assert first.tried[:2] + second.tried == whole.tried
    assert first.tried[2] == second.tried[0], "the interrupted trial is begun again"
    assert [row.status for row in found(tuner)] == ["COMPLETED"] * 6


@pytest.mark.parametrize("kind", list(oracles.KINDS))
def test_a_kill_between_two_writes_loses_no_trial(tmp_path, kind, monkeypatch):
    """The process dies at every possible moment of a search in turn; each time it goes on."""
    writes = []
    write = oracles.write_whole

    def dying(path, content):
        writes.append(path)
        if len(writes) == deadly:
            raise SystemExit
        write(path, content)

    monkeypatch.setattr(oracles, "write_whole", dying)
    for deadly in range(3, 16):
        writes.clear()
        search, folder = Valley(), tmp_path / str(deadly)
        with pytest.raises(SystemExit):
            tuner_of(search, folder, kind, max_trials=4).search(verbose=0)
        tuner = tuner_of(search, folder, kind, max_trials=4)
        tuner.search(verbose=0)
        trials = tuner.oracle.trials
        assert {trial.status for trial in trials.values()} == {"COMPLETED"}
        assert sorted(tuner.oracle.end_order) == sorted(trials) and len(trials) == 4
        assert len(search.tried) <= 5, "no more than the trial that died runs twice"


def test_a_chief_that_starts_again_leaves_trials_to_workers_that_live(tmp_path):
    search = Valley()
    oracle = tuner_of(search, tmp_path).oracle
    running = {name: oracle.create_trial(name).trial_id for name in ("worker-0", "worker-7")}
    again = oracles.create("random", search, seed=1)
    again.workers = ["worker-0", "worker-1"]
    Tuner(search, again, project_folder(tmp_path, "random", search, 1))
    assert again.create_trial("worker-0").trial_id == running["worker-0"]
    assert again.create_trial("worker-1").trial_id == running["worker-7"], "its worker is gone"
    assert again.create_trial("worker-2").trial_id == "2"


def test_a_trial_that_kills_its_process_fails_in_the_end(tmp_path):
    search = Valley(result=lambda trial, x: (_ for _ in ()).throw(SystemExit()))
    for _ in range(3):
        with pytest.raises(SystemExit):
            tuner_of(search, tmp_path, max_trials=1).search(verbose=0)
    tuner = tuner_of(search, tmp_path, max_trials=1)
    tuner.search(verbose=0)
    (row,) = found(tuner)
    assert row.status == "FAILED" and "died 3 times" in row.message and len(search.tried) == 3


def test_another_space_or_setting_never_mixes_in(tmp_path):
    class Wider(Valley):
        def values(self, hp):
            return super().values(hp) | {"y": hp.Float("y", 0, 1, default=0.5)}

    longer = regression.Settings(epochs=99)
    more = dataclasses.replace(regression.PRESETS["smoke"], max_trials=99)
    folders = [project_folder(tmp_path, "random", search, 1)
               for search in (Valley(), Wider(), Valley(longer))]
    folders += [project_folder(tmp_path, "grid", Valley(), 1),
                project_folder(tmp_path, "random", Valley(), 2)]
    folders += [project_folder(tmp_path, "random", Valley(), 1, replicas=2)]
    assert len(set(folders)) == 6
    assert project_folder(tmp_path, "random", Valley(more), 1) == folders[0]
    space = folders[0] / "space.json"
    for text in (space.read_text().replace('"version": 1', '"version": 0'), "{"):
        space.write_text(text)
        with pytest.raises(UserError, match="of another version of this search"):
            project_folder(tmp_path, "random", Valley(), 1)


def test_a_chief_that_is_away_does_not_make_a_trial_fail(tmp_path, monkeypatch):
    class Away(grpc.RpcError):
        def code(self):
            return grpc.StatusCode.UNAVAILABLE

    def away(*_):
        raise Away

    search = Valley()
    tuner = tuner_of(search, tmp_path)
    monkeypatch.setattr(tuner.oracle, "get_trial", away)
    with pytest.raises(LostChief, match="UNAVAILABLE"):
        tuner.search(verbose=0)
    tuner = tuner_of(search, tmp_path)
    tuner.search(verbose=0)
    assert {row.status for row in found(tuner)} == {"COMPLETED"} and len(found(tuner)) == 6


def test_every_model_of_a_trial_belongs_to_the_strategy(tmp_path, monkeypatch):
    class Strategy:
        entered = 0

        @contextlib.contextmanager
        def scope(self):
            Strategy.entered += 1
            yield
            Strategy.entered -= 1

    search = Valley(result=lambda trial, x: float(Strategy.entered))
    tuner = tuner_of(search, tmp_path, max_trials=1)
    tuner.distribution_strategy = Strategy()
    tuner.search(verbose=0)
    assert found(tuner)[0].objective == 1.0


@pytest.fixture
def among_many(monkeypatch):
    """Function that sets keras-tuner's variables; those that are not given are not set."""
    def call(identifier="worker-1", address=workers.ADDRESS, port="1234"):
        for key, value in zip(workers._VARIABLES, (identifier, address, port)):
            monkeypatch.setenv(key, value or "")

    return call


@pytest.mark.parametrize("variables, options, words", [
    ({"address": None}, (2, False), "KERASTUNER_ORACLE_IP is not set"),
    ({"port": "http"}, (2, False), "must be a number, got 'http'"),
    ({"identifier": "chief"}, (0, False), "--workers must tell"),
    ({"identifier": "worker-2"}, (2, False), "one of chief, worker-0, worker-1, got 'worker-2'"),
    ({}, (2, True), "--fresh is not for many machines"),
])
def test_processes_of_many_machines_must_fit_together(among_many, variables, options, words):
    assert workers.place(*options) is None
    among_many(**variables)
    with pytest.raises(UserError, match=words):
        workers.place(*options)
    among_many()
    assert workers.place(2, False) == ("worker-1", "127.0.0.1", 1234)


@pytest.fixture
def tune(monkeypatch, capfd):
    """Function that runs the command line in this process, since TensorFlow takes seconds to
    import: exit status and both outputs."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # is set where processes are to be started

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["tuning", *map(str, arguments)])
        status = 0
        try:
            command_line.main()
        except SystemExit as stop:
            status = stop.code
        return status, *capfd.readouterr()

    return call


def trials_of(results):
    files = list(Path(results).rglob("trial.json"))
    return {file.parent.name: json.loads(file.read_text())["status"] for file in files}


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_killed_search_goes_on_and_then_says_that_it_is_finished(tmp_path, monkeypatch, tune):
    arguments = "--preset", "smoke", "--results", str(tmp_path)
    first = subprocess.Popen([*SLOW, *arguments], stdout=subprocess.DEVNULL)
    wait_for(lambda: list(tmp_path.rglob("trial_1/checkpoint/step_0.json"))
             or first.poll() is not None)
    first.kill()
    assert first.wait() == -signal.SIGKILL
    assert trials_of(tmp_path) == {"trial_0": "COMPLETED", "trial_1": "RUNNING"}
    done = len(list(tmp_path.rglob("trial_1/checkpoint/step_*.json")))
    steps = []
    slow_search.known(monkeypatch.setattr)
    monkeypatch.setattr(slow_search.Search, "step", lambda _: steps.append(1) or {"seconds": 0.0})
    code, out, err = tune("slow_search", *arguments)
    assert code == 0, err
    assert len(steps) == 2 * slow_search.Settings.steps - done, "what was done is not repeated"
    assert "going on after 2 trials" in out and "trial 0:" not in out and "trial 2:" in out
    assert trials_of(tmp_path) == {f"trial_{trial}": "COMPLETED" for trial in range(3)}
    table = (tmp_path / "smoke" / "tuning" / "slow_search" / "trials.csv").read_text()
    assert table.count("COMPLETED") == 3
    code, out, err = tune("slow_search", *arguments)
    assert code == 0 and "this search has all its 3 trials" in out and "trial 2:" not in out


def children():
    """Dict of keras-tuner's id → number of the processes that a search has started from here."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            variables = stat.with_name("environ").read_bytes().split(b"\0")
        except OSError:  # it has ended, or is another user's
            continue
        for entry in variables if parent == os.getpid() else ():
            if entry.startswith(b"KERASTUNER_TUNER_ID="):
                found[entry.split(b"=")[1].decode()] = int(stat.parent.name)
    return found


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds processes in /proc")
def test_a_killed_worker_and_a_killed_chief_cost_no_trial(tmp_path, monkeypatch, tune):
    """Five processes import TensorFlow: chief, two workers, and both that are started again."""
    arguments = ("--preset", "smoke", "--results", str(tmp_path), "--max-trials", "6",
                 "--workers", "2", "--fresh")
    slow_search.known(monkeypatch.setattr)
    monkeypatch.setattr(sys, "orig_argv", [*SLOW, *arguments])

    def kill():
        wait_for(lambda: "COMPLETED" in trials_of(tmp_path).values())
        os.kill(children()["worker-0"], signal.SIGKILL)
        done = len(trials_of(tmp_path))
        wait_for(lambda: len(trials_of(tmp_path)) > done)
        os.kill(children()["chief"], signal.SIGKILL)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        killer = pool.submit(kill)
        code, out, err = tune("slow_search", *arguments)
        killer.result()
    assert code == 0, out + err
    assert trials_of(tmp_path) == {f"trial_{trial}": "COMPLETED" for trial in range(6)}
    assert "worker-0 ended (SIGKILL)" in out and "chief ended (SIGKILL)" in out
    (oracle,) = tmp_path.rglob("oracle.json")
    assert sorted(json.loads(oracle.read_text())["end_order"]) == list("012345"), "each once"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--max-trials", 0), "--max-trials must be at least 1, got 0"),
        (("--workers", -1), "--workers must be at least 0 and --replicas at least 1"),
        (("--port", 99999, "--workers", 1), "--port must lie between 1 and 65535, got 99999"),
        (("--preset", "large"), "invalid choice"),
        (("--layers", 3), "--layers"),
    ],
)
def test_bad_options_are_refused_in_one_line(tmp_path, arguments, words, tune):
    code, _, err = tune("regression", *arguments, "--results", tmp_path)
    assert code == 2 and err.startswith("error: ") and err.count("\n") == 1
    assert words in err or arguments[0] in err
    assert not list(tmp_path.iterdir())


def test_unknown_searches_and_none_are_refused(tune):
    code, _, err = tune("regresion")
    assert code == 2 and "there is no search 'regresion': choose from regression, " in err
    code, _, err = tune("--workers")
    assert code == 2 and err.count("\n") == 1


def test_a_port_in_use_is_refused(tmp_path, tune, among_many):
    with socket.socket() as taken:
        taken.bind((workers.ADDRESS, 0))
        taken.listen()
        port = taken.getsockname()[1]
        arguments = "regression", "--preset", "smoke", "--results", tmp_path, "--workers", 1
        alone = tune(*arguments, "--port", port)
        among_many("chief", port=str(port))
        for code, _, err in (alone, tune(*arguments)):
            assert code == 2 and err.startswith(f"error: cannot listen at 127.0.0.1:{port}")


def test_a_worker_without_a_chief_says_so():
    port = workers.free_port()
    begin = time.monotonic()
    with pytest.raises(UserError, match=f"no chief answers at 127.0.0.1:{port} for 1 s"):
        workers.check_chief(workers.ADDRESS, port, seconds=1)
    assert time.monotonic() - begin < 20 and workers.REACH <= 60


def test_a_process_that_never_lives_ends_the_search(capfd):
    with pytest.raises(UserError, match="chief does not stay alive: no such thing"):
        workers.run(
            [sys.executable, "-c", "import sys; print('no such thing', file=sys.stderr); "
                                   "sys.exit(1)"], 1, workers.free_port(),
        )


def test_a_process_that_has_grown_is_renewed_between_trials(tmp_path, monkeypatch):
    class Renewed(Exception):
        pass

    def renew():
        raise Renewed

    sizes = iter([1e9, 1.1e9, 1.2e9, 3e9])
    monkeypatch.setattr("tuning.tuner._resident_memory", lambda: next(sizes))
    tuner = tuner_of(Valley(), tmp_path, renew=renew)
    with pytest.raises(Renewed):
        tuner.search(verbose=0)
    assert len(tuner.hypermodel.tried) == 3 and not tuner.oracle.ongoing_trials


def test_bad_input_ends_the_search(tmp_path):
    def result(trial, x):
        raise UserError("there is no such file")

    search = Valley(result=result)
    with pytest.raises(UserError, match="there is no such file"):
        tuner_of(search, tmp_path).search(verbose=0)
    assert len(search.tried) == 1


def test_importance_finds_the_hyperparameter_that_decides():
    trials = [outputs.Row(0, "COMPLETED", "", {}, objective=x, factors={"x": x, "way": way})
              for x in range(10) for way in ("left", "right")]
    found = outputs.importance(trials)
    assert list(found) == ["x", "way"]
    assert found["x"][0] > 0.5 and abs(found["way"][0]) < 0.1


def test_medians_of_factors_with_few_levels():
    trials = [
        outputs.Row(0, "COMPLETED", "", {}, objective=value,
                    factors={"way": way, "x": value, "same": 1})
        for way, values in (("left", range(5)), ("right", (7.0, 9.0, 100.0, 101.0)))
        for value in values
    ]
    assert outputs.medians(trials) == {"way": {"left": 2.0, "right": 54.5}}  # nine levels of x
    assert outputs.medians([]) == {}


def test_two_logical_devices_share_a_batch(tmp_path):
    # In a process, since TensorFlow must not have begun; comparisons take one device, so none.
    start = ("import runpy; from tuning import regression; "
             "regression.Search.contenders = lambda *_: {}; "
             "runpy.run_module('tuning', run_name='__main__')")
    done = subprocess.run(
        [sys.executable, "-c", start, "regression", "--preset", "smoke", "--replicas", "2",
         "--epochs", "1", "--training-points", "100", "--results", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=240,
    )
    assert done.returncode == 0, done.stderr
    best = json.loads((tmp_path / "smoke/tuning/regression/best.json").read_text())
    assert best["completed"] == 2


def test_a_search_that_does_not_train_by_fit_takes_no_replicas():
    module = tuning.load("rbm")
    options = command_line.Options("rbm", module.PRESETS["smoke"], replicas=2)
    with pytest.raises(UserError, match="takes no --replicas"):
        runs.check(options, module.Search(options.settings), "random")


def test_keras_tuner_still_has_what_is_mended_here():
    assert keras_tuner.__version__ == "1.4.8", "is what oracles.py mends still to be mended?"
