"""More networks than the engine's own pools have room for, on addresses that nobody has."""

from ipaddress import IPv4Network
from pathlib import Path

from gitops.engine.docker import Docker
from gitops.engine.specification import NetworkSpec
from gitops.engine.subnets import free_subnet, routed

POOL = IPv4Network("10.213.0.0/16")


def test_the_first_free_subnet_is_taken() -> None:
    assert free_subnet([]) == IPv4Network("10.213.0.0/26")
    taken = [IPv4Network("10.213.0.0/26"), IPv4Network("10.213.0.128/25"), IPv4Network("192.168.0.0/16")]
    assert free_subnet(taken) == IPv4Network("10.213.0.64/26")


def test_a_pool_that_the_host_has_a_route_to_is_left_alone() -> None:
    assert free_subnet([POOL]) == IPv4Network("10.214.0.0/26")
    assert free_subnet([IPv4Network("10.0.0.0/8")]) is None


def test_routes_are_read_as_the_kernel_lists_them(tmp_path: Path) -> None:
    table = tmp_path / "route"
    table.write_text(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
        "tun0\t0000D50A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    )
    assert list(routed(table)) == [IPv4Network("172.17.0.0/16"), POOL]
    assert all(isinstance(one, IPv4Network) for one in routed())


def test_forty_five_networks_fit(fleet_name: str) -> None:
    names = [f"{fleet_name}.i{number:02}.default" for number in range(45)]
    with Docker() as engine:
        try:
            for name in names:
                engine.ensure_network(NetworkSpec(name, name.split(".")[1], "default"), fleet_name, "one")
            assert set(engine.networks(fleet_name, "one")) == set(names)
        finally:
            for name in names:
                engine.remove_network(name)
