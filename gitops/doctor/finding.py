"""What a check has found."""

from dataclasses import dataclass
from typing import Literal

from gitops.system.errors import UserError


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        state: `ok`; `warning`: it works, or is not needed yet; `problem`: something will not work.
        says: what was found.
        advice: what to do about it; nothing where all is well.
    """

    state: Literal["ok", "warning", "problem"]
    says: str
    advice: str = ""


def ok(says: str) -> Finding:
    """Find something well."""
    return Finding("ok", says)


def warning(says: str, advice: str) -> Finding:
    """Find something that works, but not as it should."""
    return Finding("warning", says, advice)


def problem(says: str, advice: str) -> Finding:
    """Find something that must be mended."""
    return Finding("problem", says, advice)


def problems(error: UserError) -> list[Finding]:
    """Give what an error says, a finding for each of its problems."""
    return [problem(str(each._replace(hint="")), " ".join(each.hint.split())) for each in error.problems]
