"""Where a host's own update bot works: at the commit that its agent has accepted, and in nobody's checkout.

`CACHE/updates.git` is the bot's repository. It takes the accepted commit from the agent's, which is only
read, so that a bot at work is never in the agent's way. A commit that the agent has not accepted does not
count here either: nobody has vouched for its definitions and templates.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gitops.agent.fetch import intake
from gitops.agent.settings import Settings, read_settings, upstreams
from gitops.fleet.fleet import Fleet
from gitops.forge.token import FILE, kept_token, token
from gitops.git.intake import Intake
from gitops.git.isolation import isolated
from gitops.git.remote import Remote
from gitops.git.upstream import protocol
from gitops.secrets.age import decrypt
from gitops.secrets.hosts import secret_path
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from gitops.system.places import Places

_ACCEPTED = "refs/gitops/accepted"
_REMOTE = "origin"


@dataclass(frozen=True)
class Desk:
    """Where a host's bot works.

    Args:
        repository: the bot's own; it has the accepted commit.
        commit: that commit.
        remote: the agent's first server, with what opens it.
        base: the branch of it that is updated.
    """

    repository: Intake
    commit: str
    remote: Remote
    base: str

    def check_base(self, prefix: str) -> None:
        """Make sure that the server's branch is where this host is.

        Args:
            prefix: of the branches that are fetched with it.

        Raises:
            UserError: it is not, or the server cannot be asked.
        """
        tip = self.remote.fetch(self.base, prefix)[self.base]
        if tip != self.commit:
            raise UserError(
                f"{self.base} is at {tip[:12]}, and this host has accepted {self.commit[:12]}",
                hint="updates are proposed once its agent has followed: gitops status",
            )


@contextmanager
def desk(fleet: Fleet, host: str, places: Places, *, forge: bool = False) -> Iterator[Desk]:
    """Prepare where a host's bot works; git knows nobody's settings meanwhile.

    What it commits is signed with the host's deploy key, where that has one, as its reports are.

    Args:
        fleet: the definitions that the host runs.
        host: its name.
        places: the host's directories.
        forge: whether the forge is asked for anything, so that there must be a token for it.

    Raises:
        UserError: the host has no agent, or that has accepted nothing yet; the token cannot be read; another
            bot is at work.
    """
    settings = read_settings(places)
    server = upstreams(settings, places)[0]
    with (
        exclusive(places.runtime / "locks" / "updates", "the update bot of this host"),
        isolated({"core.sshCommand": server.ssh, **_signing(places)}, protocol=protocol(server.url)),
    ):
        repository = Intake(places.cache / "updates.git", settings.path or "")
        repository.prepare()
        repository.git("config", f"remote.{_REMOTE}.url", server.url)
        commit = _take_over(repository, settings, places)
        base = fleet.settings.updates.base or settings.branch
        remote = Remote(repository, _REMOTE, _token(fleet, host, places, forge=forge) or server.token)
        yield Desk(repository, commit, remote, base)


def _take_over(repository: Intake, settings: Settings, places: Places) -> str:
    """Fetch the commit that the agent has accepted from the agent's repository; give its name."""
    agents = intake(settings, places)
    if not agents.root.is_dir() or agents.accepted() is None:
        raise UserError("the agent of this host has accepted no commit yet", hint="gitops agent once")
    options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance")
    wanted = ("--refmap=", "--no-write-fetch-head", "--", str(agents.root), f"+{_ACCEPTED}:{_ACCEPTED}")
    repository.git("fetch", *options, *wanted, env={"GIT_ALLOW_PROTOCOL": "file"})
    repository.tidy()
    return repository.commit(_ACCEPTED)


def _token(fleet: Fleet, host: str, places: Places, *, forge: bool) -> str | None:
    """Give the forge's token, from where the host's administrators keep it; no environment tells it.

    Raises:
        UserError: a forge needs one and there is none, or it cannot be read.
    """
    bot = fleet.hosts[host].updates
    if bot and bot.token:
        value = decrypt(secret_path(fleet.root, bot.token), places.config / "age.key")
        return token(value.decode(errors="replace"), f"the secret {bot.token}")
    found = kept_token(places)
    if found is None and forge:
        raise UserError(
            "this host has no token for the forge",
            hint=f"put it into {places.config / FILE}, mode 0600; or name a secret in hosts/{host}.yaml:"
            " updates: {token: NAME}",
        )
    return found


def _signing(places: Places) -> dict[str, str]:
    key = places.config / "deploy.key"
    if not key.is_file():
        return {}
    return {"gpg.format": "ssh", "user.signingKey": str(key), "commit.gpgSign": "true"}
