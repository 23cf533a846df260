"""Making a machine a host, below a root of the test's own."""

import subprocess
import sys
from pathlib import Path

import pytest

from gitops.agent.install import Wish, install, unit_path
from gitops.agent.settings import read_settings
from gitops.system.errors import UserError
from gitops.system.places import Places, places
from tests.agent.server import person

GITOPS = Path(sys.executable).parent / "gitops"
URL = "git@git.example.org:team/fleet.git"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "root"))
    return places()


@pytest.fixture
def signers(tmp_path: Path) -> Path:
    file = tmp_path / "signers"
    file.write_text(person(tmp_path, "ada").line)
    return file


def test_a_new_host_has_settings_keys_and_a_unit_and_is_told_what_to_do_on_the_forge(
    host: Places, signers: Path
) -> None:
    said = "\n".join(install(Wish("web1", [URL], signers=signers, webhook=True), host, systemd=True))
    settings = read_settings(host)
    assert (settings.host, settings.remotes[0].url, settings.trust.signers) == ("web1", URL, "signers")
    assert (host.config / "signers").read_text() == signers.read_text()
    for secret in ("deploy.key", "age.key", "webhook.secret"):
        assert (host.config / secret).stat().st_mode & 0o777 == 0o600
    assert (host.config / "deploy.key.pub").read_text().strip() in said
    assert "age: age1" in said
    assert "systemctl enable --now gitops-agent.service" in said
    assert (host.config / "webhook.secret").read_text().strip() not in said


def test_installing_again_changes_nothing_and_says_the_same(host: Places, signers: Path) -> None:
    wish = Wish("web1", [URL], signers=signers, webhook=True)
    first = install(wish, host, systemd=True)
    before = {path: path.read_bytes() for path in host.config.parent.rglob("*") if path.is_file()}
    (host.config / "agent.yaml").write_text((host.config / "agent.yaml").read_text() + "poll: 1m\n")
    again = install(wish, host, systemd=True)
    after = {path: path.read_bytes() for path in host.config.parent.rglob("*") if path.is_file()}
    assert {path.name for path in before if before[path] != after[path]} == {"agent.yaml"}
    assert read_settings(host).poll == 60
    assert again[2:] == first[2:]
    assert install(None, host, systemd=True)[1:] == first[2:]


def test_trust_is_never_decided_by_leaving_it_out(host: Places) -> None:
    with pytest.raises(UserError, match="whose commits"):
        install(Wish("web1", [URL]), host, systemd=True)
    with pytest.raises(UserError, match="agent install"):
        install(None, host, systemd=True)
    assert not (host.config / "agent.yaml").exists()
    install(Wish("web1", [URL], unsigned=True), host, systemd=True)
    assert read_settings(host).trust.unsigned


def test_a_wrong_wish_leaves_no_settings_behind(host: Places, signers: Path) -> None:
    with pytest.raises(UserError, match="ext::"):
        install(Wish("web1", ["ext::sh"], signers=signers), host, systemd=True)
    assert not (host.config / "agent.yaml").exists()


def test_the_unit_is_one_that_systemd_takes_without_a_warning(
    signers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "a root 100% $HOME"))
    monkeypatch.setattr("sys.argv", [str(GITOPS)])
    place = places()
    install(Wish("web1", [URL], signers=signers), place, systemd=True)
    unit = unit_path(place)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    # The unit orders itself after docker.service, which the machine of this test need not have.
    said = [line for line in done.stderr.splitlines() if unit.name in line and "docker.service" not in line]
    assert said == []
    watch = [unit.with_name(f"gitops-watch.{kind}") for kind in ("service", "timer")]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *watch], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if "gitops-watch" in line] == []
    assert f"ExecStart={GITOPS} agent run" in unit.read_text()


def test_the_unit_of_a_real_host_keeps_secrets_and_lets_the_agent_write_only_its_own() -> None:
    """Secrets of running containers lie below /run/gitops; a unit that takes it along would cut them off."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gitops.agent.install.write", lambda path, text, **_: texts.append((path, text)))
        texts: list[tuple[Path, str]] = []
        from gitops.agent.install import _start  # noqa: PLC0415  # written for a root that is not a test's
        from gitops.agent.settings import Settings  # noqa: PLC0415

        real = Places(
            Path("/etc/gitops"), Path("/var/lib/gitops"), Path("/var/cache/gitops"), Path("/run/gitops"),
            Path("/nowhere/cron.d"),
        )  # fmt: skip
        _start(
            Settings.model_validate({"host": "web1", "remotes": [URL], "trust": "unsigned"}),
            real,
            systemd=True,
        )
    path, unit = texts[0]
    assert [name.name for name, _ in texts[1:]] == ["gitops-watch.service", "gitops-watch.timer"]
    assert path == Path("/etc/systemd/system/gitops-agent.service")
    assert "RuntimeDirectory=gitops\nRuntimeDirectoryPreserve=yes\n" in unit
    written = "-/var/lib/gitops -/var/cache/gitops -/run/gitops -/nowhere/cron.d -/etc/systemd/system"
    assert f"ReadWritePaths={written}\n" in unit


def test_without_systemd_cron_ticks_every_minute_and_neither_starts_beside_the_other(
    host: Places, signers: Path
) -> None:
    install(Wish("web1", [URL], signers=signers), host, systemd=True)
    said = install(None, host, systemd=False)
    assert not unit_path(host).exists()
    lines = (host.cron / "gitops-agent").read_text().splitlines()
    assert lines[-2].startswith(f"* * * * * root flock --nonblock {host.state}/cron.lock ")
    assert lines[-2].endswith("agent once >/dev/null")
    assert lines[-1].startswith("*/10 * * * * root ")
    assert lines[-1].endswith(" notify >/dev/null 2>&1")
    assert not list(host.systemd.glob("gitops-*"))
    assert f"GITOPS_ROOT={host.config.parent.parent}" in lines
    assert "cron starts it within a minute" in said
    install(None, host, systemd=True)
    assert not (host.cron / "gitops-agent").exists()


def test_the_verb_installs_and_prints_what_is_left_to_do(host: Places, signers: Path) -> None:
    args = ["agent", "install", "--remote", URL, "--host", "web1", "--signers", str(signers), "--cron"]
    done = subprocess.run([GITOPS, *args], capture_output=True, text=True, check=True)
    assert "- give the forge this deploy key" in done.stdout
    assert (host.cron / "gitops-agent").exists()
