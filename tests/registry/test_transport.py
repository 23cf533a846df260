"""Registries that ask who we are in every way there is, and servers that mean no good."""

import base64
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from gitops.registry import credentials
from gitops.registry.address import parse
from gitops.registry.registry import Registry, connect
from gitops.registry.transport import AwayError, Patience
from gitops.system.errors import UserError
from tests.images.fleets import places_below
from tests.registry_fixtures import RegistryServer, free_port, make_certificates

HASTE = Patience(attempts=3, first_wait=0.01, longest_wait=1, answer_within=1, largest=1 << 20)
Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Serve on loopback, without TLS; give HOST:PORT."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def do_POST(self) -> None:
            answer(self)

        def do_HEAD(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def say(handler: BaseHTTPRequestHandler, status: int, body: object, **headers: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


@contextmanager
def reach(answer: Answer, tmp_path: Path) -> Iterator[Registry]:
    with serving(answer) as host, connect(host, places_below(tmp_path), HASTE) as registry:
        yield registry


def test_a_list_in_pages_is_followed_to_its_end_and_no_further(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        page = int(parse_qs(urlsplit(handler.path).query).get("last", ["0"])[0])
        following = f'</v2/web/tags/list?n=2&last={page + 1 if page < 3 else 1}>; rel="next"'
        say(handler, 200, {"name": "web", "tags": [f"t{page}", "-bad tag"]}, Link=following)

    with reach(answer, tmp_path) as registry:
        assert registry.tags("web") == ["t0", "t1", "t2", "t3"]
    assert len(asked) == 4  # the last page names the second again


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "no readable list"),
        (b'{"tags": 7}', "no readable list"),
        (b'{"tags": [7]}', "no readable list"),
        (b"[" * 100_000, "no readable list"),
        (b"x" * (2 << 20), "too long"),
    ],
)
def test_an_answer_that_is_none_is_an_error_and_no_traceback(tmp_path: Path, body: bytes, words: str) -> None:
    made = reach(lambda handler: say(handler, 200, body), tmp_path)
    with made as registry, pytest.raises(UserError, match=words):
        registry.tags("web")


def test_an_answer_that_drips_is_not_waited_for(tmp_path: Path) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.05)

    with reach(answer, tmp_path) as registry, pytest.raises(AwayError, match="took longer than 1 s"):
        registry.tags("web")


def test_nothing_of_ours_goes_where_a_registry_sends_us(tmp_path: Path) -> None:
    got: list[str] = []
    with serving(lambda handler: got.append(handler.path)) as elsewhere:

        def answer(handler: BaseHTTPRequestHandler) -> None:
            where = f"http://{elsewhere}/v2/stolen"
            found = {"GET": 307, "HEAD": 404, "POST": 202}[handler.command]
            say(handler, found, b"", Location=where)

        with reach(answer, tmp_path) as registry:
            with pytest.raises(UserError, match="status 307"):
                registry.tags("web")
            with pytest.raises(UserError, match="sends us to http://127"):
                registry.put_blob("web", b"{}")
    assert got == []


def test_what_fails_for_a_moment_is_asked_again_and_what_wants_an_hour_is_not(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        if handler.path.startswith("/v2/busy/"):
            say(
                handler,
                429,
                {"errors": [{"code": "TOOMANYREQUESTS", "message": "\x1b[31mslow"}]},
                Retry_After="3600",
            )
        else:
            say(handler, 503 if len(asked) < 3 else 200, {"tags": ["one"]})

    with reach(answer, tmp_path) as registry:
        assert registry.tags("web") == ["one"]
        assert len(asked) == 3
        with pytest.raises(AwayError, match=r"TOOMANYREQUESTS: .31mslow") as error:
            registry.tags("busy")
        assert "\x1b" not in str(error.value)
        assert len(asked) == 4


def test_a_password_is_not_sent_without_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="has no host"):
        parse("blogs")
    with pytest.raises(UserError, match="leaves its name out"):
        parse("docker.io/blogs")
    (tmp_path / "password").write_text("secret\n")
    monkeypatch.setenv("GITOPS_REGISTRY_USER", "ci")
    monkeypatch.setenv("GITOPS_REGISTRY_PASSWORD_FILE", str(tmp_path / "password"))
    with serving(lambda handler: say(handler, 200, {"tags": []})) as host:
        port = host.rpartition(":")[2]
        monkeypatch.setattr("gitops.registry.address.Address.loopback", False)
        with (
            connect(f"127.0.0.1:{port}/x", places_below(tmp_path), HASTE) as registry,
            pytest.raises(AwayError),
        ):
            registry.tags("web")


def test_credentials_are_those_of_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places, config = places_below(tmp_path), tmp_path / "etc/docker/config.json"
    config.parent.mkdir(parents=True)
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)

    def found(known: object) -> credentials.Credential | None:
        config.write_text(json.dumps(known))
        return credentials.find("r.example.org", places)

    plain = base64.b64encode(b"ada:pass:word").decode()
    assert found({"auths": {"https://r.example.org/v1/": {"auth": plain}}}) == credentials.Credential(
        "ada", "pass:word"
    )
    assert found({"auths": {"other.example.org": {"auth": plain}}}) is None
    assert found(
        {"auths": {"r.example.org": {"auth": plain, "identitytoken": "t"}}}
    ) == credentials.Credential(token="t")  # noqa: S106
    assert found([]) is None
    for bad in ({"auths": {"r.example.org": {"auth": "%"}}}, {"credsStore": "../sh"}):
        with pytest.raises(UserError):
            found(bad)
    helper = tmp_path / "bin/docker-credential-kept"
    helper.parent.mkdir()
    helper.write_text(
        "#!/bin/sh\nread host\n"
        'case $host in r.example.org) echo \'{"Username": "<token>", "Secret": "t"}\';; '
        "*) echo credentials not found in native keychain; exit 1;; esac\n"
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{helper.parent}:/usr/bin:/bin")
    assert found({"credsStore": "kept"}) == credentials.Credential(token="t")  # noqa: S106
    assert credentials.find("other.example.org", places) is None
    assert "pass" not in repr(credentials.Credential("ada", "pass:word", "token"))


_TOKENS = """\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: '{root}'}}, delete: {{enabled: {delete}}}}}
http: {{addr: '{host}'}}
auth:
  token: {{realm: 'http://REALM/token', service: here, issuer: us, rootcertbundle: '{directory}/server.crt'}}
"""


_LEEWAY = 60
"""Seconds for which Debian's docker-registry takes a token that has expired."""


def token(directory: Path, scopes: list[str], lasts: int) -> str:
    """Sign a token as the specification has it (JWT, RS256), for all that is asked, and for some seconds."""

    def coded(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    der = subprocess.run(
        ["openssl", "x509", "-in", directory / "server.crt", "-outform", "DER"],
        check=True,
        capture_output=True,
    ).stdout
    head = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
    access = [
        {"type": kind, "name": name, "actions": actions.split(",")}
        for kind, name, actions in (scope.split(":") for scope in scopes)
    ]
    now = int(time.time())
    claims = {
        "iss": "us",
        "sub": "ci",
        "aud": "here",
        "exp": now + lasts,
        "nbf": now - 10,
        "iat": now,
        "jti": "1",
    }
    text = f"{coded(json.dumps(head).encode())}.{coded(json.dumps({**claims, 'access': access}).encode())}"
    made = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", directory / "server.key"],
        input=text.encode(),
        check=True,
        capture_output=True,
    ).stdout
    return f"{text}.{coded(raw(made))}"


def raw(signature: bytes) -> bytes:
    """Turn DER's two integers into the 64 bytes that a JWT has (RFC 7518, 3.4)."""
    first = signature[4 : 4 + signature[3]]
    second = signature[6 + signature[3] :]
    return b"".join(part[-32:].rjust(32, b"\0") for part in (first, second))


@pytest.mark.parametrize("kind", ["password", "token", "wrong", "expired"])
def test_a_registry_that_wants_tokens_gets_them_from_the_server_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    asked: list[str] = []
    make_certificates(tmp_path, "127.0.0.1")
    lasts = 60 if kind != "expired" else 2 - _LEEWAY

    def realm(handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        form = parse_qs(handler.rfile.read(length).decode() or urlsplit(handler.path).query)
        basic = base64.b64decode(handler.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        asked.append(handler.command)
        if basic == "ci:right" or form.get("refresh_token") == ["kept"]:
            scopes = [one for group in form["scope"] for one in group.split()]
            say(
                handler,
                200,
                {"access_token" if handler.command == "POST" else "token": token(tmp_path, scopes, lasts)},
            )
        else:
            say(handler, 401, {"errors": []})

    config = {"auth": base64.b64encode(f"ci:{'wrong' if kind == 'wrong' else 'right'}".encode()).decode()}
    with serving(realm) as where:
        host = f"127.0.0.1:{free_port('127.0.0.1')}"
        server = RegistryServer(host, tmp_path, tmp_path / "store", config=_TOKENS.replace("REALM", where))
        (tmp_path / "docker").mkdir()
        known = {"auths": {host: {"identitytoken": "kept"} if kind == "token" else config}}
        (tmp_path / "docker/config.json").write_text(json.dumps(known))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
        server.start()
        try:
            patience = replace(HASTE, answer_within=30)  # it is a real one, which may be busy
            with connect(f"{host}/team", places_below(tmp_path), patience) as registry:
                if kind == "wrong":
                    with pytest.raises(UserError, match="status 401"):
                        registry.tags("team/web")
                    return
                registry.put_blob("team/web", b"{}")
                before = len(asked)
                if kind == "expired":
                    time.sleep(4)
                registry.put_blob("team/web", b"{}")
                assert (len(asked) > before) == (kind == "expired")
                assert registry.tags("team/web") == []
        finally:
            server.stop()
    assert set(asked) == {"POST" if kind == "token" else "GET"}
    assert len(asked) <= 4 + (kind == "expired")
