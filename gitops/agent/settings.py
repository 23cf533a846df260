"""What a host's administrator decides about its agent: `CONFIG/agent.yaml`.

Nothing of it stands in git: whom a host trusts, and where from, is not for the trusted to change.
"""

import re
import shlex
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from gitops.fleet.document import read
from gitops.fleet.sources import placed
from gitops.fleet.updates import Branch
from gitops.fleet.values import Duration, Line, Model, Name, RelativePath
from gitops.fleet.wording import faults
from gitops.git.upstream import Upstream, protocol
from gitops.system.errors import UserError
from gitops.system.places import Places

FILE = "agent.yaml"
_SHORTEST_SECRET = 16
_OTHERS_MAY_WRITE = 0o022
_OTHERS_MAY_READ = 0o077


def _url(value: str) -> str:
    protocol(value)
    return value


def _with_url(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


def _some(value: tuple[object, ...]) -> tuple[object, ...]:
    if not value:
        raise ValueError("must not be empty")
    return value


def _unsigned(value: object) -> object:
    return {"unsigned": True} if value == "unsigned" else value


def _address(value: str) -> str:
    found = re.fullmatch(r"(?:[0-9.]+|\[[0-9a-f:]+\]|localhost):([0-9]{1,5})", value)
    if not found or not 0 < int(found[1]) < 1 << 16:
        raise ValueError(f"{value!r} is not ADDRESS:PORT; write for example 127.0.0.1:9797")
    return value


class Remote(Model):
    """One server that has the fleet's repository."""

    url: Annotated[Line, AfterValidator(_url)] = Field(
        description="https, ssh, USER@HOST:PATH or a directory."
    )
    token_file: Line | None = Field(
        default=None, description="File with a token that may read it, for https."
    )


OneRemote = Annotated[Remote, BeforeValidator(_with_url)]


class Trust(Model):
    """Whose signature a commit needs; one of these is enough."""

    signers: Line | None = Field(
        default=None, description="File of ssh keys, as ALLOWED SIGNERS in ssh-keygen(1)."
    )
    keyring: Line | None = Field(default=None, description="File of OpenPGP keys, as gpg --export writes it.")
    unsigned: Literal[True] | None = Field(
        default=None, description="`trust: unsigned` for no signature at all."
    )

    @model_validator(mode="after")
    def _decided(self) -> Self:
        if bool(self.unsigned) == bool(self.signers or self.keyring):
            raise ValueError("write `signers`, `keyring` or both; or, aloud, `trust: unsigned`")
        return self


class Webhook(Model):
    """Where a forge may say that something was pushed; all that it can do is to make the agent look."""

    listen: Annotated[Line, AfterValidator(_address)] = Field(
        default="127.0.0.1:9797",
        description="ADDRESS:PORT; TLS and the world are a reverse proxy's business.",
    )
    secret_file: Line = Field(description="File with the secret that the forge has too.")
    kinds: Annotated[tuple[Literal["github", "gitlab", "forgejo"], ...], AfterValidator(_some)] = Field(
        default=("github", "gitlab", "forgejo"), description="Whose way of signing is taken."
    )


def _loopback(value: str) -> str:
    host = _address(value).rpartition(":")[0]
    if host not in {"localhost", "[::1]"} and not host.startswith("127."):
        raise ValueError(
            f"{host} can be reached from elsewhere; write 127.0.0.1, and a reverse proxy for the rest"
        )
    return value


def _whole(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError(f"{value!r} is not an absolute path")
    return value


class Metrics(Model):
    """Where Prometheus may ask this host for its metrics, besides the file."""

    listen: Annotated[Line, AfterValidator(_loopback)] = Field(
        default="127.0.0.1:9798", description="ADDRESS:PORT of this machine alone."
    )


class Settings(Model):
    """All that the agent is told; files are named as from the directory of agent.yaml."""

    host: Name = Field(description="Which of the fleet's hosts this machine is.")
    remotes: Annotated[tuple[OneRemote, ...], AfterValidator(_some)] = Field(
        description="The fleet's repository on one server or several; the first that can be used is."
    )
    branch: Branch = Field(default="main", description="The branch that this host follows.")
    path: RelativePath | None = Field(default=None, description="The fleet's directory in the repository.")
    trust: Annotated[Trust, BeforeValidator(_unsigned)] = Field(description="Whose commits this host runs.")
    poll: Annotated[Duration, Field(ge=1)] = Field(default=30.0, description="Pause between two looks.")
    jitter: Duration = Field(default=5.0, description="Up to this much longer, so that hosts spread out.")
    timeout: Annotated[Duration, Field(ge=1)] = Field(default=60.0, description="What one question may take.")
    webhook: Webhook | None = Field(default=None, description="Also look when a forge says so.")
    metrics: Metrics | None = Field(default=None, description="Also give metrics to who asks: `metrics: {}`.")
    pages: Annotated[Line, AfterValidator(_whole)] | None = Field(
        default=None, description="Directory for pages about this host, kept up to date after each tick."
    )


def read_settings(places: Places) -> Settings:
    """Read a host's agent.yaml.

    Raises:
        UserError: it is not there, or everything that is wrong with it: a file that it names and that is
            missing, or that others may change, too.
    """
    path = places.config / FILE
    if not path.exists():
        raise UserError("does not exist", file=path, hint="gitops agent install writes it")
    document, problems = read(path, str(path))
    if document is None or problems:
        raise UserError.of(problems)
    try:
        settings = Settings.model_validate(document.content)
    except ValidationError as error:
        found = faults(error, Settings, document.content)
        raise UserError.of(sorted({placed(document, fault) for fault in found})) from error
    for at, name, private in _files(settings):
        if reason := unfit(places.config / name, private=private):
            problems.append(document.problem(at, f"{places.config / name} {reason}"))
    if settings.trust.unsigned:
        problems += [
            document.problem(
                ("remotes", number), "http proves nothing, and neither would its commits", "use https"
            )
            for number, remote in enumerate(settings.remotes)
            if protocol(remote.url) == "http"
        ]
    if problems:
        raise UserError.of(problems)
    return settings


def upstreams(settings: Settings, places: Places) -> list[Upstream]:
    """Give where commits come from, in the order of preference, with what is needed to get there."""
    return [
        Upstream(
            url=remote.url,
            branch=settings.branch,
            token=(places.config / remote.token_file).read_text().strip() if remote.token_file else None,
            ssh=_ssh(places),
            timeout=settings.timeout,
        )
        for remote in settings.remotes
    ]


def webhook_secret(webhook: Webhook, places: Places) -> bytes:
    """Read the secret that the forge has too.

    Raises:
        UserError: it is too short to be one.
    """
    secret = (places.config / webhook.secret_file).read_bytes().strip()
    if len(secret) < _SHORTEST_SECRET:
        raise UserError(
            f"is shorter than {_SHORTEST_SECRET} characters",
            file=places.config / webhook.secret_file,
            hint="make one with: openssl rand -hex 32",
        )
    return secret


def _files(settings: Settings) -> list[tuple[tuple[str | int, ...], str, bool]]:
    """Give each file that is named: where, its name, and whether nobody else may read it."""
    trust, webhook = settings.trust, settings.webhook
    named = [
        (("trust", "signers"), trust.signers, False),
        (("trust", "keyring"), trust.keyring, False),
        (("webhook", "secret_file"), webhook and webhook.secret_file, True),
        *(
            (("remotes", number, "token_file"), one.token_file, True)
            for number, one in enumerate(settings.remotes)
        ),
    ]
    return [(at, name, private) for at, name, private in named if name]


def unfit(path: Path, *, private: bool) -> str:
    """Say why a file is not one to trust, or, where it is private, to keep a secret in; empty: it is."""
    try:
        mode = path.stat().st_mode
        path.read_bytes()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if mode & _OTHERS_MAY_WRITE:
        return "can be changed by others; chmod go-w"
    return "can be read by others; chmod go=" if private and mode & _OTHERS_MAY_READ else ""


def _ssh(places: Places) -> str:
    """Give the command for ssh: the host's own key and known hosts, and nobody's ~/.ssh."""
    configuration, key = places.config / "ssh_config", places.config / "deploy.key"
    words = ["ssh", "-F", str(configuration) if configuration.exists() else "none"]
    words += [
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        f'UserKnownHostsFile="{places.config / "known_hosts"}"',
    ]
    if key.exists():
        words += ["-o", "IdentitiesOnly=yes", "-i", str(key)]
    return shlex.join(words)
