"""Gitea Actions: GitHub's language, without environments; pages of summaries since Gitea 1.27."""

from gitops.render.ci.workflow import Dialect
from gitops.render.ci.workflow import render as render_workflow
from gitops.render.pipeline import Pipeline
from gitops.render.templates import Layout

_DIALECT = Dialect(
    template="gitea.yml.j2",
    file=".gitea/workflows/gitops.yml",
    runner="ubuntu-latest",
    environment="",
    summaries=True,
)
FILES = (_DIALECT.file,)


def render(pipeline: Pipeline, layout: Layout) -> dict[str, str]:
    """Give the workflow."""
    return render_workflow(pipeline, layout, _DIALECT)
