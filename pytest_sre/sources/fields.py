"""Types of settings: what users write, checked when it is read and kept as written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    WithJsonSchema,
    model_validator,
)

from pytest_sre.promql.selector import selector
from pytest_sre.sources import duration


class Frozen(BaseModel):
    """Read once and never changed; keys that it doesn't know are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Lined(Frozen):
    """An entry of sre.yaml that knows its line there."""

    _line: int = PrivateAttr(1)

    @model_validator(mode="wrap")
    @classmethod
    def _lined(cls, value: Any, handler: ModelWrapValidatorHandler[Lined]) -> Lined:
        made = handler(value)
        made._line = getattr(value, "line", 1)
        return made


def no_repeats(names: Sequence[str], message: str) -> None:
    """Raises ValueError with ``message`` (which has a `{}` for the name) where one is there twice."""
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ValueError(message.format(repeated))


def _check_duration(text: str) -> str:
    if duration.seconds(text) <= 0:
        raise ValueError("must be longer than 0s")
    return text


def _check_percent(text: str) -> str:
    if not 0 < share(text) <= 1:
        raise ValueError("must be more than 0% and not more than 100%")
    return text


def _check_selector(text: str) -> str:
    return selector(text).text


def _written_out(value: Any) -> Any:
    """pydantic would take a number for seconds since 1970."""
    if not isinstance(value, datetime) and not re.match(r"\s*\d{4}-\d\d", str(value)):
        raise ValueError("must be a time with an offset, as 2026-12-25T03:00+01:00")
    return value


def share(text: str) -> float:
    """The part of a whole that a percentage such as ``10%`` says: 0.1. Raises ValueError."""
    digits = text.strip().removesuffix("%").strip()
    try:
        return float(digits) / 100 if text.strip() != digits else float("x")
    except ValueError:
        raise ValueError(f'"{text}" is not a percentage such as 10%') from None


Moment = Annotated[AwareDatetime | None, BeforeValidator(_written_out)]
"""A time; None only where it is not given."""

# Patterns are for editors; verdicts are those of the validators.
_DURATION = r"^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
_PERCENT = r"^\s*[0-9.eE+-]+\s*%\s*$"

Duration = Annotated[
    str, AfterValidator(_check_duration), WithJsonSchema({"type": "string", "pattern": _DURATION})
]
Percent = Annotated[
    str, AfterValidator(_check_percent), WithJsonSchema({"type": "string", "pattern": _PERCENT})
]
SelectorText = Annotated[str, AfterValidator(_check_selector)]
