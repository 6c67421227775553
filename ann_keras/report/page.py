"""The page that sets published numbers beside ours: README.md and index.html, pictures beside.

Everything on it is read from the summaries that runs wrote; what has no summary yet is listed as
not measured.
"""

import csv
import json
import re
from pathlib import Path

import jinja2
import numpy as np

from ann_keras.errors import UserError
from ann_keras.files import write_whole
from ann_keras.report import published, tables

_BEGIN, _END = "<!-- results:begin -->", "<!-- results:end -->"


def build(results="results", preset="report"):
    """Write the page of one preset and return the paths of README.md and index.html.

    The report preset's README.md stands in ``results`` itself, where repositories show it; any
    other preset's in its own folder.

    Raises:
        UserError: a summary or what it names cannot be read, or the page cannot be written.
    """
    folder = Path(results) / preset
    home = folder.parent if preset == "report" else folder
    links = "report/" if preset == "report" else ""

    def image(task, name):
        _read(folder / task / name)  # it must be there
        return f"{links}{task}/{name}"

    content = collect(folder) | {"preset": preset, "links": links, "image": image}
    names = "README.md", "index.html"
    texts = [_environment().get_template(f"{name}.j2").render(content) for name in names]
    for name, text in zip(names, texts):
        write_whole(home / name, text)
    return tuple(home / name for name in names)


def write_deviations(path, results="results"):
    """Write the D-points and what the runs of the report preset show of them."""
    content = collect(Path(results) / "report")
    write_whole(path, _environment().get_template("deviations.md.j2").render(content))


def refresh_block(path, results="results"):
    """Renew the table between the results markers of a README from the report preset.

    Raises:
        UserError: the file lacks the markers.
    """
    path = Path(path)
    text = path.read_text()
    if _BEGIN not in text or _END not in text:
        raise UserError(f"{path} lacks the markers {_BEGIN} and {_END}")
    table = _environment().get_template("headline.md.j2").render(collect(Path(results) / "report"))
    block = f"{_BEGIN}\n{table.strip()}\n{_END}"
    pattern = re.compile(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", re.DOTALL)
    write_whole(path, pattern.sub(lambda _: block, text))


def collect(folder):
    """What the templates show: tasks in report order with their summaries, and the coverage.

    Args:
        folder: of one preset.

    Returns:
        Dict with "chapters", "searches", "coverage", "deviations", "seconds" and "environment".
    """
    tasks = [_collect_task(folder, task) for task in published.TASKS.values()]
    done = [task["summary"] for task in tasks if task["summary"]]
    chapters = [
        {"number": number, "title": title,
         "tasks": [task for task in tasks if task["published"].chapter == number]}
        for number, title in published.CHAPTERS.items()
    ]
    verdicts = [claim["verdict"] for summary in done for claim in summary["claims"]]
    stems = {Path(name).stem for summary in done for name in summary["figures"]}
    tabled = {Path(name).stem for summary in done for name in summary["tables"]}
    coverage = {
        "tasks": (len(done), len(tasks)),
        "claims": (len(verdicts), len(published.CLAIMS)),
        "figures": (
            sum(f.file in stems for f in published.FIGURES.values()), len(published.FIGURES)
        ),
        "tables": (
            sum(f"table{number}" in tabled for number in published.TABLES), len(published.TABLES)
        ),
        "verdicts": {
            verdict: verdicts.count(verdict)
            for verdict in ("reproduced", "refuted", "artefact", "undecided")
        },
    }
    return {
        "chapters": chapters,
        "searches": _collect_searches(folder),
        "coverage": coverage,
        "deviations": published.DEVIATIONS,
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


def _collect_task(folder, task):
    name = f"task_{task.id.replace('.', '_')}"
    path = folder / name / "summary.json"
    summary = _read_json(path) if path.is_file() else {}
    measurements = summary.get("measurements", ())
    verdicts = {claim["id"]: claim for claim in summary.get("claims", ())}
    return {
        "published": task,
        "folder": name,
        "summary": summary,
        "beside": [m for m in measurements if "published" in m],
        "others": [m for m in measurements if "published" not in m],
        "tables": {
            table: list(csv.reader(_read(folder / name / table).decode().splitlines()))
            for table in summary.get("tables", ())
        },
        "claims": [
            {"text": claim.text, "id": claim.id, "verdict": None, "evidence": "", "deviation": ""}
            | verdicts.get(claim.id, {})
            for claim in published.CLAIMS.values() if claim.task == task.id
        ],
        "deviations": [d for d in published.DEVIATIONS.values() if task.id in d.tasks],
    }


def _collect_searches(folder):
    """What ``python -m tuning`` left in a preset's folder: a dict a search."""
    found = []
    for path in sorted((folder / "tuning").glob("*/best.json")):
        search = _read_json(path)
        compared = {
            name: {quantity: _statistics(values) for quantity, values in results.items()
                   if quantity != "settings"}
            for name, results in search["compared"].items()
        }
        found.append(search | {
            "name": path.parent.name, "folder": f"tuning/{path.parent.name}",
            "figures": [file.name for file in sorted(path.parent.glob("*.png"))],
            "compared": compared,
        })
    return found


def _statistics(values):
    return {
        "values": values, "mean": np.mean(values), "median": np.median(values),
        "sd": np.std(values, ddof=1) if len(values) > 1 else 0.0,
    }


def number(value):
    """A measured value in four significant digits, integers whole."""
    whole = float(value).is_integer() and abs(value) < 1e9
    return f"{int(value):,}" if whole else f"{value:.4g}"


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


def _environment():
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ann_keras.report"),
        autoescape=jinja2.select_autoescape(["html", "html.j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"number": number, "spread": spread, "duration": duration}
    return environment
