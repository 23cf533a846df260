"""A branch on a server from which commits come, and how git is allowed to reach it."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from gitops.git.transport import environment, takes_token, told
from gitops.system.errors import UserError
from gitops.system.run import Result, run

_SCP = re.compile(r"([A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:[^:\s]\S*")
_URL = re.compile(r"(https?|ssh|file)://(?P<user>[^/@\s]*@)?[^-\s]\S*")
_LATE = {124, 137}  # timeout(1): the program was ended, or killed, because its time was over
_GRACE = 5


def protocol(url: str) -> str:
    """Give git's word for how a URL is reached: `https`, `http`, `ssh` or `file`.

    Raises:
        ValueError: it is none of these, or holds a password, which every `ps` would show.
    """
    if found := _URL.fullmatch(url):
        kind = found[1]
        if found["user"] and (":" in found["user"] or kind != "ssh"):
            raise ValueError("holds a password or a user; a token goes into a file: `token_file`")
        return kind
    if url.startswith("/"):
        return "file"
    if "://" not in url and _SCP.fullmatch(url):
        return "ssh"
    raise ValueError(f"{url!r} is no URL of https, http, ssh or file, nor USER@HOST:PATH or an absolute path")


@dataclass(frozen=True)
class Upstream:
    """A branch on a server.

    Args:
        url: the repository's, without credentials; see `protocol`.
        branch: the branch.
        token: what the server takes for a password over https.
        ssh: the command for ssh.
        timeout: seconds that one question, or one fetch, may take.
    """

    url: str
    branch: str
    token: str | None = field(default=None, repr=False)
    ssh: str = "ssh"
    timeout: float = 60

    def ask(self, repository: Path, verb: str, *args: str) -> Result:
        """Run git with the server; when its time is over, git and all that it started are ended.

        Args:
            repository: where git works.
            verb: git's word: `fetch`.
            args: what follows the verb.

        Raises:
            UserError: the server cannot be reached, refuses, or takes too long.
        """
        token = self.token if self.token is not None and takes_token(self.url) else None
        env = {**environment(self.url, token, self.ssh), "GIT_ALLOW_PROTOCOL": protocol(self.url)}
        limit = ["timeout", f"--kill-after={_GRACE}", f"{self.timeout:g}"]
        result = run([*limit, "git", "-C", str(repository), verb, *args], env=env, check=False)
        if result.status in _LATE:
            raise UserError(f"{self.url} did not answer within {self.timeout:g} s")
        if result.status != 0:
            raise UserError(f"{self.url} cannot be asked", hint=told(result.stderr, self.token))
        return result
