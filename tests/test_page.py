"""The page is made of the summaries, and says what is missing."""

import json
import re

import pytest

from ann_keras.errors import UserError
from ann_keras.report import page, published, tables

SUMMARY = {
    "task": "1.3.6", "preset": "report", "seeds": [0, 1], "seconds": 812.4,
    "environment": {"tensorflow": "2.21.0", "keras": "3.15.1", "device": "2 CPU cores"},
    "measurements": [
        {"name": "adam/val_accuracy/last", "values": [0.991, 0.993], "mean": 0.992, "sd": 0.00141,
         "published": 0.992, "place": "run behind Figure 3", "better": "higher", "unit": ""},
        {"name": "ours", "values": [12345.678], "mean": 12345.678, "sd": 0.0, "better": None,
         "unit": ""},
        {"name": "first/fresh", "values": [0.12], "mean": 0.12, "sd": 0.0, "better": None,
         "unit": "", "deviation": "D1"},
    ],
    "claims": [
        {"id": "1.3.6-b", "verdict": "artefact", "evidence": "<Fresh> 0.47.", "deviation": "D1"},
    ],
    "figures": ["fig3_validation_accuracy.png"], "tables": [],
}


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "report" / "task_1_3_6"
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(json.dumps(SUMMARY))
    (folder / "fig3_validation_accuracy.png").write_bytes(b"\x89PNG picture")
    return tmp_path


def test_coverage_counts_what_has_a_summary(results):
    coverage = page.collect(results / "report")["coverage"]
    assert coverage["tasks"] == (1, len(published.TASKS))
    assert coverage["claims"] == (1, len(published.CLAIMS))
    assert coverage["figures"] == (1, 23) and coverage["tables"] == (0, 3)
    assert coverage["verdicts"] == {
        "reproduced": 0, "refuted": 0, "artefact": 1, "undecided": 0
    }


def test_page_shows_published_beside_ours_and_the_open_tasks(results):
    readme, html = page.build(results, "report")
    assert readme == results / "README.md" and html == results / "index.html"
    text = readme.read_text()
    assert "| adam/val_accuracy/last | 0.992 | 0.992 ± 0.0014 | run behind Figure 3 |" in text
    assert "(report/task_1_3_6/fig3_validation_accuracy.png)" in text
    assert "Not measured yet:" in text and "2.2.1" in text and "D1: SGD" in text
    page_text = html.read_text()
    assert "&lt;Fresh&gt; 0.47." in page_text, "evidence must be escaped in HTML"
    assert 'src="report/task_1_3_6/fig3_validation_accuracy.png"' in page_text


def test_other_presets_keep_their_page_in_their_folder(results):
    readme, _ = page.build(results, "quick")
    assert readme == results / "quick" / "README.md"
    assert "0 of 99" in readme.read_text()


def test_damaged_summary_is_named(results):
    path = results / "report" / "task_1_3_6" / "summary.json"
    path.write_text("{")
    with pytest.raises(UserError, match="task_1_3_6/summary.json"):
        page.collect(results / "report")


def test_missing_figure_is_named_and_leaves_the_page(results):
    readme, html = page.build(results, "report")
    before = readme.read_text(), html.read_text()
    (results / "report" / "task_1_3_6" / "fig3_validation_accuracy.png").unlink()
    with pytest.raises(UserError, match="cannot read .*fig3_validation_accuracy.png: No such file"):
        page.build(results, "report")
    assert (readme.read_text(), html.read_text()) == before


def test_block_between_markers_alone_is_renewed(results, tmp_path):
    path = tmp_path / "TEXT.md"
    path.write_text("before\n<!-- results:begin -->old\n<!-- results:end -->\nafter\n")
    page.refresh_block(path, results)
    text = path.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "| 1.3.6 | adam/val_accuracy/last | 0.992 | 0.992 ± 0.0014 |" in text
    path.write_text("no markers")
    with pytest.raises(UserError, match="markers"):
        page.refresh_block(path, results)


def test_deviations_quote_the_claims_that_name_them(results, tmp_path):
    page.write_deviations(tmp_path / "deviations.md", results)
    text = (tmp_path / "deviations.md").read_text()
    assert "Claim 1.3.6-b" in text and "<Fresh> 0.47." in text
    assert "\n- first/fresh: 0.12.\n" in text and "- ours" not in text
    assert text.count("\n## D") == 14 and "Not run yet." in text


@pytest.mark.parametrize(
    "value, text", [(34826, "34,826"), (0.0017132, "0.001713"), (277.3, "277.3"), (1.0, "1")]
)
def test_numbers(value, text):
    assert page.number(value) == text


@pytest.mark.parametrize("seconds, text", [(12.4, "12 s"), (200, "3 min"), (7200, "2.0 h")])
def test_durations(seconds, text):
    assert page.duration(seconds) == text


def test_table_differences_name_changed_missing_and_added_rows():
    given = [("Dense", "(16)", 48), ("Total", "", 48)]
    assert tables.differences(given, given) == []
    assert tables.differences([("Dense", "(16)", 47)], given) == [
        (("Dense", "(16)", 47), given[0]), (None, given[1])
    ]
    assert tables.differences([*given, ("Dense", "", 1)], given) == [(("Dense", "", 1), None)]


def test_searches_stand_below_the_tasks(results):
    folder = results / "report" / "tuning" / "regression"
    folder.mkdir(parents=True)
    (folder / "importance.png").write_bytes(b"\x89PNG")
    best = {
        "objective": "val_mse", "direction": "min", "trials": 12, "completed": 11,
        "best": {"trial": 7, "val_mse": 0.00123456, "settings": {"units": 8}},
        "compared": {"published": {"settings": {}, "test_mse": [0.25, 0.5, 1.5]}},
    }
    (folder / "best.json").write_text(json.dumps(best))
    for path in page.build(results):
        text = path.read_text()
        assert "11 of 12 trials completed" in text and "0.001235" in text
        assert "0.75 ± 0.66" in text and re.search(r"0\.75 ± 0\.66(\W|td|class=.n.)*0\.5\b", text)
    assert "(report/tuning/regression/importance.png)" in (results / "README.md").read_text()
    (folder / "best.json").write_text("{")
    with pytest.raises(UserError, match="cannot read .*best.json"):
        page.build(results)
