"""The directories that travel with the program: templates, pipelines and hooks."""

from pathlib import Path

from gitops.system.errors import UserError

_PACKAGE = Path(__file__).parent.parent


def shipped(name: str) -> Path:
    """Find `templates`, `pipelines` or `hooks`: inside the package in an install, beside it in a checkout."""
    for parent in (_PACKAGE, _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise UserError(
        f"this installation of gitops lacks its {name}/", hint="install it again from its wheel or package"
    )
