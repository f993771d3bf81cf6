"""A file layer that records every call and fails one of them: what the tests of `files` put in place of `os`."""

from __future__ import annotations

import errno
import os

WATCHED = ("open", "write", "fsync", "replace", "rename", "ftruncate")


class FaultyOs:
    """`os`, but call number `at` of the watched ones fails with `fault` (an errno, or "short" for a short write followed by ENOSPC)."""

    def __init__(self, at=None, fault=None):
        self.at, self.fault, self.calls, self.full, self.names = at, fault, [], False, {}

    def __getattr__(self, name):
        real = getattr(os, name)
        return real if name not in WATCHED else lambda *args, **kwargs: self._call(name, real, args, kwargs)

    def _call(self, name, real, args, kwargs):
        number = len(self.calls)
        self.calls.append((name, self._subject(args)))
        if self.full and name == "write":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if number == self.at:
            if self.fault == "short" and name == "write":
                self.full = True
                return real(args[0], bytes(args[1])[: len(args[1]) // 2])
            if self.fault != "short":
                raise OSError(self.fault, os.strerror(self.fault))
        done = real(*args, **kwargs)
        if name == "open":
            self.names[done] = os.fspath(args[0])
        return done

    def _subject(self, args):
        return (
            self.names.get(args[0], "?")
            if isinstance(args[0], int)
            else tuple(os.fspath(a) for a in args[:2] if isinstance(a, str | os.PathLike))
        )
