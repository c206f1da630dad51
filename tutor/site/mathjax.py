"""MathJax: what our pages load of the package sphinx-mathjax-offline, 2 of its 24 MB."""

import shutil
from importlib.util import find_spec
from pathlib import Path

SCRIPT = "tex-chtml.js"
PARTS = (SCRIPT, "input/tex/extensions", "output/chtml/fonts/woff-v2")


def copy_mathjax(folder: Path) -> None:
    """Copy those parts into `folder`, which is made."""
    store = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    for part in PARTS:
        target = folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (store / part).is_dir():
            shutil.copytree(store / part, target, dirs_exist_ok=True)
        else:
            shutil.copy(store / part, target)
