"""What programs read of `gitops status --json` is there, versioned, and agrees with itself."""

import json
import sys
from datetime import timedelta
from pathlib import Path

from markupsafe import escape

from gitops.report.history import Run, record
from gitops.system.clock import now, stamp
from gitops.system.run import run
from gitops.view.look import look
from gitops.view.waiting import keep, known
from tests.agent.conftest import APP, FleetOnDisk, fleet

__all__ = ["fleet"]

_UPDATE = {
    "base": "c0ffee",
    "updates": [
        {
            "name": "openssl",
            "security": True,
            "sources": [
                {
                    "source": "openssl",
                    "packages": ["libssl3"],
                    "urgency": "high",
                    "cves": ["CVE-2026-1"],
                    "changelog": [{"version": "3.1-2", "text": "  * Mend <b>it</b>."}],
                }
            ],
            "packages": [
                {
                    "source": "openssl",
                    "name": "libssl3",
                    "old": None,
                    "new": "3.1-2",
                    "suite": "a/trixie-security",
                    "images": ["tiny"],
                    "instances": ["alice@web1"],
                }
            ],
        }
    ],
}


def test_json_has_a_version_and_page_and_json_agree(fleet: FleetOnDisk, tmp_path: Path) -> None:
    fleet.write("apps/blog.yaml", APP + "backup: {schedule: '0 0 29 2 *', volumes: [data]}\n")
    fleet.write(
        "hosts/web1.yaml",
        "backup: {repository: /srv/restic}\ninstances: {alice: {app: blog, parameters: {greeting: <b>}}}\n",
    )
    fleet.write("hosts/web2.yaml", "instances: {}\n")
    fleet.commit()
    record(fleet.places, Run("drill", "alice", "", now(), now(), 1, "no <table>"))
    keep(_UPDATE, now(), fleet.places)
    asked = [sys.executable, "-m", "gitops", "status", "--host", "web1"]
    told = json.loads(run([*asked, "--json"], cwd=fleet.root).stdout)
    pages = tmp_path / "pages"
    written = run([*asked, "--html", pages, "--exit-code"], cwd=fleet.root, check=False)
    assert (written.status, written.stdout.split()[:3]) == (1, ["7", "pages", "changed:"])
    assert all(
        str(escape(one["text"][:20])) in (pages / "index.html").read_text() for one in told["problems"]
    )
    assert run([*asked, "--html", pages, "--json"], cwd=fleet.root, check=False).status == 2
    assert told["version"] == 1
    assert not told["well"]
    assert [(one["kind"], one["subject"]) for one in told["problems"]] == [
        (None, "instance alice"),
        (None, "instance alice"),
        ("backup-late", "backup alice"),
        ("drill-failed", "backup alice"),
    ]
    assert told["problems"][3]["text"].endswith("no <table>")
    assert [(one["name"], one["source"]) for one in told["hosts"]] == [("web1", "here"), ("web2", None)]
    (alice,) = told["instances"]
    assert (alice["health"], alice["parameters"], alice["images"]) == (
        "missing",
        {"greeting": "<b>"},
        ["tiny"],
    )
    assert told["images"][0]["cves"] == ["CVE-2026-1"]
    assert told["updates"][0]["new"] == "3.1-2"
    assert told["updates"][0]["security"]


def test_an_update_is_as_old_as_when_it_was_first_found(fleet: FleetOnDisk) -> None:
    first = now() - timedelta(days=9)
    keep(_UPDATE, first, fleet.places)
    keep(_UPDATE, now(), fleet.places)
    found = known(fleet.places)
    assert found
    assert stamp(found.waiting[0].since) == stamp(first)
    (image,) = look(fleet.root, "web1", fleet.engine, fleet.places).images
    assert [one.package for one in image.waiting] == ["libssl3"]
    keep({"base": "beef", "updates": []}, now(), fleet.places)
    assert look(fleet.root, "web1", fleet.engine, fleet.places).waiting == ()
