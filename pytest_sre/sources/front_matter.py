"""Front matter of a runbook: who owns it, when it was reviewed, which alerts it is for."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)

from pytest_sre.model.runbook_checks import IDS
from pytest_sre.sources.fields import Frozen
from pytest_sre.sources.yamlfile import line_of

_DATE = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?:[Tt ].*)?")
_INTERVAL = re.compile(r"(\d{1,4})\s*([A-Za-z]+)")
_DAYS = {"d": 1, "day": 1, "days": 1, "w": 7, "week": 7, "weeks": 7}
_MONTHS = {"M": 1, "mo": 1, "month": 1, "months": 1, "y": 12, "year": 12, "years": 12}


def due(reviewed: date, interval: str) -> date:
    """The last day on which a review holds; an interval is `90d`, `26w`, `6M`, `1y` or `6 months`. Raises ValueError."""
    found = _INTERVAL.fullmatch(interval.strip())
    count, unit = (int(found[1]), found[2]) if found else (0, "")
    if not count or (unit not in _DAYS and unit not in _MONTHS):
        raise ValueError("must be an interval such as 90d, 26w, 6M or 1y")
    if unit in _DAYS:
        return _until(reviewed, timedelta(days=count * _DAYS[unit]))
    years, month = divmod(reviewed.month - 1 + count * _MONTHS[unit], 12)
    year = reviewed.year + years
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(reviewed.day, calendar.monthrange(year, month + 1)[1]))


def _until(reviewed: date, time: timedelta) -> date:
    return reviewed + time if time < date.max - reviewed else date.max


def as_date(text: str) -> date:
    """The day of `2026-03-01`, also with a time behind it. Raises ValueError."""
    found = _DATE.fullmatch(text.strip())
    if not found:
        raise ValueError("must be a date such as 2026-03-01")
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise ValueError(f"there is no day {text}") from None


def _interval(text: str) -> str:
    due(date(2000, 1, 1), text)
    return text


def _day(value: Any) -> Any:
    return as_date(value) if isinstance(value, str) else value


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _ids(value: tuple[str, ...]) -> tuple[str, ...]:
    unknown = next((one for one in value if one not in IDS), None)
    if unknown is not None:
        raise ValueError(f"there is no check {unknown}; there are {', '.join(IDS)}")
    return value


# What editors are told: the values that the validators take.
_INTERVAL_SCHEMA = {"type": "string", "pattern": r"^\s*[0-9]{1,4}\s*([dwMy]|mo|(day|week|month|year)s?)\s*$"}
_DAY_SCHEMA = {"type": "string", "pattern": r"^\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?$"}
_NAMES_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

Interval = Annotated[str, AfterValidator(_interval), WithJsonSchema(_INTERVAL_SCHEMA)]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema(_DAY_SCHEMA)]
Names = Annotated[tuple[str, ...], BeforeValidator(_several), WithJsonSchema(_NAMES_SCHEMA)]


class OfPlugin(Frozen):
    """What the front matter says to pytest-sre: checks that do not hold for the page."""

    disable: Annotated[tuple[str, ...], AfterValidator(_ids)] = ()


class FrontMatter(BaseModel):
    """The keys that pytest-sre reads; all others are those of Hugo, Jekyll and the like.

    ``review_interval`` is how long a review holds: `90d`, `26w`, `6M`, `1y`, `6 months`. ``alerts`` are the names of the
    alerts that the page is for.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    owner: Names | None = None
    reviewed: Day | None = None
    last_reviewed: Day | None = None
    review_interval: Interval | None = None
    alerts: Names | None = None
    severity: Names | None = None
    sre: OfPlugin = Field(default_factory=OfPlugin)


KEYS = tuple(FrontMatter.model_fields)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A key with a wrong value: ``error`` is one of pydantic's."""

    line: int
    key: str
    error: Any


def read(value: Mapping[str, Any]) -> tuple[FrontMatter, tuple[Wrong, ...]]:
    """What a page's front matter says; keys that are wrong are left out of it and told."""
    try:
        return FrontMatter.model_validate(value), ()
    except ValidationError as error:
        wrong = tuple(Wrong(_line(value, one["loc"]), _dotted(one["loc"]), one) for one in error.errors())
    bad = {one.key.split(".")[0] for one in wrong}
    return FrontMatter.model_validate({key: one for key, one in value.items() if key not in bad}), wrong


def _line(value: Any, keys: tuple[str | int, ...]) -> int:
    line = 1
    for key in keys:
        line = line_of(value, key, line)
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            break
    return line


def _dotted(keys: tuple[str | int, ...]) -> str:
    return ".".join(map(str, keys))
