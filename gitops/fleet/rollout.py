"""How a change of an app reaches its instances: what an app's file says under `rollout`."""

import math
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from gitops.fleet.values import Duration, Matching, Model

_ALL = 100


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Batch = Annotated[
    str,
    Matching(
        r"^([1-9][0-9]{0,4}|(100|[1-9][0-9]?)%)$", "a number of instances, or a part of them, for example 10%"
    ),
    BeforeValidator(_text, json_schema_input_type=int | str),
]


class Rollout(Model):
    """How a change reaches an app's instances: a few at a time, each kept until the new one is healthy."""

    batch: Batch = Field(
        default="10%",
        description="How many of the host's instances change side by side: a number, or a part of them.",
    )
    order: Literal["stop-first", "start-first"] = Field(
        default="stop-first",
        description="`start-first`: the old container runs until the new one is healthy; not for services "
        "that publish a port of the host, and never done for those that write to a volume.",
    )
    wait: Duration = Field(
        default=10,
        description="How long a container without a healthcheck must have run to count as well.",
    )
    on_failure: Literal["rollback", "pause"] = Field(
        default="rollback",
        description="`pause`: what is not well stays as it is, its old container stopped beside it.",
    )
    max_failures: int = Field(
        default=0, ge=0, description="How many instances may fail before the others are left as they are."
    )

    def batch_of(self, instances: int) -> int:
        """Say how many of so many instances change side by side: at least one; parts are rounded up."""
        if self.batch.endswith("%"):
            return max(1, math.ceil(instances * int(self.batch.rstrip("%")) / _ALL))
        return int(self.batch)
