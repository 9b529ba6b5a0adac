"""Time intervals of an `AlertmanagerConfig` object, written as Alertmanager's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_sre.sources.amconfig_fields import Unmapped, each, fields, list_of, mapping, put, unknown
from pytest_sre.sources.amconfig_receivers import Field
from pytest_sre.sources.yamlfile import Map, line_of

_TIMES = {"startTime": Field("start_time"), "endTime": Field("end_time")}


def times_of(source: Mapping[str, Any], line: int) -> Map:
    """One period of a time interval as Alertmanager writes it; raises Unmapped."""
    out = mapping(line)
    for key in source:
        where = line_of(source, key)
        if key == "times":
            put(
                out,
                key,
                each(list_of(source, key), lambda item, at: fields(item, at, _TIMES, "", "times")),
                where,
            )
        elif key == "daysOfMonth":
            put(out, "days_of_month", each(list_of(source, key), _days), where)
        elif key in ("weekdays", "months", "years"):
            # A range of years is a text to Alertmanager, also where YAML reads a number.
            put(out, key, each(list_of(source, key), lambda item, _: str(item).lower(), texts=True), where)
        else:
            unknown(source, key, "a time interval")
    return out


def _days(source: Mapping[str, Any], line: int) -> str:
    """``{start: 1, end: 5}`` as ``1:5``; the operator refuses a range without one of its ends."""
    for key in source:
        if key not in ("start", "end"):
            unknown(source, key, "daysOfMonth")
    for key in ("start", "end"):
        if str(source.get(key) or "0") == "0":
            raise Unmapped(
                line, f"daysOfMonth without {'a `start`' if key == 'start' else 'an `end`'}. Add it."
            )
    return f"{source['start']}:{source['end']}"
