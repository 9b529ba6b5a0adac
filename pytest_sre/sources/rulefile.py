"""Rule files → model: plain ``groups:``, PrometheusRule objects, ``List``s of them, several documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule, RuleFile, RuleGroup
from pytest_sre.sources import duration, yamlfile
from pytest_sre.sources.yamlfile import line_of

_LOGQL = re.compile(
    r"\}\s*(\|=|\|~|!=\s*[\"`]|!~\s*[\"`]|\|\s*(json|logfmt|pattern|regexp|unpack|line_format|unwrap)\b)"
)
# Prometheus' own templates ({{ $labels.x }}, {{ if … }}) stand in rule files that are no Helm templates.
_HELM = re.compile(
    r"\{\{[^{}\n]*[\s($](\.?(Values|Release|Chart|Capabilities|Files)\.)"
    r"|\{\{-?\s*(\.(Values|Release|Chart|Capabilities|Files)\.|(include|define|tpl|toYaml)\s|/\*)"
)


class Skip(Exception):
    """The file isn't ours; the text says what it is."""


class Broken(Exception):
    """The file is ours but can't be read: line (from 1) and reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def is_helm(text: str) -> bool:
    """Whether a text that isn't YAML is a Helm template."""
    return _HELM.search(text) is not None


def looks_like_rules(text: str) -> bool:
    """A quick look, before any parsing: could this be a rule file?"""
    groups = r"""^\s*'?groups'?\s*:|"groups"\s*:"""
    return "PrometheusRule" in text or "VMRule" in text or re.search(groups, text, re.M) is not None


def parse_rule_file(path: str, text: str) -> RuleFile:
    """A rule file's groups. Raises Skip for what isn't ours and Broken (with the line) for what can't be read."""
    try:
        documents = yamlfile.load_all(text)
    except yamlfile.YamlError as error:
        if is_helm(text):
            raise Skip("a Helm template; render it first (helm template)") from None
        raise Broken(error.line, f"not valid YAML: {error}") from None
    owners = [owner for document in documents for owner in _owners(document.value)]
    raw = [(group, line, part) for part, owner in enumerate(owners) for group, line in _raw_groups(owner)]
    if not raw:
        raise Skip("no rule groups")
    if not any(_has_rules(group) for group, _, _ in raw):
        raise Skip("groups of something else than alerting or recording rules")
    groups = tuple(_group(path, group, line, part) for group, line, part in raw)
    if any(_LOGQL.search(rule.expr) for group in groups for rule in group.rules):
        raise Skip("Loki rules (LogQL)")
    return RuleFile(path, groups)


def _owners(value: Any) -> Iterator[Mapping[str, Any]]:
    """The mappings that have `groups`: the document itself, a PrometheusRule's spec, or those of a List."""
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise Skip("no mapping at the top")
    kind = value.get("kind")
    if kind == "VMRule":
        raise Skip("a VMRule (MetricsQL)")
    if kind == "PrometheusRule":
        if not isinstance(value.get("spec"), Mapping):
            raise Broken(line_of(value, "spec"), "a PrometheusRule needs a `spec` with `groups`")
        yield value["spec"]
    elif isinstance(value.get("items"), list):
        for item in value["items"]:
            if isinstance(item, Mapping) and item.get("kind") in ("PrometheusRule", "VMRule"):
                yield from _owners(item)
    elif kind is None:
        if "tests" in value and "groups" not in value:
            raise Skip("unit tests for promtool")
        yield value


def _raw_groups(owner: Mapping[str, Any]) -> Iterator[tuple[Any, int]]:
    groups = owner.get("groups")
    if groups is None:
        return
    if not isinstance(groups, list):
        if not _has_rules(groups):
            raise Skip("`groups` that are no list of rule groups")
        raise Broken(line_of(owner, "groups"), "`groups` must be a list: `- name: ...`")
    for i, group in enumerate(groups):
        yield group, line_of(groups, i)


def _has_rules(group: Any) -> bool:
    """Whether anything in a group is meant as a rule: other tools have `groups` too."""
    rules = group.get("rules") if isinstance(group, Mapping) else None
    if not isinstance(rules, list):
        return isinstance(rules, Mapping) and bool({"alert", "record"} & set(rules))
    return any(isinstance(rule, Mapping) and {"alert", "record", "expr"} & set(rule) for rule in rules)


def _group(path: str, value: Any, line: int, part: int) -> RuleGroup:
    if not isinstance(value, Mapping):
        raise Broken(line, "a group must be a mapping with `name` and `rules`")
    rules = value.get("rules") or []
    if not isinstance(rules, list):
        raise Broken(line_of(value, "rules"), "`rules` must be a list")
    name = str(value.get("name") or "")
    shared = _strings(value, "labels")
    return RuleGroup(
        name=name,
        location=Location(path, line),
        rules=tuple(_rule(path, name, i, rule, line_of(rules, i), shared) for i, rule in enumerate(rules)),
        document=value,
        interval=_seconds(value, "interval") if value.get("interval") else None,
        part=part,
        query_offset=_seconds(value, "query_offset") if value.get("query_offset") is not None else None,
        limit=_limit(value),
    )


def _limit(value: Mapping[str, Any]) -> int:
    """The group's limit; of one that is no number promtool says so."""
    limit = value.get("limit")
    return limit if isinstance(limit, int) else 0


def _rule(path: str, group: str, index: int, value: Any, line: int, shared: Mapping[str, str]) -> Rule:
    if not isinstance(value, Mapping):
        raise Broken(line, "a rule must be a mapping with `alert` or `record`, and `expr`")
    kinds: list[Literal["alert", "record"]] = [kind for kind in ("alert", "record") if value.get(kind)]
    if len(kinds) != 1:
        raise Broken(line, "a rule has either `alert` or `record`")
    if not isinstance(value.get("expr"), str):
        raise Broken(line, f"the rule {value[kinds[0]]} has no `expr`")
    return Rule(
        kind=kinds[0],
        name=str(value[kinds[0]]),
        expr=str(value["expr"]),
        location=Location(path, line_of(value, kinds[0])),
        expr_line=line_of(value, "expr"),
        group=group,
        index=index,
        labels={**shared, **_strings(value, "labels")},
        annotations=_strings(value, "annotations"),
        hold=_seconds(value, "for"),
        keep_firing_for=_seconds(value, "keep_firing_for"),
        annotation_lines={
            name: line_of(value.get("annotations"), name) for name in value.get("annotations") or ()
        },
    )


def _strings(value: Mapping[str, Any], key: str) -> dict[str, str]:
    found = value.get(key)
    if found is None:
        return {}
    if not isinstance(found, Mapping) or any(isinstance(item, (dict, list)) for item in found.values()):
        raise Broken(line_of(value, key), f"`{key}` must map names to texts")
    return {name: "" if item is None else str(item) for name, item in found.items()}


def _seconds(value: Mapping[str, Any], key: str) -> float:
    try:
        return duration.seconds(str(value[key])) if value.get(key) else 0.0
    except ValueError as error:
        raise Broken(line_of(value, key), f"`{key}`: {error}") from None
