"""Queries inside the templates of an alert's labels and annotations: ``{{ with query "up == 0" }}``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import Aggregate, Binary, Expr, walk
from pytest_sre.promql.parse import PromqlError, parse

_TEXT = r'("(?:[^"\\\n]|\\.)*"|`[^`]*`)'
_QUERY = re.compile(
    rf"\bquery\s+{_TEXT}|{_TEXT}\s*\|\s*query\b|\bquery\s*\(\s*printf\s+{_TEXT}"
    rf"|\bprintf\s+{_TEXT}[^|{{}}]*\|\s*query\b"
)
_PRINTED = re.compile(r"""=\s*(?:(["'])%[svq]\1|%q)""")


def queries(rule: Rule) -> Iterator[Expr]:
    """The queries of an alert's texts, as far as they are PromQL; what a ``printf`` fills in may be anything."""
    for text in (*rule.labels.values(), *rule.annotations.values()):
        for match in _QUERY.finditer(text) if "query" in text else ():
            try:
                yield parse(_PRINTED.sub('=~".+"', _unquoted(next(filter(None, match.groups())))))
            except (PromqlError, ValueError):
                continue


def matched_labels(exprs: Iterable[Expr]) -> Iterator[str]:
    """The labels by which queries group and match."""
    for expr in exprs:
        for node in walk(expr):
            if isinstance(node, Aggregate) and not node.without:
                yield from node.labels
            elif isinstance(node, Binary):
                yield from (*(node.matching.on or ()), *node.matching.include)


def _unquoted(text: str) -> str:
    """A Go string; raises ValueError where it is not one that JSON knows too."""
    return text[1:-1] if text.startswith("`") else str(json.loads(text))
