"""Reaching the engine of this machine, and telling in plain words when it does not answer or refuses."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitops.system.errors import UserError

if TYPE_CHECKING:
    from docker.api.client import APIClient

_DEFAULT = "unix:///var/run/docker.sock"


def address() -> str:
    """Say where the engine is: what `DOCKER_HOST` names, otherwise the system's socket.

    Raises:
        UserError: it is not a socket of this machine.
    """
    found = os.environ.get("DOCKER_HOST") or _DEFAULT
    if not found.startswith("unix://"):
        raise UserError(
            f"the engine at {found} is not on this machine",
            hint="gitops works on the host itself: unset DOCKER_HOST, or make it unix:///PATH",
        )
    return found


def connect() -> "APIClient":
    """Connect, agreeing on an API version that both sides speak.

    Raises:
        UserError: no engine answers.
    """
    with telling("cannot reach the engine"):
        from docker.api.client import APIClient  # noqa: PLC0415  # it takes 80 ms

        return APIClient(base_url=address(), version="auto", timeout=120, max_pool_size=32)


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Turn what the SDK raises into a UserError that says what was being done."""
    from docker.errors import APIError, DockerException  # noqa: PLC0415  # the SDK takes 80 ms to import
    from requests.exceptions import RequestException  # noqa: PLC0415  # it comes with the SDK

    try:
        yield
    except APIError as error:
        reason = str(error.explanation or error)
        hint = ""
        if "address pool" in reason:
            hint = "give the engine more networks: default-address-pools in /etc/docker/daemon.json"
        raise UserError(f"{what}: {reason}", hint=hint) from error
    except (DockerException, RequestException) as error:
        raise UserError(
            f"{what}: no container engine answers at {address()}",
            hint="start it (systemctl start docker), or join the group docker and log in again",
        ) from error
