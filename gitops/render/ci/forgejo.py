"""Forgejo Actions: GitHub's language, without environments and without pages of summaries."""

from gitops.render.ci.workflow import Dialect
from gitops.render.ci.workflow import render as render_workflow
from gitops.render.pipeline import Pipeline
from gitops.render.templates import Layout

_DIALECT = Dialect(
    template="forgejo.yml.j2",
    file=".forgejo/workflows/gitops.yml",
    runner="docker",
    environment="",
    summaries=False,
)
FILES = (_DIALECT.file,)


def render(pipeline: Pipeline, layout: Layout) -> dict[str, str]:
    """Give the workflow."""
    return render_workflow(pipeline, layout, _DIALECT)
