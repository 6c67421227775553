"""The published report as data: complete, consistent, and worded as the project words it."""

import csv
import re
import tomllib
from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from ann_keras.report import decide
from ann_keras.report.published import (
    CHAPTERS, CLAIMS, DEVIATIONS, FIGURES, SECTIONS, TABLES, TASKS, VALUES, value)

CLAIMS_PAGE = Path(__file__).resolve().parents[2] / "shared" / "claims.md"
PLACE = re.compile(r"((run|repeats|check) behind )?(Figure \d+|Table \d|task \d\.\d\.\d)"
                   r"|architecture of task \d\.\d\.\d")


def in_report_order(ids):
    return list(ids) == sorted(set(ids))


def test_tasks_follow_the_report():
    per_section = Counter(id.rpartition(".")[0] for id in TASKS)
    assert per_section == {"1.3": 6, "1.4": 4, "2.1": 3, "2.2": 3, "3.1": 1, "3.2": 2, "3.3": 2,
                           "4.1": 7, "4.2": 6, "4.3": 4}
    assert in_report_order(TASKS)
    for id, task in TASKS.items():
        assert re.fullmatch(r"[1-4]\.\d\.\d", id) and task.id == id and task.title
        assert int(id[0]) in CHAPTERS and id.rpartition(".")[0] in SECTIONS


def test_claims_are_complete_and_well_formed():
    assert Counter(int(id[0]) for id in CLAIMS) == {1: 29, 2: 22, 3: 22, 4: 26}
    assert in_report_order(CLAIMS)
    for id, claim in CLAIMS.items():
        assert re.fullmatch(r"[1-4]\.\d\.\d-[a-h]", id) and claim.id == id and claim.text
        assert claim.task in TASKS and id.startswith(claim.task + "-")


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_every_claim_has_clauses_that_a_rule_can_judge(claim):
    assert claim.clauses and claim.deviation in ("", *DEVIATIONS)
    for clause in claim.clauses.values():
        assert clause.effect and np.isfinite(clause.margin)
        assert clause.estimand == "exact" or clause.estimand in decide._ESTIMANDS
        single = clause.estimand == "single run"
        assert clause.direction in (["holds"] if single else ["above", "below", "within"])
        assert (clause.estimand, clause.direction) != ("ratio", "within") or clause.target > 0


def test_quantities_have_one_margin_unless_a_clause_says_why():
    folder = files("ann_keras.report") / "data"
    quantities = tomllib.loads((folder / "quantities.toml").read_text("utf-8"))
    for chapter in CHAPTERS:
        claims = tomllib.loads((folder / f"claims_{chapter}.toml").read_text("utf-8"))
        for id, claim in claims.items():
            for clause in claim["clauses"].values():
                asked = abs(clause.get("margin", 0)) != quantities.get(
                    clause.get("quantity"), {}).get("margin", 0)
                assert "margin" not in clause or not asked or clause.get("why"), id


def test_claims_are_worded_as_in_the_shared_list():
    if not CLAIMS_PAGE.exists():
        pytest.skip(f"no {CLAIMS_PAGE}")
    rows = re.findall(r"^\| (\d\S+)(?: n)? \| (.*) \|$", CLAIMS_PAGE.read_text("utf-8"), re.M)
    assert [(claim.id, claim.text) for claim in CLAIMS.values()] == rows


def test_figures_are_complete():
    assert list(FIGURES) == list(range(1, 24))
    for number, figure in FIGURES.items():
        assert figure.number == number and figure.task in TASKS and figure.caption
        assert re.fullmatch(rf"fig{number}_[a-z0-9_]+", figure.file)


@pytest.mark.parametrize("number, total", [(1, 34826), (2, 609)])
def test_parameter_tables_sum_to_their_total(number, total):
    layers, parameters = TABLES[number].column("layer"), TABLES[number].column("parameters")
    assert layers[-1] == "Total" and parameters[-1] == total == sum(parameters[:-1])


def test_table_3_is_ranked_by_accuracy_and_holds_the_grid():
    table = TABLES[3]
    accuracy = table.column("accuracy")
    assert table.column("rank") == tuple(range(1, 41))
    assert list(accuracy) == sorted(accuracy, reverse=True)
    settings = set(zip(*map(table.column, ("dim", "depth", "mlp_dim"))))
    grid = {(dim, depth, mlp_dim) for dim in (32, 64, 128) for depth in (4, 6, 8)
            for mlp_dim in (64, 128, 256)}
    assert len(settings) == 40 and grid < settings
    best = value("3.3.2", "best/test_accuracy").value
    assert best == accuracy[0] == value("3.3.2", "vit_128_8_128/test_accuracy").value


def test_tables_are_rectangular_and_typed():
    assert list(TABLES) == [1, 2, 3]
    for table in TABLES.values():
        assert table.task in TASKS and table.caption
        assert {len(row) for row in table.rows} == {len(table.columns)}
    assert [type(cell) for cell in TABLES[1].rows[1]] == [str, str, int]
    assert all([*map(type, row)] == [int] * 4 + [float] * 2 for row in TABLES[3].rows)


def test_values_are_well_formed():
    for (task, name), entry in VALUES.items():
        assert (entry.task, entry.name) == (task, name) and task in TASKS
        assert re.fullmatch(r"[a-z0-9_.]+(/[a-z0-9_.]+)*", name)
        assert type(entry.value) in (int, float)
        assert PLACE.fullmatch(entry.place), entry
        assert not entry.deviation or task in DEVIATIONS[entry.deviation].tasks


def test_no_value_is_written_twice():
    lines = (files("ann_keras.report") / "data" / "values.csv").read_text("utf-8").splitlines()
    assert len(VALUES) == len(list(csv.DictReader(lines))) + 2 * len(TABLES[3].rows)


def test_values_agree_with_each_other():
    def number(task, name):
        return value(task, name).value

    assert number("1.3.5", "pooled_convnet/parameters") == TABLES[1].column("parameters")[-1]
    assert number("1.4.2", "mish_regressor/parameters") == TABLES[2].column("parameters")[-1]
    assert number("1.4.3", "mish_regressor/mse") == pytest.approx(
        2 * number("1.4.3", "mish_regressor/half_mse"))
    variance = number("2.2.1", "series/test_variance")
    for task, model in (("2.2.1", "nar_mlp"), ("2.2.2", "nar_lstm")):
        assert number(task, f"{model}/test_nmse") == pytest.approx(
            number(task, f"{model}/test_mse") / variance, rel=2e-3)
    assert number("4.3.3", "vae/elbo") == pytest.approx(
        -number("4.3.3", "vae/reconstruction") - number("4.3.3", "vae/kl"))


def test_an_unknown_value_is_refused_with_the_known_names():
    with pytest.raises(KeyError, match="no published value 'rmsprop'.*adam/test_mse"):
        value("1.3.4", "rmsprop")
    with pytest.raises(KeyError, match="it has: none"):
        value("9.9.9", "loss")


def test_deviations_are_complete():
    assert list(DEVIATIONS) == [f"D{number}" for number in range(1, 21)]
    for id, deviation in DEVIATIONS.items():
        assert deviation.id == id and deviation.text.endswith(".") and deviation.tasks
        assert set(deviation.tasks) <= set(TASKS)
