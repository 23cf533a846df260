"""How a rendered file tells that it is one: by its first line, so that nothing else need be remembered."""

from pathlib import Path

MARK = "# Written by `gitops render`; what is changed here by hand is lost."


def is_marked(file: Path) -> bool:
    """Tell whether a file is one that render wrote; a symlink never is."""
    if file.is_symlink() or not file.is_file():
        return False
    with file.open("rb") as opened:
        return opened.readline(len(MARK) + 1).rstrip(b"\n") == MARK.encode()
