"""Write the pages of published against reproduced numbers from the results that are there.

    python scripts/report.py                     results/quick/site/index.html
    python scripts/report.py --preset report     site/index.html, and what GitHub shows: two parts
                                                 of README.md, results/README.md,
                                                 docs/deviations.md
    python scripts/report.py --compare           tasks that ran with other settings, beside the
                                                 preset's own numbers
"""

from dataclasses import dataclass
from pathlib import Path

from ann_keras import command
from ann_keras.files import write_whole
from ann_keras.report import site


@dataclass(frozen=True)
class Options:
    preset: command.PRESETS = "quick"
    """whose results"""
    results: Path = Path("results")
    """folder that holds <preset>/task_…"""
    site: Path | None = None
    """folder for the pages, if not where they are told to be above"""
    compare: bool = False
    """print tasks with changed settings beside the preset's, and write nothing"""


def main():
    with command.one_line_errors():
        options = command.parse(Options, description=__doc__)
        if options.compare:
            print(site.compare(options.results, options.preset))
            return
        if options.preset == "report":
            for path, text in site.texts(options.results.resolve().parent).items():
                write_whole(path, text)
        print(f"open {site.build(options.results, options.preset, options.site)}")


if __name__ == "__main__":
    main()
