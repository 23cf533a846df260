"""The status pages as people meet them: in a browser, dark, on a phone, by keyboard; hostile text too."""

from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gitops.system.places import Places, places
from gitops.view.pages import write_pages
from tests.view.browser import Look, looks
from tests.view.made import instance, ran, update, view

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)>',
    "' autofocus onfocus=alert(4) x='",
    "</pre></td></table></main><iframe src=javascript:alert(5)>",
    "javascript:alert(6)",
    "{{ 7*7 }}{% raw %}",
    "<style>*{display:none}</style>",
    "&lt;script&gt;alert(8)&lt;/script&gt;",
    "</title><base href=//evil.example.org/><link rel=stylesheet href=//evil.example.org/a.css>",
    "\u202egnp.exe\u2066 \x1b]0;title\x07 \x00",
    "<form action=//evil.example.org><input name=a></form>",
    "]]><!--<object data=x><embed src=x>-->",
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What a browser saw, by the name of the look."""

    looks: dict[str, dict[str, Any]]
    served: str


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Look at ordinary pages and at those of a hostile fleet, all in one browser."""
    base = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITOPS_ROOT", str(base / "host"))
        _write(base, places())
    plain, hostile = base / "plain", base / "hostile"
    serve = partial(SimpleHTTPRequestHandler, directory=str(plain))
    with ThreadingHTTPServer(("127.0.0.1", 0), _quiet(serve)) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        served = f"http://127.0.0.1:{server.server_port}/"
        wanted = {
            "overview": Look(f"{plain.as_uri()}/index.html", axe=True),
            "dark": Look(f"{plain.as_uri()}/index.html", dark=True, axe=True),
            "instance": Look(f"{plain.as_uri()}/instances/alice.html", axe=True),
            "image": Look(f"{plain.as_uri()}/images/shop.html", axe=True),
            "host": Look(f"{plain.as_uri()}/hosts/web2.html", axe=True),
            "backups": Look(f"{plain.as_uri()}/backups.html", axe=True),
            "jobs": Look(f"{plain.as_uri()}/jobs.html", dark=True, axe=True),
            "phone": Look(f"{plain.as_uri()}/index.html", width=360, height=740, axe=True),
            "phone, instance": Look(f"{plain.as_uri()}/instances/alice.html", width=360, height=740),
            "phone, jobs": Look(f"{plain.as_uri()}/jobs.html", width=320, height=700),
            "keyboard": Look(f"{plain.as_uri()}/index.html", keys=6),
            "served": Look(served),
            **{
                f"hostile {path}": Look(f"{hostile.as_uri()}/{path}", width=360)
                for path in ("index.html", "instances/alice.html", "images/shop.html", "jobs.html",
                             "backups.html", "hosts/web1.html")
            },
        }  # fmt: skip
        found = looks(list(wanted.values()))
        server.shutdown()
        thread.join()
    return Seen(dict(zip(wanted, found, strict=True)), served)


def _write(base: Path, here: Places) -> None:
    for number, text in enumerate(HOSTILE):
        ran(here, "alice", f"job-{number}", runs=1, bad=text)
    root = base / "fleet"
    root.mkdir()
    bad = instance("alice", problem="no answer on port 80", job=ran(here, "alice", "tick", bad="no space"))
    well = [instance(name, job=ran(here, name, "tick", runs=3)) for name in ("bob", "carol")]
    write_pages(view(root, [bad, *well], waiting=(update(),)), base / "plain", here)
    all_of_it = " ".join(HOSTILE)
    jobs = tuple(
        job
        for number, text in enumerate(HOSTILE)
        for job in instance("alice", job=ran(here, "alice", f"job-{number}", runs=2, bad=text)).jobs
    )
    evil = instance("alice", problem=all_of_it, parameter=all_of_it)
    evil = type(evil)(
        **{**vars(evil), "jobs": jobs, "app": HOSTILE[0], "parameters": dict(enumerate(HOSTILE))}
    )
    waits = tuple(update(text, source=text) for text in (*HOSTILE, "half a sign: \ud800"))
    write_pages(view(root, [evil], waiting=waits, detail=all_of_it), base / "hostile", here)


def _quiet(serve: Any) -> Any:  # noqa: ANN401  # a handler's class, or what makes one
    class Quiet(serve.func):  # type: ignore[misc]  # a class of the standard library
        def log_message(self, *_: object) -> None:
            pass

    return partial(Quiet, *serve.args, **serve.keywords)


def test_no_page_asks_for_anything_or_says_anything_to_the_console(seen: Seen) -> None:
    for name, one in seen.looks.items():
        assert (one["console"], one["errors"], one["dialogs"]) == ([], [], []), name
        if name != "keyboard":
            assert len(one["requests"]) == 1, (name, one["requests"])


def test_axe_finds_nothing_serious(seen: Seen) -> None:
    found = {name: one["violations"] for name, one in seen.looks.items() if one.get("violations")}
    assert found == {}


def test_no_page_is_wider_than_a_phone(seen: Seen) -> None:
    assert {name: one["overflow"] for name, one in seen.looks.items() if one["overflow"] > 0} == {}


def test_who_likes_it_dark_gets_it_dark(seen: Seen) -> None:
    assert seen.looks["overview"]["ground"] == "rgb(251, 251, 249)"
    assert seen.looks["dark"]["ground"] == "rgb(21, 24, 28)"


def test_problems_come_first_and_everything_else_is_there(seen: Seen) -> None:
    text = seen.looks["overview"]["text"]
    assert seen.looks["overview"]["title"] == "4 things to look at · corner-shop"
    order = [
        "4 things to look at",
        "no answer on port 80",
        "Updates that wait",
        "CVE-2026-4242",
        "carol",
        "web3",
    ]
    assert sorted(order, key=text.index) == order
    assert "no space" in seen.looks["instance"]["text"]
    assert "3.5.1-1+deb13u1" in seen.looks["image"]["text"]


def test_times_are_local_with_their_zone_and_utc_for_programs(seen: Seen) -> None:
    (machine, people), *_ = seen.looks["overview"]["times"]
    assert machine == "2026-03-01T04:05:06Z"
    assert people.startswith("2026-0")
    assert len(people.split()) == 3


def test_the_keyboard_gets_everywhere_and_shows_where_it_is(seen: Seen) -> None:
    focused = seen.looks["keyboard"]["focused"]
    assert [name for name, _ in focused[:5]] == [
        "Skip to the content",
        "Overview",
        "Backups",
        "Jobs",
        "host web2",
    ]
    assert all(shown for _, shown in focused)
    assert seen.looks["keyboard"]["arrived"].endswith("/instances/alice.html")


def test_pages_are_the_same_from_a_web_server(seen: Seen) -> None:
    assert seen.looks["served"]["text"] == seen.looks["overview"]["text"]
    assert seen.looks["served"]["requests"] == [seen.served]


def test_hostile_text_is_shown_and_does_nothing(seen: Seen) -> None:
    hostile = {name: one for name, one in seen.looks.items() if name.startswith("hostile")}
    for name, one in hostile.items():
        assert one["made"] == [], name
        assert "\u202e" not in one["text"], name
    text = hostile["hostile instances/alice.html"]["text"]
    for each in HOSTILE[:10]:
        assert " ".join(each.split()) in " ".join(text.split()), each
