"""What is decided about branches and pull requests, from plain values alone."""

from dataclasses import replace

import pytest

from gitops.fleet.updates import Updates as Settings
from gitops.forge.pull_request import Checks, PullRequest, State
from gitops.git.repository import Commit
from gitops.updates import marker
from gitops.updates.decide import decide
from gitops.updates.steps import (
    Close,
    Delete,
    Label,
    Merge,
    Open,
    Plan,
    Push,
    Review,
    Say,
    Seen,
    Step,
    Wanted,
    Write,
)

BRANCH = "gitops/updates"
SEEN = Seen("main", "b" * 40)
PERSON = Commit("e" * 40, "Ada <ada@example.org>", "Wait")


def want(version: str = "2", branch: str = BRANCH, **more: bool) -> Wanted:
    return Wanted(
        branch,
        f"{version:a>40}",
        f"nginx 1 → {version}",
        "The body.",
        marker.digests({f"nginx={version}"}),
        **more,
    )


def pull(
    update: Wanted, number: int = 1, state: State = "open", *, opening: bool = False, base: str = "main"
) -> PullRequest:
    body = marker.signed(update.title, update.body, update.contents, opening=opening)
    url = f"https://git.example.org/{number}"
    return PullRequest(number, update.branch, base, update.commit, update.title, body, state, url)


def proposed(*updates: Wanted) -> Seen:
    """Give how it looks when all is as it should be."""
    return replace(
        SEEN,
        tips={update.branch: update.commit for update in updates},
        open=tuple(pull(update, number) for number, update in enumerate(updates, start=1)),
    )


def plans(
    *wanted: Wanted, seen: Seen = SEEN, settings: Settings | None = None, in_time: bool = True
) -> tuple[Plan, ...]:
    return decide(wanted, seen, settings or Settings(), in_time=in_time)


def plan(*wanted: Wanted, seen: Seen = SEEN, settings: Settings | None = None, in_time: bool = True) -> Plan:
    (only,) = plans(*wanted, seen=seen, settings=settings, in_time=in_time)
    return only


def kinds(steps: tuple[Step, ...]) -> list[type[Step]]:
    return [type(step) for step in steps]


def test_nothing_wanted_and_nothing_there_is_nothing_to_do() -> None:
    assert plans() == ()


def test_something_new_is_pushed_and_opened() -> None:
    update = want()
    found = plan(update)
    assert found.state == "opened"
    assert found.steps[0] == Push(update.commit, None)
    assert kinds(found.steps) == [Push, Open]


def test_labels_and_reviewers_come_before_the_final_body() -> None:
    found = plan(want(), settings=Settings(labels=("deps",), reviewers=("ada",)))
    assert kinds(found.steps) == [Push, Open, Label, Review, Write]
    opened, written = found.steps[1], found.steps[-1]
    assert isinstance(opened, Open)
    assert isinstance(written, Write)
    states = [read.state for step in (opened, written) if (read := marker.read(step.body))]
    assert states == ["opening", "open"]


def test_what_is_as_it_should_be_has_no_steps() -> None:
    update = want()
    assert plan(update, seen=proposed(update)) == Plan(BRANCH, "unchanged", pull=pull(update))


def test_something_newer_moves_the_branch_from_where_it_was_and_rewrites_the_text() -> None:
    old, new = want(), want("3")
    found = plan(new, seen=proposed(old))
    assert found.state == "refreshed"
    assert found.steps[0] == Push(new.commit, old.commit)
    assert kinds(found.steps) == [Push, Write]


def test_a_run_that_died_is_finished_from_wherever_it_was() -> None:
    update, settings = want(), Settings(labels=("deps",), reviewers=("ada",))
    pushed = replace(SEEN, tips={BRANCH: update.commit})
    assert kinds(plan(update, seen=pushed, settings=settings).steps) == [Open, Label, Review, Write]
    opened = replace(pushed, open=(pull(update, opening=True),))
    assert kinds(plan(update, seen=opened, settings=settings).steps) == [Label, Review, Write]


def test_what_a_person_wrote_into_title_or_body_stays() -> None:
    update = want()
    edited = replace(pull(update), title=f"Draft: {update.title}", body=f"Note.\n{pull(update).body}")
    assert plan(update, seen=replace(proposed(update), open=(edited,))).state == "unchanged"


def test_what_a_person_closed_stays_closed_until_something_newer() -> None:
    update = want()
    seen = replace(SEEN, last={BRANCH: pull(update, state="closed")})
    assert (plan(update, seen=seen).state, plan(update, seen=seen).steps) == ("declined", ())
    rebuilt = replace(update, commit="c" * 40, body="Another body.")
    assert plan(rebuilt, seen=seen).state == "declined"
    assert plan(want("3"), seen=seen).state == "opened"


def test_a_part_of_what_a_person_closed_is_not_newer() -> None:
    both = replace(want(), contents=marker.digests({"nginx=2", "openssl=3"}))
    seen = replace(SEEN, last={BRANCH: pull(both, state="closed")})
    assert plan(want(), seen=seen).state == "declined"


def test_one_closed_by_a_person_who_took_the_marker_away_stays_closed_too() -> None:
    closed = replace(pull(want(), state="closed"), body="no")
    assert plan(want(), seen=replace(SEEN, last={BRANCH: closed})).state == "declined"
    assert plan(want("3"), seen=replace(SEEN, last={BRANCH: closed})).state == "opened"


def test_what_the_bot_closed_itself_or_what_was_merged_may_be_proposed_again() -> None:
    ours = replace(pull(want(), state="closed"), body=marker.closed("Withdrawn.", "The body."))
    merged = pull(want(), state="merged")
    for last in (ours, merged):
        assert plan(want(), seen=replace(SEEN, last={BRANCH: last})).state == "opened"


def test_a_person_s_commit_is_told_once_and_nothing_else_is_done() -> None:
    seen = replace(proposed(want()), tips={BRANCH: PERSON.identity}, people={BRANCH: PERSON})
    found = plan(want("3"), seen=seen, in_time=False)
    assert found.state == "left alone"
    (comment,) = found.steps
    assert isinstance(comment, Say)
    assert marker.about(PERSON.identity) in comment.text
    again = plan(want("3"), seen=replace(seen, told=frozenset({PERSON.identity})))
    assert (again.state, again.steps) == ("left alone", ())
    assert "Ada" in again.why
    assert [each.state for each in plans(seen=seen)] == ["left alone"]


def test_a_person_s_commit_that_was_merged_is_not_in_the_way() -> None:
    merged = replace(pull(want(), state="merged"), head=PERSON.identity)
    seen = replace(SEEN, tips={BRANCH: PERSON.identity}, people={BRANCH: PERSON}, last={BRANCH: merged})
    assert plan(want("3"), seen=seen).steps[0] == Push(want("3").commit, PERSON.identity)


def test_a_person_s_branch_that_only_looks_like_ours_is_no_business_of_the_bot() -> None:
    theirs = replace(pull(want(branch=f"{BRANCH}-docs")), body="Mine.")
    seen = replace(
        SEEN,
        tips={theirs.branch: PERSON.identity},
        people={theirs.branch: PERSON},
        open=(theirs,),
    )
    assert plans(seen=seen) == ()


@pytest.mark.parametrize(
    ("locked", "words"),
    [
        ({"nginx=2", "openssl=3"}, "Landed: `main` has it"),
        ({"nginx=1"}, "No longer offered"),
    ],
)
def test_what_is_not_wanted_any_more_is_closed_with_a_word_of_why(locked: set[str], words: str) -> None:
    seen = replace(proposed(want()), locked=marker.digests(locked))
    found = plan(seen=seen)
    close, delete = found.steps
    assert isinstance(close, Close)
    assert close.body.startswith(f"**{words}")
    assert words in found.why
    assert delete == Delete(want().commit)


def test_what_goes_into_another_branch_is_closed_and_named() -> None:
    old, new = want(branch=f"{BRANCH}-nginx"), want()
    first, second = plans(new, seen=proposed(old))
    assert (first.state, first.why) == ("closed", f"Now part of `{BRANCH}`.")
    assert second.state == "opened"


def test_a_branch_that_is_left_over_is_removed() -> None:
    found = plan(seen=replace(SEEN, tips={BRANCH: want().commit}))
    assert (found.state, found.steps) == ("deleted", (Delete(want().commit),))


def test_a_pull_request_into_another_base_is_closed_and_opened_anew() -> None:
    update = want()
    seen = replace(proposed(update), open=(pull(update, base="trunk"),))
    closed, opened = plans(update, seen=seen)
    assert (kinds(closed.steps), kinds(opened.steps)) == ([Close], [Open])


def test_the_limit_counts_what_is_open_and_what_comes_first_gets_the_last_place() -> None:
    first, second, third = (want(branch=f"{BRANCH}-{name}") for name in "abc")
    settings = Settings(limit=2)
    assert [each.state for each in plans(first, second, third, settings=settings)] == [
        *("opened", "opened", "waits")
    ]
    found = plans(first, second, third, seen=proposed(third), settings=settings)
    assert [each.state for each in found] == ["opened", "waits", "unchanged"]
    assert "2 are open" in found[1].why


def test_what_is_closed_makes_room_in_the_same_run() -> None:
    old, new = want(branch=f"{BRANCH}-old"), want()
    found = plans(new, seen=proposed(old), settings=Settings(limit=1))
    assert [each.state for each in found] == ["closed", "opened"]


def test_outside_the_schedule_nothing_is_proposed_but_what_ended_is_closed() -> None:
    urgent, later = want(branch=f"{BRANCH}-security", waits=False), want("3")
    seen = proposed(want(), want(branch=f"{BRANCH}-old"))
    found = plans(urgent, later, seen=seen, in_time=False)
    assert [each.state for each in found] == ["closed", "opened", "waits"]
    assert found[2].steps == ()
    assert plan(want(), seen=proposed(want()), in_time=False).state == "unchanged"


@pytest.mark.parametrize(
    ("checks", "state"),
    [("passed", "merged"), ("none", "waits"), ("running", "waits"), ("failed", "waits")],
)
def test_automerge_waits_for_checks_that_passed(checks: Checks, state: str) -> None:
    update = want(merges=True)
    seen = replace(proposed(update), checks={BRANCH: checks})
    found = plan(update, seen=seen)
    assert (found.state, found.steps) == (
        state,
        (Merge(update.commit),) if checks == "passed" else (),
    )


def test_what_is_pushed_in_this_run_is_not_merged_in_it() -> None:
    update = want("3", merges=True)
    seen = replace(proposed(want()), checks={BRANCH: "passed"})
    assert kinds(plan(update, seen=seen).steps) == [Push, Write]
    late = replace(proposed(update), open=(replace(pull(update), head="f" * 40),), checks={BRANCH: "passed"})
    assert plan(update, seen=late).steps == ()


def test_one_is_merged_a_run_for_the_others_were_checked_on_another_base() -> None:
    first, second = (want(branch=f"{BRANCH}-{name}", merges=True) for name in "ab")
    seen = replace(proposed(first, second), checks={first.branch: "passed", second.branch: "passed"})
    assert [each.state for each in plans(first, second, seen=seen)] == ["merged", "waits"]


def test_without_a_forge_branches_are_all_there_is() -> None:
    seen = replace(SEEN, forge=False)
    found = plan(want(), seen=seen)
    assert (found.state, kinds(found.steps)) == ("pushed", [Push])
    there = replace(seen, tips={BRANCH: want().commit, f"{BRANCH}-old": "d" * 40})
    assert [each.state for each in plans(want(), seen=there)] == ["deleted", "unchanged"]
    limited = plans(want(), want(branch=f"{BRANCH}-a"), seen=seen, settings=Settings(limit=1))
    assert [each.state for each in limited] == ["pushed", "waits"]
