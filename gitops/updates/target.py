"""Where proposals go: the remote, its branch that is updated, and the forge that is there."""

from pydantic import ValidationError

from gitops.fleet.document import read
from gitops.fleet.load import load
from gitops.fleet.root import FILE
from gitops.fleet.updates import Updates as Settings
from gitops.forge.forges import connect
from gitops.forge.location import locate
from gitops.forge.pull_request import Forge
from gitops.forge.token import read_token
from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.system.errors import UserError
from gitops.system.places import Places


def settings_of(repository: Repository) -> Settings:
    """Read what the fleet's work tree says of updates, and nothing else of it.

    Raises:
        UserError: with all that is wrong with the fleet, if that cannot be read.
    """
    document, problems = read(repository.root / FILE, FILE)
    if document and not problems:
        try:
            return Settings.model_validate(document.content.get("updates") or {})
        except ValidationError:
            pass  # the whole reading says where, and in which words
    return load(repository.root).settings.updates


def has_remote(repository: Repository, settings: Settings) -> bool:
    """Tell whether the repository has the remote that the fleet names."""
    return settings.remote in repository.git("remote").stdout.splitlines()


def remote_of(repository: Repository, settings: Settings, places: Places) -> Remote:
    """Give the remote, with the token to push there over https.

    Raises:
        UserError: the token's file cannot be used.
    """
    return Remote(repository, settings.remote, read_token(places))


def base_of(repository: Repository, remote: Remote | None, settings: Settings) -> str:
    """Give the branch that is updated: the remote's, or without one the repository's own.

    Raises:
        UserError: the fleet names none, and the remote has none for its own, or none is checked out.
    """
    if settings.base:
        return settings.base
    if remote:
        return remote.default_branch()
    head = repository.git("symbolic-ref", "--short", "HEAD", check=False)
    if head.status != 0:
        raise UserError("no branch is checked out", hint="name it in fleet.yaml: updates: base")
    return head.stdout.strip()


def forge_of(remote: Remote, settings: Settings) -> Forge | None:
    """Give the forge; None where there is a plain git server.

    Raises:
        UserError: there is no token, a library is missing, or the remote's address names no project.
    """
    wanted = settings.forge
    if wanted.kind == "none":
        return None
    address, project = wanted.address, wanted.project
    if not (address and project):
        location = locate(remote.url, address)
        address, project = address or location.address, project or location.project
    return connect(wanted.kind, address, project, remote.token)
