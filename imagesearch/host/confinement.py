"""Giving up, for good, what work on untrusted bytes does not need: a last wall behind the decoders.

What a system or a container does not offer is left out, without a word: some allow no new namespaces, and
Landlock came with Linux 5.13. Reading files stays allowed everywhere, for libraries and photos are read late.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
from contextlib import suppress
from pathlib import Path

MAX_OPEN_FILES = 32
"""Of a confined process, at once; loading a library takes a few."""

_PR_SET_NO_NEW_PRIVS = 38  # prctl.h
_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000  # sched.h
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446  # numbers of system calls, the same everywhere

# landlock.h: executing, writing, removing and making files; then truncating, reparenting, since version 3;
# TCP, since 4; signals and abstract sockets beyond the confined, since 6.
_CHANGES, _LATER_CHANGES = 0b1_1111_1111_0011, 0b110_0000_0000_0000
_TCP, _OUTSIDE = 0b11, 0b11
_LANDLOCK_VERSIONS = (
    (_CHANGES | _LATER_CHANGES, _TCP, _OUTSIDE),
    (_CHANGES | _LATER_CHANGES, _TCP, 0),
    (_CHANGES | _LATER_CHANGES, 0, 0),
    (_CHANGES, 0, 0),
)


def confine(kept_descriptor: int) -> None:
    """From here on the process, of one thread, reads files, computes and uses this descriptor and stderr.

    It opens no connection, writes no file, starts no program, signals and traces nobody outside.
    """
    _close_all_but(kept_descriptor)
    for limit, value in (
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _leave_network(libc)
    _renounce_changes(libc)


def _close_all_but(kept: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(null, standard)
    for entry in list(Path("/proc/self/fd").iterdir()):
        if int(entry.name) not in (0, 1, 2, kept):
            with suppress(OSError):  # what listed them is closed already
                os.close(int(entry.name))


def _leave_network(libc: ctypes.CDLL) -> None:
    """For a namespace without any; who may not make one may as the root of a user namespace."""
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _renounce_changes(libc: ctypes.CDLL) -> None:
    """By Landlock, landlock(7): what a rule set handles and no rule allows is denied."""
    for handled in _LANDLOCK_VERSIONS:
        rules = struct.pack("QQQ", *handled)
        rule_set = libc.syscall(_LANDLOCK_CREATE_RULESET, rules, len(rules), 0)
        if rule_set >= 0:
            libc.syscall(_LANDLOCK_RESTRICT_SELF, rule_set, 0)
            os.close(rule_set)
            return
