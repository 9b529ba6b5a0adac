"""An `AlertmanagerConfig` object that is the whole configuration, as `alertmanagerConfiguration` of an `Alertmanager` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pytest_sre.sources.amconfig import convert
from pytest_sre.sources.amconfig_fields import (
    Unmapped,
    empty,
    fields,
    like,
    list_of,
    mapping,
    mapping_of,
    put,
)
from pytest_sre.sources.amconfig_receivers import GLOBAL, GLOBAL_KINDS
from pytest_sre.sources.yamlfile import List, Map, line_of

FOLDER = "/etc/alertmanager/templates/"
_VENDORS = {
    "slack": "https://hooks.slack.com/services/T0/B0/x",
    "mattermost": "https://mattermost.invalid/hooks/x",
}
_NOT_AT_ROOT = ("continue", "matchers", "muteTimeIntervals", "activeTimeIntervals")


def the_base(document: Mapping[str, Any], configuration: Mapping[str, Any]) -> Map:
    """The whole configuration, where an `Alertmanager` names this object as the one for all namespaces.

    ``configuration`` is what the `Alertmanager` says of it: its `alertmanagerConfiguration`. Raises Unmapped.
    """
    parts = convert(document, lambda _: False)
    out = mapping(parts.line)
    globals_ = mapping_of(configuration, "global")
    if globals_:
        put(out, "global", globals_of(globals_), line_of(configuration, "global"))
    if parts.route is None:
        raise Unmapped(parts.line, "it is the whole configuration, and has no `route`. Add one.")
    _check_root(mapping_of(mapping_of(document, "spec"), "route"))
    parts.route.pop("continue")
    put(out, "route", parts.route, parts.line)
    for key, items in (
        ("receivers", parts.receivers),
        ("inhibit_rules", parts.inhibit_rules),
        ("mute_time_intervals", parts.intervals),
        ("templates", _templates(configuration)),
    ):
        if items or key == "receivers":
            put(out, key, items, parts.line)
    return out


def _check_root(route: Mapping[str, Any]) -> None:
    for key in _NOT_AT_ROOT:
        if route.get(key) and str(route[key]).lower() not in ("false", "no", "off"):
            what = f"`{key}` is not permitted on the root route, which this object's is. Remove it."
            raise Unmapped(line_of(route, key), what)


def globals_of(source: Mapping[str, Any]) -> Map:
    """`global` as Alertmanager writes it, where what the operator keeps by kind is side by side; raises Unmapped."""
    line = getattr(source, "line", 0)
    rest = {key: value for key, value in source.items() if key not in GLOBAL_KINDS}
    out = fields(like(rest, source), line, GLOBAL, _VENDORS["slack"], "global")
    for kind, known in GLOBAL_KINDS.items():
        given = mapping_of(source, kind)
        own = fields(given, line_of(source, kind, line), known, _VENDORS.get(kind, ""), f"global.{kind}")
        for key, value in own.items():
            put(out, key, value, own.lines[key])
    return out


class Template(NamedTuple):
    """A file of templates: its path in production, the key of the object that holds it, and the reference's line."""

    path: str
    kind: str
    name: str
    key: str
    line: int


def templates_of(configuration: Mapping[str, Any]) -> list[Template]:
    """The files that the operator puts the keys of ConfigMaps and Secrets into; raises Unmapped."""
    references = list_of(configuration, "templates")
    found: dict[str, Template] = {}
    for i, reference in enumerate(references):
        one = _template(reference, line_of(references, i))
        first = found.setdefault(one.path, one)
        if first is not one:
            what = f"the templates of {one.kind} {one.name} and of {first.kind} {first.name} are one file, {one.path}"
            raise Unmapped(one.line, f"{what}. Rename one of the keys.")
    return list(found.values())


def _template(reference: Any, line: int) -> Template:
    for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        place = reference.get(field) if isinstance(reference, Mapping) else None
        if isinstance(place, Mapping) and place.get("name") and place.get("key"):
            return Template(f"{FOLDER}{place['key']}", kind, str(place["name"]), str(place["key"]), line)
    what = "an entry of `templates` names no ConfigMap or Secret. Write `configMap: {name: …, key: …}`."
    raise Unmapped(line, what)


def _templates(configuration: Mapping[str, Any]) -> List:
    references = list_of(configuration, "templates")
    out = empty(references.line if references else 0)
    out.extend(one.path for one in templates_of(configuration))
    out.lines.extend(line_of(references, i) for i in range(len(references)))
    return out
