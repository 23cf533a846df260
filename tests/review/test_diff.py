"""What a change would do is told before anybody says yes to it, and telling it does nothing itself."""

import json
import re

from markdown_it import MarkdownIt

from gitops.git.repository import Repository
from gitops.images.lock import Change as PackageChange
from gitops.review.comparison import Comparison, HostChange, ImageChange, JobChange, compare
from gitops.review.markdown import as_markdown
from gitops.review.state import read_state, state_at
from tests.review.conftest import Change


def _compared(change: Change) -> Comparison:
    with state_at(Repository(change.fleet.root), "HEAD") as before:
        return compare(before, read_state(change.fleet.root))


def test_nothing_is_said_where_nothing_would_happen(change: Change) -> None:
    change.fleet.write("README.md", "words\n")
    change.replace("images/tiny.yaml", "archive: a\n", "archive: a\ntest: ['true']\n")
    said = change.run("diff", "--exit-code")
    assert re.fullmatch(
        r"this directory in the place of HEAD \(\w{12}\): nothing to build, no host changes\n", said
    )
    assert "Nothing: no image is built, and no host changes." in change.run("diff", "--markdown")


def test_a_package_that_moves_is_the_reason_why_images_are_built_and_instances_restart(
    change: Change,
) -> None:
    change.fleet.write("images/php.yaml", "from: tiny\n")
    change.fleet.write("images/other.yaml", "from: scratch\narchive: a\n")
    change.replace("apps/blog.yaml", "  web:\n    image: tiny", "  web:\n    image: php")
    change.lock(tiny={"curl": "1-1", "gone": "1"})
    change.fleet.commit()
    change.lock(tiny={"curl": "1-2", "new": "3"})
    found = _compared(change)
    assert [
        (one.image, one.what, [str(each) for each in one.packages], one.own, one.parent)
        for one in found.images
    ] == [
        ("tiny", "rebuilt", ["curl 1-1 → 1-2", "gone removed", "new new 3"], False, ""),
        ("php", "rebuilt", [], False, "tiny"),
    ]
    (host,) = found.hosts
    assert (host.host, host.restarted) == ("web1", ("alice", "bob"))
    assert [(str(one.kind), one.subject) for one in host.steps] == [
        ("recreate", f"{name}/{service}") for name in ("alice", "bob") for service in ("db", "web")
    ]
    assert "because curl 1-1 → 1-2 and 2 more" in host.steps[1].reason
    lines = change.run("diff", "--exit-code", status=1).splitlines()
    assert "Host web1: 2 instances restart (alice, bob)" in lines
    assert "php    rebuilt  stands on tiny" in lines


def test_what_comes_goes_and_changes_is_told_of_each_host(change: Change) -> None:
    change.fleet.write("hosts/web2.yaml", "instances: {carol: {app: blog}}\n")
    change.replace("hosts/web1.yaml", "instances:", "backup: {repository: /srv/restic}\ninstances:")
    change.fleet.write(
        "apps/blog.yaml",
        (change.fleet.root / "apps/blog.yaml").read_text()
        + "jobs: {tidy: {service: web, schedule: '1 2 * * *', command: ['true']}}\n"
        + "backup: {volumes: [data]}\n",
    )
    change.fleet.commit()
    change.fleet.write(
        "hosts/web1.yaml",
        "backup: {repository: /srv/other}\n"
        "instances: {bob: {app: blog, parameters: {greeting: hi}}, dora: {app: blog}}\n",
    )
    (change.fleet.root / "hosts/web2.yaml").unlink()
    change.replace("apps/blog.yaml", "'1 2 * * *'", "'3 4 * * *', timeout: 9m")
    change.replace(
        "apps/blog.yaml", "backup: {volumes: [data]}", "backup: {databases: [{service: db, kind: redis}]}"
    )
    web1, web2 = _compared(change).hosts
    assert [(str(one.kind), one.subject) for one in web1.steps] == [
        ("remove", "alice/db"),
        ("remove", "alice/web"),
        ("recreate", "bob/web"),
        ("create", "dora/db"),
        ("create", "dora/web"),
    ]
    assert "environment changed" in web1.steps[2].reason
    assert web1.restarted == ("bob",)
    jobs = {(one.subject, one.what): one.detail for one in web1.jobs}
    assert jobs["alice/tidy", "goes"] == "1 2 * * *"
    assert jobs["bob/tidy", "changes"] == "schedule 1 2 * * * → 3 4 * * *, timeout"
    assert jobs["dora/tidy", "comes"] == "3 4 * * *"
    assert web1.backups == (
        "all: they go /srv/other instead of /srv/restic",
        "bob: volume data is not backed up any more",
        "bob: redis of db is backed up",
    )
    assert [(str(one.kind), one.subject) for one in web2.steps] == [
        ("remove", "carol/db"),
        ("remove", "carol/web"),
    ]
    told = json.loads(change.run("diff", "--json"))
    assert told["after"] is None
    assert [host["host"] for host in told["hosts"]] == ["web1", "web2"]
    assert {"action": "create", "subject": "dora/db", "reason": "it is not there"} in told["hosts"][0][
        "actions"
    ]


def test_two_commits_are_compared_and_the_main_branch_is_what_a_branch_is_compared_with(
    change: Change,
) -> None:
    change.fleet.git("switch", "--quiet", "--create", "topic")
    change.fleet.write("images/new.yaml", "from: tiny\n")
    change.fleet.lock()
    change.fleet.commit()
    change.replace("apps/blog.yaml", "default: hello", "default: bye")
    change.fleet.commit()
    assert "new    new   -" in change.run("diff").splitlines()
    assert "recreate" in change.run("diff")
    one = change.run("diff", "main..HEAD~1")
    assert "new    new   -" in one.splitlines()
    assert "recreate" not in one
    assert "nothing to build" in change.run("diff", "HEAD")
    assert "has no commit 'nowhere'" in change.run("diff", "nowhere", status=1)
    assert "the older one first" in change.run("diff", "main..", status=2)


def test_what_a_branch_says_is_shown_in_markdown_and_does_nothing(change: Change) -> None:
    evil = "1|x<script>alert(1)</script>`@everyone`#1"
    found = Comparison(
        (ImageChange("tiny", "rebuilt", ("amd64",), (PackageChange("p", evil, evil),) * 9, own=True),),
        (HostChange("web1", (), (JobChange("a/b", "changes", f"{evil}\n```\n/close\n# head"),), (evil,)),),
    )
    text = as_markdown(change.fleet.root, found, f"main`{evil}", evil)
    assert "@everyone" not in text
    html = MarkdownIt("commonmark", {"html": True}).enable(["table"]).render(text)
    assert "<script" not in html
    assert html.count("<h") == 1
    assert html.count("<td>") == 4
    assert not [line for line in text.splitlines() if line.startswith("/close")]


def test_a_change_of_everything_still_fits_into_a_comment(change: Change) -> None:
    packages = tuple(PackageChange(f"package-{number}", "1.0", "2.0") for number in range(300))
    jobs = tuple(JobChange(f"instance-{number}/job", "comes", "* * * * *") for number in range(1000))
    found = Comparison(
        tuple(ImageChange(f"image-{number}", "rebuilt", ("amd64",), packages) for number in range(300)),
        tuple(HostChange(f"host-{number}", (), jobs, ()) for number in range(100)),
    )
    text = as_markdown(change.fleet.root, found, "main", "topic")
    assert 1000 < len(text) <= 60_000
    assert re.search(r"And \d+ more images", text)
