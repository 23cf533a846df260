"""A reader of Dockerfiles and crontabs that shares no code with what writes them.

Rules: Dockerfile reference ("Format", "Parser directives", "Environment replacement"), crontab(5).
"""

import re
from dataclasses import dataclass

from hypothesis import strategies as st

_MEANS_SOMETHING = "\\\"'$`{}[]()<>#&|;%=*?~ \t\r\n,:é\u2028\U0001f40b"

hostile = st.text(
    st.one_of(
        st.sampled_from(_MEANS_SOMETHING),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=30,
) | st.sampled_from(
    [
        "<<EOF",
        "a \\",
        "\\",
        "x\nRUN false",
        "# escape=`",
        "${HOME}",
        "$$",
        "\\$x",
        "]",
        '"]',
        "'",
        "%",
        "\\\\\n",
    ]
)
"""What somebody would write who wants to get out of a value; everything that a program can be given."""

one_line = hostile.filter(lambda text: not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text))
"""The same without what a Dockerfile cannot express in ENV and LABEL."""


@dataclass(frozen=True)
class Instruction:
    """An instruction: its name, its flags, and the rest of its line."""

    name: str
    flags: tuple[str, ...]
    rest: str


def instructions(text: str) -> list[Instruction]:
    """Take a Dockerfile apart; a line that BuildKit would take for a directive is refused."""
    assert not re.match(r"#\s*\w+\s*=", text), "a parser directive"
    found, line = [], ""
    for physical in text.split("\n"):
        if physical.lstrip().startswith("#") or (not line and not physical.strip()):
            continue
        continued = re.search(r"\\[ \t]*$", physical)
        line += physical[: continued.start()] if continued else physical
        if not continued:
            name, _, rest = line.strip().partition(" ")
            flags = []
            while match := re.match(r"\s*(--\S+)\s+", rest):
                flags.append(match[1])
                rest = rest[match.end() :]
            assert not any(re.match(r"\d*<<-?", word) for word in re.split(r"\s", rest)), "a here-document"
            found.append(Instruction(name, tuple(flags), rest))
            line = ""
    assert not line
    return found


def expand(text: str) -> str:
    """Take away quotes and backslashes as BuildKit's shell lexer does; a variable is refused."""
    result, position, quote = "", 0, ""
    while position < len(text):
        character = text[position]
        position += 1
        if quote == "'":
            if character == "'":
                quote = ""
            else:
                result += character
        elif character == "\\" and (not quote or text[position : position + 1] in ('"', "$", "\\")):
            result += text[position]
            position += 1
        elif character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        else:
            assert character != "$", "a variable"
            result += character
    assert not quote
    return result
