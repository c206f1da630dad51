"""The website: made once, of one lesson, and read."""

import html
import re
import shutil
import subprocess
from pathlib import Path
from zipfile import ZipFile

import nbformat
import pytest

from tutor.build import find_root
from tutor.build.compose import notebook_path
from tutor.build.lesson import select

pytest.importorskip("sphinx_book_theme")

from tutor.site import SiteError, make_site, make_slides
from tutor.site.glossary import terms
from tutor.site.lessons import hints, lesson_page
from tutor.site.links import Page, problems
from tutor.site.pages import _times
from tutor.site.reference import restructured, signature, write_reference
from tutor.site.run import run_sphinx

ROOT = find_root(Path(__file__))
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)


@pytest.fixture(scope="module")
def lesson():
    return select(["1"], ROOT)[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site of Day 1, without the library's pages."""
    out = tmp_path_factory.mktemp("made") / "site"
    make_site(ROOT, out, days=["1"], reference=False, repository="owner/name")
    return out


def text(path):
    return path.read_text("utf-8")


def test_nothing_is_loaded_from_elsewhere_and_no_link_is_broken(site):
    assert not list(problems(site))
    assert len(list(site.rglob("*.html"))) > 10


def test_the_front_page_leads_to_the_lesson(site, lesson):
    assert f'<a href="notebooks/{lesson.stem}.html">{lesson.header.title}</a>' in text(
        site / "index.html"
    )


def test_a_lesson_has_its_figures_molecules_buttons_and_hints(site, lesson):
    page = text(site / "notebooks" / f"{lesson.stem}.html")
    parsed = Page(page)
    assert page.count("<iframe title=") >= 3
    assert page.count('src="data:image/png;base64,') >= 8
    assert f"../downloads/{lesson.stem}.ipynb" in parsed.links
    at = f"https://colab.research.google.com/github/owner/name/blob/main/course/notebooks/{lesson.stem}.ipynb"
    assert at in parsed.links
    assert page.count("Hint 1 of 3") >= 10
    assert "google.colab" not in page  # the set-up cell belongs to the notebook


def test_learners_do_not_get_solutions(site, lesson):
    body = "".join(lesson.answers["1.6"].partition('"""')[2].partition('"""')[2].split())
    assert len(body) > 60
    for page in site.rglob("*.html"):
        assert body not in "".join(html.unescape(re.sub(r"<[^>]+>", "", text(page))).split())
    with ZipFile(site / "downloads" / "nnp-tutor.zip") as bundle:
        names = [Path(name).name for name in bundle.namelist()]
        notebook = bundle.read(f"nnp-tutor/{lesson.stem}.ipynb").decode()
    assert body not in "".join(notebook.replace(r"\n", "").split())
    assert {"README.txt", f"{lesson.stem}.ipynb"} <= set(names)
    assert any(name.endswith(".whl") for name in names)


def test_instructors_get_them_folded_away(lesson):
    page = lesson_page(lesson, solved=True, repository="")
    cells = {c.metadata.get("tutor", {}).get("exercise"): c for c in page.cells}
    assert cells["1.9"].source == lesson.answers["1.9"]
    assert cells["1.9"].metadata.tags == ["hide-input"]
    assert "Hint 1" not in "".join(cell.source for cell in page.cells)


def test_the_glossary_stands_under_the_words_of_a_lesson(site, lesson):
    known = terms(text(ROOT / "course" / "glossary.md"))
    page = text(site / "notebooks" / f"{lesson.stem}.html")
    linked = re.findall(r'<a class="course-term[^"]*" href="../glossary.html#([\w-]+)"[^>]*>', page)
    assert len(linked) == len(set(linked)) > 10
    assert known["potential energy surface"][1] in page
    assert known["invariance"][0] == "invariant"


def test_what_the_day_reached_is_in_the_syllabus(site):
    assert "composition, unseen molecules (MAE)" in text(site / "syllabus.html")


def test_the_syllabus_says_how_long_a_day_takes(site, lesson, course):
    table = re.search(r"<table.*?at your desk.*?</table>", text(site / "syllabus.html"), re.DOTALL)[
        0
    ]
    assert f"{lesson.header.minutes} minutes" in table
    (built,) = select(None, course)
    seconds = nbformat.read(notebook_path(built, solved=False), as_version=4).metadata.tutor.seconds
    assert _times([built]).splitlines()[2].endswith(f"| 5 minutes | {seconds} s |")


def test_a_time_that_was_not_measured_is_not_made_up(course):
    (built,) = select(None, course)
    path = notebook_path(built, solved=False)
    notebook = nbformat.read(path, as_version=4)
    del notebook.metadata.tutor["seconds"]
    nbformat.write(notebook, path)
    assert "| 5 minutes | not measured |" in _times([built])


def test_a_data_card_says_what_it_is_not_for(site):
    page = text(site / "data" / "ethanol.html")
    assert "GFN2-xTB" in page
    assert "a production force field of ethanol" in page


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ('<a href="gone.html">x</a>', "the link gone.html leads nowhere"),
        ('<a href="#gone">x</a>', "the link #gone leads nowhere"),
        ('<a href="other.html#there">x</a>', ""),
        ('<a href="other.html#gone">x</a>', "the link other.html#gone leads nowhere"),
        ('<a href="https://example.org">x</a>', ""),
        ('<script src="https://cdn.example/x.js"></script>', "loads https://cdn.example/x.js"),
        ('<img src="//cdn.example/x.png">', "loads //cdn.example/x.png"),
        ('<link rel="stylesheet" href="https://cdn.example/x.css">', "loads https://cdn.example"),
        ('<iframe srcdoc="&lt;script src=&quot;https://cdn.example/x.js&quot;&gt;"></iframe>',
         "loads https://cdn.example/x.js"),
        ('<style>@import "https://cdn.example/x.css";</style>', "loads https://cdn.example/x.css"),
        ('<script type="module">import("https://cdn.example/x.js")</script>', "loads https://cdn"),
    ],
)  # fmt: skip
def test_a_fault_is_found(tmp_path, page, problem):
    (tmp_path / "other.html").write_text('<p id="there">x</p>')
    (tmp_path / "page.html").write_text(page)
    found = list(problems(tmp_path))
    assert found == [] if not problem else problem in "".join(found)


def test_a_fault_stops_the_build(tmp_path, monkeypatch):
    monkeypatch.setattr("tutor.site.lessons.BUNDLE", "gone.zip")
    with pytest.raises(SiteError, match=r"the link \.\./downloads/gone\.zip leads nowhere"):
        make_site(ROOT, tmp_path / "site", days=["1"], reference=False)
    assert not (tmp_path / "site").exists()


def test_another_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(FileExistsError, match="holds something else: name a new folder"):
        make_site(ROOT, tmp_path)


def test_a_lesson_that_was_not_built_is_named(sources):
    [toy] = select(None, sources)
    with pytest.raises(FileNotFoundError, match="run `tutor build day99` first"):
        lesson_page(toy, solved=False, repository="")


def test_hints_unfold_one_by_one():
    folded = hints("1.1")
    assert folded.index("Hint 1 of 3") < folded.index("Hint 2 of 3") < folded.index("Hint 3 of 3")
    assert folded.endswith("</details></details></details></div>")


# the library's own pages ------------------------------------------------------------------------


def test_a_docstring_keeps_what_it_sets_off():
    lines = ["One |x| of r_ and a*b:", "", "    F = m a", "", "Then `a*b`."]
    assert restructured(lines) == [
        r"One \|x\| of r\_ and a\*b:", "", "::", "", "    F = m a", "", "Then `a*b`."
    ]  # fmt: skip


def test_a_model_is_shown_with_its_own_arguments():
    from tutor.models.painn import PaiNN
    from tutor.potential import Potential

    assert "rngs" in signature(PaiNN)
    assert "self" not in signature(PaiNN)
    assert signature(Potential) == ""


def test_every_room_has_a_page(tmp_path):
    write_reference(tmp_path / "library")
    written = {path.stem for path in (tmp_path / "library").iterdir()}
    assert {"index", "graph", "potential", "symmetry", "models.painn", "models.schnet"} <= written
    assert not {"cli", "build", "site", "__main__"} & written


def test_sphinx_has_nothing_to_say_on_the_library(tmp_path):
    """All rooms together, because two of them may have one name for two things."""
    (tmp_path / "source" / "extra").mkdir(parents=True)
    write_reference(tmp_path / "source" / "library")
    (tmp_path / "source" / "glossary.md").write_text("# Glossary\n")
    (tmp_path / "source" / "index.rst").write_text(
        "Title\n=====\n\n.. toctree::\n\n   glossary\n   library/index\n"
    )
    assert run_sphinx(tmp_path / "source", tmp_path / "made", "") == []
    page = re.sub(r"<[^>]+>", "", text(tmp_path / "made" / "library" / "potential.html"))
    assert "stress, positive under tension" in page
    assert "jaxlib" not in page
    assert str(ROOT) not in page


# slides -----------------------------------------------------------------------------------------


def test_slides_say_what_the_lesson_says(site, lesson):
    page = " ".join(text(site / "slides" / "day01.html").split())
    assert "what must a function know about physics" in page
    assert "no model is better than its labels" in page
    cells = nbformat.read(notebook_path(lesson, solved=False), as_version=4).cells
    outputs = [o.get("data", {}).get("text/html", "") for c in cells for o in c.get("outputs", ())]
    assert page.count("<figure>") == sum("<img" in output for output in outputs) > 5
    assert "import jax.numpy" not in page
    assert "distances and forces" in page  # the day in numbers
    assert page.count("<section") == page.count("</section>") > 20


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome")
def test_slides_print(tmp_path):
    page, pdf = make_slides(ROOT, tmp_path, days=["1"])
    assert page.name == "day01.html"
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pdf.stat().st_size > 100_000


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome")
def test_a_browser_sets_the_formulas_and_swaps_in_the_molecules(site, lesson):
    page = site / "notebooks" / f"{lesson.stem}.html"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000",
             "--host-resolver-rules=MAP * ~NOTFOUND"]  # fmt: skip
    seen = subprocess.run(
        [BROWSER, *flags, "--dump-dom", page.as_uri()], capture_output=True, text=True, check=True
    ).stdout
    formulas = text(page).count('class="math notranslate')
    assert seen.count("<mjx-container") >= formulas > 10
    assert "<mjx-merror" not in seen
    assert re.search(r'<iframe title="[^"]*" style="display: ?block', seen)
