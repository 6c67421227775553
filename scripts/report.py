"""Write the page of published against reproduced numbers from the results that are there.

    python scripts/report.py                     results/quick/README.md and index.html
    python scripts/report.py --preset report     results/README.md and index.html, the table in
                                                 the project's README, docs/deviations.md
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ann_keras import command
from ann_keras.report import page


@dataclass(frozen=True)
class Options:
    preset: Literal["smoke", "quick", "report"] = "quick"
    results: Path = Path("results")


def main():
    with command.one_line_errors():
        options = command.parse(Options, description=__doc__)
        for path in page.build(options.results, options.preset):
            print(path)
        if options.preset == "report":
            root = Path(__file__).resolve().parent.parent
            page.refresh_block(root / "README.md", options.results)
            page.write_deviations(root / "docs" / "deviations.md", options.results)


if __name__ == "__main__":
    main()
