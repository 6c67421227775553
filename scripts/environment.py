"""Make the virtual environment that `make` uses: .venv with everything in requirements.txt.

    python3 scripts/environment.py [FOLDER]

Standard library only. Debian and Ubuntu leave pip out of Python unless python3-venv is installed;
then pip's own wheel is fetched from the package index and installs itself.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)  # that TensorFlow 2.21 has packages for


def main():
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        sys.exit(
            f"error: this is Python {sys.version.split()[0]}; TensorFlow 2.21 needs 3.11 to 3.13 "
            f"(make PYTHON=python3.12 report, for example)"
        )
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".venv")
    with_pip = importlib.util.find_spec("ensurepip") is not None
    venv.create(folder, clear=True, with_pip=with_pip, symlinks=True)
    python = folder / "bin" / "python"
    if not with_pip:
        bootstrap_pip(python)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    root = Path(__file__).resolve().parent.parent
    if subprocess.run([*install, "-r", "requirements.txt"], cwd=root).returncode:
        sys.exit("error: installing requirements.txt failed; pip says why above")


def bootstrap_pip(python):
    """Install pip into an environment without it, from its wheel on the package index."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
    request = urllib.request.Request(f"{index}/pip/",
                                     headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            files = json.load(answer)["files"]
        wheel = [f for f in files if f["filename"].endswith(".whl") and not f.get("yanked")][-1]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / wheel["filename"]
            urllib.request.urlretrieve(wheel["url"], path)
            subprocess.run([python, path / "pip", "install", "--quiet", path], check=True)
    except (OSError, ValueError, KeyError, IndexError, subprocess.CalledProcessError) as error:
        sys.exit(
            f"error: no pip, and none could be fetched ({error}); install it with "
            f"'sudo apt install python3-venv'"
        )


if __name__ == "__main__":
    main()
