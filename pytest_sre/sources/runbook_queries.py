"""The PromQL queries of a runbook page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_sre.model.runbook import CodeBlock, Runbook, Section
from pytest_sre.model.runbook_query import Query
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.sources.runbook_placeholders import WORDS, fill

_PROMQL = frozenset({"promql", "prometheus"})
_QUERY_SHAPE = re.compile(
    r"(?<![\w:])[\w:]+\s*\{[^{}]*\}|\[[\w$:. ]+\]|\b(?:sum|count|avg|min|max|topk|rate|increase|absent|group_left)\b"
    r"|[=<>]=?\s*[\d.]+"
)
_METRIC = re.compile(r"\b[a-zA-Z]\w*[_:]\w+|\bup\b|\bALERTS\b")
_LOGQL = re.compile(r"\s*\{[^{}]*\}\s*(?:\|[=~]|!=|!~|\|\s*(?:json|logfmt|regexp|pattern|line_format))")
_SKETCHED = re.compile(r"\.\.\.|…")
_PROMPT = re.compile(r"^[ \t]*[$>][ \t]+(?=[a-zA-Z_:({])", re.MULTILINE)
_OPEN, _CLOSED = re.compile(r"[({\[]"), re.compile(r"[)}\]]")
_COMMENT = re.compile(r"\s*(?:#.*)?")


def queries_of(runbook: Runbook, section: Section) -> tuple[Query, ...]:
    """All queries in a part of a page, by line; what stands in a promql fence is one, valid or not."""
    found: list[Query] = []
    for block in runbook.blocks:
        if block.line in section:
            found += _written(block) if block.language in _PROMQL else _recognised(block)
    for code in runbook.code:
        if code.line in section and is_query(code.text):
            found.append(Query(code.text.strip(), code.line))
    return tuple(sorted(found, key=lambda query: query.line))


def looks_like_promql(text: str) -> bool:
    """A metric's bare name also parses; a query selects, calls or compares."""
    return bool(_METRIC.search(text) and _QUERY_SHAPE.search(text))


def is_query(text: str) -> bool:
    """Whether a text that is not marked as such is a PromQL query for sure."""
    return bool(_METRIC.search(text)) and looks_like_promql(fill(text, {})) and parses(text)


def parses(text: str) -> bool:
    """Whether a text is PromQL, whatever its placeholders stand for."""
    return not error_of(text)


def error_of(text: str) -> str:
    """What our parser says is wrong with a query; empty where there is something to fill in that makes it right."""
    first = ""
    for word in WORDS:
        filled = fill(text, {}, word)
        try:
            parse(filled)
            return ""
        except PromqlError as error:
            first = first or str(error)
        if filled == text:
            break
    return first


def _written(block: CodeBlock) -> Iterator[Query]:
    """The block is one query, or has one in each paragraph, or in each line."""
    if _LOGQL.match(block.content) or _SKETCHED.search(block.content):
        return
    whole = _PROMPT.sub(lambda found: " " * len(found[0]), block.content.rstrip())
    if parses(whole):
        yield from _query(whole, block.first_line)
        return
    for text, line in _paragraphs(whole, block.first_line):
        lines = [(one, line + n) for n, one in enumerate(text.split("\n")) if not _COMMENT.fullmatch(one)]
        several = len(lines) > 1 and any(parses(one) for one, _ in lines)
        if not parses(text) and several and all(_is_balanced(one) for one, _ in lines):
            for one, at in lines:
                yield from _query(one, at)
        else:
            yield from _query(text, line)


def _recognised(block: CodeBlock) -> Iterator[Query]:
    text = block.content.rstrip()
    if is_query(text):
        yield Query(text, block.first_line)
        return
    for paragraph, line in _paragraphs(text, block.first_line):
        if is_query(paragraph):
            yield Query(paragraph, line)
            continue
        for number, one in enumerate(paragraph.split("\n")):
            if is_query(one):
                yield Query(one.strip(), line + number)


def _query(text: str, line: int) -> Iterator[Query]:
    """A query of a promql fence, from its first line that is no comment."""
    lines = text.split("\n")
    skipped = next((n for n, one in enumerate(lines) if not _COMMENT.fullmatch(one)), None)
    if skipped is not None:
        yield Query("\n".join(lines[skipped:]), line + skipped, sure=True)


def _paragraphs(text: str, line: int) -> Iterator[tuple[str, int]]:
    own: list[str] = []
    for number, one in enumerate([*text.split("\n"), ""]):
        if one.strip():
            own.append(one)
        elif own:
            yield "\n".join(own), line + number - len(own)
            own = []


def _is_balanced(line: str) -> bool:
    return len(_OPEN.findall(line)) == len(_CLOSED.findall(line))
