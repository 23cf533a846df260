"""Ringing at the agents of hosts after a push, so that they look at git now and not at their next poll."""

import hmac
import json
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from gitops.guard.settings import Agent
from gitops.system.clock import now, stamp

PATIENCE = 10.0
"""Seconds that an agent has to answer."""

_AT_ONCE = 16
_OTHERS_MAY_READ = 0o077


def ring(agents: Sequence[Agent]) -> dict[str, str]:
    """Ring at every agent, several at once.

    Each delivery is signed as GitHub and Forgejo sign theirs, and is like no other: an agent takes one once.

    Returns:
        The agents that were not woken, and why.
    """
    body = json.dumps({"pushed": stamp(now()), "delivery": secrets.token_hex(16)}).encode()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        told = list(pool.map(lambda agent: _ring(agent, body), agents))
    return {agent.name: reason for agent, reason in zip(agents, told, strict=True) if reason}


def _ring(agent: Agent, body: bytes) -> str:
    try:
        if agent.secret.stat().st_mode & _OTHERS_MAY_READ:
            return f"{agent.secret} can be read by others; chmod go="
        digest = hmac.digest(agent.secret.read_bytes().strip(), body, "sha256").hex()
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": f"sha256={digest}",
            "X-Forgejo-Signature": digest,
        }
        answer = httpx.post(agent.url, content=body, headers=headers, timeout=PATIENCE)
    except OSError as error:
        return f"{agent.secret} cannot be read: {error.strerror}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"{agent.url} cannot be reached: {error}"
    return "" if answer.is_success else f"{agent.url} answers {answer.status_code}"
