"""Making a machine a host: settings, keys, and what starts the agent; to be run as often as one likes.

What is there stays as it is: keys, secrets and settings are made where they are missing, and only then.
"""

import os
import secrets
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops.agent.settings import FILE, Settings, read_settings
from gitops.deploy.schedule import cron_environment
from gitops.deploy.units import assignments, escaped, writable
from gitops.git.upstream import protocol
from gitops.render.templates import template
from gitops.secrets.age import make_identity
from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.places import VARIABLES, Places
from gitops.system.run import run
from gitops.system.shipped import shipped

UNIT = "gitops-agent.service"
_WATCH = ("gitops-watch.service", "gitops-watch.timer")
"""They look after the agent too, so they are not its own."""


@dataclass(frozen=True)
class Wish:
    """What the administrator wants of a new host.

    Args:
        host: which of the fleet's hosts this is.
        remotes: URLs of the fleet's repository.
        branch: the branch to follow.
        signers: a file of allowed signers to copy.
        keyring: a file of OpenPGP keys to copy.
        unsigned: no signature is asked for.
        webhook: listen for forges.
    """

    host: str
    remotes: Sequence[str]
    branch: str = "main"
    signers: Path | None = None
    keyring: Path | None = None
    unsigned: bool = False
    webhook: bool = False


def install(wish: Wish | None, places: Places, *, systemd: bool) -> list[str]:
    """Write what an agent needs; nothing is started.

    Args:
        wish: None: what agent.yaml says already.
        places: the host's directories.
        systemd: write a unit; otherwise a line for cron, which ticks every minute.

    Returns:
        What was done and what is left to do, a text each.

    Raises:
        UserError: there is no agent.yaml and no wish, or it is wrong.
    """
    said = []
    path = places.config / FILE
    if wish and not path.exists():
        _begin(wish, places)
        said.append(f"wrote {path}")
    elif wish:
        said.append(f"{path} is there already and stays as it is")
    settings = read_settings(places)
    for directory in (places.state, places.cache, places.runtime):
        directory.mkdir(parents=True, exist_ok=True)
    said += _start(settings, places, systemd=systemd)
    return [*said, *_to_do(settings, places)]


def unit_path(places: Places) -> Path:
    """Say where the unit goes."""
    return places.systemd / UNIT


def _begin(wish: Wish, places: Places) -> None:
    """Write agent.yaml and the files that it names."""
    trust = []
    for key, source, name in (("signers", wish.signers, "signers"), ("keyring", wish.keyring, "keyring")):
        if source:
            try:
                write(places.config / name, source.read_bytes())
            except OSError as error:
                raise UserError(f"cannot be read: {error.strerror}", file=source) from error
            trust.append(f"{key}: {name}")
    if not trust and not wish.unsigned:
        raise UserError(
            "whose commits may this host run?",
            hint="name a file of allowed signers (--signers FILE; ssh-keygen(1)), a --keyring, or --unsigned",
        )
    lines = [
        "# What this host follows, and whom it trusts; gitops never changes this file.",
        f"host: {wish.host}",
        "remotes:",
        *(f"  - {_quoted(url)}" for url in wish.remotes),
        f"branch: {_quoted(wish.branch)}",
        f"trust: {'unsigned' if wish.unsigned else '{' + ', '.join(trust) + '}'}",
    ]
    if wish.webhook:
        _once(places.config / "webhook.secret", f"{secrets.token_hex(32)}\n")
        lines += ["webhook:", "  listen: 127.0.0.1:9797", "  secret_file: webhook.secret"]
    write(places.config / FILE, "\n".join([*lines, ""]))
    try:
        read_settings(places)
    except UserError:
        (places.config / FILE).unlink()
        raise


def _start(settings: Settings, places: Places, *, systemd: bool) -> list[str]:
    """Write units or cron's lines, and take the other ones away: two would be in each other's way."""
    cron, units = places.cron / "gitops-agent", [places.systemd / name for name in (UNIT, *_WATCH)]
    wanted = _units(settings, places) if systemd else {cron: _crontab(places)}
    changed = [path for path, text in wanted.items() if write(path, text)]
    for other in {cron, *units} - wanted.keys():
        other.unlink(missing_ok=True)
    path = next(iter(wanted))
    if systemd:
        hint = f"start it: systemctl daemon-reload && systemctl enable --now {UNIT} {_WATCH[1]}"
    else:
        hint = "cron starts it within a minute"
    return [f"wrote {path}" if changed else f"{path} is as it should be", hint]


def _units(settings: Settings, places: Places) -> dict[Path, str]:
    """Give the units of the agent, and those that look whether it still ticks."""
    pages = [Path(settings.pages)] if settings.pages else []
    values = {
        "host": settings.host,
        "program": " ".join(escaped(word).replace("$", "$$") for word in _program()),
        "environment": assignments(_environment(places)),
        "runtime": places.runtime.relative_to("/run") if places.runtime.is_relative_to("/run") else "",
        "writable": writable([*_writable(places), *pages]),
    }
    root = shipped("templates").parent
    return {places.systemd / name: template(root, f"{name}.j2").render(values) for name in (UNIT, *_WATCH)}


def _crontab(places: Places) -> str:
    """Give the lines for cron: a tick each minute, and a look whether there are any."""
    # A tick that takes longer than a minute is not in the way of the next one, nor worth a mail.
    alone = ["flock", "--nonblock", str(places.state / "cron.lock")]
    tick = f"* * * * * root {shlex.join([*alone, *_program(), 'agent', 'once'])} >/dev/null\n"
    look = f"*/10 * * * * root {shlex.join([*_program(), 'notify'])} >/dev/null 2>&1\n"
    lines = [line.replace("%", r"\%") for line in (tick, look)]
    return "".join(["# Written by gitops agent install.\n", *cron_environment(), *lines])


def _to_do(settings: Settings, places: Places) -> list[str]:
    """Say what is left to do on the forge and in the fleet."""
    todo = []
    if any(protocol(remote.url) == "ssh" for remote in settings.remotes):
        key = places.config / "deploy.key"
        if not key.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"gitops@{settings.host}", "-f", key])
        todo.append(
            f"give the forge this deploy key, for reading only:\n  {Path(f'{key}.pub').read_text().strip()}"
        )
        known = places.config / "known_hosts"
        if not known.exists():
            todo.append(
                f"put the forge's ssh host keys into {known}, as the forge publishes them (ssh-keyscan)"
            )
    age = make_identity(places.config / "age.key")
    todo.append(
        f"write this into hosts/{settings.host}.yaml, so that secrets can be encrypted for it:\n  age: {age}"
    )
    if webhook := settings.webhook:
        todo.append(
            f"let the forge POST pushes to http://{webhook.listen}/ through a reverse proxy with TLS; "
            f"the secret is in {places.config / webhook.secret_file}"
        )
    todo.append(f"protect the branch {settings.branch} on the forge: no force-push, signed commits only")
    return todo


def _program() -> list[str]:
    called = Path(sys.argv[0]).absolute()
    return [str(called)] if called.name == "gitops" else [sys.executable, "-m", "gitops"]


def _environment(places: Places) -> dict[str, str]:
    """Give what the service needs of this environment; the docker client gets a place instead of a home."""
    kept = {name: os.environ[name] for name in (*VARIABLES, "DOCKER_HOST") if name in os.environ}
    return {**kept, "DOCKER_CONFIG": str(places.state / "docker")}


def _writable(places: Places) -> list[Path]:
    return [places.state, places.cache, places.runtime, places.cron, places.systemd]


def _once(path: Path, text: str) -> None:
    if not path.exists():
        write(path, text, mode=0o600)


def _quoted(value: str) -> str:
    """Quote a text for YAML: any in single quotes, where they are doubled."""
    return "'" + value.replace("'", "''") + "'"
