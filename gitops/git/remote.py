"""A repository on a server: what branches it has, and moving one only from where it was last seen."""

from dataclasses import dataclass, field
from functools import cached_property

from gitops.git.repository import Repository
from gitops.git.transport import environment, takes_token, told, without_credentials
from gitops.system.errors import UserError
from gitops.system.run import CommandError, Result


@dataclass(frozen=True)
class Remote:
    """A remote of a repository; every question to it is one call of git.

    Args:
        repository: whose remote it is; a shallow clone will do.
        name: what git calls it: `origin`.
        token: what the server takes for a password over http; git's own ways are used without it.
        timeout: seconds that one call may take.
    """

    repository: Repository
    name: str
    token: str | None = field(default=None, repr=False)
    timeout: float = 600

    @cached_property
    def url(self) -> str:
        """Give its URL, without credentials.

        Raises:
            UserError: the repository has no such remote.
        """
        _ = self.repository.directory  # no repository at all has its own message
        result = self.repository.git("remote", "get-url", "--", self.name, check=False)
        if result.status != 0:
            raise UserError(
                f"{self.repository.root} has no git remote {self.name!r}",
                hint=f"add it with: git remote add {self.name} URL",
            )
        return without_credentials(result.stdout.rstrip("\n"))

    def default_branch(self) -> str:
        """Give the branch that the server has for its own.

        Raises:
            UserError: it cannot be asked, or names none.
        """
        head = self._ask("ls-remote", "--symref", self.name, "HEAD").stdout.partition("\t")[0]
        if not head.startswith("ref: refs/heads/"):
            raise UserError(
                f"{self.url} names no branch as its default", hint="write it to fleet.yaml: updates: base"
            )
        return head.removeprefix("ref: refs/heads/")

    def fetch(self, base: str, prefix: str) -> dict[str, str]:
        """Fetch a branch, and all branches whose names begin with a prefix, in one call.

        They are kept where git keeps a remote's branches (`refs/remotes/NAME/`); those that the server has no
        more are forgotten.

        Returns:
            Branch to commit, `base` too.

        Raises:
            UserError: the server cannot be asked, or has no branch `base`.
        """
        top = f"refs/remotes/{self.name}/"
        options = ("--quiet", "--prune", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance")
        wanted = (f"+refs/heads/{name}:{top}{name}" for name in (base, f"{prefix}*"))
        self._ask("fetch", *options, "--no-write-fetch-head", "--refmap=", self.name, *wanted)
        listed = self.repository.git("for-each-ref", "--format=%(objectname) %(refname)", top).stdout
        found = (line.split(" ", 1) for line in listed.splitlines())
        branches = {reference.removeprefix(top): commit for commit, reference in found}
        return {name: commit for name, commit in branches.items() if name == base or name.startswith(prefix)}

    def push(self, branch: str, commit: str, expected: str | None) -> None:
        """Let a branch of the server point to a commit; where it does already, nothing happens.

        Args:
            branch: the branch.
            commit: where it is to point; the server gets what it lacks of it.
            expected: where it must point until now; None: it must not exist.

        Raises:
            UserError: it points elsewhere, or the server refuses.
        """
        self._push(branch, f"{commit}:refs/heads/{branch}", expected)

    def delete(self, branch: str, expected: str) -> None:
        """Take a branch away from the server; where it is gone already, nothing happens.

        Args:
            branch: the branch.
            expected: where it must point until now.

        Raises:
            UserError: it points elsewhere, or the server refuses.
        """
        try:
            self._push(branch, f":refs/heads/{branch}", expected)
        except UserError:
            if self._ask("ls-remote", self.name, f"refs/heads/{branch}").stdout:
                raise

    def _push(self, branch: str, change: str, expected: str | None) -> None:
        # Neither the user's tags nor their hooks belong to what a program pushes.
        options = ("--porcelain", "--no-follow-tags", "--no-recurse-submodules", "--no-verify")
        lease = f"--force-with-lease=refs/heads/{branch}:{expected or ''}"
        self._ask("push", *options, lease, self.name, change)

    def _ask(self, *args: str) -> Result:
        """Run git with the server.

        Raises:
            UserError: it failed or took too long; says what git and the server said, but no secret.
        """
        token = self.token if self.token is not None and takes_token(self.url) else None
        ssh = self.repository.git("config", "--get", "core.sshCommand", check=False).stdout.strip()
        try:
            result = self.repository.git(
                *args, check=False, env=environment(self.url, token, ssh), timeout=self.timeout
            )
        except CommandError as error:
            late = f"git {args[0]}: {self.url} did not answer within {self.timeout:g} s"
            raise UserError(late, hint=told(error.stderr, self.token)) from error
        if result.status != 0:
            raise self._failed(args[0], result)
        return result

    def _failed(self, verb: str, result: Result) -> UserError:
        refused = [line for line in result.stdout.splitlines() if line.startswith("!")]
        hint = told("\n".join([*refused, result.stderr]), self.token)
        if "(stale info)" in result.stdout:
            return UserError(f"git {verb}: somebody else moved the branch on {self.url} meanwhile", hint=hint)
        if self.token is not None and "returned error: 30" in result.stderr:
            hint += (
                f"\n  a token follows no redirect; name the final address: git remote set-url {self.name} URL"
            )
        return UserError(f"git {verb}: {self.url} failed", hint=hint)
