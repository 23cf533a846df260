"""git without anybody's settings: for repositories whose content nobody has vouched for yet.

A commit is data. What could make git run a program on account of it is hooks, filters and drivers that some
configuration names, credential helpers, pagers, file system monitors, helpers of odd protocols, submodules.
All of them are settings, so there are none but these.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

_KEPT = {"GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_PROXY_SSL_CAINFO"}
"""What of the caller's environment git still sees: whom it trusts to be a server."""

_VARIABLES = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # a commit's name means that commit, and no other that stands in for it
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_PAGER": "cat",
}

_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.fsmonitor": "false",
    "core.fsync": "all",
    "core.autocrlf": "false",
    "credential.helper": "",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "transfer.fsckObjects": "true",
    "gc.autoDetach": "false",
    "http.followRedirects": "false",
    "gpg.program": "gpg",
    "gpg.ssh.program": "ssh-keygen",
    "gpg.x509.program": "false",
}


@contextmanager
def isolated(
    more: Mapping[str, str] = MappingProxyType({}), *, protocol: str = "none", kept: Collection[str] = ()
) -> Iterator[None]:
    """Let every git that runs in the block know these settings and those of its repository alone.

    It changes the process's environment, so that what runs git without knowing of this is covered as well;
    no other thread may run git meanwhile.

    Args:
        more: settings besides.
        protocol: how servers may be reached; nothing is fetched otherwise, but by who names the protocol.
        kept: variables that git still sees besides, for a hook: where the repository's objects are.
    """
    before = {name: value for name, value in os.environ.items() if name.startswith(("GIT_", "SSH_ASKPASS"))}
    settings = {**_SETTINGS, **more}
    ours = {**_VARIABLES, "GIT_ALLOW_PROTOCOL": protocol, "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        ours[f"GIT_CONFIG_KEY_{number}"] = key
        ours[f"GIT_CONFIG_VALUE_{number}"] = value
    for name in before.keys() - _KEPT - set(kept):
        del os.environ[name]
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
        os.environ.update(before)
