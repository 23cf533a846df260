"""Repositories with sets that were saved without an engine, for who lists, checks and prunes them."""

import os
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gitops.backup.repository import make_sure_of, open_repository
from gitops.backup.sets import MANIFEST, BackupSet, Dataset, Part, manifest_text
from gitops.backup.vault import Vault
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.system.places import Places
from tests.quick_repository import know_password, make_quick

NIGHT = datetime(2026, 3, 10, 3, 15, tzinfo=UTC)
DATABASE = Dataset("mariadb", "db", "shop")


def two_hosts(root: Path) -> Fleet:
    """Define two hosts that share a repository, and an app of which two sets stay."""
    files = {
        "fleet.yaml": "name: shops\narchives: {here: {mirror: 'http://example.org', suites: [stable]}}\n",
        "images/server.yaml": "from: scratch\narchive: here\n",
        "apps/shop.yaml": "services: {db: {image: server}}\n"
        "backup: {databases: [{service: db, kind: mariadb, name: shop}],"
        " keep: {last: 2, daily: 0, weekly: 0, monthly: 0}}\n",
    }
    for host, instance in (("web1", "alice"), ("web2", "bob")):
        files[f"hosts/{host}.yaml"] = (
            f"backup: {{repository: '{root}/repository'}}\ninstances: {{{instance}: {{app: shop}}}}\n"
        )
    for name, text in files.items():
        (root / "fleet" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "fleet" / name).write_text(text)
    return load(root / "fleet")


def vault_of(fleet: Fleet, root: Path, host: str) -> Vault:
    """Open the backups of a host, whose places are below `root`."""
    places = Places(*(root / host / name for name in ("config", "state", "cache", "runtime", "cron")))
    make_quick(root / "repository")
    know_password(places)
    restic = open_repository(fleet, host, places)
    make_sure_of(restic, places)
    return Vault(restic, fleet.settings.name, host, places)


def save(vault: Vault, instance: str, time: datetime, content: bytes = b"", **fields: object) -> BackupSet:
    """Save a set as a run does; `fields` are other ones of the set."""
    run = secrets.token_hex(8)
    tags = (*vault.tags, f"run={run}")
    data = content or secrets.token_bytes(100_000)
    saved = vault.restic.save_stream([data], "/dump", tags)
    part = Part(DATABASE, saved.snapshot, "/dump", len(data), "")
    made = replace(BackupSet("", run, vault.fleet, vault.host, instance, time, (part,)), **fields)  # type: ignore[arg-type]  # a test names its own
    vault.restic.save_stream([manifest_text([made])], f"/{MANIFEST}", (*tags, "set"))
    return next(one for one in vault.sets(instance, safety=None) if one.run == run)


def environment(vault: Vault) -> dict[str, str]:
    """Give the environment in which gitops finds the places of the vault."""
    kept = ("config", "state", "cache", "runtime", "cron")
    return {**os.environ, **{f"GITOPS_{name.upper()}": str(getattr(vault.places, name)) for name in kept}}
