"""Bash, parsed but never run: where a text stops being bash."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate

import tree_sitter_bash
from tree_sitter import Language, Node, Parser, Tree

MAX_CHARS = 20_000
MAX_DEPTH = 100
"""Longer or deeper texts are not judged: nobody types them in an incident, and nesting costs its square."""

# ${X:-default}, ${X:?say so}, ${X+it is set}: the author thought of a variable that is not set.
_GUARDS = frozenset((":-", "-", ":=", "=", ":?", "?", ":+", "+"))
_STEPS = {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}


def first_error(text: str) -> int | None:
    """The line, counted from 0, at which a text stops being bash; None: it is bash, or not judged."""
    tree = parsed(text)
    if tree is None or not tree.root_node.has_error:
        return None
    return min(
        (node.start_point[0] for node in walk(tree.root_node) if node.is_error or node.is_missing), default=0
    )


@lru_cache(maxsize=256)
def parsed(text: str) -> Tree | None:
    """The syntax tree, with errors in it where it is not bash; None: too long or too deep."""
    if len(text) > MAX_CHARS or _is_deep(text):
        return None
    return _parser().parse(text.encode())


def walk(root: Node) -> Iterator[Node]:
    """All nodes, in the order of the text; a nested text must not exhaust Python's stack."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


def _is_deep(text: str) -> bool:
    if sum(map(text.count, "({[")) <= MAX_DEPTH:
        return False
    return max(accumulate(_STEPS.get(char, 0) for char in text)) > MAX_DEPTH


@lru_cache(maxsize=1)
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bash.language()))


def variables(text: str) -> Iterator[tuple[int, str]]:
    """Line (from 0) and name of each variable that a text reads and gives no default; what is quoted does not count."""
    tree = parsed(text)
    for node in walk(tree.root_node) if tree is not None else ():
        if node.type not in ("simple_expansion", "expansion"):
            continue
        name = next((child.text for child in walk(node) if child.type == "variable_name"), None)
        guarded = any(child.type in _GUARDS for child in node.children)
        if name and not guarded and not name.isdigit():
            yield node.start_point[0], name.decode()
