"""Where on a command line the cursor is: what is meant to stand there, and what stands before it."""

from collections.abc import Mapping, Sequence
from typing import Any


class Cursor:
    """A line, read up to the cursor.

    Args:
        top: the program, as `verbs` gives it.
        words: what follows its name; the last word is being typed.

    Attributes:
        typed: what there is of it.
        before: what must stand before what completes it, in the same word: `--host=`.
        wanted: the metavar of what belongs there; empty where that is one of `words`.
        choices: all that it may be, where that is known.
        words: verbs or options, and what each does.
        many: whether more than one may be given.
        given: the arguments before it.
    """

    def __init__(self, top: Mapping[str, Any], words: Sequence[str]) -> None:
        """Read a line."""
        *done, self.typed = words or [""]
        self._verb = top
        self._options: set[str] = set()
        self._values: dict[str, str] = {}
        self.given: list[str] = []
        self.words: list[tuple[str, str]] = []
        self.choices: Sequence[str] = ()
        self.before, self.wanted, self.many = "", "", False
        waiting, only_arguments = self._read(done)
        name, equals, value = self.typed.partition("=")
        if waiting is not None:
            self._want(waiting)
        elif equals and not only_arguments and (option := self._option(name)):
            self.typed, self.before = value, f"{name}="
            self._want(option)
        elif self.typed.startswith("-") and not only_arguments:
            self.words = [
                (one["spellings"][-1], one["help"])
                for one in self._verb["options"]
                if one["many"] or one["spellings"][-1] not in self._options
            ]
        elif self._verb["verbs"]:
            self.words = [(one["name"], one["short"]) for one in self._verb["verbs"]]
        else:
            self._want(self._next())

    def option(self, metavar: str) -> str:
        """Give the value of the option that takes such a thing, as far as it was given."""
        return self._values.get(metavar, "")

    def argument(self, metavar: str) -> str:
        """Give the argument that is such a thing, as far as it was given."""
        for one, value in zip(self._verb["arguments"], self.given, strict=False):
            if one["metavar"] == metavar:
                return str(value)
        return ""

    def takes(self, metavar: str) -> bool:
        """Tell whether the verb has such an argument."""
        return any(one["metavar"] == metavar for one in self._verb["arguments"])

    def _read(self, words: Sequence[str]) -> tuple[Mapping[str, Any] | None, bool]:
        """Take the finished words; give the option that waits for its value, and whether `--` was said."""
        waiting: Mapping[str, Any] | None = None
        only_arguments = False
        for word in words:
            name, equals, value = word.partition("=")
            if waiting is not None:
                self._values[waiting["metavar"]], waiting = word, None
            elif only_arguments or not word.startswith("-") or word == "-":
                self._take(word)
            elif word == "--":
                only_arguments = True
            elif option := self._option(name):
                self._options.add(option["spellings"][-1])
                if equals:
                    self._values[option["metavar"]] = value
                elif option["metavar"]:
                    waiting = option
        return waiting, only_arguments

    def _take(self, word: str) -> None:
        for one in self._verb["verbs"]:
            if one["name"] == word:
                self._verb = one
                return
        self.given.append(word)

    def _option(self, name: str) -> Mapping[str, Any] | None:
        for one in self._verb["options"]:
            if name in one["spellings"]:
                return one  # type: ignore[no-any-return]  # what JSON says
        return None

    def _next(self) -> Mapping[str, Any]:
        """Give the argument that is next; nothing belongs there where all are given."""
        arguments = self._verb["arguments"]
        if len(self.given) < len(arguments):
            return arguments[len(self.given)]  # type: ignore[no-any-return]  # as above
        last = arguments[-1] if arguments and arguments[-1]["many"] else None
        return last or {"metavar": "-", "choices": (), "many": False}

    def _want(self, parameter: Mapping[str, Any]) -> None:
        self.wanted, self.choices = parameter["metavar"], parameter["choices"]
        self.many = parameter["many"]
