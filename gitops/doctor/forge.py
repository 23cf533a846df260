"""Where updates become pull requests: whether the forge answers, and whether there is a token for it."""

import ssl
from collections.abc import Iterator

import httpx

from gitops.doctor.finding import Finding, ok, problem, warning
from gitops.doctor.machine import Machine
from gitops.forge.forges import connect
from gitops.forge.location import locate
from gitops.forge.token import VARIABLE, read_token
from gitops.git.remote import Remote
from gitops.git.repository import Repository

_PATIENCE = 10
_REFUSED = 500


def check(machine: Machine) -> Iterator[Finding]:
    """Ask the forge for its front page; the token is not shown to it."""
    if machine.fleet is None or machine.root is None or machine.deployed:
        return
    updates = machine.fleet.settings.updates
    if updates.forge.kind == "none":
        return
    repository = Repository(machine.root)
    if updates.remote not in repository.git("remote", check=False).stdout.split():
        advice = f"git remote add {updates.remote} URL, once the repository is on {updates.forge.kind}"
        yield warning(f"there is no remote {updates.remote}, where pull requests would go", advice)
        return
    where = locate(Remote(repository, updates.remote).url, updates.forge.address)
    yield from _answers(where.address)
    token = read_token(machine.places)
    if token is None:
        yield warning("there is no token for it here", f"where the bot runs, set {VARIABLE}; docs/updates.md")
    else:
        connect(updates.forge.kind, where.address, updates.forge.project or where.project, token)
        yield ok("there is a token for it")


def _answers(address: str) -> Iterator[Finding]:
    try:
        status = httpx.get(address, verify=ssl.create_default_context(), timeout=_PATIENCE).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        advice = "check updates.forge.address, the network and the proxy variables"
        yield problem(f"{address} does not answer: {error or type(error).__name__}", advice)
        return
    if status >= _REFUSED:
        yield problem(f"{address} answers with HTTP status {status}", "ask those who run it")
    else:
        yield ok(f"{address} answers")
