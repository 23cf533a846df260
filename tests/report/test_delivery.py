"""Notices reach people through real servers, each once, and wait for those that are away."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.message import Message as PlainMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from gitops.report.delivery import Rules, deliver
from gitops.report.notices import Notice, outbox, tell
from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.locks import exclusive
from gitops.system.places import Places
from gitops.system.places import places as the_places
from tests.report.receiver import Receiver, receiving

# Apprise loads all that it can talk to, and with it what some of that has not put behind itself yet.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path))
    made = the_places()
    write(made.state / "host", "web1\n")
    return made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def _url(text: str) -> Callable[[], str]:
    return lambda: text


def _again(places: Places) -> list[Notice]:
    """Let what waits be due now; give it."""
    for one in outbox(places):
        one.path.write_text(one.path.read_text().replace(f'"due": "{one.due}"', '"due": ""'))
    return outbox(places)


def test_a_notice_is_delivered_once(places: Places, receiver: Receiver) -> None:
    tell(places, "job alice/wp-cron failed", "exit status 3\n\nno <b>space</b> & *left*", good=False)
    receivers = {"ops": _url(receiver.url)}
    assert deliver(places, receivers) == deliver(places, receivers) == []
    (got,) = receiver.got
    assert (got["title"], got["type"]) == ("web1: job alice/wp-cron failed", "failure")
    assert got["message"].endswith("Z\nexit status 3\n\nno <b>space</b> & *left*")
    assert outbox(places) == []


def test_it_goes_by_mail(places: Places) -> None:
    class Keep(Message):
        def handle_message(self, message: PlainMessage) -> None:
            mails.append(message_from_bytes(bytes(message), policy=policy.default))

    mails: list[EmailMessage] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    controller = Controller(Keep(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        tell(places, "job alice/wp-cron failed", "exit status 3\n\nno <b>space</b> & *left*", good=False)
        url = f"mailto://127.0.0.1:{port}?from=gitops@example.org&to=ops@example.org&format=text"
        assert deliver(places, {"mail": _url(url)}) == []
    finally:
        controller.stop()
    (mail,) = mails
    assert mail["subject"] == "web1: job alice/wp-cron failed"
    assert "no <b>space</b> & *left*" in mail.as_string()


def test_who_is_away_is_told_later_and_the_others_only_once(places: Places, receiver: Receiver) -> None:
    with receiving() as away:
        away.status = 503
        tell(places, "hello", "", good=True)
        receivers = {"ops": _url(receiver.url), "night": _url(away.url)}
        (problem,) = deliver(places, receivers)
        assert problem.startswith("night cannot be told: ")
        assert "503" in problem
        (waiting,) = outbox(places)
        assert (waiting.left, waiting.tries) == (("night",), 1)
        assert deliver(places, receivers) == []  # not before its time
        away.status = 200
        _again(places)
        assert deliver(places, receivers) == []
        assert (receiver.titles, away.titles) == (["web1: hello"], ["web1: hello"])
    assert outbox(places) == []


def test_who_is_not_told_any_more_is_not_waited_for(places: Places, receiver: Receiver) -> None:
    receiver.status = 500
    tell(places, "hello", "", good=True)
    assert deliver(places, {"ops": _url(receiver.url)})
    _again(places)
    assert deliver(places, {}) == []
    assert outbox(places) == []


def test_what_comes_together_is_told_together_in_its_order(places: Places, receiver: Receiver) -> None:
    for number in range(70):
        tell(places, f"job i{number}/tidy failed", f"tail {number}", good=number % 2 == 0)
    assert deliver(places, {"ops": _url(receiver.url)}) == []
    assert receiver.titles == [
        "web1: job i1/tidy failed, and 29 more",  # what went well is not what comes first
        "web1: job i31/tidy failed, and 29 more",
        "web1: job i61/tidy failed, and 9 more",
    ]
    first = receiver.got[0]["message"]
    assert [f"i{number}/" in first for number in (0, 29, 30)] == [True, True, False]
    assert first.index("job i28/tidy failed\n") < first.index("--- web1: job i0/tidy failed\ntail 0\n")
    assert receiver.got[0]["type"] == "failure"


def test_no_secret_is_told_or_kept_anywhere(places: Places, receiver: Receiver) -> None:
    receiver.status = 403
    tell(places, "job failed", "connecting as root:hunter22", good=False)
    clean = str.replace
    problems = deliver(places, {"ops": _url(receiver.url)}, lambda text: clean(text, "hunter22", "***"))
    kept = "".join(path.read_text() for path in (places.state / "outbox").iterdir())
    for part in ("pass-w0rd", "t0ken", receiver.url):
        assert part not in f"{problems}{kept}"
    receiver.status = 200
    _again(places)
    deliver(places, {"ops": _url(receiver.url)}, lambda text: clean(text, "hunter22", "***"))
    assert receiver.got[0]["message"].endswith("connecting as root:***")


@pytest.mark.parametrize("url", ["", "nonsense", "nonsense://x", "json://"])
def test_what_is_no_url_is_said_without_saying_what_it_is(places: Places, url: str) -> None:
    tell(places, "hello", "", good=True)
    assert deliver(places, {"ops": _url(url)}) == [
        "ops cannot be told: its secret holds no URL that Apprise understands"
    ]
    assert len(outbox(places)) == 1


def test_a_secret_that_this_host_cannot_read_is_said(places: Places) -> None:
    def refuse() -> str:
        raise UserError("ops.age is not encrypted for this host")

    tell(places, "hello", "", good=True)
    assert deliver(places, {"ops": refuse}) == ["ops cannot be told: ops.age is not encrypted for this host"]


def test_a_server_that_never_answers_does_not_keep_the_others_waiting_forever(
    places: Places, receiver: Receiver
) -> None:
    tell(places, "hello", "", good=True)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"json://127.0.0.1:{silent.getsockname()[1]}/?rto=0.5"
        problems = deliver(places, {"silent": _url(url), "ops": _url(receiver.url)})
    assert [one.partition(" cannot")[0] for one in problems] == ["silent"]
    assert receiver.titles == ["web1: hello"]


_DELIVER = """
import sys
from gitops.report.delivery import Rules, deliver
from gitops.system.places import places
deliver(places(), {"ops": lambda: sys.argv[1]})
"""


def test_several_that_deliver_at_once_tell_each_thing_once(places: Places, receiver: Receiver) -> None:
    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", _DELIVER, receiver.url])

    for number in range(40):
        tell(places, f"number {number}", "", good=True)
    several = [start() for _ in range(3)]
    assert [one.wait() for one in several] == [0, 0, 0]
    assert outbox(places) == []
    assert receiver.titles == ["web1: number 0, and 29 more", "web1: number 30, and 9 more"]


def test_who_finds_another_delivering_leaves_it_to_that(places: Places, receiver: Receiver) -> None:
    tell(places, "hello", "", good=True)
    with exclusive(places.runtime / "notify.lock", "the outbox"):
        assert deliver(places, {"ops": _url(receiver.url)}) == []
    assert receiver.got == []
    assert len(outbox(places)) == 1


def test_rules_say_who_hears_of_what(places: Places) -> None:
    with receiving() as ops, receiving() as boss:
        tell(places, "the update openssl waits", "", good=False, kind="update")
        tell(places, "the backup of alice is late", "", good=False, kind="backup-late")
        tell(places, "nobody is to hear of this", "", good=False, kind="drill-failed")
        told = {"update": ["boss"], "backup-late": ["ops", "boss"], "drill-failed": []}
        receivers = {"ops": _url(ops.url), "boss": _url(boss.url)}
        assert deliver(places, receivers, rules=Rules(lambda kind: told[kind], 12)) == []
        assert ops.titles == ["web1: the backup of alice is late"]
        assert boss.titles == ["web1: the update openssl waits, and 1 more"]
    assert outbox(places) == []


def test_too_many_messages_wait_and_then_come_in_one(places: Places, receiver: Receiver) -> None:
    rules, receivers = Rules(lambda _: ["ops"], 2), {"ops": _url(receiver.url)}
    for number in range(5):
        tell(places, f"number {number}", "", good=False, kind="job-failing")
        assert deliver(places, receivers, rules=rules) == []
    assert receiver.titles == ["web1: number 0", "web1: number 1"]
    waiting = outbox(places)
    assert [(one.left, one.tries, one.why) for one in waiting] == [
        (("ops",), 0, "2 messages went out within an hour")
    ] * 3
    tell(places, "this is a test", "", good=True)  # somebody waits for it
    assert deliver(places, receivers, rules=rules) == []
    assert receiver.titles[2:] == ["web1: this is a test"]
    (places.state / "sent.json").unlink()  # as after an hour
    _again(places)
    assert deliver(places, receivers, rules=rules) == []
    assert receiver.titles[3:] == ["web1: number 2, and 2 more"]
    assert outbox(places) == []
