"""The two kinds of trouble that are not verdicts."""

from __future__ import annotations


class UserError(Exception):
    """Something in the user's files or options is wrong; the text says where, what, and what to do."""


class FileError(UserError):
    """A user's file is wrong at a line."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")
        self.path, self.line, self.reason = path, line, reason


class StackError(Exception):
    """The stack is broken: a server is missing, does not start or does not answer. Never a verdict."""


class Refused(StackError):
    """A server that is well says no to what a user asks of it; carries its words."""
