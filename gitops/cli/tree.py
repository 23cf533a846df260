"""What there is to type: every verb with its arguments and options, taken from the verbs themselves.

Completions, manual pages and docs/commands.md are made of it, so that none of them can say anything else than
`--help` does.
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, get_args, get_origin

import typer

PROGRAM = "gitops"


@dataclass(frozen=True)
class Parameter:
    """An argument or option.

    Args:
        spellings: of an option, `--host`; none for an argument.
        metavar: what stands for its value, `HOST`; empty where it takes none.
        help: what it is.
        choices: its values, where there are only these.
        many: whether it may be given several times.
        required: whether it must be given.
        default: what it is otherwise, where that is worth telling.
    """

    spellings: tuple[str, ...]
    metavar: str
    help: str
    choices: tuple[str, ...] = ()
    many: bool = False
    required: bool = False
    default: str = ""

    @property
    def label(self) -> str:
        """Give it as `--help` writes it: `-n, --limit INTEGER`, `[INSTANCE]...`."""
        if self.spellings:
            return f"{', '.join(self.spellings)} {self.metavar}".rstrip()
        name = self.metavar if self.required else f"[{self.metavar}]"
        return f"{name}..." if self.many else name


@dataclass(frozen=True)
class Verb:
    """A verb, or a group of them.

    Args:
        words: how it is called, `gitops backup run`.
        short: what it does, in a line.
        help: what it does, paragraphs of it.
        arguments: in their order.
        options: as `--help` has them, itself among them.
        verbs: those of a group.
    """

    words: tuple[str, ...]
    short: str
    help: tuple[str, ...]
    arguments: tuple[Parameter, ...]
    options: tuple[Parameter, ...]
    verbs: "tuple[Verb, ...]" = ()

    @property
    def usage(self) -> str:
        """Give the line that `--help` begins with, after `Usage: `."""
        group = ["COMMAND [ARGS]..."] if self.verbs else []
        return " ".join([*self.words, "[OPTIONS]", *(one.label for one in self.arguments), *group])

    def walk(self) -> "Iterator[Verb]":
        """Give it and all below it."""
        yield self
        for each in self.verbs:
            yield from each.walk()


@cache
def tree() -> Verb:
    """Give the program."""
    from gitops.cli.main import app

    return _verb(typer.main.get_command(app), None, (PROGRAM,))


# typer has classes of its own since version 0.26, and click's before: what both have is used, by name.
def _verb(command: Any, parent: Any, words: tuple[str, ...]) -> Verb:  # noqa: ANN401  # see above
    context = command.make_context(words[-1], [], parent=parent, resilient_parsing=True)
    parameters = [each for each in command.get_params(context) if not getattr(each, "hidden", False)]
    verbs = getattr(command, "commands", {})
    return Verb(
        words,
        command.get_short_help_str(limit=200),
        tuple(_paragraphs(command.help or "")),
        tuple(_argument(each) for each in parameters if each.param_type_name == "argument"),
        tuple(_option(each) for each in parameters if each.param_type_name == "option"),
        tuple(_verb(each, context, (*words, name)) for name, each in verbs.items() if not each.hidden),
    )


def _argument(one: Any) -> Parameter:  # noqa: ANN401  # see _verb
    metavar = (one.metavar or one.name).strip("[].").upper()
    return Parameter((), metavar, _line(one.help), _choices(one), one.nargs == -1, one.required)


def _option(one: Any) -> Parameter:  # noqa: ANN401  # see _verb
    spellings = (*sorted(one.opts, key=len), *one.secondary_opts)
    if one.is_flag or one.count:
        return Parameter(spellings, "", _line(one.help))
    default = "" if one.default in {None, ()} or callable(one.default) else str(one.default)
    metavar = one.metavar or one.name.upper()
    return Parameter(spellings, metavar, _line(one.help), _choices(one), one.multiple, one.required, default)


def _choices(one: Any) -> tuple[str, ...]:  # noqa: ANN401  # see _verb
    """Give the values of what takes only some: an Enum's or a Literal's."""
    annotation = getattr(getattr(one, "type_descriptor", None), "annotation", None)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(str(each.value) for each in annotation)
    told = get_args(annotation) if get_origin(annotation) is Literal else ()
    return tuple(map(str, told or getattr(getattr(one, "type", None), "choices", None) or ()))


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _paragraphs(text: str) -> Iterator[str]:
    for each in inspect.cleandoc(text).split("\n\n"):
        if words := " ".join(each.split()):
            yield words
