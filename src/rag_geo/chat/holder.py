"""Who has a port that is in use, as far as the system tells: the chat itself, or a program by name and number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

_LISTENING = "0A"
_PATIENCE_S = 1.0
_MOST_BYTES = 4096
_OURS = re.compile(rb"<title>rag-geo</title>")
_REALM = 'realm="rag-geo"'


@dataclass(frozen=True, slots=True)
class Holder:
    """A program that listens: its name, and the number of its process."""

    name: str
    process: int


def is_chat(host: str, port: int) -> bool:
    """Tell whether a chat answers at an address; whoever does not answer within a second is none."""
    connection = HTTPConnection(host, port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        asks = answer.status == 401 and _REALM in (answer.getheader("www-authenticate") or "")
        return asks or _OURS.search(answer.read1(_MOST_BYTES)) is not None
    except (OSError, HTTPException, ValueError):
        return False
    finally:
        connection.close()


def holder(host: str, port: int, proc: Path = Path("/proc")) -> Holder | None:
    """Find the process that listens at `port` of the IP address `host`, or of all addresses.

    None where the system does not tell: it is not Linux, or the process is another user's.
    """
    wanted = {f"socket:[{inode}]" for inode in _sockets(host, port, proc)}
    if not wanted:
        return None
    for process in sorted(_processes(proc)):
        if wanted & set(_opened(proc / str(process) / "fd")):
            with suppress(OSError):
                name = (proc / str(process) / "comm").read_text(encoding="utf-8", errors="replace").strip()
                return Holder(name, process)
    return None


def _sockets(host: str, port: int, proc: Path) -> Iterator[str]:
    """Give the inode numbers of the sockets that stand in the way."""
    asked = ip_address(host)
    for table in ("tcp", "tcp6"):
        with suppress(OSError, ValueError, IndexError):
            for line in (proc / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                address, _, number = fields[1].partition(":")
                if fields[3] == _LISTENING and int(number, 16) == port and _meets(_address(address), asked):
                    yield fields[9]


def _address(coded: str) -> IPv4Address | IPv6Address:
    """Read an address as the tables have it: in words of four bytes, each the wrong way round."""
    raw = bytes.fromhex(coded)
    return ip_address(b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4)))


def _meets(taken: IPv4Address | IPv6Address, asked: IPv4Address | IPv6Address) -> bool:
    return taken == asked or taken.is_unspecified or asked.is_unspecified


def _processes(proc: Path) -> Iterator[int]:
    with suppress(OSError):
        for each in proc.iterdir():
            if each.name.isdigit():
                yield int(each.name)


def _opened(folder: Path) -> Iterator[str]:
    """Give what the files that a process has open are; those of another user are not told."""
    with suppress(OSError):
        for each in folder.iterdir():
            with suppress(OSError):
                yield str(each.readlink())
