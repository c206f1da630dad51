"""Run Sphinx: its settings, and what it says."""

import warnings
from io import StringIO
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from tutor import __version__
from tutor.build.outputs import ANSI
from tutor.site.mathjax import SCRIPT as MATHJAX
from tutor.site.mathjax import copy_mathjax

HERE = Path(__file__).parent


def run_sphinx(source: Path, out: Path, repository: str) -> list[str]:
    """Make HTML; its warnings, one a line."""
    copy_mathjax(source / "scripts" / "mathjax")
    said = StringIO()
    with warnings.catch_warnings(), patch_docutils(source), docutils_namespace():
        for kind in (DeprecationWarning, PendingDeprecationWarning):  # Sphinx's parts to each other
            warnings.simplefilter("ignore", kind)
        app = Sphinx(
            source, None, out, source.parent / "doctrees", "html",
            confoverrides=settings(source, repository), status=None, warning=said,
        )  # fmt: skip
        app.build()
    for rest in (out / ".buildinfo", *(out / "_static").glob("*-macros.html")):
        rest.unlink(missing_ok=True)
    (out / "_sources").rmdir()
    return [line for line in ANSI.sub("", said.getvalue()).splitlines() if line.strip()]


def settings(source: Path, repository: str) -> dict:
    """What would stand in a conf.py."""
    options = {
        "show_toc_level": 2,
        "use_download_button": False,  # of the page's source; the lessons have buttons of their own
        "use_fullscreen_button": False,
        "home_page_in_toc": False,
        "pygments_light_style": "a11y-high-contrast-light",
        "pygments_dark_style": "a11y-high-contrast-dark",
        "footer_content_items": ["copyright.html"],
    }
    if repository:
        options |= {
            "repository_url": f"https://github.com/{repository}",
            "use_repository_button": True,
        }
    return {
        "project": "Neural-network interatomic potentials",
        "html_title": "Neural-network potentials, hands on",
        "copyright": "Code: MIT licence. Prose, figures and data: CC BY 4.0",
        "version": __version__,
        "extensions": [
            "myst_nb", "sphinx.ext.mathjax", "sphinx.ext.autodoc", "sphinx.ext.napoleon",
            "tutor.site.reference", "tutor.site.glossary",
        ],
        "language": "en",
        "default_role": "literal",
        "nb_execution_mode": "off",
        "nb_merge_streams": True,
        "nb_code_prompt_show": "Show the solution",
        "nb_code_prompt_hide": "Hide the solution",
        "myst_enable_extensions": ["dollarmath", "amsmath", "deflist"],
        "myst_heading_anchors": 3,
        "html_theme": "sphinx_book_theme",
        "html_theme_options": options,
        "html_static_path": [str(HERE / "static"), str(source / "scripts")],
        "html_extra_path": [str(source / "extra")],
        "html_css_files": ["course.css"],
        "html_js_files": [("course.js", {"defer": "defer"})],
        "html_show_search_summary": False,  # it would read the pages, which file:// does not allow
        "html_context": {"default_mode": "auto"},
        "html_copy_source": False,
        "html_use_index": False,
        "html_show_sphinx": False,
        "exclude_patterns": ["extra", "scripts"],
        "mathjax_path": f"mathjax/{MATHJAX}",
        "autodoc_member_order": "bysource",
        "autodoc_preserve_defaults": True,
        "autodoc_typehints_format": "short",
        "napoleon_use_ivar": True,
        "python_use_unqualified_type_names": True,
        # Types go by plain names, and the PyTorch twins have the names of their originals.
        "suppress_warnings": ["ref.python"],
        "add_module_names": False,
    }  # fmt: skip
