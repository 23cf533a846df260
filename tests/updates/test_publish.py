"""What publishing does on every forge, with real git behind it: once, and never twice."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops.fleet.updates import Updates as Settings
from gitops.system.errors import UserError
from gitops.updates import marker
from tests.forge.conftest import KINDS
from tests.forge.fake.server import FakeForge
from tests.git.conftest import git
from tests.updates.stage import BRANCH, KilledError, Stage, begin, lock_text, update

Make = Callable[..., Stage]


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, forge_server: Callable[[str], FakeForge], tmp_path: Path) -> Make:
    """Give what makes a stage on one kind of forge, with settings."""

    def made(**settings: object) -> Stage:
        return begin(forge_server(request.param), tmp_path / "fleet", Settings.model_validate(settings))

    return made


def quiet(stage: Stage) -> Callable[[], bool]:
    """Give what tells whether anything was written since: to the API or by a push."""
    api, pushes = len(stage.forge.writes), _pushes(stage)
    return lambda: (len(stage.forge.writes), _pushes(stage)) == (api, pushes)


def _pushes(stage: Stage) -> int:
    return sum("git-receive-pack" in request for request in stage.forge.git_requests)


def test_a_pull_request_is_opened_with_all_that_belongs_to_it(make: Make) -> None:
    stage = make(labels=["deps"], reviewers=["ada"])
    (outcome,) = stage.run(update("nginx", "2"))
    (pull,) = stage.open_pulls()
    assert str(outcome).startswith("opened #1 http://127.0.0.1:")
    assert pull.title.startswith("nginx 1 → 2: ")
    assert (pull.branch, pull.base, pull.labels, pull.reviewers) == (BRANCH, "main", ["deps"], ["ada"])
    assert (found := marker.read(pull.body))
    assert (found.state, found.contents) == ("open", marker.digests({"nginx=2"}))
    assert stage.forge.project.git("diff", "--name-only", "main", BRANCH) == "locks/nginx.amd64.lock"


def test_the_same_state_twice_writes_nothing(make: Make) -> None:
    stage = make(labels=["deps"], reviewers=["ada"])
    stage.run(update("nginx", "2"))
    nothing = quiet(stage)
    (outcome,) = stage.run(update("nginx", "2"))
    assert str(outcome) == "#1 is as it should be"
    assert nothing()


def test_something_newer_moves_the_same_branch_and_rewrites_the_text(make: Make) -> None:
    stage = make()
    stage.run(update("nginx", "2"))
    assert stage.states(update("nginx", "3")) == ["refreshed"]
    (pull,) = stage.open_pulls()
    assert "1 → 3" in pull.title
    assert pull.number == 1
    assert stage.forge.project.git("rev-list", "--count", f"main..{BRANCH}") == "1"


def test_a_branch_behind_its_base_is_built_anew_from_there(make: Make) -> None:
    stage = make()
    stage.run(update("nginx", "2"))
    base = stage.person_commits("main", {"README": "Hello\n"})
    assert stage.states(update("nginx", "2")) == ["refreshed"]
    assert stage.forge.project.git("rev-parse", f"{BRANCH}^") == base
    nothing = quiet(stage)
    assert stage.states(update("nginx", "2")) == ["unchanged"]
    assert nothing()


def test_what_landed_otherwise_closes_its_pull_request_with_a_word_of_why(make: Make) -> None:
    stage = make()
    stage.run(update("nginx", "2"))
    base = stage.person_commits("main", {"locks/nginx.amd64.lock": lock_text("nginx", "2")})
    assert stage.states() == ["closed"]
    (pull,) = stage.forge.pulls
    assert pull.state == "closed"
    assert pull.body.startswith(f"**Landed: `main` has it, as of {base}.**")
    assert stage.branches() == {}
    nothing = quiet(stage)
    assert stage.states() == []
    assert nothing()


def test_what_a_person_closed_is_not_opened_again_before_something_newer(make: Make) -> None:
    stage = make()
    stage.run(update("nginx", "2"))
    stage.forge.project.close(1)
    nothing = quiet(stage)
    assert stage.states(update("nginx", "2")) == ["declined"]
    stage.person_commits("main", {"README": "Hello\n"})
    assert stage.states(update("nginx", "2")) == ["declined"]
    assert nothing()
    assert stage.states(update("nginx", "3")) == ["opened"]
    assert [pull.number for pull in stage.open_pulls()] == [2]


def test_what_the_bot_closed_is_opened_again_when_it_is_back(make: Make) -> None:
    stage = make()
    stage.run(update("nginx", "2"))
    assert stage.states() == ["closed"]
    assert stage.states(update("nginx", "2")) == ["opened"]


def test_a_person_s_commit_is_told_once_and_never_overwritten(make: Make) -> None:
    stage = make(automerge="all")
    stage.run(update("nginx", "2"))
    commit = stage.person_commits(BRANCH, {"note": "Mine\n"})
    stage.forge.project.check(commit, "test", "success")
    (outcome,) = stage.run(update("nginx", "3"))
    assert str(outcome) == "#1 is left alone: the branch carries a commit of 'Ada <ada@example.org>'"
    nothing = quiet(stage)
    assert stage.states(update("nginx", "4")) == ["left alone"]
    assert stage.states() == ["left alone"]
    assert nothing()
    (pull,) = stage.open_pulls()
    assert (pull.head, len(pull.comments)) == (commit, 1)
    assert commit in pull.comments[0]
    later = stage.person_commits(BRANCH, {"note": "Mine too\n"})
    stage.run(update("nginx", "4"))
    assert [later in comment for comment in stage.open_pulls()[0].comments] == [False, True]


def test_a_run_killed_anywhere_is_finished_by_the_next_one(
    forge_server: Callable[[str], FakeForge], tmp_path: Path
) -> None:
    def make(name: str) -> Stage:
        settings = Settings(labels=("deps",), reviewers=("ada",), security="apart")
        stage = begin(forge_server("forgejo"), tmp_path / name, settings)
        # Each push over http takes a tenth of a second, and there are many.
        git(stage.root, "remote", "set-url", "origin", str(stage.forge.project.root))
        return stage

    before = (update("nginx", "2", "nginx"), update("curl", "2", "curl"))
    after = (update("openssl", "3", "security", security=True), update("nginx", "3", "nginx"))

    def end(stage: Stage) -> object:
        pulls = [
            (pull.title, pull.branch, pull.body, pull.state, pull.labels, pull.reviewers, pull.comments)
            for pull in stage.forge.pulls
        ]
        return pulls, stage.branches()

    undisturbed = make("undisturbed")
    undisturbed.run(*before)
    undisturbed.run(*after)
    for lives in range(40):
        stage = make(f"fleet-{lives}")
        stage.run(*before)
        try:
            stage.run(*after, lives=lives)
            break
        except KilledError:
            stage.run(*after)
        assert end(stage) == end(undisturbed), lives
        nothing = quiet(stage)
        assert stage.states(*after) == ["unchanged", "unchanged"]
        assert nothing()
    assert lives == 9, "close, delete; push, open, label, review, write; push, write"


def test_automerge_merges_what_passed_one_a_run_and_rebuilds_the_others(make: Make) -> None:
    stage = make(automerge="all")
    first, second = update("nginx", "2", "nginx"), update("openssl", "2", "openssl")
    stage.run(first, second)
    assert [str(outcome).partition(": ")[2] for outcome in stage.run(first, second)] == [
        "to be merged: no check has reported on it"
    ] * 2
    for pull in stage.open_pulls():
        stage.forge.project.check(pull.head, "test", "success")
    assert stage.states(first, second) == ["merged", "waits"]
    assert [pull.state for pull in stage.forge.pulls] == ["merged", "open"]
    assert stage.states(second) == ["deleted", "refreshed"]
    assert stage.states(second) == ["waits"]


@pytest.mark.parametrize(("check", "words"), [("failure", "have failed"), ("in_progress", "are running")])
def test_what_has_not_passed_is_not_merged(make: Make, check: str, words: str) -> None:
    stage = make(automerge="all")
    stage.run(update("nginx", "2"))
    stage.forge.project.check(stage.open_pulls()[0].head, "test", check)
    (outcome,) = stage.run(update("nginx", "2"))
    assert (outcome.state, words in outcome.why) == ("waits", True)


def test_security_alone_is_merged_where_that_is_asked_for(make: Make) -> None:
    stage = make(automerge="security", security="apart")
    urgent, other = update("openssl", "2", "security", security=True), update("nginx", "2")
    stage.run(urgent, other)
    for pull in stage.open_pulls():
        stage.forge.project.check(pull.head, "test", "success")
    assert stage.states(urgent, other) == ["merged", "unchanged"]


def test_the_limit_holds_and_what_is_closed_makes_room(make: Make) -> None:
    stage = make(limit=1)
    first, second = update("nginx", "2", "nginx"), update("openssl", "2", "openssl")
    assert stage.states(first, second) == ["opened", "waits"]
    assert f"{BRANCH}-openssl" not in stage.branches()
    assert stage.states(second) == ["closed", "opened"]


def test_groups_that_are_cut_anew_say_where_they_went(make: Make) -> None:
    stage = make()
    stage.run(update("nginx", "2", "nginx"))
    assert stage.states(update("nginx", "2")) == ["closed", "opened"]
    assert stage.forge.pulls[0].body.startswith(f"**Now part of `{BRANCH}`.**")
    assert list(stage.branches()) == [BRANCH]


def test_outside_the_schedule_security_that_is_apart_does_not_wait(make: Make) -> None:
    stage = make(schedule="* 1-5 * * 2", security="apart")
    both = (update("openssl", "2", "security", security=True), update("nginx", "2"))
    assert stage.states(*both) == ["opened", "waits"]
    assert stage.states(*both, now=True) == ["unchanged", "opened"]


def test_one_that_the_forge_refuses_is_told_and_holds_back_no_other(make: Make) -> None:
    stage = make(reviewers=["nobody-of-that-name"])
    outcomes = stage.run(update("nginx", "2", "nginx"), update("openssl", "2", "openssl"))
    assert [outcome.state for outcome in outcomes] == ["failed", "failed"]
    assert [pull.branch for pull in stage.open_pulls()] == [f"{BRANCH}-nginx", f"{BRANCH}-openssl"]
    stage.settings = Settings(reviewers=("ada",))
    assert stage.states(update("nginx", "2", "nginx"), update("openssl", "2", "openssl")) == ["refreshed"] * 2
    assert [pull.reviewers for pull in stage.open_pulls()] == [["ada"], ["ada"]]


def test_a_branch_of_that_name_in_a_fork_is_nobody_s_business(make: Make) -> None:
    stage = make()
    stage.forge.project.open_from_fork(BRANCH)
    assert stage.states(update("nginx", "2")) == ["opened"]
    assert stage.forge.pulls[0].title == "From a fork"
    assert stage.states(update("nginx", "2")) == ["unchanged"]


def test_a_base_that_moved_while_updates_were_looked_for_is_noticed(make: Make) -> None:
    stage = make()
    looked_at = stage.forge.project.git("rev-parse", "main")
    stage.person_commits("main", {"README": "Hello\n"})
    nothing = quiet(stage)
    with pytest.raises(UserError, match="main moved while"):
        stage.run(update("nginx", "2"), base=looked_at)
    assert nothing()
