"""What became of a branch, as it is told."""

from dataclasses import dataclass

from gitops.updates.steps import State


@dataclass(frozen=True)
class Outcome:
    """What became of one branch.

    Args:
        branch: the branch.
        state: how it stands.
        why: what there is to know of it.
        number: of its pull request, where it has one.
        url: of its pull request.
    """

    branch: str
    state: State
    why: str = ""
    number: int | None = None
    url: str = ""

    def __str__(self) -> str:
        """Give one line: `opened #12 https://…: openssl 3.5.6-1 → …`, `#12 is as it should be`."""
        name = self.branch if self.number is None else f"#{self.number}"
        why = f": {self.why}" if self.why else ""
        if self.state == "unchanged":
            return f"{name} is as it should be"
        if self.state in {"waits", "declined", "left alone", "failed"}:
            return f"{name} {'is ' * (self.state in {'declined', 'left alone'})}{self.state}{why}"
        return f"{self.state} {name}{f' {self.url}' if self.url else ''}{why}"
