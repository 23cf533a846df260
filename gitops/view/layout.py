"""What all pages share: their template, what they may load (nothing), their times, and their charts."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from jinja2 import TemplateError
from markupsafe import Markup

from gitops.backup.standing import BackupStanding
from gitops.render.recipe import source
from gitops.render.templates import template
from gitops.report.history import Run
from gitops.report.recent import Recent
from gitops.system.errors import UserError
from gitops.system.terminal import harmless
from gitops.view.charts import chart
from gitops.view.folder import Page
from gitops.view.rows import JobRow
from gitops.view.times import timed, when
from gitops.view.view import View

_PARTS = ("base", "parts", "overview", "instance", "image", "host", "backups", "jobs")


class Layout:
    """Makes pages of templates."""

    def __init__(self, view: View) -> None:
        """Read the templates; those of the fleet go before those that ship."""
        root = self._root = Path(view.root)
        self._view = view
        # Markup in a style sheet would end it: it is the fleet's to write, as the templates are.
        self._style = source(root, "status/style.css")[0].replace("<", "")
        made = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self._policy = (
            f"default-src 'none'; style-src 'sha256-{made}'; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        )
        texts = [source(root, f"status/{name}.html.j2")[0] for name in _PARTS]
        zone = str(datetime.now().astimezone().tzinfo)
        self._seed = repr([view.fleet, view.host, self._style, texts, zone])

    def page(self, path: str, name: str, key: object, values: Callable[[], Mapping[str, object]]) -> Page:
        """Make a page.

        Args:
            path: below the folder.
            name: the template's.
            key: all that the page shows, as something whose `repr` is the same when that is.
            values: what its template is given besides what all are.
        """

        def content() -> bytes:
            shared = {
                "view": self._view,
                "fleet": self._view.fleet,
                "host": self._view.host,
                "path": path,
                "up": "../" if "/" in path else "",
                "style": Markup(self._style),  # noqa: S704  # no `<` is in it
                "policy": self._policy,
                "when": when,
                "timed": timed,
            }
            file = f"status/{name}.html.j2"
            try:
                text = template(self._root, file).render({**shared, **values()})
            except TemplateError as error:
                raise UserError(error.message or "not a template", file=f"templates/{file}") from error
            # Changes of direction would make text look like other text, on a page as on a terminal.
            return harmless(text).encode(errors="replace")

        digest = hashlib.sha256(f"{self._seed}{path}{key!r}".encode(errors="replace")).hexdigest()
        return Page(path, digest[:32], content)


class Charts:
    """Charts of what ran; one whose newest run is the same as the last time is taken from then."""

    def __init__(self, before: Mapping[str, tuple[str, str]], ask: Recent) -> None:
        """Take those of the last time; `ask` gives the newest runs for the others."""
        self._before, self._ask = before, ask
        self._runs: dict[tuple[str, str, str], list[Run]] = {}
        self.drawn: dict[str, tuple[str, str]] = {}

    def of_job(self, job: JobRow) -> Markup:
        """Draw a job's runs."""
        return self._chart("job", job.instance, job.job, str(job.number))

    def of_backup(self, backup: BackupStanding) -> Markup:
        """Draw how long an instance's backups took."""
        return self._chart("backup", backup.instance, "", repr((backup.newest, backup.notes)))

    def runs(self, kind: str, instance: str, name: str = "") -> list[Run]:
        """Give the newest runs, the newest first; each is read once."""
        key = (kind, instance, name)
        if key not in self._runs:
            self._runs[key] = self._ask(*key)
        return self._runs[key]

    def _chart(self, kind: str, instance: str, name: str, key: str) -> Markup:
        called = f"{kind} {instance}/{name}"
        if called not in self.drawn:
            before = self._before.get(called)
            if not before or before[0] != key:
                before = (key, str(chart(self.runs(kind, instance, name))))
            self.drawn[called] = before
        return Markup(self.drawn[called][1])  # noqa: S704  # made by `chart`, of numbers
