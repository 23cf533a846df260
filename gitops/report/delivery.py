"""Delivering what is in the outbox, through Apprise: mail, chats and web hooks are a URL each.

Several programs may want that at once; one does it, for all of them.
"""

import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import apprise

from gitops.report.notices import Notice, due, hold, put_off
from gitops.report.sent import Sent
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.locks import BusyError, exclusive
from gitops.system.places import Places

_AT_ONCE = 30
"""How many notices go into one message."""

_SHORTEST = 4
"""Characters below which a part of a URL is too common to be a secret."""


@dataclass(frozen=True)
class Rules:
    """Who hears of what, and how often.

    Args:
        told: gives the names of those who hear of a kind; of the empty kind: everybody.
        per_hour: messages in an hour to each; what is more waits, and then comes in one.
    """

    told: Callable[[str], Collection[str]]
    per_hour: int


def deliver(
    places: Places,
    receivers: Mapping[str, Callable[[], str]],
    clean: Callable[[str], str] = lambda text: text,
    rules: Rules | None = None,
) -> list[str]:
    """Deliver what is due; what cannot be is kept, and tried again later.

    Args:
        places: the host's directories.
        receivers: what gives an Apprise URL, by a name that may be told; it may raise UserError. A notice
            waits for none that is not among them.
        clean: takes out of a text what nobody is to see.
        rules: None: everybody hears of everything, as often as it comes.

    Returns:
        What went wrong, a line for each receiver, without its URL.
    """
    problems: dict[str, str] = {}
    while due(places, now()):
        try:
            with exclusive(places.runtime / "notify.lock", "the outbox"):
                post = _Post(places, clean, rules or Rules(lambda _: receivers, 1 << 30), problems)
                post.deliver(due(places, now()), receivers)
        except BusyError:
            break  # whoever has it looks again when it is done
    return [f"{name} cannot be told: {why}" for name, why in problems.items()]


class _Post:
    """One round of deliveries."""

    def __init__(
        self, places: Places, clean: Callable[[str], str], rules: Rules, problems: dict[str, str]
    ) -> None:
        self._clean, self._rules, self._problems = clean, rules, problems
        self._sent = Sent(places)

    def deliver(self, notices: Sequence[Notice], receivers: Mapping[str, Callable[[], str]]) -> None:
        """Deliver notices to who is to hear of each, as many as fit into one message."""
        failed: dict[Notice, list[str]] = {one: [] for one in notices}
        held: dict[Notice, list[str]] = {one: [] for one in notices}
        for name, read in receivers.items():
            wanted = [one for one in notices if name in self._for(one)]
            urgent = any(not one.kind for one in wanted)
            for start in range(0, len(wanted), _AT_ONCE):
                part = wanted[start : start + _AT_ONCE]
                if (
                    name not in self._problems
                    and not urgent
                    and self._sent.enough(name, self._rules.per_hour)
                ):
                    for one in part:
                        held[one].append(name)
                    continue
                self._send(name, read, part)
                if name in self._problems:
                    for one in part:
                        failed[one].append(name)
        for one in notices:
            self._keep(one, failed[one], held[one])

    def _for(self, notice: Notice) -> Collection[str]:
        told = self._rules.told(notice.kind)
        return told if notice.left is None else set(notice.left).intersection(told)

    def _send(self, name: str, read: Callable[[], str], part: Sequence[Notice]) -> None:
        if name in self._problems:
            return
        if why := _send(read, *_message(part, self._clean), _all_good(part)):
            self._problems[name] = self._clean(why)
        else:
            self._sent.add(name)

    def _keep(self, notice: Notice, failed: list[str], held: list[str]) -> None:
        if failed:
            put_off(notice, (*failed, *held), self._problems[failed[0]])
        elif held:
            until = max(self._sent.free(name, self._rules.per_hour) for name in held)
            hold(notice, tuple(held), until, f"{self._rules.per_hour} messages went out within an hour")
        else:
            notice.path.unlink(missing_ok=True)


def _message(notices: Sequence[Notice], clean: Callable[[str], str]) -> tuple[str, str]:
    """Give title and text for one notice, or for several that came together."""
    if len(notices) == 1:
        return clean(notices[0].title), clean(f"{notices[0].time}\n{notices[0].text}".strip())
    first = next((one for one in notices if not one.good), notices[0])
    heads = [f"{one.time} {one.title}" for one in notices]
    texts = [f"--- {one.title}\n{one.text}".strip() for one in notices if one.text]
    return clean(f"{first.title}, and {len(notices) - 1} more"), clean("\n".join([*heads, "", *texts]))


def _all_good(notices: Collection[Notice]) -> bool:
    return all(one.good for one in notices)


def _send(read: Callable[[], str], title: str, text: str, good: bool) -> str:  # noqa: FBT001  # a message's nature
    """Send a message; give why it could not be sent, or nothing."""
    try:
        url = read().strip()
    except UserError as error:
        return error.problems[0].message
    asset = apprise.AppriseAsset(app_id="gitops", app_desc="gitops", async_mode=False)
    with _told() as lines:
        receiver = apprise.Apprise(asset=asset)
        if not receiver.add(url):
            return "its secret holds no URL that Apprise understands"
        for plugin in receiver:
            plugin.overflow_mode = apprise.OverflowMode.SPLIT
        kind = apprise.NotifyType.SUCCESS if good else apprise.NotifyType.FAILURE
        sent = receiver.notify(text, title=title, notify_type=kind, body_format=apprise.NotifyFormat.TEXT)
    if sent:
        return ""
    return _without(url, lines[0] if lines else "it was not taken")


def _without(url: str, line: str) -> str:
    """Give what Apprise said without any part of the URL, since any may be a token."""
    for part in sorted(set(re.split(r"[^\w.-]+", url)), key=len, reverse=True):
        if len(part) >= _SHORTEST:
            line = line.replace(part, "***")
    return " ".join(line.split())


@contextmanager
def _told() -> Iterator[list[str]]:
    """Collect what Apprise warns of, instead of printing it."""
    lines: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, handler = logging.getLogger("apprise"), Collect(logging.WARNING)
    kept, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.propagate = kept
