"""Forgejo Actions: GitHub's language, without environments and without pages of summaries.

Each run has a token of its own that may write to the repository, but for pull requests from forks
(forgejo.org, "Automatic token"); so the plan becomes a comment, with no secret that anybody has to make.
"""

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
