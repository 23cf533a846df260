"""Whose commits a host takes: real signatures, by ssh-keygen and gpg."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops.agent.refused import RefusedError
from gitops.agent.settings import Trust
from gitops.agent.verify import follow, verify
from gitops.git.intake import Intake
from gitops.git.isolation import isolated
from gitops.git.upstream import Upstream
from gitops.system.errors import UserError
from gitops.system.places import Places
from tests.agent.server import Person, Server, openpgp, person
from tests.archive import SigningKey

SIGNERS = Trust(signers="signers")
KEYRING = Trust(keyring="keyring.asc")


@dataclass(frozen=True)
class Host:
    """A host that trusts Ada and one OpenPGP key, its server, and a stranger."""

    server: Server
    intake: Intake
    places: Places
    ada: Person
    eve: Person

    def fetch(self) -> str:
        return self.intake.fetch(Upstream(str(self.server.root), "main"))

    def verify(self, commit: str, trust: Trust = SIGNERS) -> str:
        return verify(self.intake, commit, trust, self.places)


@pytest.fixture
def host(tmp_path: Path, archive_key: SigningKey) -> Iterator[Host]:
    places = Places(*(tmp_path / name for name in ("config", "state", "cache", "runtime", "cron")))
    places.config.mkdir()
    ada, eve = person(tmp_path, "ada"), person(tmp_path, "eve")
    (places.config / "signers").write_text(ada.line)
    shutil.copy(archive_key.armoured, places.config / "keyring.asc")
    server = Server(tmp_path / "server")
    server.begin()
    with isolated():
        made = Host(server, Intake(places.state / "repository.git"), places, ada, eve)
        made.intake.prepare()
        yield made


def gnupg(key: SigningKey) -> dict[str, str]:
    return {**os.environ, "GNUPGHOME": str(key.home)}


def test_a_commit_of_a_signer_of_this_host_is_taken_and_told_by_name_and_key(host: Host) -> None:
    commit = host.server.commit(host.ada.signing)
    assert host.fetch() == commit
    assert host.verify(commit).startswith("signed by ada@example.org with ED25519 key SHA256:")


def test_a_commit_without_a_signature_is_refused_by_its_name(host: Host) -> None:
    commit = host.server.commit(subject="Bring it in unseen")
    host.fetch()
    with pytest.raises(RefusedError, match=f"commit {commit[:12]} is not signed: Bring it in unseen"):
        host.verify(commit)


def test_a_strangers_commit_is_refused_by_commit_key_and_reason(host: Host) -> None:
    commit = host.server.commit(host.eve.signing)
    host.fetch()
    with pytest.raises(
        RefusedError, match=f"{commit[:12]} is signed with the ED25519 key SHA256:.* not one of"
    ):
        host.verify(commit)


def test_a_signers_file_in_the_repository_makes_nobody_a_signer(host: Host) -> None:
    host.server.write("signers", host.eve.line)
    host.server.write(".git-allowed-signers", host.eve.line)
    commit = host.server.commit(host.eve.signing)
    host.fetch()
    with pytest.raises(RefusedError, match="not one of the signers"):
        host.verify(commit)


def test_a_signature_that_was_put_onto_another_commit_is_refused(host: Host) -> None:
    commit = host.server.commit(host.ada.signing, subject="Harmless")
    host.fetch()
    text = host.intake.git("cat-file", "commit", commit).stdout.replace("Harmless", "Harmful")
    forged = host.intake.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode()).stdout
    with pytest.raises(RefusedError, match="is not what its ssh key has signed: Harmful"):
        host.verify(forged.strip())


def test_an_object_that_stands_in_for_another_one_stands_in_for_nothing(host: Host) -> None:
    """`refs/replace` would let git show and check a signed commit where an unsigned one is used."""
    good = host.server.commit(host.ada.signing)
    bad = host.server.commit()
    host.fetch()
    host.intake.git("update-ref", f"refs/replace/{bad}", good)
    with pytest.raises(RefusedError, match="is not signed"):
        host.verify(bad)


def test_a_key_is_trusted_for_git_alone_and_only_while_its_line_says_so(host: Host) -> None:
    line = host.ada.line
    commit = host.server.commit(host.ada.signing)
    host.fetch()
    for other in ('namespaces="file"', 'namespaces="git",valid-before="20200101"'):
        (host.places.config / "signers").write_text(line.replace('namespaces="git"', other))
        with pytest.raises(UserError, match=commit[:12]):
            host.verify(commit)


def test_a_host_without_ssh_keygen_says_what_to_install(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = host.server.commit(host.ada.signing)
    host.fetch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(UserError, match="cannot be checked: ssh-keygen is not here") as caught:
        host.verify(commit)
    assert "apt install openssh-client" in str(caught.value)


def test_an_openpgp_signature_counts_by_the_hosts_keyring_and_not_by_the_users(
    host: Host, archive_key: SigningKey, stranger_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = host.server.commit(openpgp(archive_key), env=gnupg(archive_key))
    strange = host.server.commit(openpgp(stranger_key), env=gnupg(stranger_key))
    host.fetch()
    monkeypatch.setenv("GNUPGHOME", str(stranger_key.home))
    told = host.verify(commit, KEYRING)
    assert archive_key.fingerprint in told
    assert "archive@example.org" in told
    with pytest.raises(
        RefusedError, match=f"OpenPGP key {stranger_key.fingerprint[-16:]}, which is not one of"
    ):
        host.verify(strange, KEYRING)


def test_either_kind_of_signature_is_enough_but_each_needs_its_own_list(
    host: Host, archive_key: SigningKey
) -> None:
    by_ssh = host.server.commit(host.ada.signing)
    by_pgp = host.server.commit(openpgp(archive_key), env=gnupg(archive_key))
    host.fetch()
    both = Trust(signers="signers", keyring="keyring.asc")
    assert host.verify(by_ssh, both)
    assert host.verify(by_pgp, both)
    with pytest.raises(RefusedError, match="not one of"):
        host.verify(by_ssh, KEYRING)
    with pytest.raises(RefusedError, match="not one of"):
        host.verify(by_pgp, SIGNERS)


def test_a_keyring_that_cannot_be_read_blames_no_commit(host: Host) -> None:
    commit = host.server.commit(host.ada.signing)
    host.fetch()
    (host.places.config / "keyring.asc").write_text("nothing")
    with pytest.raises(UserError, match="is no keyring") as raised:
        host.verify(commit, KEYRING)
    assert not isinstance(raised.value, RefusedError)


def test_unsigned_is_said_aloud(host: Host) -> None:
    commit = host.server.commit()
    host.fetch()
    assert "unsigned" in host.verify(commit, Trust(unsigned=True))


def test_a_branch_that_was_rewritten_or_moved_back_is_refused(host: Host) -> None:
    first = host.server.commit(host.ada.signing, subject="First")
    second = host.server.commit(host.ada.signing, subject="Second")
    host.fetch()
    follow(host.intake, second, first)
    follow(host.intake, second, None)
    with pytest.raises(RefusedError, match=f"{first[:12]} is older than {second[:12]}"):
        follow(host.intake, first, second)
    host.server.git("reset", "--quiet", "--hard", first)
    other = host.server.commit(host.ada.signing, subject="Another second")
    host.fetch()
    with pytest.raises(RefusedError, match=f"{other[:12]} does not stand on {second[:12]}") as raised:
        follow(host.intake, other, second)
    assert f"gitops agent accept {other}" in str(raised.value)
    with pytest.raises(RefusedError, match="does not stand on"):
        follow(host.intake, other, "0" * 40)
