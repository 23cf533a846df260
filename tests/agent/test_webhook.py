"""Who may ring: signatures as each forge makes them, and nothing else."""

import hmac
import socket
import time
import urllib.error
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gitops.agent.doorbell import LARGEST, Doorbell
from gitops.agent.settings import Webhook
from gitops.agent.webhook import KINDS, WINDOW, Deliveries
from gitops.system.errors import UserError
from gitops.system.places import Places

SECRET = b"It's a Secret to Everybody"
BODY = b"Hello, World!"
NOW = 1_700_000_000.0
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def github(body: bytes = BODY, secret: bytes = SECRET) -> dict[str, str]:
    return {"x-hub-signature-256": f"sha256={hmac.digest(secret, body, 'sha256').hex()}"}


def forgejo(body: bytes = BODY, secret: bytes = SECRET) -> dict[str, str]:
    return {"x-forgejo-signature": hmac.digest(secret, body, "sha256").hex()}


def gitlab(identity: str = "msg_1", at: float = NOW, body: bytes = BODY) -> dict[str, str]:
    signed = hmac.digest(b64decode(KEY[6:]), f"{identity}.{at:.0f}.".encode() + body, "sha256")
    return {
        "webhook-id": identity,
        "webhook-timestamp": f"{at:.0f}",
        "webhook-signature": f"v1,{b64encode(bytes(32)).decode()} v1,{b64encode(signed).decode()}",
    }


def judge(headers: dict[str, str], *, secret: bytes = SECRET, body: bytes = BODY) -> int:
    return Deliveries(tuple(KINDS)).judge(headers, body, secret, NOW)


def test_githubs_own_example_is_taken() -> None:
    """The values stand in GitHub's documentation, "Validating webhook deliveries"."""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert judge({"x-hub-signature-256": signature}) == 202


def test_each_forges_signature_is_taken() -> None:
    assert judge(github()) == 202
    assert judge(forgejo()) == 202
    assert judge({"x-gitea-signature": forgejo()["x-forgejo-signature"]}) == 202
    assert judge({"x-gitlab-token": SECRET.decode()}) == 202
    assert judge(gitlab(), secret=KEY.encode()) == 202


@pytest.mark.parametrize(
    "headers",
    [
        {},
        github(secret=b"another secret"),
        github(body=b"another body"),
        forgejo(secret=b"another secret"),
        {"x-hub-signature-256": "sha256="},
        {"x-hub-signature-256": "sha256=ü"},
        {"x-hub-signature": "sha1=0"},
        {"x-gitlab-token": ""},
        {"x-gitlab-token": "It's a Secret to Everybod"},
        {"x-gitlab-token": SECRET.decode(), "webhook-signature": "v1,x"},
    ],
)
def test_what_is_not_signed_with_the_secret_is_refused(headers: dict[str, str]) -> None:
    assert judge(headers) == 403


def test_a_delivery_counts_once_and_a_signed_time_only_within_its_window() -> None:
    deliveries = Deliveries(tuple(KINDS))
    for headers, secret in ((github(), SECRET), (forgejo(), SECRET), (gitlab(), KEY.encode())):
        assert deliveries.judge(headers, BODY, secret, NOW) == 202
        assert deliveries.judge(headers, BODY, secret, NOW + 10) == 200
        # What identifies a delivery and is not signed does not make an old one new.
        other = {**headers, "x-github-delivery": "2", "x-forgejo-delivery": "2"}
        assert deliveries.judge(other, BODY, secret, NOW + 20) == 200
    for at in (NOW - WINDOW - 1, NOW + WINDOW + 1):
        assert deliveries.judge(gitlab("msg_2", at), BODY, KEY.encode(), NOW) == 403
    moved = {**gitlab("msg_3", NOW - WINDOW - 1), "webhook-timestamp": f"{NOW:.0f}"}
    assert deliveries.judge(moved, BODY, KEY.encode(), NOW) == 403


def test_only_the_kinds_that_were_asked_for_are_taken() -> None:
    assert Deliveries(("github",)).judge({"x-gitlab-token": SECRET.decode()}, BODY, SECRET, NOW) == 403


def test_what_is_remembered_is_bounded() -> None:
    deliveries = Deliveries(("github",))
    for number in range(5000):
        body = str(number).encode()
        assert deliveries.judge(github(body), body, SECRET, NOW) == 202
    assert len(deliveries._seen) <= 4096  # noqa: SLF001  # that it stays small is the promise


@dataclass
class Rung:
    """A doorbell of one test's own, and how often it rang."""

    address: str
    secret: Path
    times: list[float] = field(default_factory=list)

    def post(self, headers: dict[str, str], body: bytes = BODY) -> int:
        request = urllib.request.Request(self.address, body, headers)  # noqa: S310  # our own server
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code


@pytest.fixture
def rung(tmp_path: Path) -> Iterator[Rung]:
    places = Places(*(tmp_path / name for name in ("config", "state", "cache", "runtime", "cron")))
    places.config.mkdir()
    secret = places.config / "secret"
    secret.write_bytes(SECRET + b"\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = Rung(f"http://127.0.0.1:{port}/", secret)
    webhook = Webhook(listen=f"127.0.0.1:{port}", secret_file=str(secret))
    with Doorbell(webhook, places, lambda: made.times.append(time.monotonic())) as server:
        yield made
        server.shutdown()


def test_a_signed_post_rings_and_any_other_does_not(rung: Rung) -> None:
    assert rung.post(github()) == 202
    assert rung.post(github()) == 200
    assert rung.post(github(secret=b"wrong")) == 403
    assert len(rung.times) == 1
    rung.secret.write_bytes(b"a new secret, which counts at once")
    assert rung.post(github(secret=b"a new secret, which counts at once")) == 202


def test_what_is_too_large_or_has_no_length_is_not_read(rung: Rung) -> None:
    port = int(rung.address.split(":")[2].strip("/"))
    for header, status in (
        (f"Content-Length: {LARGEST + 1}", b"413"),
        ("Content-Length: 99999999999999999999999999", b"413"),
        ("Content-Length: -1", b"411"),
        ("Transfer-Encoding: chunked", b"411"),
        ("X: y", b"411"),
    ):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
            assert client.recv(64).split()[1] == status
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(64).split()[1] == b"501"
    assert rung.times == []


def test_clients_that_never_end_hold_up_nobody(rung: Rung, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitops.agent.server._PATIENCE", 0.5)
    port = int(rung.address.split(":")[2].strip("/"))
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
    for number, client in enumerate(clients):
        client.sendall(b"POST / HTTP/1.1\r\n" + (b"Content-Length: 10\r\n\r\nx" if number % 2 else b"X"))
    for client in clients:
        while client.recv(1024):  # until it is hung up on
            pass
        client.close()
    assert rung.post(github()) == 202


def test_a_secret_that_is_too_short_is_none(tmp_path: Path) -> None:
    places = Places(*[tmp_path] * 5)
    short = tmp_path / "secret"
    short.write_text("short")
    with pytest.raises(UserError, match="shorter than"):
        Doorbell(Webhook(secret_file=str(short)), places, lambda: None)
