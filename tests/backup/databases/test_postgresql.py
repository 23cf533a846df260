"""PostgreSQL: everything that a database may hold, its own settings, and roles."""

from collections.abc import Callable

import pytest

from gitops.backup.databases import KINDS, ROLES, Login
from gitops.backup.databases.postgresql_script import for_database, statements
from gitops.system.errors import UserError
from tests.backup.databases.subjects import Subject, subject
from tests.database_fixtures import until

_TROUBLE = r"""
CREATE SCHEMA "odd schema"; CREATE EXTENSION pg_trgm; CREATE TYPE mood AS ENUM ('so la la', 'größe');
CREATE TABLE parent (id serial PRIMARY KEY, text text, m mood);
CREATE TABLE "odd schema"."select ""x"" 'y'" (id bigint GENERATED ALWAYS AS IDENTITY, data bytea,
    parent int REFERENCES parent (id), twice int GENERATED ALWAYS AS (parent * 2) STORED);
INSERT INTO parent (text, m) VALUES (E'naïve 🎈 ''quoted'' \\ line\r\nbreak tab\t%', 'größe'), (NULL, NULL);
INSERT INTO "odd schema"."select ""x"" 'y'" (data, parent) VALUES ('\x00ff0d0a1a5c2722', 1), ('', 2),
    (NULL, NULL);
CREATE TABLE keyless (a float, b jsonb, c int[]);
INSERT INTO keyless VALUES ('NaN', '{"a": [1]}', '{1,NULL}'), (1.5, NULL, NULL), (1.5, NULL, NULL);
CREATE TABLE measured (t date, v int) PARTITION BY RANGE (t);
CREATE TABLE measured_2025 PARTITION OF measured FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO measured VALUES ('2025-05-05', 1);
CREATE VIEW "a view" AS SELECT * FROM parent WHERE m = 'größe';
CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM parent;
CREATE SEQUENCE counting START 40; SELECT nextval('counting');
CREATE INDEX "an index" ON parent USING gin (text gin_trgm_ops);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $f$
    BEGIN INSERT INTO keyless (a) VALUES (0); RETURN NEW; END $f$;
CREATE TRIGGER "a trigger" AFTER INSERT ON parent FOR EACH ROW EXECUTE FUNCTION note();
CREATE PROCEDURE doing() LANGUAGE sql AS 'SELECT 1; SELECT '';''';
SELECT lo_from_bytea(4711, '\x00ff');
"""


@pytest.fixture
def database(server: Callable[[str], str]) -> Subject:
    made = subject("postgresql", server("postgresql"))
    made.fill(10)
    return made


def _restore(database: Subject, whole: bytes) -> None:
    database.load_beside([whole])
    database.swap()


def test_everything_in_a_database_comes_back(database: Subject) -> None:
    database.ask(_TROUBLE)
    whole, said = database.dump()
    assert said.startswith("5 tables, 19 rows, sha256:")
    database.ask(database.create, database.maintenance)
    _restore(database, whole)
    assert database.fingerprint() == said
    assert database.ask(
        "SELECT encode(lo_get(4711), 'hex'), nextval('counting'), (SELECT count FROM kept);"
    ) == ("00ff\t41\t2")
    assert database.ask(
        'SELECT m FROM "a view"; INSERT INTO parent (id) VALUES (9); SELECT count(*) FROM keyless;'
    ) == ("größe\n4")


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t ADD COLUMN more int;",
        "ALTER TABLE t RENAME TO u;",
        "CREATE VIEW v AS SELECT 1;",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "SELECT lo_create(0);",
        "ALTER TABLE t DROP CONSTRAINT t_pkey;",
        "CREATE SEQUENCE s;",
    ],
)
def test_a_fingerprint_tells_another_shape(database: Subject, change: str) -> None:
    before = database.fingerprint()
    database.ask(change)
    assert database.fingerprint() != before


def test_what_is_set_on_the_database_itself_comes_back_where_there_is_none(database: Subject) -> None:
    database.ask(
        r"""ALTER DATABASE "odd ""name' größe" SET search_path = public, "a b";
        COMMENT ON DATABASE "odd ""name' größe" IS 'DATABASE; it''s';
        ALTER DATABASE "odd ""name' größe" CONNECTION LIMIT 77;
        REVOKE CONNECT ON DATABASE "odd ""name' größe" FROM PUBLIC;
        ALTER ROLE postgres IN DATABASE "odd ""name' größe" SET work_mem = '5MB';"""
    )
    asked = (
        "SELECT datconnlimit, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) a),"
        " pg_encoding_to_char(encoding), shobj_description(oid, 'pg_database')"
        " FROM pg_database WHERE datname = current_database(); SHOW search_path; SHOW work_mem;"
    )
    before = database.ask(asked)
    assert "77" in before
    whole, said = database.dump()
    database.ask('DROP DATABASE "odd ""name\' größe";', database.maintenance)
    _restore(database, whole)
    assert (database.ask(asked), database.fingerprint()) == (before, said)


def test_roles_come_back_with_their_passwords_and_memberships(database: Subject) -> None:
    kind, where = KINDS["postgresql"], (database.engine, database.container, ROLES)
    database.ask(
        """DROP ROLE IF EXISTS "odd; role"; DROP ROLE IF EXISTS app; CREATE ROLE app LOGIN PASSWORD 'a;''b';
        CREATE ROLE "odd; role" CONNECTION LIMIT 3; GRANT app TO "odd; role";
        ALTER ROLE app SET work_mem = '7MB';
        COMMENT ON ROLE app IS 'it''s; an app';""",
        database.maintenance,
    )
    hashes = "SELECT rolname, rolpassword, rolconnlimit FROM pg_authid WHERE oid > 16383 ORDER BY 1;"
    before = database.ask(hashes, database.maintenance)
    made = kind.dump(*where, Login())
    whole = b"".join(made)
    database.ask("DROP ROLE \"odd; role\"; ALTER ROLE app NOLOGIN PASSWORD 'other';", database.maintenance)
    assert kind.fingerprint(*where, Login()) != made.fingerprint
    kind.load_beside(*where, [whole], Login())
    assert database.ask(hashes, database.maintenance) != before
    kind.swap(*where, Login())
    assert kind.fingerprint(*where, Login()) == made.fingerprint
    assert database.ask(hashes, database.maintenance) == before
    assert database.left_over() == ""
    database.ask('DROP ROLE "odd; role"; DROP ROLE app;', database.maintenance)


def test_an_owner_who_is_missing_is_told_with_what_to_do(database: Subject) -> None:
    database.ask("CREATE ROLE owner; ALTER TABLE t OWNER TO owner;")
    whole, _ = database.dump()
    database.ask("DROP OWNED BY owner; DROP ROLE owner;")
    with pytest.raises(UserError, match="some of its owners are missing") as caught:
        database.load_beside([whole])
    assert "all: true" in str(caught.value)


def test_all_means_roles_and_every_database_but_templates_and_scratch(database: Subject) -> None:
    whole, _ = database.dump()
    database.load_beside([whole])
    found = KINDS["postgresql"].names(database.engine, database.container, Login())
    assert found == [ROLES, "odd \"name' größe", "postgres"]
    database.discard()


def test_somebody_who_is_connected_is_thrown_out_by_a_swap(database: Subject) -> None:
    whole, said = database.dump()
    database.load_beside([whole])
    asleep = ["psql", "-Xc", "SELECT pg_sleep(100)", "-d", "dbname='odd \"name\\' größe'"]
    with database.engine.exec(database.container, asleep, user="postgres"):
        until(
            lambda: (
                "pg_sleep" in database.ask("SELECT query FROM pg_stat_activity WHERE query ~ '^SELECT pg_s'")
            )
        )
        database.swap()
    assert database.fingerprint() == said


def test_no_dump_that_ends_early_makes_the_server_start_anew(database: Subject) -> None:
    """The container's first process takes orphans that die by a signal for its own, and throws all out."""
    database.fill(6000)
    writer = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter';"
    before = database.ask(writer)
    for _ in range(3):
        made = database.module.dump(database.engine, database.container, database.name, Login())
        next(iter(made))
        made.close()
        until(lambda: not database.processes("pg_dump"))
    assert database.ask(writer) == before


def test_scripts_are_cut_into_statements_where_no_quotes_are_open() -> None:
    script = (
        "--\n-- Roles; \"\n--\n\n\\restrict abc\nCREATE ROLE \"a;b\";\nALTER ROLE x PASSWORD 'a;''b\n--c';\n"
    )
    assert list(statements(script)) == ['CREATE ROLE "a;b";', "ALTER ROLE x PASSWORD 'a;''b\n--c';"]


def test_a_script_for_another_database_has_its_name_wherever_it_names_itself() -> None:
    script = (
        'SET x = 1;\nCREATE DATABASE "a ""b" WITH X;\n\\connect y\nCOMMENT ON DATABASE "a ""b" IS \'z\';\n'
    )
    assert for_database(script, "other") == [
        "CREATE DATABASE other WITH X;",
        "COMMENT ON DATABASE other IS 'z';",
    ]
    with pytest.raises(ValueError, match="makes no database"):
        for_database("SET x = 1;", "other")
