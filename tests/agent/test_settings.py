"""What agent.yaml may say, and how it is told what is wrong with it."""

from pathlib import Path

import pytest

from gitops.agent.settings import read_settings, upstreams
from gitops.git.upstream import protocol
from gitops.system.errors import UserError
from gitops.system.places import Places
from tests.agent.server import agent_settings

LEAST = "host: web1\nremotes: [git@git.example.org:fleet.git]\ntrust: unsigned\n"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(*(tmp_path / name for name in ("config", "state", "cache", "runtime", "cron")))
    made.config.mkdir()
    return made


def told(places: Places, text: str) -> list[str]:
    with pytest.raises(UserError) as raised:
        agent_settings(places, text)
    return [str(problem).removeprefix(f"{places.config}/") for problem in raised.value.problems]


def test_the_least_that_can_be_said_follows_main_every_half_minute(places: Places) -> None:
    settings = agent_settings(places, LEAST)
    assert (settings.branch, settings.poll, settings.path, settings.webhook) == ("main", 30, None, None)


def test_without_a_file_the_verb_that_writes_one_is_named(places: Places) -> None:
    with pytest.raises(UserError, match="gitops agent install"):
        read_settings(places)


def test_trust_must_be_decided_and_no_signature_be_said_aloud(places: Places) -> None:
    without = LEAST.replace("trust: unsigned\n", "")
    assert told(places, without)[0].startswith("agent.yaml:1:1: `trust` is missing")
    for trust in ("{}", "{unsigned: true, signers: x}"):
        (message,) = told(places, f"{without}trust: {trust}\n")
        assert message.startswith("agent.yaml:3:8: write `signers`, `keyring` or both; or, aloud")
    assert told(places, f"{without}trust: signed\n")[0].startswith("agent.yaml:3:8: ")


def test_there_is_a_server_to_follow(places: Places) -> None:
    assert told(places, "host: web1\nremotes: []\ntrust: unsigned\n") == [
        "agent.yaml:2:10: `remotes` must not be empty"
    ]


def test_what_is_wrong_is_told_with_its_place_and_the_nearest_right_word(places: Places) -> None:
    found = told(places, f"{LEAST}pol: 30s\ntimeout: soon\nwebhook: {{listen: 'x:1', secret_file: s}}\n")
    assert found[0].startswith("agent.yaml:4:1: unknown key `pol`\n  did you mean `poll`?")
    assert found[1].startswith("agent.yaml:5:10: 'soon' is not a duration")
    assert found[2].startswith("agent.yaml:6:19: 'x:1' is not ADDRESS:PORT")


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/x",
        "git://git.example.org/fleet.git",
        "ftp://git.example.org/fleet.git",
        "-oProxyCommand=x:y",
        "--upload-pack=x",
        "https://user:password@git.example.org/fleet.git",
        "https://token@git.example.org/fleet.git",
        "ssh://git:password@git.example.org/fleet.git",
        "ssh://-oProxyCommand=x/fleet.git",
        "relative/fleet.git",
        "https://",
        "git@git.example.org::fleet",
    ],
)
def test_only_plain_urls_of_known_protocols_without_passwords_are_taken(places: Places, url: str) -> None:
    (message,) = told(places, LEAST.replace("git@git.example.org:fleet.git", f"'{url}'"))
    assert message.startswith("agent.yaml:2:")
    assert "password@" not in message


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://git.example.org/fleet.git", "https"),
        ("ssh://git@git.example.org:2222/fleet.git", "ssh"),
        ("git@git.example.org:team/fleet.git", "ssh"),
        ("git.example.org:fleet.git", "ssh"),
        ("/srv/git/fleet.git", "file"),
        ("file:///srv/git/fleet.git", "file"),
    ],
)
def test_each_way_of_naming_a_repository_is_one_protocol(url: str, kind: str) -> None:
    assert protocol(url) == kind


def test_files_that_others_may_change_or_read_are_refused(places: Places) -> None:
    signers, token = places.config / "signers", places.config / "token"
    remote = "{url: 'https://x.example.org/f', token_file: token}"
    text = f"host: web1\nremotes: [{remote}]\ntrust: {{signers: signers}}\n"
    assert told(places, text) == [
        f"agent.yaml:3:18: {signers} cannot be read: No such file or directory",
        f"agent.yaml:2:56: {token} cannot be read: No such file or directory",
    ]
    signers.write_text("")
    token.write_text("t0ken\n")
    signers.chmod(0o666)
    assert "can be changed by others" in told(places, text)[0]
    signers.chmod(0o644)
    assert "can be read by others" in told(places, text)[0]
    token.chmod(0o600)
    (upstream,) = upstreams(agent_settings(places, text), places)
    assert upstream.token == "t0ken"  # noqa: S105  # the test's own
    assert "t0ken" not in repr(upstream)


def test_what_nobody_signed_may_not_come_by_a_protocol_that_proves_nothing(places: Places) -> None:
    plain = LEAST.replace("git@git.example.org:fleet.git", "http://git.example.org/fleet.git")
    assert "http proves nothing" in told(places, plain)[0]


def test_ssh_uses_the_hosts_key_and_known_hosts_alone(places: Places) -> None:
    (places.config / "deploy.key").write_text("")
    (upstream,) = upstreams(agent_settings(places, LEAST), places)
    assert f"-i {places.config}/deploy.key" in upstream.ssh
    assert "StrictHostKeyChecking=yes" in upstream.ssh
    assert "-F none" in upstream.ssh
