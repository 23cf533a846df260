"""`gitops diff`: say what taking a state of the fleet in another one's place would do."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption, JsonOption

if TYPE_CHECKING:
    from gitops.git.repository import Repository
    from gitops.review.comparison import Comparison, HostChange, ImageChange

_FEW = 3  # packages that are named in a line


def diff(
    revision: Annotated[
        str | None,
        typer.Argument(
            metavar="[REV|REV..REV]",
            help="Compared with this commit; otherwise the main branch, or, where that is checked out, HEAD.",
        ),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="For a pull request's comment or a job's summary.")
    ] = False,
    comment: Annotated[
        int | None,
        typer.Option(
            "--comment",
            min=1,
            metavar="NUMBER",
            help="Leave it on that pull request, in the place of the last such comment; fleet.yaml names the "
            "forge (updates: forge), GITOPS_FORGE_TOKEN is the token.",
        ),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 when there is a change.")
    ] = False,
    json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Say what the fleet as it is here would do in the place of a commit, or one commit of another.

    Images that are built and why, instances that restart on each host, jobs and backups that change. Nothing
    but git is asked: it is as if every host ran the commit, and well.
    """
    from gitops.cli.options import fleet_root
    from gitops.git.repository import Repository
    from gitops.review.comparison import compare
    from gitops.review.state import read_state, state_at

    if sum((markdown, json, comment is not None)) > 1:
        raise typer.BadParameter("--markdown, --json and --comment are ways to write one thing")
    root = fleet_root(fleet)
    git = Repository(root)
    first, dots, last = (revision or _base(git)).partition("..")
    if revision and dots and not (first and last):
        raise typer.BadParameter("write REV..REV, the older one first")
    with ExitStack() as stack:
        before = stack.enter_context(state_at(git, first))
        after = stack.enter_context(state_at(git, last)) if dots else read_state(root)
        found = compare(before, after)
    names = (_name(git, first), _name(git, last) if dots else "this directory")
    if markdown or comment:
        from gitops.review.markdown import as_markdown

        text = as_markdown(root, found, names[0], names[1] if dots else "")
        if comment:
            _comment(git, comment, f"diff of {after.fleet.settings.name}", text)
        else:
            print(text, end="")
    elif json:
        _emit(found, git.commit(first), git.commit(last) if dots else None)
    else:
        _show(found, *names)
    if exit_code and found:
        raise typer.Exit(1)


def _comment(git: "Repository", number: int, about: str, text: str) -> None:
    """Leave it on a pull request."""
    from gitops.forge.note import note
    from gitops.system.errors import UserError
    from gitops.system.places import places
    from gitops.updates.target import forge_of, remote_of, settings_of

    settings = settings_of(git)
    forge = forge_of(remote_of(git, settings, places()), settings)
    if forge is None:
        raise UserError("names no forge", file="fleet.yaml", hint="updates: {forge: {kind: …}}")
    written = note(forge, number, about, text)
    print(f"the comment on {number} is {'written' if written else 'as it should be'}")


def _base(git: "Repository") -> str:
    """Give the main branch, the remote's before the own one; HEAD where that is it."""
    head = git.git("symbolic-ref", "--quiet", "--short", "HEAD", check=False).stdout.strip()
    remote = git.git("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD", check=False)
    names = [remote.stdout.strip(), "main", "master"]
    found = next((name for name in names if name and git.find(name)), "HEAD")
    return "HEAD" if found.removeprefix("origin/") == head else found


def _name(git: "Repository", revision: str) -> str:
    commit = git.commit(revision)
    plain = commit.startswith(revision) or revision.startswith("refs/")  # a name that only programs use
    return commit[:12] if plain else f"{revision} ({commit[:12]})"


def _show(found: "Comparison", before: str, after: str) -> None:
    from gitops.cli.table import heading, show

    if not found:
        print(f"{after} in the place of {before}: nothing to build, no host changes")
        return
    print(f"{after} in the place of {before}")
    if found.images:
        heading("Images")
        show(("image", "what", "why"), [(each.image, each.what, _why(each)) for each in found.images])
    for host in found.hosts:
        heading(f"Host {host.host}" + (f": {_restarts(host)}" if host.restarted else ""))
        rows = [(str(step.kind), step.subject, step.reason) for step in host.steps]
        rows += [(f"job {job.what}", job.subject, job.detail) for job in host.jobs]
        rows += [("backup", *line.partition(": ")[::2]) for line in host.backups]
        show(("action", "what", "why"), rows)


def _why(image: "ImageChange") -> str:
    from gitops.updates.wording import named

    packages = named([str(one) for one in image.packages], _FEW) if image.what == "rebuilt" else ""
    parent = f"stands on {image.parent}" if image.parent else ""
    return "; ".join(filter(None, [packages, "its definition" if image.own else "", parent])) or "-"


def _restarts(host: "HostChange") -> str:
    from gitops.updates.wording import count, named

    number = len(host.restarted)
    return (
        f"{count(number, 'instance')} {'restarts' if number == 1 else 'restart'} ({named(host.restarted, 5)})"
    )


def _emit(found: "Comparison", before: str, after: str | None) -> None:
    from dataclasses import asdict

    from gitops.cli.document import emit

    emit(
        before=before,
        after=after,
        images=[asdict(each) for each in found.images],
        hosts=[
            {
                "host": host.host,
                "restarts": host.restarted,
                "actions": [
                    {"action": str(step.kind), "subject": step.subject, "reason": step.reason}
                    for step in host.steps
                ],
                "jobs": [asdict(job) for job in host.jobs],
                "backups": host.backups,
            }
            for host in found.hosts
        ],
    )
