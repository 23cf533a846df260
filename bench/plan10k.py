"""Planning a change of 10,000 instances, no engine, against a hundred times a hundred of them."""

import gc
import statistics
import time
from dataclasses import replace

from bench.figure import Figure, Limit
from gitops.deploy.desired import Desired, Placed
from gitops.deploy.plan import Engine, plan
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec, NetworkSpec, VolumeSpec, digests
from gitops.engine.specification import MountSpec as Mount

_MANY, _FEW = 10_000, 100
_MOST = 1000  # milliseconds


def measure() -> Figure:
    gc.set_threshold(100_000)  # as the program does, gitops/__main__.py
    many, few = _seconds(_MANY, 3), _seconds(_FEW, 50)
    return Figure(
        f"plan an image change of {_MANY:,} instances",
        f"{_MANY // _FEW} plans of {_FEW}",
        many,
        few * (_MANY // _FEW),
        2.0,  # linear, but for what no longer fits into the processor's cache
        Limit(many * 1000, _MOST, "ms"),
    )


def _seconds(count: int, times: int) -> float:
    took = []
    for _ in range(times):
        desired, engine = _fleet(count)  # anew: what is worked out of a specification is kept with it
        begun = time.perf_counter()
        steps = plan(desired, engine)
        took.append(time.perf_counter() - begun)
        assert len(steps.actions) == count + 1  # noqa: S101  # one image is to be built
    return statistics.median(took)


def _fleet(count: int) -> tuple[Desired, Engine]:
    """Give what is wanted of so many instances, and an engine on which all have the image of before."""
    names = [f"i{number:05}" for number in range(count)]
    specs = [
        ContainerSpec(
            name=f"fleet.{name}.web",
            instance=name,
            service="web",
            image="fleet/web:new",
            image_name="web",
            networks=((f"fleet.{name}.default", ("web",)),),
            environment=(("NAME", name),),
            volumes=(Mount("volume", f"fleet.{name}.data", "/data"),),
        )
        for name in names
    ]
    networks = tuple(NetworkSpec(f"fleet.{name}.default", name, "default") for name in names)
    volumes = tuple(VolumeSpec(f"fleet.{name}.data", name, "data") for name in names)
    seen = tuple(
        Observed(
            id=f"{number:064x}",
            name=spec.name,
            instance=spec.instance,
            service=spec.service,
            image="fleet/web:old",
            generation="0" * 40,
            digests=digests(replace(spec, image="fleet/web:old")),
            state="running",
            networks=tuple(name for name, _ in spec.networks),
        )
        for number, spec in enumerate(specs)
    )
    engine = Engine(
        seen, frozenset((one.name, one.instance) for one in networks), frozenset(one.name for one in volumes)
    )
    placed = dict.fromkeys(names, Placed("app"))
    return Desired(tuple(specs), networks, volumes, placed), engine
