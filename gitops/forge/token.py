"""The forge's token: from the environment or a file, and nowhere else."""

import os
import re
from pathlib import Path

from gitops.system.errors import UserError
from gitops.system.places import Places

VARIABLE = "GITOPS_FORGE_TOKEN"
FILE_VARIABLE = "GITOPS_FORGE_TOKEN_FILE"
FILE = "forge-token"


def read_token(places: Places) -> str | None:
    """Give `GITOPS_FORGE_TOKEN`, what the file `GITOPS_FORGE_TOKEN_FILE` holds, or CONFIG/forge-token.

    Raises:
        UserError: the file cannot be read, is open to others, or holds no token. One that a variable names
            may be open to others: containers and CI systems give secrets so, where there is nobody else.
    """
    if value := os.environ.get(VARIABLE):
        return token(value, VARIABLE)
    if named := os.environ.get(FILE_VARIABLE):
        return token(_read(Path(named)), named)
    return kept_token(places)


def kept_token(places: Places) -> str | None:
    """Give what CONFIG/forge-token holds; None where there is no such file.

    Raises:
        UserError: as `read_token`.
    """
    path = places.config / FILE
    if not path.exists():
        return None
    if path.stat().st_mode & 0o077:
        raise UserError("can be read by others", file=path, hint=f"chmod 600 {path}, and make a new token")
    return token(_read(path), str(path))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UserError(f"the forge's token cannot be read: {reason}", file=path) from error


def token(value: str, where: str) -> str:
    """Take off the line end of a token.

    Args:
        value: what was given.
        where: by what.

    Raises:
        UserError: it could not stand in an HTTP header; it is not repeated.
    """
    found = value.strip()
    if not re.fullmatch(r"[!-~]+", found):
        raise UserError(f"{where} holds no token: a token is one word of ASCII characters")
    return found
