"""The one exception for what the user can mend; anything else that is raised is a bug and shows as one."""

from pathlib import Path
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong.

    Args:
        file: where it is wrong, as the user would write the path; empty when no file is to blame.
        line: from 1, as editors count; 0 when it is the file as a whole.
        column: from 1; 0 when it is the line as a whole.
        message: what is wrong.
        hint: the nearest right thing, or the command to run next.
    """

    file: str = ""
    line: int = 0
    column: int = 0
    message: str = ""
    hint: str = ""

    @property
    def place(self) -> str:
        """Give `file:line:column`, as far as they are known."""
        numbers = (str(number) for number in (self.line, self.column) if number)
        return ":".join([self.file, *numbers]) if self.file else ""

    def __str__(self) -> str:
        """Give `file:line:column: message`, as compilers do, with the hint on a line of its own."""
        text = f"{self.place}: {self.message}" if self.file else self.message
        return f"{text}\n  {self.hint}" if self.hint else text


class UserError(Exception):
    """Something the user can mend; printed without a traceback, exit status 1."""

    def __init__(self, message: str = "", *, file: Path | str = "", hint: str = "") -> None:
        """Make an error of one problem."""
        self.problems: tuple[Problem, ...] = (Problem(file=str(file), message=message, hint=hint),)
        super().__init__(message)

    @classmethod
    def of(cls, problems: list[Problem]) -> "UserError":
        """Make one error of many problems, so that all of them are reported in one run."""
        error = cls("\n".join(str(problem) for problem in problems))
        error.problems = tuple(problems)
        return error

    def __str__(self) -> str:
        """Give every problem, one after the other."""
        return "\n".join(str(problem) for problem in self.problems)


class InterruptedByUserError(BaseException):
    """Ctrl-C, under a name of our own: typer would turn KeyboardInterrupt into an exit without a word."""
