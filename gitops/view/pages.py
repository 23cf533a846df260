"""The view as static pages, `gitops status --html DIR`: no server, no script, nothing from outside."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from gitops.report.recent import recent
from gitops.system.clock import stamp
from gitops.system.locks import exclusive
from gitops.system.places import Places
from gitops.view.charts import RUNS
from gitops.view.folder import Folder, Page
from gitops.view.layout import Charts, Layout
from gitops.view.rows import backup_row, instance_row, job_row, linked, run_row, summary
from gitops.view.view import HostView, ImageView, InstanceView, View

_PROBLEMS = 100  # that the overview spells out
_RUNS = 12  # that an instance's page lists

Drawn = dict[str, tuple[str, str]]


def write_pages(view: View, directory: Path, places: Places) -> list[str]:
    """Write the pages of a view; give the paths of those that changed.

    Args:
        view: what they show; its fleet's own templates go before those that ship.
        directory: where they go; made where it is missing.
        places: this machine's directories.

    Raises:
        UserError: a file stands in the way that gitops did not write, or the history cannot be read.
    """
    with exclusive(places.runtime / "pages.lock", "the pages", wait=30), recent(places, RUNS) as ask:
        folder = Folder(directory)
        charts = Charts(folder.charts, ask)
        pages = {one.path: one for one in _Pages(view, Layout(view), charts).all()}
        return folder.update(pages, charts.drawn)


class _Pages:
    """All pages of a view."""

    def __init__(self, view: View, layout: Layout, charts: Charts) -> None:
        self._view, self._layout, self._charts = view, layout, charts
        self._known = {one.name for one in view.instances}

    def all(self) -> Iterator[Page]:
        """Give every page."""
        yield self._overview()
        for instance in self._view.instances:
            yield self._instance(instance)
        for image in self._view.images:
            yield self._image(image)
        for host in self._view.hosts:
            yield self._host(host)
        yield self._backups()
        yield self._jobs()

    def _overview(self) -> Page:
        view = self._view
        rows = [instance_row(one, view) for one in view.instances]
        problems = [linked(one, self._known) for one in view.problems]
        key = (stamp(view.at), rows, problems, view.waiting, view.hosts, view.turns[:10])
        return self._layout.page(
            "index.html",
            "overview",
            key,
            lambda: {
                **summary(view),
                "problems": problems[:_PROBLEMS],
                "more": max(0, len(problems) - _PROBLEMS),
                "instances": rows,
            },
        )

    def _instance(self, one: InstanceView) -> Page:
        view = self._view
        waiting = [each for each in view.waiting if self._images_of(one).intersection(each.images)]
        jobs = [job_row(each, self._known) for each in one.jobs]
        rows = [(row.service, row.state, row.health, row.image, row.current, row.note) for row in one.rows]
        key = (one.name, one.app, one.held, one.problems, one.parameters, one.images, one.backup, waiting)
        newest = [each.last.number for each in one.jobs if each.last]
        return self._layout.page(
            f"instances/{one.name}.html",
            "instance",
            (*key, rows, [(each.next, each.schedule, each.how) for each in jobs], newest),
            lambda: {
                "one": one,
                "problems": [linked(each, set()) for each in one.problems],
                "waiting": waiting,
                "jobs": jobs,
                "charts": self._charts.of_job,
                "runs": self._runs(one),
            },
        )

    def _image(self, one: ImageView) -> Page:
        return self._layout.page(
            f"images/{one.name}.html",
            "image",
            (one, self._view.looked if not one.waiting else None),
            lambda: {"one": one, "looked": self._view.looked},
        )

    def _host(self, one: HostView) -> Page:
        view, here = self._view, one.source == "here"
        own = [job_row(each, self._known) for each in view.jobs if each.instance not in self._known and here]
        said = summary(view)["agent"] if here else ""
        problems = [linked(each, self._known) for each in one.problems]
        at = None if here else one.at
        key = (one.source, one.generation, at, problems, own, here and (view.turns, sorted(self._known)))
        return self._layout.page(
            f"hosts/{one.name}.html",
            "host",
            (*key, view.tick.state if here and view.tick else ""),
            lambda: {
                "one": one,
                "agent": said,
                "problems": problems,
                "jobs": own,
                "charts": self._charts.of_job,
                "names": sorted(self._known),
            },
        )

    def _backups(self) -> Page:
        view = self._view
        rows = [backup_row(one, self._charts.of_backup(one)) for one in view.backups]
        problems = [linked(one, self._known) for one in view.problems if one.subject.startswith("backup ")]
        return self._layout.page(
            "backups.html", "backups", rows, lambda: {"backups": rows, "problems": problems[:_PROBLEMS]}
        )

    def _jobs(self) -> Page:
        rows = [job_row(one, self._known) for one in self._view.jobs]
        rows.sort(key=lambda one: (not one.bad, one.subject))
        problems = [linked(one, self._known) for one in self._view.problems if one.subject.startswith("job ")]
        charts = [self._charts.of_job(one) for one in rows]
        return self._layout.page(
            "jobs.html",
            "jobs",
            (rows, charts),
            lambda: {"jobs": rows, "problems": problems[:_PROBLEMS], "charts": self._charts.of_job},
        )

    def _images_of(self, one: InstanceView) -> frozenset[str]:
        """Give the images of an instance, and those below them."""
        parents = {image.name: image.parent for image in self._view.images}
        found = set()
        for name in one.images:
            while name in parents:
                found.add(name)
                name = parents[name]  # noqa: PLW2901  # down to what it stands on
        return frozenset(found)

    def _runs(self, one: InstanceView) -> Sequence[object]:
        """Give the newest runs of all that runs for an instance, the newest first."""
        found = [run for job in one.jobs for run in self._charts.runs("job", one.name, job.job)]
        for kind in ("backup", "drill", "restore"):
            found += self._charts.runs(kind, one.name)
        return [run_row(each) for each in sorted(found, key=lambda each: each.started, reverse=True)[:_RUNS]]
