"""The pages that set published numbers beside ours: a site by Sphinx, and what GitHub shows.

Everything is read from the summaries that tasks wrote; what has none is told as not measured.
"""

import csv
import html
import json
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import jinja2
import markupsafe
import numpy as np

from ann_keras.errors import UserError
from ann_keras.files import write_whole
from ann_keras.report import decide, published, tables

ROOT = Path(__file__).resolve().parents[2]
VERDICTS = ("reproduced", "refuted", "artefact", "undecided")
_WORDS = {  # of names, as a reader writes them
    "confident": "convnet sure", "elbo": "ELBO", "frechet": "Fréchet distance", "iwae": "IWAE",
    "kl": "KL divergence", "mse": "MSE", "nmse": "NMSE", "val": "validation",
}
_TEMPLATES = Path(__file__).with_name("templates")
_GUIDES = ("verdicts", "guide", "many_machines", "glossary")  # of docs/, as far as they are there


def build(results="results", preset="report", site=None):
    """Build the site of one preset; returns its first page, which opens without a server.

    Args:
        results: folder above the presets.
        preset: whose results; those of another than "report" stand beside the full-size verdicts.
        site: folder that receives it, by default ``results/<preset>/site``; of the report preset
            ``site`` beside the results, which are committed without it.

    Raises:
        UserError: a summary or what it names cannot be read, or the site cannot be written.
    """
    folder = Path(results) / preset
    site = Path(site or (folder if preset != "report" else folder.parents[1]) / "site")
    content = collect(folder) | {"preset": preset}
    if preset != "report":
        full = Path(results) / "report"
        full = full if full.is_dir() else ROOT / "results" / "report"
        content["full"] = {claim["id"]: claim["verdict"]
                           for path in full.glob("task_?_?_?/summary.json")
                           for claim in _read_json(path)["claims"]}
    for task in content["tasks"].values():
        _copy([folder / task["folder"] / name for name in task["files"]], site / task["folder"])
        _copy(filter(Path.is_file, [task["script"]]), site / task["folder"])
    for search in content["searches"]:
        _copy((folder / search["folder"]).glob("*.*"), site / search["folder"])
    _copy((folder / "runs").glob("index.csv"), site / "runs")
    with tempfile.TemporaryDirectory() as source:
        for name, text in _sources(content, Path(results)).items():
            write_whole(Path(source) / f"{name}.md", text)
        _sphinx(source, site)
    return site / "index.html"


def texts(root):
    """What GitHub shows of the report preset: dict of path → text.

    Args:
        root: folder with ``results``, ``docs`` and a README.md that has the markers of the parts
            that are renewed in it.

    Raises:
        UserError: a file cannot be read, or the README lacks the markers.
    """
    path, content = Path(root) / "README.md", collect(Path(root) / "results" / "report")
    readme = _read(path).decode()
    for part in ("learned", "numbers"):
        begin, end = f"<!-- {part}:begin -->\n", f"<!-- {part}:end -->"
        block = begin + _render(f"{part}.md.j2", content) + end
        readme, found = re.subn(f"{begin}.*{end}", lambda _: block, readme, flags=re.DOTALL)
        if not found:
            raise UserError(f"{path} lacks the markers of {part}")
    return {
        path: readme,
        path.parent / "results" / "README.md": _render("results.md.j2", content),
        path.parent / "docs" / "deviations.md": _render("deviations.md.j2", content),
    }


def collect(folder):
    """What the templates show: tasks with their summaries and claims, by number, and the sum."""
    found = {id: _task(folder, task) for id, task in published.TASKS.items()}
    done = [task["summary"] for task in found.values() if task["summary"]]
    claims = {id: claim for task in found.values() for id, claim in task["claims"].items()}
    return {
        "tasks": found,
        "claims": claims,
        "sections": {
            number: [task for id, task in found.items() if id.startswith(f"{number}.")]
            for number in published.SECTIONS
        },
        "counts": Counter(claim["verdict"] for claim in claims.values()),
        "searches": [_read_json(path) | {
            "name": path.parent.name, "folder": f"tuning/{path.parent.name}",
            "figures": [file.name for file in sorted(path.parent.glob("*.png"))],
        } for path in sorted((folder / "tuning").glob("*/best.json"))],
        "seconds": sum(summary["seconds"] for summary in done),
        "environment": done[-1]["environment"] if done else {},
    }


def compare(results="results", preset="report"):
    """Measurements of runs with changed settings beside the preset's own, as a text.

    Raises:
        UserError: there are none, or a summary cannot be read.
    """
    folder = Path(results) / preset
    lines = []
    for path in sorted(folder.glob("task_*--*/summary.json")):
        changed = _read_json(path)
        own = path.parent.with_name(path.parent.name.partition("--")[0]) / "summary.json"
        known = {m["name"]: m for m in _read_json(own)["measurements"]} if own.is_file() else {}
        differ = ", ".join(f"{name} {value}" for name, value in changed["changes"].items())
        rows = [[m["name"], spread(known[m["name"]]) if m["name"] in known else "", spread(m)]
                for m in changed["measurements"]]
        lines += [f"Task {changed['task']}: {differ}",
                  tables.text(["quantity", f"{preset} preset", "changed"], rows), ""]
    if not lines:
        raise UserError(f"no task in {folder} has run with other settings than the preset's")
    return "\n".join(lines).rstrip()


def _task(folder, task):
    """One task: its summary as it was saved, and what is shown of it."""
    name = f"task_{task.id.replace('.', '_')}"
    path = folder / name / "summary.json"
    summary = _read_json(path) if path.is_file() else {}
    values = {m["name"]: m for m in summary.get("measurements", ())}
    known = {name: value for (id, name), value in published.VALUES.items() if id == task.id}
    numbered = {figure.file: (f"Figure {figure.number}", figure.caption)
                for figure in published.FIGURES.values()}
    return {
        "id": task.id, "title": task.title, "folder": name, "summary": summary, "values": values,
        "script": ROOT / "scripts" / f"{name}.py",
        "files": ["summary.json", "config.json", *summary["figures"], *summary["tables"]]
        if summary else [],
        "beside": [(known[name], m) for name, m in values.items() if name in known],
        "others": [m for name, m in values.items() if name not in known],
        "figures": [
            (figure, *numbered.get(stem, ("", published.PICTURES.get(
                (task.id, stem), f"{task.title}: {readable(stem)}"
            )))) for figure in summary.get("figures", ()) for stem in [Path(figure).stem]
        ],
        "tables": {
            table: list(csv.reader(_read(folder / name / table).decode().splitlines()))
            for table in summary.get("tables", ())
        },
        "claims": _claims(task, summary),
        "deviations": [d for d in published.DEVIATIONS.values() if task.id in d.tasks],
    }


def _claims(task, summary):
    """Claims of a task by number, with their verdict and effects."""
    found = {entry["id"]: entry for entry in summary.get("claims", ())}
    claims = {}
    for claim in (claim for claim in published.CLAIMS.values() if claim.task == task.id):
        entry = {"verdict": "not measured", "evidence": "", "n": 0, "deviation": ""}
        entry |= found.get(claim.id, {})
        effects = [decide.Effect(**effect | {
            "low": -np.inf if effect["low"] is None else effect["low"],
            "high": np.inf if effect["high"] is None else effect["high"],
        }) for effect in entry.get("effects", ())]
        telling = {"artefact": "refuted"}.get(entry["verdict"], entry["verdict"])
        main = [effect for effect in effects if effect.verdict == telling] + effects
        claims[claim.id] = entry | {
            "id": claim.id, "text": claim.text, "effects": effects,
            "main": main[0] if main else None,
            "href": f"section_{claim.id[0]}_{claim.id[2]}.html#{claim.id}",
        }
    return claims


def _sources(content, results):
    """Pages in Markdown by name."""
    pages = {"index": _render("overview.site.j2", content),
             "undecided": _render("undecided.site.j2", content),
             "deviations": _linked(_render("deviations.md.j2", content)),
             "searches": _render("searches.site.j2", content)}
    for number, tasks in content["sections"].items():
        pages[f"section_{number.replace('.', '_')}"] = _render(
            "section.site.j2", content | {"number": number, "tasks": tasks})
    for name in _GUIDES:
        if (ROOT / "docs" / f"{name}.md").is_file():
            pages[name] = _linked(_read(ROOT / "docs" / f"{name}.md").decode())
    if (results / "benchmarks" / "README.md").is_file():
        pages["benchmarks"] = _read(results / "benchmarks" / "README.md").decode()
    pages["index"] += _render("contents.site.j2", {"pages": pages})
    return pages


def _sphinx(source, site):
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.docutils import docutils_namespace

    settings = {
        "project": "ann_keras", "extensions": ["myst_parser"], "html_theme": "furo",
        "html_title": "ann_keras", "html_static_path": [str(_TEMPLATES / "site.css"),
                                                        str(_TEMPLATES / "site.js")],
        "html_css_files": ["site.css"], "html_js_files": ["site.js"], "html_copy_source": False,
        "html_show_sphinx": False, "html_show_copyright": False, "html_use_index": False,
        # Texts of other pages cannot be fetched where there is no server.
        "html_show_search_summary": False,
    }
    try:
        with docutils_namespace(), tempfile.TemporaryDirectory() as trees:
            Sphinx(source, None, site, trees, "html", settings, status=None, warning=sys.stderr,
                   ).build()
    except (OSError, SphinxError) as error:
        raise UserError(f"cannot build the site in {site}: {error}") from error


def _copy(paths, folder):
    for path in paths:
        # Browsers show a script only where its name says that it is text.
        name = f"{path.name}.txt" if path.suffix == ".py" else path.name
        write_whole(folder / name, _read(path))


def _linked(text):
    """Markdown or HTML with links from claims and D-points to where they stand, not in headings."""
    def link(match):
        word = match[0]
        if word in published.CLAIMS:
            return f'<a href="section_{word[0]}_{word[2]}.html#{word}">{word}</a>'
        return f'<a href="deviations.html#{word.lower()}">{word}</a>' \
            if word in published.DEVIATIONS else word

    return re.sub(r"(?m)^#.*$|\bD\d+\b|\b\d\.\d\.\d-[a-z]\b", link, text)


def readable(name):
    """A measurement's or a column's name as words."""
    words = name.replace("/", ", ").replace("_", " ")
    return re.sub(r"\w+", lambda word: _WORDS.get(word[0], word[0]), words)


def number(value, digits=4):
    """A measured value in four significant digits, integers and thousands whole."""
    if not np.isfinite(value):
        return "∞" if value > 0 else "−∞"
    whole = float(value).is_integer() or abs(value) >= 1000
    text = f"{value:,.0f}" if whole else f"{value:.{digits}g}"
    return text.replace("-", "−", 1) if value < 0 else text


def amount(value, unit):
    """A value in its unit, fractions as percent."""
    return f"{number(100 * value)}%" if unit == "fraction" else number(value)


def middle(measurement, unit):
    """Median over seeds."""
    return amount(np.median(measurement["values"]), unit)


def ours(measurement, unit):
    """Median over seeds, with the lowest and highest if they differ."""
    values, text = measurement["values"], middle(measurement, unit)
    if amount(min(values), unit) == amount(max(values), unit):
        return text
    return f"{text} ({amount(min(values), unit)} to {amount(max(values), unit)})"


def percentile(value, measurement):
    """Share of our runs that lie below a published value, ties half."""
    values = np.asarray(measurement["values"])
    if np.allclose(values, value.value, rtol=5e-4):
        return "equal"
    if values.size < decide.ENOUGH:
        return "–"
    return f"{50 * (np.mean(values < value.value) + np.mean(values <= value.value)):.0f}"


def spread(measurement):
    """Mean over seeds, with its standard deviation if there are several."""
    text = number(measurement["mean"])
    if len(measurement["values"]) > 1:
        text += f" ± {measurement['sd']:.2g}"
    return text


def duration(seconds):
    """Seconds as "12 s", "3 min" or "1.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _read_json(path):
    try:
        return json.loads(_read(path))
    except ValueError as error:
        raise UserError(f"cannot read {path}: {error}") from error


def _read(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error


def _render(template, content):
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), trim_blocks=True, lstrip_blocks=True,
        autoescape=lambda name: name.endswith(".site.j2"), keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "number": number, "amount": amount, "middle": middle, "ours": ours,
        "percentile": percentile, "duration": duration, "readable": readable,
        "words": decide.in_words,
        "linked": lambda text: markupsafe.Markup(_linked(html.escape(text, quote=False))),
    }
    environment.globals |= {"published": published, "verdicts": VERDICTS,
                            "enough": decide.ENOUGH}
    return environment.get_template(template).render(content)
