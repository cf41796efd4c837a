"""What processes say to the system about networks: run them under strace, and find who tried to leave this machine."""

from __future__ import annotations

import ipaddress
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

HAS_STRACE = shutil.which("strace") is not None
_ADDRESS = re.compile(r"\{sa_family=(\w+)([^{}]*)\}")
_PLACE = re.compile(r'inet_addr\("([^"]*)"\)|inet_pton\(AF_INET6, "([^"]*)"')
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
_CALL = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)")
#: Calls that send something, or open a way in; the others tell the process what it knows or was sent.
_OUT = frozenset({"connect", "sendto", "sendmsg", "sendmmsg", "bind"})
#: Between processes of this machine, or to its kernel.
_HERE = frozenset({"AF_UNIX", "AF_LOCAL", "AF_NETLINK", "AF_UNSPEC"})
_NAMES = "53"
#: A process that may not have a socket wanted one.
_REFUSED = re.compile(r"= -1 (EPERM|EACCES)\b")
_SOCKETS = re.compile(r"socket\((AF_\w+|0x\w+)")


def traced(command: Sequence[str], log: Path) -> list[str]:
    """The command that runs `command` and all its children, and notes in `log` what they do with networks.

    Without --seccomp-bpf: what a filter of the process's own refuses would not be seen.
    """
    return ["strace", "-f", "-qq", "-s", "0", "-e", "trace=%network,io_uring_setup", "-o", str(log), "--", *command]


def attempts(log: str) -> list[str]:
    """The lines of a log of strace in which somebody tried to reach, or be reached from, another machine."""
    return [line for line in log.splitlines() if _leaves(line)]


def count_calls(log: str) -> int:
    """How many calls there are in a log of strace."""
    return sum(bool(_CALL.match(line)) for line in log.splitlines())


def ways_not_found(net: Path = Path("/proc/self/net")) -> int:
    """How often something was to be sent where no way leads, in this network, since it was made."""
    names, values = (line.split() for line in (net / "snmp").read_text().splitlines()[:2])
    newer = dict(line.split() for line in (net / "snmp6").read_text().splitlines()) if (net / "snmp6").exists() else {}
    return int(values[names.index("OutNoRoutes")]) + int(newer.get("Ip6OutNoRoutes", 0))


def _leaves(line: str) -> bool:
    found = _CALL.match(line)
    if found is None:
        return False
    if found[1] == "io_uring_setup":  # whatever goes through it is not seen here
        return True
    if found[1] == "socket":
        opened = _SOCKETS.search(line)
        if opened is None or opened[1] in _HERE:
            return False
        return opened[1] not in ("AF_INET", "AF_INET6") or _REFUSED.search(line) is not None
    return found[1] in _OUT and any(_away(*each) for each in _addresses(line))


def _addresses(line: str) -> Iterator[tuple[str, str]]:
    for found in _ADDRESS.finditer(line):
        yield found[1], found[2]


def _away(family: str, rest: str) -> bool:
    if family in ("AF_UNIX", "AF_LOCAL"):
        return "resolve" in rest  # the resolver of systemd asks others for a name
    if family in _HERE:
        return False
    place, port = _PLACE.search(rest), _PORT.search(rest)
    if place is None or port is None or port[1] == _NAMES:
        return True  # names are asked of a resolver that may run here, but asks others
    return not ipaddress.ip_address(place[1] or place[2]).is_loopback
