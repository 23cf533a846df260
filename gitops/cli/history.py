"""`gitops history`: what the agent did on this host, and how it ended."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitops.cli.options import JsonOption

if TYPE_CHECKING:
    from gitops.report.turns import Step, Turn

app = typer.Typer(help="Say what was done on this host, and how it ended.", invoke_without_command=True)


@app.callback()
def history(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many turns, the newest last.")] = 20,
    json: JsonOption = False,
) -> None:
    """Say what was done on this host: what was fetched or refused, applied, or rolled back."""
    from gitops.report.turns import turns
    from gitops.system.places import places

    if context.invoked_subcommand:
        return
    found = turns(places(), limit=limit)[::-1]
    if json:
        from gitops.cli.document import emit

        emit(turns=[_shown(turn) for turn in found])
        return
    if not found:
        print("nothing was done on this host yet")
        return
    from gitops.cli.table import show as print_table

    head = ("turn", "when", "what", "commit", "before", "outcome", "detail")
    rows = [(str(turn.number), *_cells(turn)) for turn in found]
    print_table(head, rows, spare=("before", "commit", "turn"))


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="N", help="The turn.")], json: JsonOption = False
) -> None:
    """Show one turn: its plan, and how each step ended."""
    from gitops.report.turns import turn
    from gitops.system.places import places

    found = turn(places(), number)
    if json:
        from gitops.cli.document import emit

        emit(**_shown(found), actions=[_action(step) for step in found.steps])
        return
    when, what, commit, _, outcome, detail = _cells(found)
    print(f"{when}  {what} {commit} {outcome}{f': {detail}' if detail else ''}")
    for step in found.steps:
        took = (
            f" in {(step.ended - step.started).total_seconds():.1f} s" if step.started and step.ended else ""
        )
        print(f"  {step.action} {step.subject}: {step.reason}")
        print(f"    {step.outcome}{took}{f': {step.detail}' if step.detail else ''}")


def _cells(turn: "Turn") -> tuple[str, ...]:
    from gitops.system.clock import local

    before = turn.before[:12] if turn.before not in {"", turn.commit} else "-"
    often = f", {turn.times} times until {local(turn.ended)}" if turn.times > 1 and turn.ended else ""
    said = turn.detail.removeprefix(f"{turn.outcome}: ")
    outcome = f"{turn.outcome}{often}"
    return (local(turn.started), turn.kind, turn.commit[:12] or "-", before, outcome, said)


def _shown(turn: "Turn") -> dict[str, Any]:
    from gitops.system.clock import stamp

    return {
        "number": turn.number,
        "kind": turn.kind,
        "commit": turn.commit,
        "before": turn.before,
        "started": stamp(turn.started),
        "ended": turn.ended and stamp(turn.ended),
        "outcome": turn.outcome,
        "detail": turn.detail,
        "times": turn.times,
    }


def _action(step: "Step") -> dict[str, Any]:
    from gitops.system.clock import stamp

    return {
        "action": step.action,
        "subject": step.subject,
        "reason": step.reason,
        "outcome": step.outcome,
        "started": step.started and stamp(step.started),
        "ended": step.ended and stamp(step.ended),
        "detail": step.detail,
    }
