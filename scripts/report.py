"""Write the page of published against reproduced numbers from the results that are there.

    python scripts/report.py                     results/quick/README.md and index.html
    python scripts/report.py --preset report     results/README.md and index.html, the table in
                                                 the project's README, docs/deviations.md
    python scripts/report.py --compare           tasks that ran with other settings, beside the
                                                 preset's own numbers
"""

from dataclasses import dataclass
from pathlib import Path

from ann_keras import command
from ann_keras.report import page


@dataclass(frozen=True)
class Options:
    preset: command.PRESETS = "quick"
    """whose results"""
    results: Path = Path("results")
    """folder that holds <preset>/task_…"""
    compare: bool = False
    """print tasks with changed settings beside the preset's, and write nothing"""


def main():
    with command.one_line_errors():
        options = command.parse(Options, description=__doc__)
        if options.compare:
            print(page.compare(options.results, options.preset))
            return
        for path in page.build(options.results, options.preset):
            print(path)
        if options.preset == "report":
            root = Path(__file__).resolve().parent.parent
            page.refresh_block(root / "README.md", options.results)
            page.write_deviations(root / "docs" / "deviations.md", options.results)


if __name__ == "__main__":
    main()
