"""Everything a user can set: read once, frozen. ``sre.yaml`` < pytest's ini options < command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from pytest_sre.errors import UserError
from pytest_sre.sources import duration, notation
from pytest_sre.sources.alertmanager import parse_matchers
from pytest_sre.sources.yamlfile import YamlError, line_of, load_all

FILE_NAMES = ("sre.yaml", "sre.yml")


def _check_duration(text: str) -> str:
    if duration.seconds(text) <= 0:
        raise ValueError("must be longer than 0s")
    return text


Duration = Annotated[str, AfterValidator(_check_duration)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PrometheusServer(_Model):
    """How the real Prometheus is run in production, as far as it changes verdicts."""

    binary: str | None = None
    promtool: str | None = None
    feature_flags: tuple[str, ...] = ()
    lookback_delta: Duration = "5m"
    external_url: str | None = None


class AlertmanagerServer(_Model):
    """How the real Alertmanager is run in production, as far as it changes verdicts."""

    binary: str | None = None
    feature_flags: tuple[str, ...] = ()
    external_url: str | None = None


class Servers(_Model):
    """Server settings."""

    prometheus: PrometheusServer = PrometheusServer()
    alertmanager: AlertmanagerServer = AlertmanagerServer()


class Oncall(_Model):
    """An expectation: alerts that match must reach all of ``reaches`` and none of ``never``."""

    match: tuple[str, ...] = ()
    reaches: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    @field_validator("match", mode="before")
    @classmethod
    def _matchers(cls, value: Any) -> Any:
        if isinstance(value, dict):
            quoted = {k: str(v).replace("\\", "\\\\").replace('"', '\\"') for k, v in value.items()}
            value = [f'{label}="{text}"' for label, text in quoted.items()]
        for item in value if isinstance(value, (list, tuple)) else ():
            parse_matchers(str(item))
        return value


class Runbooks(_Model):
    """``urls`` maps URL prefixes to local folders; ``annotations`` are looked at in order."""

    urls: dict[str, str] = Field(default_factory=dict)
    annotations: tuple[str, ...] = ("runbook_url", "runbook", "playbook")


class HandSeries(_Model):
    """One series in promtool's notation; the last value is now."""

    series: str
    values: str

    @field_validator("series")
    @classmethod
    def _series(cls, value: str) -> str:
        notation.parse_series(value)
        return value

    @field_validator("values")
    @classmethod
    def _values(cls, value: str) -> str:
        notation.parse_values(value)
        return value


class ByHand(_Model):
    """Series given by hand for one alert; ``alert`` is its name, or ``file::name``."""

    alert: str
    interval: Duration = "1m"
    input_series: tuple[HandSeries, ...]


class SreYaml(_Model):
    """The file ``sre.yaml``. Paths are relative to it."""

    rules: tuple[str, ...] = ()
    alertmanager: str | None = None
    prometheus: str | None = None
    metrics: tuple[str, ...] = ("fixtures/*.prom",)
    servers: Servers = Servers()
    oncall: tuple[Oncall, ...] = ()
    runbooks: Runbooks = Runbooks()
    series: tuple[ByHand, ...] = ()
    strict: bool = False


class Settings(_Model):
    """``sre.yaml`` with ini options and command line applied; ``folder`` is what its paths are relative to."""

    root: Path
    folder: Path
    file: SreYaml
    keep: bool = False
    json_path: str | None = None


def read_sre_yaml(path: Path) -> SreYaml:
    """Read and validate ``sre.yaml``; raises UserError that names file, line and key."""
    try:
        documents = load_all(path.read_text("utf-8-sig"))
    except YamlError as error:
        raise UserError(f"{path}:{error.line}: not valid YAML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    if not documents or (documents[0].value is None and len(documents) == 1):
        return SreYaml()
    if len(documents) > 1:
        raise UserError(f"{path}:{documents[1].line}: a second document; sre.yaml is one document")
    try:
        return SreYaml.model_validate(documents[0].value)
    except ValidationError as error:
        raise UserError(
            "\n".join(_explain(path, documents[0].value, item) for item in error.errors())
        ) from None


def _explain(path: Path, value: Any, error: Any) -> str:
    line, where = 1, value
    for key in error["loc"]:
        line = line_of(where, key, line)
        try:
            where = where[key]
        except (KeyError, IndexError, TypeError):
            break
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "unknown key; see docs/configuration.md"
    return f"{path}:{line}: {'.'.join(map(str, error['loc'])) or 'top level'}: {message}"
