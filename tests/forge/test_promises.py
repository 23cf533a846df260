"""What every forge promises, whichever it is: one set of tests for all."""

from dataclasses import replace

from gitops.forge.note import note
from tests.forge.conftest import BRANCH, Scene
from tests.forge.fake.server import Fault
from tests.git.conftest import git


def test_a_pull_request_comes_back_as_it_was_opened(scene: Scene) -> None:
    head = scene.push()
    body = "A *body* with `code`,\n\n<!-- gitops: 0123abcd -->\n"
    made = scene.forge.create(branch=BRANCH, base="main", title="openssl 3.5 → 3.6", body=body)
    assert (made.branch, made.base, made.head, made.state) == (BRANCH, "main", head, "open")
    assert (made.title, made.body) == ("openssl 3.5 → 3.6", body)
    assert made.url.startswith(scene.server.address)
    assert scene.forge.open_pulls() == [made]
    assert scene.forge.last_pull(BRANCH) == made


def test_opening_it_again_gives_the_one_that_is_open(scene: Scene) -> None:
    made = scene.open()
    assert scene.forge.create(branch=BRANCH, base="main", title="Again", body="") == made
    assert len(scene.server.pulls) == 1


def test_title_and_body_are_written_anew(scene: Scene) -> None:
    made = scene.open()
    scene.forge.edit(made.number, title="Newer", body="Even newer\n")
    assert scene.forge.open_pulls() == [replace(made, title="Newer", body="Even newer\n")]


def test_a_moved_branch_moves_the_head(scene: Scene) -> None:
    scene.open()
    moved = scene.push(text="newer\n")
    assert [pull.head for pull in scene.forge.open_pulls()] == [moved]


def test_closing_says_why_in_one_request(scene: Scene) -> None:
    made = scene.open()
    before = len(scene.server.writes)
    scene.forge.close(made.number, body="Landed otherwise\n")
    assert len(scene.server.writes) == before + 1
    assert scene.forge.open_pulls() == []
    assert scene.forge.last_pull(BRANCH) == replace(made, state="closed", body="Landed otherwise\n")


def test_the_newest_of_a_branch_is_found_whatever_its_state(scene: Scene) -> None:
    first = scene.open()
    scene.forge.close(first.number, body="")
    second = scene.open()
    other = scene.open("gitops/updates-other")
    assert (last := scene.forge.last_pull(BRANCH))
    assert last.number == second.number
    assert (last := scene.forge.last_pull(other.branch))
    assert last.number == other.number
    assert scene.forge.last_pull("gitops/updates-never") is None


def test_a_pull_request_is_found_after_its_branch_is_gone(scene: Scene) -> None:
    made = scene.open()
    scene.forge.close(made.number, body=made.body)
    git(scene.server.project.root, "update-ref", "-d", f"refs/heads/{BRANCH}")
    assert scene.forge.last_pull(BRANCH) == replace(made, state="closed")


def test_one_from_a_fork_is_never_taken_for_ours(scene: Scene) -> None:
    scene.server.project.open_from_fork(BRANCH)
    assert scene.forge.open_pulls() == []
    assert scene.forge.last_pull(BRANCH) is None
    made = scene.open()
    scene.server.project.open_from_fork(BRANCH)
    assert scene.forge.open_pulls() == [made]
    assert scene.forge.last_pull(BRANCH) == made


def test_more_than_a_page_of_pull_requests_is_listed(scene: Scene) -> None:
    made = scene.open()
    for number in range(120):
        scene.server.project.open_from_fork(f"patch-{number}")
    last = scene.open("gitops/updates-last")
    assert scene.forge.open_pulls() == [last, made]
    assert scene.forge.last_pull(BRANCH) == made


def test_comments_are_given_in_the_order_they_were_made(scene: Scene) -> None:
    made = scene.open()
    texts = [f"number {number}\n" for number in range(120)]
    scene.server.project.pull(made.number).comments += texts
    scene.forge.comment(made.number, "the *last*")
    assert [each.text for each in scene.forge.comments(made.number)] == [*texts, "the *last*"]


def test_a_comment_is_written_anew_and_the_others_are_not(scene: Scene) -> None:
    made = scene.open()
    for text in ("one", "two", "three"):
        scene.forge.comment(made.number, text)
    second = scene.forge.comments(made.number)[1]
    scene.forge.rewrite(made.number, second.identity, "*second*")
    assert [each.text for each in scene.forge.comments(made.number)] == ["one", "*second*", "three"]


def test_labels_are_added_and_made(scene: Scene) -> None:
    made = scene.open()
    scene.server.project.labels += ["debian"]
    scene.server.project.pull(made.number).labels += ["mine"]
    scene.forge.label(made.number, ["debian", "security fixes"])
    assert scene.server.pulls[0].labels == ["mine", "debian", "security fixes"]


def test_reviewers_are_asked_and_nobody_is_taken_off(scene: Scene) -> None:
    made = scene.open()
    scene.forge.request_review(made.number, ["ada"])
    scene.forge.request_review(made.number, ["bob"])
    assert scene.server.pulls[0].reviewers == ["ada", "bob"]


def test_pipelines_are_summed_up(scene: Scene) -> None:
    head = scene.push()
    project = scene.server.project
    assert scene.forge.checks(head) == "none"
    project.check(head, "build", "in_progress")
    assert scene.forge.checks(head) == "running"
    project.check(head, "build", "success")
    assert scene.forge.checks(head) == "passed"
    project.check(head, "status/other", "pending")
    assert scene.forge.checks(head) == "running"
    project.check(head, "status/other", "success")
    assert scene.forge.checks(head) == "passed"
    project.check(head, "test", "failure")
    assert scene.forge.checks(head) == "failed"


def test_one_failure_among_many_pipelines_is_seen(scene: Scene) -> None:
    head = scene.push()
    scene.server.project.check(head, "a", "failure")
    for number in range(120):
        scene.server.project.check(head, f"b-{number}", "success")
    assert scene.forge.checks(head) == "failed"


def test_merging_puts_the_commit_into_the_base(scene: Scene) -> None:
    made = scene.open()
    scene.forge.merge(made.number, made.head)
    git(scene.server.project.root, "merge-base", "--is-ancestor", made.head, "main")
    last = scene.forge.last_pull(BRANCH)
    assert last == replace(made, state="merged")


def test_a_note_is_one_comment_however_often_it_changes_and_nobody_elses_is_touched(scene: Scene) -> None:
    made = scene.open()
    scene.forge.comment(made.number, "A word of somebody")
    assert note(scene.forge, made.number, "plan", "first\n")
    assert not note(scene.forge, made.number, "plan", "first\n")
    assert note(scene.forge, made.number, "plan", "second\n")
    assert note(scene.forge, made.number, "other", "another\n")
    said = [each.text for each in scene.forge.comments(made.number)]
    assert said == [
        "A word of somebody",
        "<!-- gitops: plan -->\nsecond",
        "<!-- gitops: other -->\nanother",
    ]


def test_a_note_that_somebody_else_has_taken_the_place_of_is_left_beside_it(scene: Scene) -> None:
    made = scene.open()
    scene.forge.comment(made.number, "<!-- gitops: plan -->\nnothing to see here")
    scene.server.fail(Fault(status=403, method="PATCH" if scene.server.kind != "gitlab" else "PUT"))
    assert note(scene.forge, made.number, "plan", "true")
    assert [each.text for each in scene.forge.comments(made.number)][1:] == ["<!-- gitops: plan -->\ntrue"]
