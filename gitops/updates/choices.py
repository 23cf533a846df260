"""What a person has asked to leave alone: `hold` and `ignore` under `updates` in fleet.yaml."""

from collections.abc import Iterable, Sequence
from datetime import date
from fnmatch import fnmatchcase

from gitops.fleet.updates import Choice, Hold, Ignore, Updates
from gitops.updates.difference import Difference


def left_alone(differences: Iterable[Difference], settings: Updates, today: date) -> dict[Difference, str]:
    """Give the differences that are not to be proposed, with the words of who said so.

    Args:
        differences: all there are.
        settings: the fleet's.
        today: the day (UTC) on which choices count.
    """
    choices = [choice for choice in (*settings.hold, *settings.ignore) if not has_ended(choice, today)]
    found = {}
    for difference in differences:
        choice = next((choice for choice in choices if _means(choice, difference)), None)
        if choice is not None:
            found[difference] = _words(choice)
    return found


def ended(settings: Updates, today: date) -> list[tuple[str, str]]:
    """Give the choices that count no more: what they name, and since when."""
    choices: Sequence[Choice] = (*settings.hold, *settings.ignore)
    return [
        (f"{_verb(choice)} {_named(choice)}", f"ended on {choice.until}; remove it from fleet.yaml")
        for choice in choices
        if has_ended(choice, today)
    ]


def has_ended(choice: Choice, today: date) -> bool:
    """Tell whether the last day of a choice has passed."""
    return choice.until is not None and choice.until < today


def _means(choice: Choice, difference: Difference) -> bool:
    if isinstance(choice, Ignore):
        new = difference.new
        return new is not None and new.version == choice.version and _matches(choice, difference)
    if isinstance(choice, Hold) and choice.image is not None:
        return difference.key[0] == choice.image
    # What comes in new was never locked to anything that it could be held at.
    return difference.old is not None and _matches(choice, difference)


def _matches(choice: Choice, difference: Difference) -> bool:
    if choice.package is not None:
        return fnmatchcase(difference.name, choice.package)
    return choice.source is not None and fnmatchcase(difference.package.source, choice.source)


def _verb(choice: Choice) -> str:
    return "ignore" if isinstance(choice, Ignore) else "hold"


def _named(choice: Choice) -> str:
    image = choice.image if isinstance(choice, Hold) else None
    return choice.package or choice.source or f"image {image}"


def _words(choice: Choice) -> str:
    until = f", until {choice.until}" if choice.until else ""
    return f"{'ignored' if isinstance(choice, Ignore) else 'held'}: {choice.reason}{until}"
