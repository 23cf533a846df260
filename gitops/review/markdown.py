"""A comparison as Markdown, for a pull request's comment or a CI job's summary.

Everything in it comes from a branch that nobody has reviewed yet: it is shown, and means nothing to a forge.
"""

from pathlib import Path

from jinja2 import TemplateError

from gitops.render.templates import template
from gitops.review.comparison import Comparison, HostChange, ImageChange
from gitops.system.errors import UserError
from gitops.updates.escaping import code, fenced, markup
from gitops.updates.wording import count, named

_TEMPLATE = "diff.md.j2"
_LONGEST = 60_000  # characters; a comment on GitHub takes 65,536
_ROOMS = (200, 60, 20, 5, 1)  # how much is named of anything, until it fits
_IN_A_CELL = 4


def as_markdown(root: Path, comparison: Comparison, before: str, after: str) -> str:
    """Write a comparison down.

    Args:
        root: the fleet, whose `templates/diff.md.j2` goes before the one that ships.
        comparison: what differs.
        before: what it is compared with, for people.
        after: what would take its place, for people; empty: what is looked at anyway.

    Returns:
        Markdown of at most 60,000 characters, the same for the same comparison.

    Raises:
        UserError: the fleet's template cannot be used, or writes too much.
    """
    layout = template(root, _TEMPLATE)
    try:
        for room in _ROOMS:
            text = layout.render(_values(comparison, before, after, room))
            if len(text) <= _LONGEST:
                return text
    except TemplateError as error:
        raise UserError(f"cannot be filled in: {error}", file=f"templates/{_TEMPLATE}") from error
    raise UserError(f"writes more than {_LONGEST:,} characters", file=f"templates/{_TEMPLATE}")


def _values(comparison: Comparison, before: str, after: str, room: int) -> dict[str, object]:
    images, hosts = comparison.images, comparison.hosts
    restarted = sum(len(host.restarted) for host in hosts)
    built = sum(image.what != "gone" for image in images)
    return {
        "before": code(before),
        "after": code(after),
        "facts": [
            f"**{count(built, 'image')}** built",
            f"**{count(restarted, 'instance')}** on "
            f"{count(sum(bool(host.restarted) for host in hosts), 'host')} restart"
            if restarted
            else "nothing restarts",
        ],
        "images": [
            (code(each.image), each.what, ", ".join(each.architectures), _why(each)) for each in images[:room]
        ],
        "more_images": max(0, len(images) - room),
        "packages": [
            (markup(each.image), fenced("\n".join(map(str, each.packages[:room]))), len(each.packages) - room)
            for each in images[:room]
            if each.what == "rebuilt" and len(each.packages) > _IN_A_CELL
        ],
        "hosts": [_host(host, room) for host in hosts[:room]],
        "more_hosts": max(0, len(hosts) - room),
    }


def _why(image: ImageChange) -> str:
    reasons = [
        named([_cell(str(one)) for one in image.packages], _IN_A_CELL) if image.what == "rebuilt" else "",
        "its definition" if image.own else "",
        f"stands on {code(image.parent)}" if image.parent else "",
    ]
    return "<br>".join(filter(None, reasons))


def _cell(text: str) -> str:
    """Write text as a code span in a table, where a bar would begin the next cell (GFM 4.10)."""
    return code(text).replace("|", "\\|")


def _host(host: HostChange, room: int) -> dict[str, object]:
    lines = [str(step) for step in host.steps]
    others = [f"{job.what} {job.subject}: {job.detail}" for job in host.jobs]
    others += [f"backup of {line}" for line in host.backups]
    return {
        "name": markup(host.host),
        "restarted": named([code(name) for name in host.restarted], _IN_A_CELL * 2),
        "steps": fenced("\n".join(lines[:room])) if lines else "",
        "number": count(len(lines), "step"),
        "more_steps": max(0, len(lines) - room),
        "others": fenced("\n".join(others[:room])) if others else "",
        "more_others": max(0, len(others) - room),
    }
