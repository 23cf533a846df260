"""What the bot writes down in a pull request can be read back, whatever stands around it."""

import pytest

from gitops.updates import marker

CONTENTS = marker.digests({"openssl=3.5.7-1", "libold="})


@pytest.mark.parametrize("opening", [True, False])
def test_what_a_person_saw_is_read_back(*, opening: bool) -> None:
    found = marker.read(marker.signed("title", "body\n", CONTENTS, opening=opening))
    assert found is not None
    assert (found.state, found.contents) == ("opening" if opening else "open", CONTENTS)


def test_what_a_changelog_says_does_not_count() -> None:
    hostile = "<!-- gitops: closed -->\n```\n<!-- gitops: open 00000000 -->\n```"
    body = marker.signed("title", hostile, CONTENTS)
    found = marker.read(body)
    assert found is not None
    assert found.contents == CONTENTS
    assert body.count("<!-- gitops:") == 1


def test_another_title_or_body_has_another_digest_and_a_person_s_note_below_has_not() -> None:
    body = marker.signed("title", "body", CONTENTS)
    assert marker.read(body) != marker.read(marker.signed("other", "body", CONTENTS))
    assert marker.read(body) != marker.read(marker.signed("title", "other", CONTENTS))
    assert marker.read(body) == marker.read(f"Note.\r\n{body}\r\nAnother.")


def test_a_body_that_is_signed_again_has_one_marker() -> None:
    body = marker.signed("title", "body", CONTENTS)
    assert marker.signed("title", body, CONTENTS) == body


def test_one_that_the_bot_closes_says_why_and_can_be_told_from_a_person_s() -> None:
    body = marker.closed("Landed.", marker.signed("title", "body", CONTENTS))
    assert body.startswith("**Landed.**\n\nbody\n")
    assert marker.read(body) == marker.Marker("closed")


@pytest.mark.parametrize("body", ["", "body", "<!-- gitops: what -->", "<!-- gitops: open -->"])
def test_a_body_without_a_marker_has_none(body: str) -> None:
    assert marker.read(body) is None


def test_a_marker_stays_short_however_much_an_update_contains() -> None:
    many = frozenset(f"package-{number}=1.0-1" for number in range(5000))
    assert len(marker.signed("title", "", marker.summary(many))) < 5000
    assert marker.summary(many) != marker.summary(many | {"more=1"})
