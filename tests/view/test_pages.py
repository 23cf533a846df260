"""The folder of pages has what there is: what changed is written, what is gone goes."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gitops.system.errors import UserError
from gitops.system.places import Places, places
from gitops.view.charts import chart, took
from gitops.view.folder import LISTING, Folder, Page
from gitops.view.pages import write_pages
from gitops.view.view import View
from tests.view.made import AT, HOUR, instance, ran, update, view


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "host"))
    (tmp_path / "fleet").mkdir()
    return places()


def _view(tmp_path: Path, here: Places, *names: str, problem: str = "") -> View:
    made = [instance(name, problem=problem, job=ran(here, name, "tick", runs=2)) for name in names]
    return view(tmp_path / "fleet", made, waiting=(update(),))


def test_only_what_changed_is_written(tmp_path: Path, here: Places) -> None:
    pages, before = tmp_path / "pages", _view(tmp_path, here, "alice", "bob")
    first = write_pages(before, pages, here)
    assert sorted(first) == [
        "backups.html",
        *(f"hosts/web{number}.html" for number in (1, 2, 3)),
        *("images/base.html", "images/shop.html", "index.html"),
        *("instances/alice.html", "instances/bob.html", "jobs.html"),
    ]
    assert write_pages(before, pages, here) == []
    times = {path: path.stat().st_mtime_ns for path in pages.rglob("*.html")}
    later = replace(before, at=AT + timedelta(minutes=5))
    assert write_pages(later, pages, here) == ["index.html"]  # it says as of when it is
    changed = [path.name for path in pages.rglob("*.html") if path.stat().st_mtime_ns != times[path]]
    assert changed == ["index.html"]
    bob, job = before.instances[1], ran(here, "bob", "tick", runs=1, bad="no space")
    worse = replace(before, instances=(before.instances[0], instance("bob", job=job)), jobs=(
        *before.instances[0].jobs, replace(bob.jobs[0], last=job)))  # fmt: skip
    assert write_pages(worse, pages, here) == [
        "index.html",
        "instances/bob.html",
        "hosts/web1.html",
        "jobs.html",
    ]
    assert "no space" in (pages / "jobs.html").read_text()


def test_pages_of_what_is_gone_go_and_nothing_else_does(tmp_path: Path, here: Places) -> None:
    pages = tmp_path / "pages"
    write_pages(_view(tmp_path, here, "alice", "bob"), pages, here)
    (pages / "instances/notes.html").write_text("mine")
    write_pages(_view(tmp_path, here, "alice"), pages, here)
    assert sorted(path.name for path in (pages / "instances").iterdir()) == ["alice.html", "notes.html"]


def test_a_page_of_somebody_else_is_not_replaced(tmp_path: Path, here: Places) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.html").write_text("It works!")
    with pytest.raises(UserError, match=r"index\.html: was not written by gitops"):
        write_pages(_view(tmp_path, here, "alice"), pages, here)
    assert (pages / "index.html").read_text() == "It works!"
    assert [path.name for path in pages.iterdir()] == ["index.html"]


def test_a_writer_that_dies_leaves_what_the_next_one_finishes(tmp_path: Path) -> None:
    def die() -> bytes:
        raise KeyboardInterrupt

    pages = {"index.html": Page("index.html", "1", lambda: b"one"), "jobs.html": Page("jobs.html", "1", die)}
    with pytest.raises(KeyboardInterrupt):
        Folder(tmp_path).update(pages, {})
    pages["jobs.html"] = Page("jobs.html", "1", lambda: b"two")
    assert Folder(tmp_path).update(pages, {}) == ["index.html", "jobs.html"]
    assert Folder(tmp_path).update(pages, {}) == []


def test_a_listing_that_somebody_wrote_reaches_no_other_file(tmp_path: Path) -> None:
    victim = tmp_path / "victim.html"
    victim.write_text("mine")
    pages = tmp_path / "pages"
    pages.mkdir()
    names = ["../victim.html", str(victim), "instances/../../victim.html", "a/b/c.html"]
    (pages / LISTING).write_text(json.dumps({"version": 1, "pages": dict.fromkeys(names, "1"), "charts": {}}))
    Folder(pages).update({}, {})
    assert victim.exists()
    (pages / LISTING).write_text("[]")
    with pytest.raises(UserError, match="cannot be read"):
        Folder(pages)


def test_a_page_may_load_nothing_and_run_nothing(tmp_path: Path, here: Places) -> None:
    write_pages(_view(tmp_path, here, "alice"), tmp_path / "pages", here)
    for page in (tmp_path / "pages").rglob("*.html"):
        text = page.read_text()
        assert "default-src &#39;none&#39;; style-src &#39;sha256-" in text
        assert not re.search(r"(?:src|href|action)=\"?(?:https?:|//)|<script| style=| on\w+=", text)


def test_a_fleet_may_lay_pages_out_its_own_way_and_no_more(tmp_path: Path, here: Places) -> None:
    own = tmp_path / "fleet/templates/status/jobs.html.j2"
    own.parent.mkdir(parents=True)
    made = _view(tmp_path, here, "alice")
    for attempt in (
        "{{ ''.__class__.__mro__ }}",
        "{{ view.root.joinpath('x').touch() }}",
        "{{ charts.__self__._ask }}",
    ):
        own.write_text(attempt)
        with pytest.raises(UserError, match="status/jobs"):
            write_pages(made, tmp_path / "pages", here)
    own.write_text("<p>{{ jobs[0].subject }}{{ '<b>' }}</p>")
    write_pages(made, tmp_path / "pages", here)
    assert (tmp_path / "pages/jobs.html").read_text() == "<p>alice/tick&lt;b&gt;</p>"


def test_a_chart_says_in_words_what_it_shows(here: Places) -> None:
    newest = ran(here, "alice", "tick", runs=1)
    failed = replace(newest, outcome="failed", ended=newest.started + HOUR)
    drawn = str(chart([failed, newest, replace(newest, outcome="skipped")]))
    assert 'aria-label="2 runs, 1 went wrong; 20 s to 1 h 0 min, the newest 1 h 0 min"' in drawn
    assert drawn.count("<path") == 3
    assert chart([]) == ""
    assert [took(one) for one in (0.04, 9.96, 59.4, 200, 7500)] == [
        "0.0 s",
        "10.0 s",
        "59 s",
        "3 min 20 s",
        "2 h 5 min",
    ]
