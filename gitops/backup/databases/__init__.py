"""Kinds of database: a module each, with the same few functions; the registry is `KINDS`."""

from collections.abc import Mapping

from gitops.backup.databases import mariadb, postgresql, redis, sqlite
from gitops.backup.databases.kind import ROLES, Dump, Kind
from gitops.backup.login import Login

__all__ = ["KINDS", "ROLES", "Dump", "Kind", "Login"]

KINDS: Mapping[str, Kind] = {
    "mariadb": mariadb,
    "postgresql": postgresql,
    "redis": redis,
    "sqlite": sqlite,
}
