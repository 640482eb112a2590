# SPDX-License-Identifier: Apache-2.0
"""A way to the outside: routing tables as the kernel writes them."""

from __future__ import annotations

from pathlib import Path

from device.system.check import CheckStatus
from device.system.network import NetworkCheck, routed_interfaces

HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
DEFAULT = "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
LOCAL = "wlan0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0\n"
ZEROS = "0" * 32


def with_routes(root: Path, v4: str, v6: str = "") -> Path:
    (root / "proc/net").mkdir(parents=True)
    (root / "proc/net/route").write_text(HEAD + v4)
    (root / "proc/net/ipv6_route").write_text(v6)
    return root


def test_the_interface_with_the_default_route_is_named(tmp_path: Path) -> None:
    result = NetworkCheck(with_routes(tmp_path, LOCAL + DEFAULT)).run()
    assert (result.status, "wlan0" in result.sentence) == (CheckStatus.OK, True)


def test_a_network_over_ipv6_alone_counts(tmp_path: Path) -> None:
    way = f"{ZEROS} 00 {ZEROS} 00 fe80{'0' * 27}1 00000064 00000001 00000000 00000003     eth0\n"
    no_way = f"{ZEROS} 00 {ZEROS} 00 {ZEROS} ffffffff 00000001 00000000 00200200       lo\n"
    assert routed_interfaces(with_routes(tmp_path, "", no_way + way)) == ["eth0"]


def test_no_network_is_ordinary_and_nothing_to_mend(tmp_path: Path) -> None:
    for root in (tmp_path, with_routes(tmp_path, LOCAL)):
        result = NetworkCheck(root).run()
        assert (result.status, result.advice) == (CheckStatus.ABSENT, "")
        assert "kept here" in result.sentence
