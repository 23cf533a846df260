"""How `--help` lists verbs: each with all that is said of it in its first sentence, wrapped, not cut off."""

from typing import Any

from typer.core import TyperGroup


class Group(TyperGroup):
    """A group of verbs."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  # click's before typer 0.26, then typer's
        """Write the list."""
        verbs = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, one.get_short_help_str(limit=200)) for name, one in verbs if one and not one.hidden]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
