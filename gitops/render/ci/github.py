"""GitHub Actions."""

from gitops.render.ci.workflow import Dialect
from gitops.render.ci.workflow import render as render_workflow
from gitops.render.pipeline import Pipeline
from gitops.render.templates import Layout

_DIALECT = Dialect(
    template="github.yml.j2",
    file=".github/workflows/gitops.yml",
    runner="ubuntu-24.04",
    environment="gitops",
    summaries=True,
)
FILES = (_DIALECT.file,)


def render(pipeline: Pipeline, layout: Layout) -> dict[str, str]:
    """Give the workflow."""
    return render_workflow(pipeline, layout, _DIALECT)
