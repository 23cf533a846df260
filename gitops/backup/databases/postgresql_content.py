"""What a PostgreSQL database holds: its tables with their rows counted, and the shape of everything in it.

Counted is what pg_dump dumps the rows of: no materialized views, which a restore makes anew, and nothing that
belongs to an extension. Values of sequences are left out, since they change beside every snapshot.
"""

import hashlib
from collections.abc import Iterable

BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = pg_catalog;\n"
EXPORT = "SELECT pg_export_snapshot();\n"

_ROWS = "rows\t"
_OWN = """
    {schema} !~ '^pg_' AND {schema} <> 'information_schema' AND NOT EXISTS
    (SELECT FROM pg_depend WHERE deptype = 'e' AND classid = '{catalog}'::regclass AND objid = {oid})
"""
_COUNT = r"""
SELECT format('SELECT %L, %L, count(*) FROM ONLY %I.%I',
        'rows', md5(nspname || '.' || relname), nspname, relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND relpersistence <> 't' AND {our_relation}
    ORDER BY convert_to(nspname, 'UTF8'), convert_to(relname, 'UTF8') \gexec
WITH relations AS (
    SELECT c.oid, relkind, format('%I.%I', nspname, relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') AND relpersistence <> 't' AND {our_relation}
), shape AS (
    SELECT format('%s %s', relkind, name) AS line FROM relations
    UNION ALL SELECT format('%s.%I %s %s', name, attname, format_type(atttypid, atttypmod), attnotnull)
        FROM relations r JOIN pg_attribute ON attrelid = r.oid AND attnum > 0 AND NOT attisdropped
        WHERE relkind NOT IN ('i', 'I')
    UNION ALL SELECT format('%s constraint %I %s', name, conname, contype)
        FROM relations r JOIN pg_constraint ON conrelid = r.oid WHERE contype <> 'n'
    UNION ALL SELECT format('%s trigger %I', name, tgname)
        FROM relations r JOIN pg_trigger ON tgrelid = r.oid AND NOT tgisinternal
    UNION ALL SELECT format('routine %I.%I(%s) %s',
            nspname, proname, pg_get_function_identity_arguments(p.oid), md5(prosrc))
        FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE {our_routine}
    UNION ALL SELECT format('%s large objects', count(*)) FROM pg_largeobject_metadata
) SELECT 'shape', md5(coalesce(string_agg(line, E'\n' ORDER BY convert_to(line, 'UTF8')), '')) FROM shape;
"""
COUNT = _COUNT.format(
    our_relation=_OWN.format(schema="n.nspname", catalog="pg_class", oid="c.oid"),
    our_routine=_OWN.format(schema="n.nspname", catalog="pg_proc", oid="p.oid"),
)


class Content:
    """What a database holds, in the words of its fingerprint."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Take in what `COUNT` answered, line by line."""
        self._lines = list(lines)

    def __str__(self) -> str:
        """Say it: `12 tables, 3456 rows, sha256:0123456789abcdef`."""
        rows = [int(line.rpartition("\t")[2]) for line in self._lines if line.startswith(_ROWS)]
        digest = hashlib.sha256("\n".join(self._lines).encode()).hexdigest()
        return f"{len(rows)} tables, {sum(rows)} rows, sha256:{digest[:16]}"
