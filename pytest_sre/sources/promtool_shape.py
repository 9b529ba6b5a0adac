"""The shape of a promtool unit-test file, as Go's decoder reads it: pydantic models of its YAML."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pytest_sre.sources import duration
from pytest_sre.sources.expansion import number
from pytest_sre.sources.yamlfile import Plain

T = TypeVar("T")


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise ValueError("must be a text")
    return "" if value is None else str(value)


def _seconds(value: Any) -> float:
    if isinstance(value, (dict, list)):
        raise ValueError("must be a duration such as 30s, 5m or 1h30m")
    return 0.0 if value is None else duration.seconds(str(value))


def _float(value: Any) -> float:
    if value is None:
        return 0.0
    if not isinstance(value, Plain):
        raise ValueError("must be a number, without quotes; infinity is .inf")
    text = value.lower().replace(".inf", "inf").replace(".nan", "nan").replace("_", "")
    try:
        return float(int(text, 0)) if text.lstrip("+-")[:2] in ("0x", "0b", "0o") else number(text)
    except ValueError:
        raise ValueError(f"{value} is not a number; infinity is .inf") from None


def _bool(value: Any) -> bool:
    text = "false" if value is None else str(value).lower()
    if not isinstance(value, (Plain, type(None))) or text not in _BOOLS:
        raise ValueError("must be true or false")
    return _BOOLS[text]


_BOOLS = {
    **dict.fromkeys(("true", "yes", "on", "y"), True),
    **dict.fromkeys(("false", "no", "off", "n"), False),
}


def _moment(value: Any) -> float:
    text = _text(value)
    try:
        return float(text) if isinstance(value, Plain) else _epoch(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither a Unix timestamp nor one as 2021-01-01T00:00:00Z") from None


def _epoch(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _empty(value: Any) -> Any:
    return () if value is None else value


def _none(value: Any) -> Any:
    return {} if value is None else value


Text = Annotated[str, BeforeValidator(_text)]
Seconds = Annotated[float, BeforeValidator(_seconds)]
Float = Annotated[float, BeforeValidator(_float)]
Bool = Annotated[bool, BeforeValidator(_bool)]
Moment = Annotated[float, BeforeValidator(_moment)]
Texts = Annotated[dict[str, Text], BeforeValidator(_none)]
Many = Annotated[tuple[T, ...], BeforeValidator(_empty)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Series(_Model):
    """One of ``input_series``."""

    series: Text = ""
    values: Text = ""


class Alert(_Model):
    """One of ``exp_alerts``."""

    exp_labels: Texts = Field(default_factory=dict)
    exp_annotations: Texts = Field(default_factory=dict)


class AlertTest(_Model):
    """One of ``alert_rule_test``."""

    eval_time: Seconds = 0.0
    alertname: Text = ""
    exp_alerts: Many[Alert] = ()


class Sample(_Model):
    """One of ``exp_samples``; a ``histogram`` makes the value void."""

    labels: Text = ""
    value: Float = 0.0
    histogram: Text = ""


class ExprTest(_Model):
    """One of ``promql_expr_test``."""

    expr: Text = ""
    eval_time: Seconds = 0.0
    exp_samples: Many[Sample] = ()


class Group(_Model):
    """One of ``tests``; ``start_timestamp`` is newer than Prometheus 3.5."""

    interval: Seconds = 0.0
    input_series: Many[Series] = ()
    alert_rule_test: Many[AlertTest] = ()
    promql_expr_test: Many[ExprTest] = ()
    external_labels: Texts = Field(default_factory=dict)
    external_url: Text = ""
    name: Text = ""
    start_timestamp: Moment = 0.0


class File(_Model):
    """The whole file."""

    rule_files: Many[Text] = ()
    evaluation_interval: Seconds = 0.0
    group_eval_order: Many[Text] = ()
    tests: Many[Group] = ()
    fuzzy_compare: Bool = False
