"""Text from outside, made harmless for a terminal, a commit message, and the Markdown of a forge.

What a forge acts on in a text, and where: GitHub looks for mentions, `#1`, `GH-1`, closing words, `[skip ci]`
and trailers in commit messages, which may be made of a pull request's text when it is squashed; GitLab looks
for closing words in a merge request's source text, inside blocks of code too, and for quick actions at the
beginning of a line.
"""

import html
import re

_LONGEST_LINE = 400  # characters; what is longer was not written to be read
_ANSI = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?")
_SCHEME = re.compile(r"(?:[A-Za-z0-9+.-]*:)+//+")
_NUMBER = re.compile(r"(\w?)[#\uff03]+(?=\d)")
_SKIP = re.compile(r"\[(\s*(?:skip|no|ci|actions)\b[^\[\]]*)\]", re.IGNORECASE)
_SIGN = re.compile(r"[!-/:-@\[-`{-~]")
_ESCAPED = r"\\\g<0>"
_OBEYED = re.compile(
    r"\s*(?:/[a-z]|(?:[\w-]+-by|change-id|skip-checks|cc|link|on-behalf-of)\s*:)", re.IGNORECASE
)


def plain(text: str) -> str:
    """Leave what a terminal only shows: no escape sequences, control characters or changes of direction.

    Lines stay lines; very long ones are cut.
    """
    text = _ANSI.sub("", text.replace("\r\n", "\n"))
    return "\n".join(_shown(line) for line in text.split("\n"))


def line(text: str, most: int = 300) -> str:
    """Make text one plain line of at most so many characters."""
    words = " ".join(plain(" ".join(text[: 4 * most].split())).split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def defanged(text: str) -> str:
    """Make text plain, and such that no forge takes it for a mention, a reference or an order.

    Addresses lose their scheme, numbers their `#`; an `@` gets a space after it. Letters stay as they are.
    """
    text = _SCHEME.sub("", plain(text)).replace("<!--", "<! --")  # as the bot's own marks begin
    text = re.sub(r"[@\uff20](?=\S)", "@ ", text)
    text = _NUMBER.sub(lambda found: f"{found[1]} " if found[1] else "", text)
    text = re.sub(r"!(?=\d)", "! ", text)
    text = re.sub(r"\b(GH|GL)-(?=\d)", r"\1 ", text, flags=re.IGNORECASE)
    return _SKIP.sub(r"(\1)", re.sub(r"\*\*\*(?=NO_CI)", "* * *", text))


def disarmed(lines: str) -> str:
    """Put a bar before a line that begins as a quick action, or a trailer (git-interpret-trailers(1))."""
    return "\n".join(f"| {each}" if _OBEYED.match(each) else each for each in lines.split("\n"))


def code(text: str) -> str:
    """Write text as a code span of Markdown, on one line; it must hold no `|` in a table (GFM 4.10)."""
    words = line(defanged(line(text)))
    if not words:
        return ""
    ticks = "`" * (_longest_run(words) + 1)
    space = " " if words[0] == "`" or words[-1] == "`" else ""
    return f"{ticks}{space}{words}{space}{ticks}"


def strong(text: str) -> str:
    """Write text in bold Markdown, on one line; every sign of it is escaped (CommonMark 2.4)."""
    return f"**{_SIGN.sub(_ESCAPED, line(defanged(line(text))))}**"


def fenced(text: str) -> str:
    """Write lines as a fenced block of Markdown, which nothing in them can end (CommonMark 4.5)."""
    body = disarmed(defanged(text))
    fence = "`" * max(3, _longest_run(body) + 1)
    return f"{fence}text\n{body}\n{fence}"


def markup(text: str) -> str:
    """Write text as HTML, on one line."""
    return html.escape(line(defanged(line(text))))


def _shown(text: str) -> str:
    text = "".join(
        character if character.isprintable() else " " if character.isspace() else ""
        for character in text[: 4 * _LONGEST_LINE].expandtabs()
    ).rstrip()
    return text if len(text) <= _LONGEST_LINE else f"{text[: _LONGEST_LINE - 1]}…"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
