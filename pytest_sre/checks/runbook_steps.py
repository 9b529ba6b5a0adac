"""Which parts of a runbook an on-call engineer can execute as they stand.

E1 a command, E2 a query (PromQL, LogQL, SQL, REPL, chatops), E3 a link to a local page that has one, or to a
dashboard or console. Prose, links to documentation, example output and configuration are not steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

from pytest_sre.checks.runbook_shell import (
    POWERSHELL,
    PROMPT,
    ROOT_PROMPT,
    SHELL,
    bare,
    is_known,
    normalise,
    unprompted,
    words,
)
from pytest_sre.model.runbook import CodeBlock, Heading, Runbook, Step
from pytest_sre.promql.parse import PromqlError, parse

Follow = Callable[[str], "tuple[Runbook, str | None] | None"]
"""From a link's target to the local page it leads to and its fragment; None: it leads elsewhere."""

Group = Literal["diagnosis", "mitigation", "other"]
Found = tuple[Literal["E1", "E2", "E3"], str]


_PROMQL = words("promql prometheus metricsql")
_QUERY_LANGUAGES = words("sql psql postgresql postgres mysql plpgsql cql spl kql kusto logql")
_REPL = words("python py ruby rb irb elixir iex javascript js mongo redis groovy lua")

_REPL_PROMPT = re.compile(
    r"\s*(?:>>>|irb\([^)]*\)[^>]*>|\[\d+\] pry\([^)]*\)>|[\w.:@-]+[=(-][#>*]"
    r"|(?:mysql|MariaDB[^>]*|sqlite|redis|mongo\w*|cqlsh|iex[^>]*)>"
    r"|[\d.]+:\d+>)\s+(?=\S)"
)
# A tool that we do not know, in a block that says it is shell: a lower-case word, then arguments.
_SHELL_LINE = re.compile(r"(?:\./|/|~/|\$\{?\w+\}?/)?[a-z][\w./-]*(?:\s+[^\s:=]\S*)+$")
_RANGE_VARIABLE = re.compile(r"(?<=[\[:])\s*(?:\$\{?\w+\}?|PLACEHOLDER)\s*(?=[\]:])")
_UNQUOTED_VALUE = re.compile(r"(=~?|!=|!~)\s*(PLACEHOLDER|\$\w+)")
_SQL_TEXT = re.compile(
    r"\s*(?:SELECT\b.+|WITH\s+\w+\s+AS\b.+|EXPLAIN\s+\w+.*|SHOW\s+(?!me\b|that\b|the\b)\w+.*"
    r"|(?:INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\S+\s+SET"
    r"|ALTER\s+(?:TABLE|SYSTEM|DATABASE|USER|ROLE|INDEX)"
    r"|VACUUM|ANALYZE|REINDEX|KILL|CALL|TRUNCATE\s+TABLE|DROP\s+\w+|CREATE\s+\w+)\s+\S+.*)",
    re.DOTALL,
)
_LOGQL = re.compile(
    r"\{\s*\w+\s*(?:=~|!~|!=|=)\s*[\"`][^}]*\}\s*"
    r"(?:\|=|\|~|!=|!~|\|\s*(?:json|logfmt|regexp|pattern|line_format))"
)
_HTTP = re.compile(r"\s*(?:GET|POST|PUT|PATCH|DELETE|HEAD)\s+(?:/|_|https?://)\S*")
_CHATOPS = re.compile(r"\s*[/!][a-z][\w-]+\s+\S")
_CALL = re.compile(r"[\w\])]\s*\.\s*[\w?!]+|\w+\(")
_QUERY_SHAPE = re.compile(
    r"[\w:]+\s*\{[^}]*\}|\[[\w$:. ]+\]|\b(?:sum|count|avg|min|max|topk|rate|increase|absent|group_left)\b"
    r"|[=<>]=?\s*[\d.]+"
)
_METRIC = re.compile(r"\b[a-zA-Z]\w*[_:]\w+|\bup\b|\bALERTS\b")
_DOCUMENTATION = re.compile(
    r"(?:^|\.)docs?\.|^(?:www\.)?grafana\.com$|^thanos\.io$|^prometheus\.io$|^github\.com$|redhat\.com$"
)
_DASHBOARD_HOST = re.compile(
    r"^(?:console|grafana|kibana|dashboards?|prometheus|thanos|alertmanager|app\.datadoghq|portal\.azure)[.-]"
)
_DASHBOARD_PATH = re.compile(
    r"/(?:d|d-solo|explore|dashboards?|goto)(?:/|$)|/graph$|/app/(?:kibana|discover|dashboards)"
    r"|/k8s/(?:ns|cluster)/|/monitoring/(?:query-browser|alerts|targets)"
)
# A heading such as RecoveryFailing names an alert, not a part of its runbook.
_ALERT_NAME = re.compile(r"`?\w*[a-z][A-Z]\w*`?")
_DIAGNOSIS = re.compile(
    r"\b(?:diagnos|troubleshoot|investigat|triage|debug|checks?\b|verif|symptom|analy[sz]"
    r"|determin|identify|inspect|validat)",
    re.I,
)
_MITIGATION = re.compile(
    r"\b(?:mitigat|resol|remed|recover|roll ?back|procedure|recommended action|workaround|solution|fix|repair"
    r"|restor|restart|how to)",
    re.I,
)


def executable_steps(
    runbook: Runbook, anchor: str | None, follow: Follow = lambda target: None
) -> tuple[Step, ...]:
    """All steps of a page or of the section that ``anchor`` names (none where that is missing), by line."""
    section = runbook.section(anchor)
    if section is None:
        return ()
    found = [(block.line, _block(block)) for block in runbook.blocks if block.line in section]
    found += [(code.line, _inline(code.text)) for code in runbook.code if code.line in section]
    found += [(link.line, _link(link.target, follow)) for link in runbook.links if link.line in section]
    steps = [Step(*seen, line, _group(runbook.trail(line))) for line, seen in found if seen]
    return tuple(sorted(steps, key=lambda step: step.line))


def _block(block: CodeBlock) -> Found | None:
    text, language = block.content, block.language
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    query = query_of(text, sure=True) if language in _PROMQL else query_of(text)
    if query or language in _PROMQL:
        return ("E2", query) if query else None
    if language in _QUERY_LANGUAGES or (language in _REPL and _CALL.search(text)):
        return "E2", lines[0].strip()
    for line in lines:
        if _REPL_PROMPT.match(line):
            return "E2", _REPL_PROMPT.sub("", line, count=1)
    command = _command(text, language)
    return ("E1", command) if command else None


def _inline(text: str) -> Found | None:
    command = normalise(ROOT_PROMPT.sub("", unprompted(text), count=1)).strip()
    if len(command.split()) >= 2 and is_known(bare(command), sure=True):
        return "E1", command
    query = query_of(text)
    return ("E2", query) if query else None


def _link(target: str, follow: Follow) -> Found | None:
    page = follow(target)
    # One step only: a page that merely links on is not followed, nor can two pages vouch for each other.
    return ("E3", target) if _is_dashboard(target) or (page and executable_steps(*page)) else None


@lru_cache(maxsize=256)
def query_of(text: str, *, sure: bool = False) -> str:
    """The first query in a text, "" where there is none; ``sure``: its author says it is PromQL."""
    if any(pattern.match(text) for pattern in (_SQL_TEXT, _LOGQL, _HTTP, _CHATOPS)):
        return text.strip().splitlines()[0]
    for part in (text, *re.split(r"\n\s*\n", text), *text.splitlines()):
        query = _RANGE_VARIABLE.sub("5m", normalise(part)).strip()
        query = _UNQUOTED_VALUE.sub(r'\1"\2"', query)
        if query and (sure or _looks_like_promql(query)) and _is_promql(query):
            return query.splitlines()[0]
    return ""


def _is_promql(text: str) -> bool:
    try:
        parse(text)
    except PromqlError:
        return False
    return True


def _group(trail: tuple[Heading, ...]) -> Group:
    """Diagnosis or mitigation, by the outermost heading that says so; a page's title is asked last."""
    for heading in sorted(trail, key=lambda h: (h.level == 1, h.level)):
        if _ALERT_NAME.fullmatch(heading.text):
            continue
        if _MITIGATION.search(heading.text):
            return "mitigation"
        if _DIAGNOSIS.search(heading.text):
            return "diagnosis"
    return "other"


def _is_dashboard(target: str) -> bool:
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or _DOCUMENTATION.search(parts.netloc):
        return False
    return bool(_DASHBOARD_HOST.search(parts.netloc) or _DASHBOARD_PATH.search(parts.path))


def _looks_like_promql(text: str) -> bool:
    """A metric's bare name also parses; a query selects, calls or compares."""
    return bool(_METRIC.search(text) and _QUERY_SHAPE.search(text))


def _command(text: str, language: str) -> str:
    """The first command of a block, normalised, "" where it has none (output, configuration, prose)."""
    lines = [normalise(line) for line in re.sub(r"\\\n\s*", " ", text).splitlines() if line.strip()]
    # In a transcript only the lines with a prompt are commands, the rest is what they printed.
    prompted = [unprompted(line).strip() for line in lines if PROMPT.match(line)]
    for line in filter(bare, prompted):
        if language in SHELL or language in POWERSHELL or is_known(bare(line)):
            return line
    for line in (line.strip() for line in lines):
        if is_known(bare(line), sure=language in SHELL):
            return line
        if ROOT_PROMPT.match(line) and is_known(bare(ROOT_PROMPT.sub("", line, count=1))):
            return ROOT_PROMPT.sub("", line, count=1)
        if language in SHELL and _SHELL_LINE.match(line):
            return line
    return lines[0].strip() if language in POWERSHELL else ""
