"""The one way to write a file (whole or not at all), and to tell what a path really names."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path


def write(path: Path, content: bytes | str, mode: int = 0o644, *, durable: bool = True) -> bool:
    """Write a file so that a reader, or a crash, sees the old content or the new, never a part.

    Args:
        path: the file; its parent directories are made where they are missing.
        content: bytes, or text that is written as UTF-8.
        mode: octal permissions of the file.
        durable: wait until the disk has it. False is for many files that can be made again: after a power
            cut, though not after a crash of this program, such a file may be empty.

    Returns:
        True when something changed; a file that already says this is left alone, its time too.
    """
    data = content.encode() if isinstance(content, str) else content
    with contextlib.suppress(FileNotFoundError):
        if not path.is_symlink() and path.read_bytes() == data and path.stat().st_mode & 0o7777 == mode:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file's content, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
