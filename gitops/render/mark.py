"""How a rendered file tells that it is one: by its first line, so that nothing else need be remembered."""

from pathlib import Path

MARK = "# Written by `gitops render`; what is changed here by hand is lost."

JSON_MARK = f'{{"//": "{MARK.removeprefix("# ")}",'
"""The first line of a rendered file that is JSON, which has no comments."""

_MARKS = (MARK.encode(), JSON_MARK.encode())


def is_marked(file: Path) -> bool:
    """Tell whether a file is one that render wrote; a symlink never is."""
    if file.is_symlink() or not file.is_file():
        return False
    with file.open("rb") as opened:
        return opened.readline(len(MARK) + 16).rstrip(b"\n") in _MARKS
