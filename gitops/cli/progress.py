"""How far what takes long is: bars, on a terminal, on standard error, once it has taken two seconds.

What is printed meanwhile goes above them. Where standard error is no terminal, nothing is shown.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING

from gitops.cli.sizes import readable
from gitops.system.progress import Amount, Progress, silent
from gitops.system.terminal import guard, harmless, unguarded

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

_SOON = 2.0  # seconds; what is done by then needs no bar
_WIDE, _NARROW = 100, 60  # columns: from where on there is room for a bar, and for all of the words
_shared: list["_Shown"] = []


@contextmanager
def shown() -> Iterator[Progress]:
    """Give what is told of progress; inside of another such block, that block's."""
    if not sys.stderr.isatty():
        yield silent
        return
    if _shared:
        yield _shared[0].tell
        return
    one = _Shown()
    _shared.append(one)
    try:
        yield one.tell
    finally:
        _shared.clear()
        one.end()


class _Shown:
    """What is under way, and the bars that show it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._now: dict[str, tuple[str, Amount | None]] = {}
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._timer = Timer(_SOON, self._begin)
        self._timer.daemon = True
        self._timer.start()

    def tell(self, name: str, doing: str, amount: Amount | None = None, /) -> None:
        """Note what is being done; show it, if it is time."""
        with self._lock:
            if doing:
                self._now[name] = doing, amount
            else:
                self._now.pop(name, None)
            self._show(name)

    def end(self) -> None:
        """Take the bars away."""
        self._timer.cancel()
        with self._lock:
            if self._bars:
                self._bars.stop()
            self._now, self._bars = {}, None

    def _begin(self) -> None:
        with self._lock:
            if self._timer.finished.is_set():  # it ended in this instant
                return
            self._bars = _bars()
            self._bars.start()
            guard()  # rich has put streams of its own in the place of ours
            for name in self._now:
                self._show(name)

    def _show(self, name: str) -> None:
        bars = self._bars
        if bars is None:
            return
        if name not in self._now:
            if name in self._tasks:
                bars.remove_task(self._tasks.pop(name))
            return
        doing, amount = self._now[name]
        line = " ".join(harmless(f"{name}: {doing}").split())
        unit, done, total = (amount.unit, amount.done, amount.total) if amount else ("", 0, None)
        task = self._tasks.get(name)
        if task is None or bars.tasks[bars.task_ids.index(task)].fields["unit"] != unit:
            if task is not None:  # another kind of work: its speed is its own
                bars.remove_task(task)
            task = self._tasks[name] = bars.add_task(line, total=total, completed=int(done), unit=unit)
        bars.update(task, description=line, completed=done, total=total)


def _bars() -> "Bars":
    """Make the bars: what is done, how far it is, how fast, and how long it will take."""
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task
    from rich.progress import Progress as Bars
    from rich.table import Column
    from rich.text import Text

    class Doing(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(task.description)

    class Far(ProgressColumn):
        max_refresh = 0.5

        def render(self, task: Task) -> Text:
            unit, brief = task.fields["unit"], console.width < _NARROW
            return Text(far(task.completed, task.total, unit, task.speed, task.time_remaining, brief=brief))

    console = Console(file=unguarded(sys.stderr), highlight=False, markup=False, emoji=False)
    rest, whole = Column(ratio=1, no_wrap=True, overflow="ellipsis"), Column(no_wrap=True)
    bar = [BarColumn(bar_width=20)] if console.width >= _WIDE else []
    return Bars(
        *(SpinnerColumn(), Doing(rest), *bar, Far(whole)),
        console=console,
        transient=True,
        expand=True,
        redirect_stdout=sys.stdout.isatty(),
    )


def far(
    done: float,
    total: float | None,
    unit: str,
    speed: float | None,
    left: float | None,
    *,
    brief: bool = False,
) -> str:
    """Say how far something is: `12.3 MB of 45.6 MB, 5.2 MB/s, 7 s left`.

    Args:
        done: how much is done.
        total: of how much; None where that is not known.
        unit: as of an Amount.
        speed: a second, where it is known.
        left: seconds, where they are known.
        brief: say it in few words, `27%, 7 s left`.
    """
    if not total:
        return (
            ", ".join([readable(done), *([f"{readable(speed)}/s"] if speed else [])]) if unit == "B" else ""
        )
    if brief:
        parts = [f"{done / total:.0%}"]
    elif unit == "B":
        parts = [f"{readable(done)} of {readable(total)}"]
        parts += [f"{readable(speed)}/s"] if speed else []
    else:
        parts = [f"{done:.0f} of {total:.0f} {unit}"]
        parts += [f"{speed * 60:.3g}/min"] if speed else []
    parts += [f"{_span(left)} left"] if left else []
    return ", ".join(parts)


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
