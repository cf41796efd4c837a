"""What a process gives up before it reads a stranger's file: the network, writing, other programs, memory without end.

On Linux a filter of system calls (seccomp) refuses whatever would reach out of the process, for good: a hole in a
parser that a file runs code through has no way to send, to keep or to start anything. The list names what is refused,
not what is allowed, because the libraries of other machines make other harmless calls: a list of the allowed ones would
break reading there.

Sources: seccomp(2); the numbers in Linux's ``asm/unistd_64.h`` (x86-64) and ``asm-generic/unistd.h`` (arm64).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

STDERR_BYTES = 1 << 16
"""What a reader may write into any one file: standard error is one, and the only one that it has."""

OPEN_FILES = 256

_NONE = -1
_NUMBERS: dict[str, tuple[int, int]] = {
    # the network; a queue of requests to the kernel that a filter does not see
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "io_uring_setup": (425, 425),
    # other programs and processes
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, _NONE), "vfork": (58, _NONE), "kill": (62, 129),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "kcmp": (312, 272),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    # names of files and what belongs to them
    "creat": (85, _NONE), "rename": (82, _NONE), "renameat": (264, 38), "renameat2": (316, 276), "link": (86, _NONE),
    "linkat": (265, 37), "symlink": (88, _NONE), "symlinkat": (266, 36), "unlink": (87, _NONE), "unlinkat": (263, 35),
    "rmdir": (84, _NONE), "mkdir": (83, _NONE), "mkdirat": (258, 34), "mknod": (133, _NONE), "mknodat": (259, 33),
    "truncate": (76, 45), "chmod": (90, _NONE), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, _NONE), "fchown": (93, 55), "lchown": (94, _NONE), "fchownat": (260, 54), "utime": (132, _NONE),
    "utimes": (235, _NONE), "futimesat": (261, _NONE), "utimensat": (280, 88), "setxattr": (188, 5),
    "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "setxattrat": (463, 463), "removexattrat": (466, 466),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    # the machine, for a reader that runs as root
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsmount": (432, 432), "mount_setattr": (442, 442),
    "unshare": (272, 97), "setns": (308, 268), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "init_module": (175, 105), "finit_module": (313, 273), "kexec_load": (246, 104), "reboot": (169, 142),
    "settimeofday": (164, 170), "clock_settime": (227, 112),
}  # fmt: skip


class _Machine(NamedTuple):
    """What differs between processors: the column of `_NUMBERS`, the mark of a call, the calls that are looked into."""

    column: int
    audit: int
    seccomp: int
    open: int
    openat: int
    clone: int
    tgkill: int
    prlimit64: int


_MACHINES = {
    "x86_64": _Machine(0, 0xC000003E, 317, 2, 257, 56, 234, 302),
    "aarch64": _Machine(1, 0xC00000B7, 277, _NONE, 56, 220, 131, 261),
}
_NEWER = {"clone3": 435, "openat2": 437}
"""Calls whose arguments a filter cannot see: said not to exist, so that the C library takes the older ones."""

_X32 = 0x40000000
"""From here on x86-64 has the same calls again under other numbers."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CLONE_THREAD = 0x10000

# Instructions of the filter (linux/bpf_common.h) and its answers (linux/seccomp.h).
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _AUDIT, _ARGUMENTS = 0, 4, 16
_NO_NEW_PRIVILEGES, _FILTER, _ALL_THREADS = 38, 1, 1

Instruction = tuple[int, int, int, int]


def confine(memory_bytes: int) -> tuple[str, ...]:
    """Give up, for good, what reading does not need; gives in words what this system does not let it give up.

    From then on this process has at most `memory_bytes` of address space, opens nothing for writing, changes no file,
    reaches no network and starts no process. To be called before other threads are started.
    """
    missing = []
    if not _limit(memory_bytes):
        missing.append("a limit on memory")
    if not _refuse_calls():
        missing.append("a ban on the network and on writing")
    return tuple(missing)


def allow_processor_time(seconds: float) -> None:
    """End this process by SIGXCPU when it has used `seconds` of processor time more than now."""
    with suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        end = int(used.ru_utime + used.ru_stime + seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _limit(memory_bytes: int) -> bool:
    try:
        import resource
    except ImportError:
        return False
    limits = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, STDERR_BYTES), (resource.RLIMIT_NOFILE, OPEN_FILES)]
    for kind, most in limits:
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    except (ValueError, OSError):
        return False
    return True


def _refuse_calls() -> bool:
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None or sys.maxsize < 1 << 32:
        return False
    code = b"".join(struct.pack("HBBI", *each) for each in program(machine, os.getpid()))
    kept = ctypes.create_string_buffer(code, len(code))
    given = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(kept))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return bool(library.syscall(machine.seccomp, _FILTER, _ALL_THREADS, given) == 0)


def program(machine: _Machine, pid: int) -> list[Instruction]:
    """The filter: instructions as (code, steps if true, steps if false, value)."""
    made: list[Instruction] = [
        (_LOAD, 0, 0, _AUDIT),
        (_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
    for numbers in _NUMBERS.values():
        if (number := numbers[machine.column]) != _NONE:
            made += _refused(number, errno.EPERM)
    for number in _NEWER.values():
        made += _refused(number, errno.ENOSYS)
    refuse, allow = (_RETURN, 0, 0, _ERRNO | errno.EPERM), (_RETURN, 0, 0, _ALLOW)
    made += _looked_into(machine.openat, 2, (_ANY_BIT, 0, 1, _WRITING), refuse, allow)
    if machine.open != _NONE:
        made += _looked_into(machine.open, 1, (_ANY_BIT, 0, 1, _WRITING), refuse, allow)
    made += _looked_into(machine.clone, 0, (_ANY_BIT, 0, 1, _CLONE_THREAD), allow, refuse)
    made += _looked_into(machine.tgkill, 0, (_EQUAL, 0, 1, pid), allow, refuse)
    made += _looked_into(machine.prlimit64, 0, (_ANY_BIT, 0, 1, 0xFFFFFFFF), refuse, allow)
    return [*made, allow]


def _refused(number: int, code: int) -> Iterator[Instruction]:
    yield (_EQUAL, 0, 1, number)
    yield (_RETURN, 0, 0, _ERRNO | code)


def _looked_into(
    number: int, argument: int, asked: Instruction, then: Instruction, otherwise: Instruction
) -> Iterator[Instruction]:
    """What happens to a call depends on the lower half of one of its arguments."""
    yield (_EQUAL, 0, 4, number)
    yield (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)
    yield asked
    yield then
    yield otherwise
