"""Run a command in a network of its own, with nothing in it but loopback: ``python tests/offline.py COMMAND ...``.

The user stays who they are, without any right that they had not before. Where no such network can be made, it is said
on standard error, and the command runs with the network of the machine. With the standard library alone.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

NEW_USER, NEW_NET = 0x10000000, 0x40000000
SET_FLAGS, UP = 0x8914, 0x1
INTERFACES = Path("/proc/self/net/dev")


def is_offline() -> bool:
    """Whether this process has no interface but loopback."""
    try:
        lines = INTERFACES.read_text(encoding="ascii").splitlines()[2:]
    except OSError:
        return False
    return {line.partition(":")[0].strip() for line in lines} == {"lo"}


def go_offline() -> None:
    """Put this process into a network of its own. Raises OSError; the process may then be without any network."""
    user, group = os.geteuid(), os.getegid()
    if _unshare(NEW_NET):
        # Without the right to make a network it takes a user namespace, in which this user has it.
        if failed := _unshare(NEW_USER | NEW_NET):
            raise OSError(failed, os.strerror(failed), "unshare")
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH22x", b"lo", UP))


def hindrance() -> str:
    """Why `go_offline` would fail, "" where it would not: tried in another process, which can be thrown away."""
    if not hasattr(os, "fork") or not sys.platform.startswith("linux"):
        return "this system has no network namespaces"
    given, told = os.pipe()
    child = os.fork()
    if not child:
        try:
            go_offline()
        except OSError as error:
            os.write(told, str(error).encode())
        finally:
            os._exit(0)
    os.close(told)
    with os.fdopen(given, "rb") as said:
        why = said.read().decode()
    os.waitpid(child, 0)
    return why


def _unshare(what: int) -> int:
    """Leave namespaces; gives the number of the error, 0 for none."""
    library = ctypes.CDLL(None, use_errno=True)
    return ctypes.get_errno() if library.unshare(what) else 0


def main(command: list[str]) -> None:
    if why := hindrance():
        told = f"offline: no network without interfaces can be made here ({why}): this runs with the one there is\n"
        sys.stderr.write(told)
        sys.stderr.flush()
    else:
        go_offline()
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
