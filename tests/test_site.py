"""The pages are made of the summaries: complete, linked, and fit for a phone and the keyboard."""

import contextlib
import functools
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from ann_keras.errors import UserError
from ann_keras.report import decide, published, site

ROOT = Path(__file__).resolve().parent.parent
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
               None)
EFFECT = {"name": "Adadelta minus Adam <1 epoch>", "estimate": -85.83, "low": -88.8, "high": None,
          "margin": 0.2, "unit": "points", "direction": "above", "asked": "asked above 0.2", "n": 3,
          "verdict": "refuted", "seeds": None}
SUMMARY = {
    "task": "1.3.6", "preset": "report", "seeds": [0, 1, 2, 3], "seconds": 7200.0,
    "environment": {"tensorflow": "2.21.0", "keras": "3.15.1", "device": "2 CPU cores"},
    "measurements": [
        {"name": "adam/val_accuracy/last", "values": [0.99, 0.991, 0.993, 0.9945], "mean": 0.992,
         "sd": 0.002, "published": 0.992, "place": "run behind Figure 3", "better": "higher",
         "deviation": "D1", "unit": "fraction"},
        {"name": "fresh/sgd_slow", "values": [12345.678], "mean": 12345.678, "sd": 0.0,
         "better": None, "unit": "", "deviation": "D1"},
    ],
    "claims": [
        {"id": "1.3.6-a", "verdict": "undecided", "evidence": "Open.", "n": 2, "effects": [
            EFFECT | {"verdict": "undecided", "n": 2},
            EFFECT | {"name": "spread", "verdict": "undecided", "seeds": 8, "n": 4}]},
        {"id": "1.3.6-b", "verdict": "artefact", "evidence": "Sentence.", "n": 3,
         "deviation": "D1", "effects": [EFFECT | {"verdict": "reproduced", "name": "as published"},
                                        EFFECT]},
    ],
    "figures": ["fig3_validation_accuracy.png"], "tables": ["epochs.csv"],
}
SEARCH = {
    "objective": "val_mse", "direction": "min", "trials": 12, "completed": 11,
    "best": {"trial": 7, "val_mse": 0.00123456, "settings": {"last_units": 8}},
    "compared": {"published": {"settings": {}, "test_mse": [0.25, 0.5, 1.5]}},
}
README = "before\n{}between\n{}after\n".format(
    *(f"<!-- {part}:begin -->\nold\n<!-- {part}:end -->\n" for part in ("learned", "numbers")))


def fill(root):
    """A made-up project with results of one task at full size, and of the same at another."""
    for preset, verdict in (("report", "artefact"), ("quick", "refuted")):
        folder = root / "results" / preset / "task_1_3_6"
        folder.mkdir(parents=True)
        claims = [claim | {"verdict": verdict if claim["id"] == "1.3.6-b" else claim["verdict"]}
                  for claim in SUMMARY["claims"]]
        (folder / "summary.json").write_text(json.dumps(SUMMARY | {"claims": claims}))
        (folder / "config.json").write_text("{}")
        (folder / "epochs.csv").write_text("epoch,val_accuracy\n" + "1,0.5\n" * 20)
        (folder / "fig3_validation_accuracy.png").write_bytes(b"\x89PNG picture")
    search = root / "results" / "report" / "tuning" / "regression"
    search.mkdir(parents=True)
    (search / "importance.png").write_bytes(b"\x89PNG")
    (search / "trials.csv").write_text("trial\n")
    (search / "best.json").write_text(json.dumps(SEARCH))
    runs = root / "results" / "report" / "runs"
    runs.mkdir()
    (runs / "index.csv").write_text("run,seconds\n")
    (root / "docs").mkdir()
    (root / "README.md").write_text(README)
    return root


@pytest.fixture
def project(tmp_path):
    return fill(tmp_path)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Texts of the pages by name; "quick/" those of the other preset."""
    root = fill(tmp_path_factory.mktemp("project"))
    first = site.build(root / "results"), site.build(root / "results", "quick")
    assert first == (root / "site" / "index.html",
                     root / "results" / "quick" / "site" / "index.html")
    return {f"{prefix}{path.name}": path.read_text() for prefix, home in
            zip(("", "quick/"), first) for path in home.parent.glob("*.html")} | {"": first[0]}


class Page(HTMLParser):
    """Ids, links and pictures of a page."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.pictures = set(), [], []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        self.links += filter(None, [attributes.get("href")])
        if tag == "img":
            self.pictures.append(attributes)


def broken(folder):
    """What is wrong with links and pictures of a site, as a list of texts."""
    found = {path.resolve(): Page(path) for path in folder.glob("*.html")}
    wrong = []
    for path, page in found.items():
        wrong += [f"{path.name}: no alternative text: {picture['src']}"
                  for picture in page.pictures if not picture.get("alt", "").strip()]
        for link in page.links + [picture["src"] for picture in page.pictures]:
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not parts.scheme and (not target.is_file() or parts.fragment and (
                    target in found and unquote(parts.fragment) not in found[target].ids)):
                wrong.append(f"{path.name}: {link}")
    return wrong


def text(page):
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page))


def test_links_lead_somewhere_and_pictures_have_texts(pages):
    assert broken(pages[""].parent) == []


def test_every_claim_has_an_anchor_and_a_row(pages):
    for id in published.CLAIMS:
        page = f"section_{id[0]}_{id[2]}.html"
        assert f'id="{id}"' in pages[page] and f'href="{page}#{id}"' in pages["index.html"]


def test_matrix_shows_the_telling_effect(pages):
    (row,) = re.findall(r'<tr data-verdict="artefact">.*?</tr>', pages["index.html"], re.DOTALL)
    assert "Adadelta minus Adam &lt;1 epoch&gt;" in row and "as published" not in row
    assert text(row).split("verdict")[0].endswith(
        "−85.8 points (−88.8 to ∞; asked above 0.2), one of 2 n = 3 ")
    assert pages["index.html"].count('<tr data-verdict="not measured">') == len(
        published.CLAIMS) - 2


def test_other_presets_show_the_full_size_verdict_beside(pages):
    (row,) = re.findall(r'<tr data-verdict="refuted">.*?</tr>', pages["quick/index.html"],
                        re.DOTALL)
    assert re.findall('"verdict ([a-z]+)"', row) == ["refuted", "artefact"]
    assert "at full size" not in text(pages["section_1_3.html"])


def test_published_numbers_stand_in_words_beside_ours(pages):
    shown = text(pages["section_1_3.html"])
    assert "validation accuracy after the last epoch, Adam run behind Figure 3; D1" in shown
    assert "99.2% 99.2% (99% to 99.45%) 4 50" in shown
    assert "fresh, sgd slow" in shown
    assert "epochs 20 rows epoch validation accuracy" in shown


def test_undecided_claims_tell_what_would_decide_them(pages):
    shown = text(pages["undecided.html"])
    assert "at least 3 instead of 2, at most 30 min more" in shown
    assert "spread: about 8 instead of 4, at most 2.0 h more" in shown
    assert "1.3.6-b" not in shown


def test_searches_have_a_page(pages):
    shown = text(pages["searches.html"])
    assert "11 of 12 trials completed" in shown and "0.001235 in trial 7: last units 8" in shown
    assert "0.5 (0.25 to 1.5)" in shown


def test_pages_need_no_tensorflow():
    code = "import sys, ann_keras.report.site; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("name", ["task_1_3_6/summary.json", "tuning/regression/best.json"])
def test_damaged_file_is_named(project, name):
    (project / "results" / "report" / name).write_text("{")
    with pytest.raises(UserError, match=f"cannot read .*{name}"):
        site.build(project / "results")


def test_missing_figure_is_named(project):
    (project / "results" / "report" / "task_1_3_6" / "fig3_validation_accuracy.png").unlink()
    with pytest.raises(UserError, match="cannot read .*fig3_validation_accuracy.png: No such file"):
        site.build(project / "results")


def test_what_github_shows(project):
    found = {path.relative_to(project).as_posix(): content
             for path, content in site.texts(project).items()}
    readme = found["README.md"]
    kept = ["before", "between", "after"]
    assert [line for line in readme.splitlines() if line in [*kept, "old"]] == kept
    assert "| 1.3.6 validation accuracy after the last epoch, Adam | 99.2% (D1) | 99.2% (" in readme
    assert ("| artefact (D1) | Adadelta minus Adam <1 epoch>: −85.8 points (−88.8 to ∞; asked "
            "above 0.2) | 3 |") in found["results/README.md"]
    assert "- fresh, sgd slow: 12,346." in found["docs/deviations.md"]
    (project / "README.md").write_text("no markers")
    with pytest.raises(UserError, match="markers"):
        site.texts(project)


@pytest.mark.parametrize("value, unit, text", [
    (34826, "", "34,826"), (-0.0017132, "MSE", "−0.001713"), (0.98714, "fraction", "98.71%"),
    (float("-inf"), "", "−∞"),
])
def test_amounts(value, unit, text):
    assert site.amount(value, unit) == text


@pytest.mark.parametrize("seconds, text", [(12.4, "12 s"), (200, "3 min"), (7200, "2.0 h")])
def test_durations(seconds, text):
    assert site.duration(seconds) == text


@pytest.mark.parametrize("values, text", [
    ([1, 2, 4, 5], "50"), ([1, 3, 4], "50"), ([4, 5, 6], "0"), ([3], "equal"), ([1, 2], "–"),
])
def test_percentiles_of_a_published_three(values, text):
    value = published.value("2.1.1", "attractors/targets")
    assert value.value == 3 and site.percentile(value, {"values": values}) == text


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    """The site of the committed results."""
    if not (ROOT / "results" / "report").is_dir():
        pytest.skip("no committed results")
    started = time.process_time()
    first = site.build(ROOT / "results", site=tmp_path_factory.mktemp("site"))
    assert time.process_time() - started < 20  # seconds of one core; it takes 4
    return first.parent


def test_committed_texts_are_current():
    for path, current in site.texts(ROOT).items():
        assert path.read_text() == current, f"{path}: python scripts/report.py --preset report"
        assert "(not measured)" not in current
    assert (ROOT / "results" / "README.md").read_text().count("\n") <= 300


def test_no_committed_verdict_rests_on_fewer_than_three_seeds():
    folder = ROOT / "results" / "report"
    claims = {claim["id"]: claim for path in folder.glob("task_?_?_?/summary.json")
              for claim in json.loads(path.read_text())["claims"]}
    assert claims.keys() == published.CLAIMS.keys()
    for name, claim in claims.items():
        effects = claim.get("effects", [])
        refuted = claim["verdict"] in ("refuted", "artefact")
        behind = [effect for effect in effects if refuted and effect["verdict"] == "refuted"]
        assert claim["n"] == min((effect["n"] for effect in behind or effects), default=0), name
        if claim["verdict"] != "undecided" and effects:
            assert claim["n"] >= decide.ENOUGH, name
        assert (claim["verdict"] == "artefact") == ("deviation" in claim), name


def test_every_committed_figure_has_a_caption_that_says_what_is_seen():
    known = {figure.file for figure in published.FIGURES.values()}
    shown = {(path.parent.name[5:].replace("_", "."), path.stem)
             for path in (ROOT / "results" / "report").glob("task_*/*.png")}
    assert {key for key in shown if key[1] not in known} <= published.PICTURES.keys()


def test_committed_site_is_whole_and_its_first_page_small(committed):
    assert broken(committed) == []
    page = (committed / "index.html").read_text()
    loaded = re.findall(r'<(?:link rel="stylesheet"|script|img)[^>]*(?:href|src)="([^"?]+)', page)
    sizes = [(committed / name).stat().st_size for name in loaded]
    assert len(loaded) > 3 and len(page.encode()) + sum(sizes) < 500_000


# Every page in a frame of each width: what is wider than the frame, and what the keyboard cannot
# reach or see.
MEASURE = """<!doctype html><title>running</title><script>
const pages = PAGES, found = [];
async function measure(page, width) {
  const frame = document.createElement("iframe");
  frame.style = `width: ${width}px; height: 900px; border: 0`;
  frame.src = page;
  await new Promise(done => { frame.onload = done; document.body.append(frame); });
  const inner = frame.contentDocument, tell = words => found.push(`${page} ${width}: ${words}`);
  const style = inner.createElement("style");
  style.textContent = "* { transition: none !important; scroll-behavior: auto !important }";
  inner.head.append(style);
  const wide = Math.max(inner.documentElement.scrollWidth, inner.body.scrollWidth);
  if (wide > width) tell(`is ${wide} wide`);
  for (const part of inner.querySelectorAll("a[href], button, summary, input, [tabindex]")) {
    if (!part.checkVisibility({visibilityProperty: true})) continue;
    const name = part.outerHTML.slice(0, 80);
    part.focus();
    if (part.tabIndex > 0) tell(`has its own place in the order: ${name}`);
    if (inner.activeElement !== part) tell(`is not reached: ${name}`);
    const box = part.getBoundingClientRect();
    if (box.right <= 0 || box.left >= width) tell(`is not seen: ${name}`);
  }
  const button = inner.querySelector(".filter button[data-verdict=refuted]");
  if (button) {
    button.click();
    for (const row of inner.querySelectorAll(".matrix tbody tr"))
      if (row.checkVisibility() !== (row.dataset.verdict === "refuted")) tell("filters wrongly");
  }
  frame.remove();
}
addEventListener("load", async () => {
  for (const width of [390, 1280]) for (const page of pages) await measure(page, width);
  document.body.textContent = JSON.stringify(found);
  document.title = "done";
});
</script><body></body>"""


@contextlib.contextmanager
def served(folder):
    """The address of a folder."""
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.skipif(BROWSER is None, reason="no browser")
def test_committed_site_fits_a_phone_and_the_keyboard(committed):
    names = sorted(path.name for path in committed.glob("*.html"))
    (committed / "measure.htm").write_text(MEASURE.replace("PAGES", json.dumps(names)))
    with served(committed) as address:
        dom = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=300000",
             "--dump-dom", f"{address}/measure.htm"],
            capture_output=True, text=True, timeout=300,
        ).stdout
    assert "<title>done</title>" in dom, dom[-2000:]
    (found,) = re.findall(r"<body>(.*)</body>", dom, re.DOTALL)
    assert json.loads(found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) == []
