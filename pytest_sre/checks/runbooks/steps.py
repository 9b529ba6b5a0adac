"""Which parts of a runbook an on-call engineer can execute as they stand.

E1 a command, E2 a query (PromQL, LogQL, SQL, REPL, chatops), E3 a link to a local page that has one, or to a
dashboard or console. Prose, links to documentation, example output, configuration, and what is done in a GUI are not
steps, unless `<!-- pytest-sre: step -->` says so. What only explains the alert (a query under Meaning) is none either.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from operator import itemgetter
from typing import Literal
from urllib.parse import urlsplit

from pytest_sre.checks.runbooks.shell import (
    ENGLISH,
    POWERSHELL,
    PROMPT,
    ROOT_PROMPT,
    SHELL,
    bare,
    is_known,
    normalise,
    unprompted,
    unrooted,
    words,
)
from pytest_sre.model.runbook import CodeBlock, Comment, Heading, Runbook, Section, Step, Trail
from pytest_sre.sources.runbook_placeholders import fill
from pytest_sre.sources.runbook_queries import looks_like_promql, parses

Follow = Callable[[str], "tuple[Runbook, str | None] | None"]
"""From a link's target to the local page it leads to and its fragment; None: it leads elsewhere."""

Group = Literal["diagnosis", "mitigation", "other"]
Found = tuple[Literal["E1", "E2", "E3", "GUI"], str]
Place = tuple[int, "partial[Found | None]"]

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
ALERT_NAME = re.compile(r"`?\w*[a-z][A-Z]\w*`?")
DIAGNOSIS = re.compile(
    r"\b(?:diagnos|troubleshoot|investigat|triage|debug|checks?\b|verif|symptom|analy[sz]"
    r"|determin|identify|inspect|validat)",
    re.I,
)
MITIGATION = re.compile(
    r"\b(?:mitigat|resol|remed|recover|roll ?back|procedure|recommended action|workaround|solution|fix|repair"
    r"|restor|restart|how to)",
    re.I,
)


_ABOUT = re.compile(
    r"\W*(?:alert\s+)?(?:meaning|description|overview|summary|impact|severity|definition|background)\W*", re.I
)
_QUOTED = re.compile(r"[\"“]([a-z][\w./-]{1,30} [^\"”\n]{1,120})[\"”]")
_ANNOTATION = re.compile(r"\s*pytest-sre:\s*step\b.*", re.DOTALL)


def executable_steps(
    runbook: Runbook, anchor: str | None, follow: Follow = lambda target: None
) -> tuple[Step, ...]:
    """All steps of a page or of the section that ``anchor`` names (none where that is missing), by line."""
    section = runbook.section(anchor)
    if section is None:
        return ()
    return tuple(_steps(runbook, section, follow))


def has_step(runbook: Runbook, section: Section, follow: Follow = lambda target: None) -> bool:
    """Whether there is a step in a part of a page; looks no further than the first one."""
    return next(_steps(runbook, section, follow), None) is not None


def _steps(runbook: Runbook, section: Section, follow: Follow) -> Iterator[Step]:
    above = Trail(runbook.headings)
    places = (place for place in _places(runbook, follow) if place[0] in section)
    for line, find in sorted(places, key=itemgetter(0)):
        if seen := find():
            trail = above.at(line)
            # What is quoted where the alert is described explains it.
            mentioned = seen[0] == "E2" or find.func in (_inline, _quoted)
            if not (mentioned and any(_ABOUT.fullmatch(heading.text) for heading in trail)):
                yield Step(*seen, line, _group(trail))


def _places(runbook: Runbook, follow: Follow) -> Iterator[Place]:
    """Where a step may be, and what looks for it there."""
    for block in runbook.blocks:
        yield block.line, partial(_block, block)
    for code in runbook.code:
        yield code.line, partial(_inline, code.text)
    lead = lru_cache(maxsize=None)(partial(_link, follow=follow))
    for link in runbook.links:
        yield link.line, partial(lead, link.target)
    for text in runbook.texts:
        if text.kind != "heading" and _QUOTED.search(text.text):
            yield text.line, partial(_quoted, text.text)
    for comment in runbook.comments:
        if _ANNOTATION.fullmatch(comment.text):
            yield comment.line, partial(_annotated, comment, runbook)


def _annotated(comment: Comment, runbook: Runbook) -> Found | None:
    """What an author says is a step: the text that holds the comment, or the next one."""
    place = bisect(runbook.texts, comment.line, key=lambda text: text.line)
    for text in runbook.texts[max(0, place - 1) : place + 1]:
        if text.line + text.text.count("\n") >= comment.line and text.text.strip():
            return None if text.kind == "heading" else ("GUI", text.text.strip().splitlines()[0])
    return None


def _quoted(text: str) -> Found | None:
    """A command of several words in quotes: authors without backticks mean the same."""
    commands = (found[1] for found in _QUOTED.finditer(text) if found[1].split()[0] not in ENGLISH)
    return next(filter(None, map(_inline, commands)), None)


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
    command = normalise(unrooted(unprompted(text))).strip()
    if len(command.split()) >= 2 and is_known(bare(command), sure=True):
        return "E1", command
    query = query_of(text)
    return ("E2", query) if query else None


def _link(target: str, follow: Follow) -> Found | None:
    page, anchor = follow(target) or (None, None)
    section = page.section(anchor) if page else None
    # One step only: a page that merely links on is not followed, nor can two pages vouch for each other.
    leads = page is not None and section is not None and has_step(page, section)
    return ("E3", target) if _is_dashboard(target) or leads else None


@lru_cache(maxsize=256)
def query_of(text: str, *, sure: bool = False) -> str:
    """The first query in a text, "" where there is none; ``sure``: its author says it is PromQL."""
    if any(pattern.match(text) for pattern in (_SQL_TEXT, _LOGQL, _HTTP, _CHATOPS)):
        return text.strip().splitlines()[0]
    for part in (text, *re.split(r"\n\s*\n", text), *text.splitlines()):
        part = part.strip()
        if part and (sure or looks_like_promql(fill(part, {}))) and parses(part):
            return fill(part, {}).splitlines()[0]
    return ""


def _group(trail: tuple[Heading, ...]) -> Group:
    """Diagnosis or mitigation, by the outermost heading that says so; a page's title is asked last."""
    for heading in sorted(trail, key=lambda h: (h.level == 1, h.level)):
        if ALERT_NAME.fullmatch(heading.text):
            continue
        if MITIGATION.search(heading.text):
            return "mitigation"
        if DIAGNOSIS.search(heading.text):
            return "diagnosis"
    return "other"


def _is_dashboard(target: str) -> bool:
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or _DOCUMENTATION.search(parts.netloc):
        return False
    return bool(_DASHBOARD_HOST.search(parts.netloc) or _DASHBOARD_PATH.search(parts.path))


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
        if ROOT_PROMPT.match(line) and is_known(bare(unrooted(line))):
            return unrooted(line)
        if language in SHELL and _SHELL_LINE.match(line):
            return line
    return lines[0].strip() if language in POWERSHELL else ""
