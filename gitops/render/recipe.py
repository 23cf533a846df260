"""Which file a template is, and what of them decides the identity of images; nothing here needs Jinja2."""

import hashlib
import os
from functools import cache
from pathlib import Path

from gitops.system.errors import UserError
from gitops.system.shipped import shipped

_RECIPE = ("Dockerfile.j2", "install.sh")


def recipe(root: Path) -> str:
    """Digest what turns a definition into an image: part of every image's identity.

    Returns:
        SHA-256 in hexadecimal of the Dockerfile's template and the script that runs inside the build.
    """
    digest = hashlib.sha256()
    for name in _RECIPE:
        digest.update(hashlib.sha256(source(root, name)[0].encode()).digest())
    return digest.hexdigest()


def source(root: Path, name: str) -> tuple[str, Path]:
    """Find a template.

    Args:
        root: the fleet; its `templates/` and `pipelines/` go before those that ship with gitops.
        name: the template's file name, for example `Dockerfile.j2`.

    Returns:
        Its text and the file it stands in.

    Raises:
        UserError: it is a symlink that leaves the fleet, or not UTF-8.
        FileNotFoundError: there is none of that name.
    """
    file = Path(find(root, name))
    try:
        return file.read_text(encoding="utf-8"), file
    except UnicodeDecodeError as error:
        raise UserError(f"the template is not UTF-8: {error}", file=file) from error


def find(root: Path, name: str) -> str:
    """Say which file a template is; arguments and errors as for `source`."""
    # os.path, since this is asked for each of a thousand images.
    for kind, directory in _shipped().items():
        own = os.path.join(root, kind, name)  # noqa: PTH118  # see above
        if os.path.isfile(own):  # noqa: PTH113  # see above
            if not Path(own).resolve().is_relative_to(root.resolve()):
                raise UserError("the template is a link that leaves the fleet", file=f"{kind}/{name}")
            return own
        if os.path.isfile(file := f"{directory}/{name}"):  # noqa: PTH113  # see above
            return file
    raise FileNotFoundError(name)


@cache
def _shipped() -> dict[str, str]:
    return {kind: str(shipped(kind)) for kind in ("templates", "pipelines")}
