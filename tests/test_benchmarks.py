"""The benchmarks: both sides do the same arithmetic, every case runs, and the page adds up."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.insert(0, str(FOLDER))

import cases  # noqa: E402
import run  # noqa: E402

TINY = {"rows": 90, "batch_size": 40, "epochs": 2, "memory": 3}


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("name", cases.CASES)
def test_a_tiny_round_of_each_case(torch, name):
    case = dataclasses.replace(cases.CASES[name], **TINY)
    result = run.measure(case, rounds=1)
    for side in ("ours", "theirs"):
        for field in ("seconds", "final_loss"):
            (value,) = result[field][side]
            # A forecast's last value may have either sign.
            assert np.isfinite(value) and (value > 0 or case.optimizer is None)
    assert result["build_seconds"]["ours"][0] > 0
    assert result["ratio"]["median"] == pytest.approx(
        result["seconds"]["ours"][0] / result["seconds"]["theirs"][0]
    )


# Adam's small constant is added before the bias correction in Keras and after it in PyTorch.
@pytest.mark.parametrize(
    "name, tolerance",
    [
        ("surface_sgd", 1e-4), ("surface_nesterov", 1e-4), ("surface_adam", 1e-3),
        ("nar_mlp", 1e-3), ("nar_lstm", 1e-3), ("closed_loop_mlp", 1e-4),
        ("closed_loop_lstm", 1e-4),
    ],
)
def test_both_sides_do_the_same_arithmetic(torch, name, tolerance):
    case = dataclasses.replace(cases.CASES[name], **TINY, shuffle=False, jit_compile=False)
    result = run.measure(case, rounds=1)
    ours, theirs = (result["final_loss"][side][0] for side in ("ours", "theirs"))
    assert ours == pytest.approx(theirs, rel=tolerance)


def test_both_sides_get_ahead_by_lbfgs(torch):
    import keras_side
    import pytorch_side

    case = dataclasses.replace(cases.CASES["surface_lbfgs"], memory=10, epochs=60)
    ours, theirs = (side.train(case, seed=1).loss for side in (keras_side, pytorch_side))
    assert theirs < 0.015 and 1 / 3 < ours / theirs < 3  # 0.07 at the start


@pytest.mark.parametrize("name", ["surface_sgd", "convnet_adam", "nar_mlp", "nar_lstm"])
def test_copied_networks_give_the_same_outputs(torch, name):
    import keras_side
    import pytorch_side

    case = dataclasses.replace(cases.CASES[name], rows=20)
    model = keras_side.build(case, seed=3)
    network = pytorch_side.copy(case, model).eval()
    outputs = network(pytorch_side.tensors(case)[0])
    if name == "convnet_adam":
        outputs = torch.softmax(outputs, dim=1)
    expected = model(keras_side.load(case)[0], training=False).numpy()
    np.testing.assert_allclose(outputs.detach().numpy(), expected, atol=1e-6)


def summary(ours, theirs, **settings):
    case = dataclasses.replace(
        cases.CASES["surface_sgd"], epochs=100, published_epochs=1000, **settings
    )
    timings = ([cases.Timing(value, 0.5, 3.0) for value in side] for side in (ours, theirs))
    return run.summarize(case, *timings)


def test_page_says_what_was_measured(tmp_path):
    run.save(tmp_path, [summary([1.0, 2.0, 6.0], [4.0, 4.0, 4.0], target=0.6)], rounds=3)
    text = (tmp_path / "README.md").read_text()
    assert "| 1000 | 20.0 | 40.0 | **0.50** (0.25–1.50) | ≤ 0.6, met | 3.0 |" in text
    record = json.loads((tmp_path / "training.json").read_text())
    assert record["rounds"] == 3 and record["peak_memory_mib"] > 0


@pytest.mark.parametrize("target, shown", [(None, "| none |"), (1.0, "| ≤ 1, missed |")])
def test_page_without_a_target_or_with_one_missed(target, shown):
    record = {"rounds": 1, "peak_memory_mib": 1.0, "environment": {"keras": "3"}}
    assert shown in run.page(record | {"cases": [summary([2.0], [1.0], target=target)]})


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--rounds", "0"], "--rounds must be at least 1"),
        (["--cases"], "at least one case"),
        (["--cases", "surface_sdg"], "surface_sdg"),
        (["--results", "{file}"], "cannot write to"),
    ],
)
def test_bad_input_is_one_line(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: object())
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit) as stop:
        run.main([argument.format(file=file) for argument in arguments])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_missing_pytorch_is_one_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as stop:
        run.main(["--results", str(tmp_path / "results")])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert "pip install -r benchmarks/requirements.txt" in error and error.count("\n") == 1
    assert not (tmp_path / "results").exists()
