"""The Jinja2 templates: the fleet's own where it has one of the same name, otherwise those that ship."""

import os
import traceback
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined, Template, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gitops.render.recipe import find, source
from gitops.system.errors import UserError

Layout = Callable[..., str]
"""Fills in a template: its name, then values by name."""


def template(root: Path, name: str) -> Template:
    """Give a compiled template, compiled again only when its file has changed.

    A fleet's template may lay out, not act: it runs in Jinja2's sandbox, since whoever may write to the fleet
    is not thereby someone who may run Python on the machine that renders it.

    Raises:
        UserError: the fleet's template is not valid Jinja2.
    """
    file = find(root, name)
    try:
        return _compiled(root, name, file, os.stat(file).st_mtime_ns)  # noqa: PTH116  # as in find
    except TemplateSyntaxError as error:
        raise UserError(error.message or "not a template", file=f"{file}:{error.lineno}") from error


def layout(root: Path) -> Layout:
    """Give what fills in a fleet's templates; errors as of `template`."""
    return lambda name, **values: template(root, name).render(**values)


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
        loader=FunctionLoader(lambda wanted: _text(root, wanted, file)),
        undefined=StrictUndefined,
        autoescape=lambda found: ".html" in str(found),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.template_class = _Layout
    return environment.get_template(name)


def _text(root: Path, name: str, file: str) -> tuple[str, str, None] | None:
    """Give Jinja2 a template's text, and the file that errors are about; None where there is none."""
    try:
        return source(root, name)[0], file, None
    except FileNotFoundError:
        return None
