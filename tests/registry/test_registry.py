"""What a registry is asked, how, and what becomes of answers that are none."""

import hashlib
import json
import re
import uuid
from pathlib import Path

import pytest

from gitops.registry.present import present
from gitops.registry.registry import Registry, connect
from gitops.registry.transport import AwayError, Patience
from gitops.system.errors import UserError
from tests.registry_fixtures import PASSWORD, USER, RegistryServer

HASTE = Patience(attempts=2, first_wait=0.01, connect_within=30, answer_within=30)
EMPTY = b"{}"


def reach(server: RegistryServer, tmp_path: Path, path: str = "") -> Registry:
    return connect(f"{server.host}/{path or f't{uuid.uuid4().hex[:8]}'}", server.places(tmp_path), HASTE)


def artifact(registry: Registry, repository: str, tag: str) -> str:
    """Store the smallest artifact there is; give its digest."""
    registry.put_blob(repository, EMPTY)
    part = {
        "mediaType": "application/vnd.oci.empty.v1+json",
        "digest": f"sha256:{hashlib.sha256(EMPTY).hexdigest()}",
        "size": len(EMPTY),
    }
    kind = "application/vnd.oci.image.manifest.v1+json"
    text = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": part,
        "layers": [part],
        "annotations": {"tag": tag},
    }
    return registry.put_manifest(repository, tag, json.dumps(text).encode())


def test_what_was_stored_is_there_under_its_digest_and_its_tag(
    registry_server: RegistryServer, tmp_path: Path
) -> None:
    with reach(registry_server, tmp_path) as registry:
        repository = registry.address.repository("web")
        digest = artifact(registry, repository, "one")
        found = registry.manifest(repository, "one")
        assert found is not None
        assert found.digest == digest == registry.digest(repository, "one")
        assert registry.manifest(repository, digest) == found
        assert registry.tags(repository) == ["one"]
        registry.remove(repository, digest)
        assert registry.manifest(repository, digest) is None
        assert registry.digest(repository, "one") == ""
        registry.remove(repository, digest)


def test_one_list_tells_which_of_many_images_are_there(
    registry_server: RegistryServer, tmp_path: Path
) -> None:
    with reach(registry_server, tmp_path) as registry:
        name = f"{registry.address.host}/{registry.address.path}".rstrip("/")
        references = [f"{name}/image{number}:{number:032x}" for number in range(300)]
        assert present(registry, references) == frozenset()
        artifact(registry, registry.address.statements, f"{7:032x}")
        before = len(registry_server.requests())
        assert present(registry, references) == {references[7]}
        assert len(registry_server.requests()) - before == 1
        assert present(registry, []) == frozenset()


def test_a_registry_that_is_away_is_told_from_one_that_refuses(
    registry_server: RegistryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong\n")
    away = connect("127.0.0.1:1/team", registry_server.places(tmp_path), HASTE)
    with away, pytest.raises(AwayError, match=re.escape("127.0.0.1:1 does not answer")):
        away.tags("web")
    monkeypatch.setenv("GITOPS_REGISTRY_USER", USER)
    monkeypatch.setenv("GITOPS_REGISTRY_PASSWORD_FILE", str(wrong))
    registry = reach(registry_server, tmp_path)
    with registry, pytest.raises(UserError, match=r"status 401.*UNAUTHORIZED") as refused:
        registry.tags("web")
    assert not isinstance(refused.value, AwayError)
    assert f"docker login {registry_server.host}" in str(refused.value)
    monkeypatch.setenv("GITOPS_REGISTRY_PASSWORD_FILE", str(registry_server.password_file))
    with reach(registry_server, tmp_path) as registry:
        assert registry.tags("web") == []
    assert PASSWORD not in str(refused.value)
