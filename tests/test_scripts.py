"""Every script on the smoke preset, its claims, and what a killed or repeated run leaves."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ann_keras.report import published

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted((ROOT / "scripts").glob("task_*.py"))


def task_id(script):
    return script.stem.removeprefix("task_").replace("_", ".")


def start(script, *arguments):
    return subprocess.Popen(
        [sys.executable, ROOT / "scripts" / script, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )


def finish(process, timeout=300):
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, err


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """Results of all tasks on the smoke preset, two runs at a time."""
    results = tmp_path_factory.mktemp("results")
    run = start("run_all.py", "--preset", "smoke", "--results", results, "--workers", 2)
    code, out, err = finish(run, timeout=900)  # two minutes where nothing else runs
    assert code == 0, out + err
    return results / "smoke"


def read_summary(folder):
    return json.loads((folder / "summary.json").read_text())


@pytest.mark.parametrize("script", SCRIPTS, ids=task_id)
def test_smoke_run_is_complete(smoke, script):
    folder = smoke / script.stem
    summary = read_summary(folder)
    assert summary["task"] == task_id(script)
    claims = [c for c, claim in published.CLAIMS.items() if claim.task == task_id(script)]
    assert sorted(claim["id"] for claim in summary["claims"]) == sorted(claims)
    assert all(claim["evidence"] for claim in summary["claims"])
    for name in summary["figures"]:
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    for name in summary["tables"]:
        assert (folder / name).read_text().count("\n") > 1
    figures = {f.file for f in published.FIGURES.values() if f.task == task_id(script)}
    assert figures <= {Path(name).stem for name in summary["figures"]}


@pytest.mark.parametrize("script", SCRIPTS, ids=task_id)
def test_measurements_cover_the_published_values(smoke, script):
    """A published number is beside ours, unless the smoke preset leaves its setting out."""
    values = {
        name: value for (task, name), value in published.VALUES.items() if task == task_id(script)
    }
    known = set(values)
    left_out_by_smoke = {f"noise_{level}/train_mse" for level in (0.1, 0.3, 0.5)} | {
        name for name, value in values.items()
        if value.place == "Table 3" or name.startswith("vit_128_8_128/train_loss")
        or re.match(r"rbm_(?!200_0\.1/).*/pseudo_likelihood", name)
    }
    # Two are tests of their own, the third is a bound that claim 1.3.4-g judges.
    elsewhere = {
        "surface_mlp/parameters", "functions/max_difference",
        "all_but_sgd_0.05/epochs_to_converge",
    }
    measured = {m["name"] for m in read_summary(smoke / script.stem)["measurements"]}
    assert known - left_out_by_smoke - elsewhere <= measured


def test_site_shows_every_claim_and_picture(smoke):
    matrix = (smoke / "site" / "index.html").read_text()
    assert 'data-verdict="not measured"' not in matrix
    for script in SCRIPTS:
        section = (smoke / "site" / f"section_{script.stem[5:8]}.html").read_text()
        summary = read_summary(smoke / script.stem)
        for claim in summary["claims"]:
            assert f'id="{claim["id"]}"' in section and f'#{claim["id"]}"' in matrix
        for name in summary["figures"]:
            assert f'src="{script.stem}/{name}"' in section
            assert (smoke / "site" / script.stem / name).is_file()


def numbers(folder):
    return {m["name"]: m["values"] for m in read_summary(folder)["measurements"]
            if not m["name"].endswith("seconds")}


def test_one_worker_that_is_killed_gives_the_numbers_of_two(smoke, tmp_path):
    arguments = ("task_1_4_3.py", "--preset", "smoke", "--results", tmp_path, "--workers", 1)
    folder = tmp_path / "smoke"
    first = start(*arguments)
    deadline = time.monotonic() + 120
    while not list(folder.glob("runs/*/*.npz")):
        assert time.monotonic() < deadline and first.poll() is None
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/*.npz")}
    assert not list(folder.glob("task_*"))
    code, out, err = finish(start(*arguments))
    assert code == 0, err
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    assert numbers(folder / "task_1_4_3") == numbers(smoke / "task_1_4_3")
    assert not list(folder.glob("runs/*/*_checkpoint"))
    computed = set(folder.glob("runs/*/*.npz"))
    code, out, err = finish(start(*arguments))
    assert code == 0 and set(folder.glob("runs/*/*.npz")) == computed


def test_a_plan_tells_what_is_missing_and_runs_nothing(tmp_path):
    code, out, err = finish(start("run_all.py", "--preset", "smoke", "--plan", "--only", "1.4",
                                  "--results", tmp_path))
    assert code == 0 and "regression.train" in out and " 0 runs are there" in out, out + err
    assert not list(tmp_path.iterdir())


def test_failing_task_does_not_stop_the_others(tmp_path):
    (tmp_path / "smoke").mkdir()
    (tmp_path / "smoke" / "task_1_3_5").write_text("in the way")
    code, out, err = finish(
        start("run_all.py", "--preset", "smoke", "--results", tmp_path, "--only", "1.3.5")
    )
    assert code == 1
    assert "1.3.5" in err and "Traceback" not in err
    assert (tmp_path / "smoke" / "site" / "index.html").exists()


def test_run_all_rejects_an_unknown_section(tmp_path):
    code, out, err = finish(start("run_all.py", "--only", "9", "--results", tmp_path))
    assert (code, err.count("\n")) == (2, 1) and err.startswith("error:")


def test_report_refreshes_from_saved_results_alone(smoke):
    page = smoke / "site" / "section_1_3.html"
    before = page.read_text()
    code, out, err = finish(
        start("report.py", "--preset", "smoke", "--results", smoke.parent)
    )
    assert code == 0, err
    assert page.read_text() == before
