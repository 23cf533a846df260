"""What may stand under `updates`: each mistake is told in words that say how it is meant."""

import pytest
from pydantic import ValidationError

from gitops.fleet.updates import Updates

NAMED = {"reason": "breaks logins"}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"hold": [NAMED]}, "write exactly one of package, source, image"),
        (
            {"hold": [{**NAMED, "package": "curl", "image": "web"}]},
            "write exactly one of package, source, image",
        ),
        ({"hold": [{"package": "curl"}]}, "Field required"),
        ({"hold": [{**NAMED, "package": "curl", "until": "soon"}]}, "valid date"),
        ({"ignore": [{**NAMED, "version": "1-1"}]}, "write exactly one of package, source"),
        ({"ignore": [{**NAMED, "package": "curl", "version": "1 1"}]}, "must be a Debian version"),
        ({"timezone": "Mars/Olympus"}, "write one as Europe/Berlin or UTC"),
        ({"timezone": "../../etc/passwd"}, "write one as Europe/Berlin or UTC"),
        ({"schedule": "at night"}, "write five fields, as in crontab"),
        ({"schedule": "@daily"}, "is one minute; write five fields"),
        ({"limit": 0}, "greater than or equal to 1"),
        ({"automerge": "security"}, "needs security: apart"),
        ({"committer": "gitops"}, "must be NAME <ADDRESS>"),
        ({"branch": "-x"}, "must be the name of a branch"),
        ({"forge": {"address": "https://token@forge.example.org"}}, "must be an address that begins with"),
    ],
)
def test_a_mistake_is_told_in_words_that_help(written: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Updates.model_validate(written)


def test_a_policy_may_use_all_of_it() -> None:
    policy = Updates.model_validate(
        {
            "group": "source",
            "security": "apart",
            "automerge": "security",
            "schedule": "* 1-5 * * 1-5",
            "timezone": "Europe/Berlin",
            "hold": [{**NAMED, "source": "php*", "until": "2027-03-31"}],
            "ignore": [{**NAMED, "package": "curl", "version": "1:8.14~rc1-1+deb13u1"}],
            "forge": {"kind": "gitea", "address": "https://forge.example.org", "project": "ops/fleet"},
        }
    )
    assert (policy.hold[0].source, policy.ignore[0].version) == ("php*", "1:8.14~rc1-1+deb13u1")
