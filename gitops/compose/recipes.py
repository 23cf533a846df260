"""Images of public registries that are one Debian package away, and their definitions in templates/images."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_REFERENCE = re.compile(
    r"(?:docker\.io/|index\.docker\.io/)?(?:library/)?(?P<name>[a-z0-9][a-z0-9._/-]*)"
    r"(?::(?P<tag>[\w][\w.-]*))?(?:@sha256:[0-9a-f]{64})?"
)


@dataclass(frozen=True)
class Recipe:
    """A definition that takes an image's place.

    Args:
        name: the image's, and that of its file in templates/images.
        program: what is started; a command that begins with a dash is its arguments.
        moved: directories that Debian has elsewhere.
        database: the kind of database it is, for backups.
        named_by: variables that name the database.
        unneeded: variables that it has no use for, and why.
        version: the upstream version in Debian 13, where data depend on it.
        says: what is different from the image that it replaces.
    """

    name: str
    program: str
    moved: Mapping[str, str] = field(default_factory=dict)
    database: str = ""
    named_by: tuple[str, ...] = ()
    unneeded: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    says: str = ""


_NGINX = Recipe("nginx", "nginx", {"/usr/share/nginx/html": "/var/www/html"})
_SOCKET = "root comes over the server's socket alone, and needs no password: left out"
_MARIADB = Recipe(
    "mariadb",
    "mariadbd",
    database="mariadb",
    named_by=("MARIADB_DATABASE", "MYSQL_DATABASE"),
    unneeded={"MARIADB_ROOT_PASSWORD": _SOCKET, "MYSQL_ROOT_PASSWORD": _SOCKET},
    version="11.8",
)
_REDIS = Recipe("redis", "redis-server", database="redis")

RECIPES: Mapping[str, Recipe] = {
    "nginx": _NGINX,
    "nginxinc/nginx-unprivileged": _NGINX,
    "httpd": Recipe("apache", "apache2", {"/usr/local/apache2/htdocs": "/var/www/html"}),
    "mariadb": _MARIADB,
    "mysql": Recipe(
        **{
            **vars(_MARIADB),
            "version": "",
            "says": "Debian has MariaDB in place of MySQL: move data by a dump, not by its files",
        }
    ),
    "postgres": Recipe(
        "postgresql",
        "postgres",
        database="postgresql",
        named_by=("POSTGRES_DB", "POSTGRES_USER"),
        version="17",
    ),
    "redis": _REDIS,
    "valkey/valkey": _REDIS,
    "memcached": Recipe("memcached", "memcached"),
    "rabbitmq": Recipe("rabbitmq", "rabbitmq-server"),
    "python": Recipe("python", "python3"),
    "node": Recipe("node", "node"),
}
"""By the name that the image has on Docker Hub."""


@dataclass(frozen=True)
class Reference:
    """An image's name, taken apart."""

    name: str
    tag: str


def reference(image: str) -> Reference:
    """Take the name of an image apart; registries other than Docker Hub stay a part of the name."""
    found = _REFERENCE.fullmatch(image)
    return Reference(found["name"], found["tag"] or "") if found else Reference(image, "")


def other_version(recipe: Recipe, tag: str) -> bool:
    """Tell whether a tag names another upstream version than Debian's, as far as the tag says."""
    asked = re.match(r"\d+(\.\d+)*", tag)
    if not recipe.version or not asked:
        return False
    common = min(asked[0].count("."), recipe.version.count(".")) + 1
    return asked[0].split(".")[:common] != recipe.version.split(".")[:common]
