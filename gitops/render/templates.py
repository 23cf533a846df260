"""The Jinja2 templates: the fleet's own where it has one of the same name, otherwise those that ship."""

import hashlib
import os
import traceback
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined, Template, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gitops.system.errors import UserError
from gitops.system.shipped import shipped

Layout = Callable[..., str]
"""Fills in a template: its name, then values by name."""

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
    file = Path(_find(root, name))
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
    file = _find(root, name)
    try:
        return _compiled(root, name, file, os.stat(file).st_mtime_ns)  # noqa: PTH116  # as in _find
    except TemplateSyntaxError as error:
        raise UserError(error.message or "not a template", file=f"{file}:{error.lineno}") from error


def layout(root: Path) -> Layout:
    """Give what fills in a fleet's templates; errors as of `template`."""
    return lambda name, **values: template(root, name).render(**values)


def recipe(root: Path) -> str:
    """Digest what turns a definition into an image: part of every image's identity.

    Returns:
        SHA-256 in hexadecimal of the Dockerfile's template and the script that runs inside the build.
    """
    digest = hashlib.sha256()
    for name in _RECIPE:
        digest.update(hashlib.sha256(source(root, name)[0].encode()).digest())
    return digest.hexdigest()


class _Layout(Template):
    """A template whose failure is told by file and line: one of the fleet's own may hold anything."""

    def render(self, *args: Any, **values: Any) -> str:  # noqa: ANN401  # as Jinja2 has it
        """Fill it in.

        Raises:
            UserError: it cannot be.
        """
        try:
            return super().render(*args, **values)
        except (UserError, MemoryError):
            raise
        except Exception as error:
            lines = [
                frame.lineno
                for frame in traceback.extract_tb(error.__traceback__)
                if frame.filename == self.filename
            ]
            place = ":".join([str(self.filename), *map(str, lines[-1:])])
            raise UserError(f"the template fails: {error}", file=place) from error


@lru_cache(maxsize=32)
def _compiled(root: Path, name: str, file: str, _changed: int) -> Template:
    """Compile a template; which file it is and when that changed are here to tell one that is out of date."""
    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(lambda wanted: (source(root, wanted)[0], file, None)),
        undefined=StrictUndefined,
        autoescape=lambda found: ".html" in str(found),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.template_class = _Layout
    return environment.get_template(name)


def _find(root: Path, name: str) -> str:
    # os.path, since this is asked for each of a thousand images.
    for kind, directory in _shipped().items():
        own = os.path.join(root, kind, name)  # noqa: PTH118  # see above
        if os.path.isfile(own):  # noqa: PTH113  # see above
            if not Path(own).resolve().is_relative_to(root.resolve()):
                raise UserError("the template is a link that leaves the fleet", file=f"{kind}/{name}")
            return own
        if os.path.isfile(file := f"{directory}/{name}"):  # noqa: PTH113  # see above
            return file
    raise TemplateNotFound(name)


@cache
def _shipped() -> dict[str, str]:
    return {kind: str(shipped(kind)) for kind in ("templates", "pipelines")}
