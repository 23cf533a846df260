"""What PostgreSQL's tools write as scripts, taken apart; only scripts without function bodies."""

import re
from collections.abc import Iterator

# Comments and psql's own commands fill a line; a statement ends with a semicolon that stands in no quotes.
_TOKEN = re.compile(r"""\s*(?:(?:--|\\)[^\n]*\n|(?P<statement>(?:'[^']*'|"[^"]*"|[^;'"])+;))""")
_CREATE = re.compile(r'CREATE DATABASE ("(?:[^"]|"")*"|[^\s"]+) ')


def statements(script: str) -> Iterator[str]:
    """Give a script's statements, without comments and psql's own commands."""
    for token in _TOKEN.finditer(script):
        if token["statement"]:
            yield token["statement"]


def for_database(script: str, name: str) -> list[str]:
    """Give the statements that make a database and set it up, for a database of another name.

    Args:
        script: what pg_restore writes of an archive with `--create` for the database alone.
        name: the other name, which needs no quotes.
    """
    every = [one for one in statements(script) if not one.startswith(("SET ", "SELECT "))]
    found = _CREATE.match(every[0]) if every else None
    if found is None:
        raise ValueError("the script makes no database")
    itself = re.compile(rf"\bDATABASE {re.escape(found[1])}(?=[\s;])")
    return [itself.sub(f"DATABASE {name}", one, count=1) for one in every]


def quoted(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Write a text as a value, whatever is in it."""
    return f"convert_from('\\x{text.encode().hex()}', 'UTF8')"
