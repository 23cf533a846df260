"""Keeping decrypted values out of what is printed or kept: a failing program may print what it was given."""

from pathlib import Path

from gitops.system.errors import Problem

_SHORTEST = 4
"""Characters below which a value is too common to be told from other text."""


def hide(text: str, directory: Path) -> str:
    """Give a text with `***` in place of every secret that this host has in the clear, and of its lines.

    Args:
        text: what a container or a program may have said.
        directory: where decrypted secrets are.
    """
    if not text:
        return text
    values = {
        part.strip()
        for path in directory.glob("*/*/*")
        if path.is_file()
        for value in [path.read_bytes().decode(errors="replace")]
        for part in (value, *value.splitlines())
    }
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _SHORTEST:
            text = text.replace(value, "***")
    return text


def hidden(problem: Problem, directory: Path) -> Problem:
    """Give a problem as `hide` gives a text."""
    return problem._replace(message=hide(problem.message, directory), hint=hide(problem.hint, directory))
