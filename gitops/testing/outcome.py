"""How one test went."""

from dataclasses import dataclass

LONGEST = 1 << 20
"""Bytes of output, the last ones, that are looked at."""

_SHOWN = 30  # lines


@dataclass(frozen=True)
class Outcome:
    """How one test went.

    Args:
        kind: `image` or `app`.
        name: the image or app.
        test: what was tried, in a few words; may hold what a definition says, as it stands there.
        wrong: what is wrong; empty when nothing is.
        output: what was written last, as it came: make it harmless before anybody sees it.
        seconds: how long it took.
    """

    kind: str
    name: str
    test: str
    wrong: str
    output: str
    seconds: float


def judged(status: int, right: int, output: str, text: str | None, what: str = "exit status") -> str:
    """Say what is wrong with an answer; nothing when it is right.

    Args:
        status: what came.
        right: what should.
        output: what came with it.
        text: what that must contain; None: anything.
        what: what the status is called.
    """
    if status != right:
        return f"{what} {status}" + (f" instead of {right}" if right or what != "exit status" else "")
    if text is not None and text not in output:
        return f"nothing says “{text}”"
    return ""


def tail(output: bytes) -> str:
    """Give the last lines of an output."""
    return "\n".join(output.decode(errors="replace").strip().splitlines()[-_SHOWN:])
