"""The Jinja2 templates: the fleet's own where it has one of the same name, otherwise those that ship."""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from jinja2 import FunctionLoader, StrictUndefined, Template, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gitops.system.errors import UserError
from gitops.system.shipped import shipped

_RECIPE = ("Dockerfile.j2", "install.sh")


def source(root: Path, name: str) -> tuple[str, Path]:
    """Find a template.

    Args:
        root: the fleet; its `templates/` and `pipelines/` go before those that ship with gitops.
        name: the template's file name, for example `Dockerfile.j2`.

    Returns:
        Its text and the file it stands in.

    Raises:
        UserError: it is a symlink that leaves the fleet, or not UTF-8.
        TemplateNotFound: there is none of that name.
    """
    file = _find(root, name)
    try:
        return file.read_text(encoding="utf-8"), file
    except UnicodeDecodeError as error:
        raise UserError(f"the template is not UTF-8: {error}", file=file) from error


def template(root: Path, name: str) -> Template:
    """Give a compiled template, compiled again only when its file has changed.

    A fleet's template may lay out, not act: it runs in Jinja2's sandbox, since whoever may write to the fleet
    is not thereby someone who may run Python on the machine that renders it.

    Raises:
        UserError: the fleet's template is not valid Jinja2.
    """
    try:
        return _environment(root).get_template(name)
    except TemplateSyntaxError as error:
        place = f"{error.filename or name}:{error.lineno}"
        raise UserError(error.message or "not a Jinja2 template", file=place) from error


def recipe(root: Path) -> str:
    """Digest what turns a definition into an image: part of every image's identity.

    Returns:
        SHA-256 in hexadecimal of the Dockerfile's template and the script that runs inside the build.
    """
    digest = hashlib.sha256()
    for name in _RECIPE:
        digest.update(hashlib.sha256(source(root, name)[0].encode()).digest())
    return digest.hexdigest()


@lru_cache(maxsize=8)
def _environment(root: Path) -> ImmutableSandboxedEnvironment:
    def load(name: str) -> tuple[str, str, Callable[[], bool]]:
        text, file = source(root, name)
        time = file.stat().st_mtime_ns
        return text, str(file), lambda: _find(root, name) == file and file.stat().st_mtime_ns == time

    return ImmutableSandboxedEnvironment(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        autoescape=lambda name: bool(name) and ".html" in str(name),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _find(root: Path, name: str) -> Path:
    for kind in ("templates", "pipelines"):
        own = root / kind / name
        if own.is_file():
            if not own.resolve().is_relative_to(root.resolve()):
                raise UserError("the template is a link that leaves the fleet", file=own.relative_to(root))
            return own
        if (file := shipped(kind) / name).is_file():
            return file
    raise TemplateNotFound(name)
