"""MariaDB: everything that a database may hold, users and roles, and the names of all."""

from collections.abc import Callable

import pytest

from gitops.backup.databases import KINDS, ROLES, Login
from tests.backup.databases.subjects import Subject, subject

_TROUBLE = r"""
CREATE TABLE `parent` (id INT PRIMARY KEY, text LONGTEXT) CHARACTER SET utf8mb4;
CREATE TABLE `odd ``name``'s "größe"` (id INT AUTO_INCREMENT PRIMARY KEY, data LONGBLOB, parent INT,
    twice INT AS (parent * 2) STORED, CONSTRAINT `to parent` FOREIGN KEY (parent) REFERENCES `parent` (id));
INSERT INTO `parent` VALUES (1, 'naïve 🎈 \'quoted\' \\ line\r\nbreak \0 tab\t%\n-- no comment'), (2, NULL);
INSERT INTO `odd ``name``'s "größe"` (data, parent) VALUES
    (x'00FF0D0A1A5C2722', 1), (RANDOM_BYTES(1024), 2), ('', NULL);
CREATE TABLE `select` (a DOUBLE, b BIT(3), c DATETIME(6)) ENGINE = Aria;
INSERT INTO `select` VALUES (1.5, b'101', '2025-01-01 00:00:00.123456'), (NULL, NULL, NULL),
    (NULL, NULL, NULL);
CREATE VIEW `a view` AS SELECT id FROM `parent` WHERE id > 1;
CREATE VIEW `of a view` AS SELECT id FROM `a view`;
CREATE SEQUENCE counting START WITH 40;
DO NEXTVAL(counting);
CREATE TRIGGER `a trigger` AFTER INSERT ON `parent` FOR EACH ROW INSERT INTO `select` (a) VALUES (0);
CREATE PROCEDURE twice(IN x INT) SELECT x * 2;
CREATE FUNCTION thrice(x INT) RETURNS INT DETERMINISTIC RETURN x * 3;
CREATE EVENT later ON SCHEDULE EVERY 1 YEAR STARTS '2030-01-01 00:00:00' DO DELETE FROM `select`;
"""


@pytest.fixture
def database(server: Callable[[str], str]) -> Subject:
    made = subject("mariadb", server("mariadb"))
    made.fill(10)
    return made


def test_everything_in_a_database_comes_back(database: Subject) -> None:
    database.ask("ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_german1_ci;" + _TROUBLE)
    whole, said = database.dump()
    assert said.startswith("4 tables, ")
    database.ask(database.create, database.maintenance)
    database.load_beside([whole])
    database.swap()
    assert database.fingerprint() == said
    answer = database.ask(
        "CALL twice(21); SELECT thrice(14); SELECT * FROM `of a view`; INSERT INTO parent VALUES (3, '');"
        "SELECT COUNT(*) FROM `select`; SELECT NAME FROM mysql.event; SELECT @@collation_database;"
    )
    assert answer.split() == ["42", "42", "2", "4", "later", "latin1_german1_ci"]


def test_what_was_made_under_another_character_set_loads_without_touching_the_real_database(
    database: Subject,
) -> None:
    database.ask("ALTER DATABASE CHARACTER SET latin1;" + _TROUBLE + "ALTER DATABASE CHARACTER SET utf8mb4;")
    its_own = "SELECT DATABASE_COLLATION FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE();"
    before = database.ask(its_own)
    assert before.startswith("latin1")
    whole, said = database.dump()
    assert b"ALTER DATABASE CHARACTER SET latin1" in whole
    assert b"ALTER DATABASE `" not in whole
    database.ask(f"DROP DATABASE `{database.name.replace('`', '``')}`", database.maintenance)
    database.load_beside([whole])
    assert database.fingerprint(database.module.beside(database.name)) == said
    database.swap()
    assert (database.fingerprint(), database.ask(its_own)) == (said, before)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t ADD COLUMN more INT;",
        "UPDATE t SET d = 'x' WHERE n = 1;",
        "CREATE VIEW v AS SELECT 1;",
        "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1;",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 1;",
        "ALTER DATABASE CHARACTER SET latin1;",
    ],
)
def test_a_fingerprint_tells_every_change(database: Subject, change: str) -> None:
    before = database.fingerprint()
    database.ask(change)
    assert database.fingerprint() != before


def test_an_empty_database_comes_back(database: Subject) -> None:
    database.ask(database.create, database.maintenance)
    whole, said = database.dump()
    database.ask("CREATE TABLE more (n INT);")
    database.load_beside([whole])
    database.swap()
    assert database.fingerprint() == said
    assert database.ask("SHOW TABLES;") == ""


def test_users_come_back_with_their_passwords_and_rights(database: Subject) -> None:
    kind, where = KINDS["mariadb"], (database.engine, database.container, ROLES)
    database.ask(
        "CREATE OR REPLACE USER `odd'; user`@`%` IDENTIFIED BY 'a;''b';"
        "CREATE OR REPLACE ROLE writers; GRANT ALL ON shop.* TO writers; GRANT writers TO `odd'; user`@`%`;",
        database.maintenance,
    )
    asked = "SHOW GRANTS FOR `odd'; user`@`%`; SHOW GRANTS FOR writers;"
    before = database.ask(asked, database.maintenance)
    made = kind.dump(*where, Login())
    whole = b"".join(made)
    database.ask(
        "DROP ROLE writers; ALTER USER `odd'; user`@`%` IDENTIFIED BY 'other';", database.maintenance
    )
    kind.load_beside(*where, [whole], Login())
    kind.swap(*where, Login())
    assert database.ask(asked, database.maintenance) == before
    assert kind.fingerprint(*where, Login()) == made.fingerprint
    assert database.left_over() == ""
    database.ask("DROP ROLE writers; DROP USER `odd'; user`@`%`;", database.maintenance)


def test_all_means_users_and_every_database_but_the_servers_own_and_scratch(database: Subject) -> None:
    whole, _ = database.dump()
    database.load_beside([whole])
    found = KINDS["mariadb"].names(database.engine, database.container, Login())
    assert found == [ROLES, "odd `name` größe"]
    database.discard()


def test_clients_of_other_names_do_as_well(database: Subject) -> None:
    whole, said = database.dump()
    tools = "cd /usr/bin; for one in mariadb:mysql mariadb-dump:mysqldump; do new=${one%:*} old=${one#*:}; "
    away = f"{tools} mv $new $new.away; ln -sf $new.away $old; done"
    back = f"{tools} mv $new.away $new; ln -sf $new $old; done"
    database.shell(away)
    try:
        assert database.dump()[1] == said
        database.load_beside([whole])
        database.swap()
    finally:
        database.shell(back)
    assert database.fingerprint() == said
