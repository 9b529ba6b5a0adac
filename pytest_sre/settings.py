"""Everything a user can set: read once, frozen. ``sre.yaml`` < pytest's ini options < command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from pytest_sre.errors import UserError
from pytest_sre.model.slo import Notify
from pytest_sre.sources import notation
from pytest_sre.sources.alertmanager import users_matchers
from pytest_sre.sources.fields import Duration, Frozen, Lined, Moment, Percent, no_repeats
from pytest_sre.sources.incidents import IncidentSpec, unique_incidents
from pytest_sre.sources.routing import RoutingSpec, unique_routing
from pytest_sre.sources.runbook_settings import Runbooks
from pytest_sre.sources.slos import (
    DEFAULT_POLICY,
    PolicySpec,
    SloSpec,
    fitting_policy,
    unique_policy,
    unique_slos,
)
from pytest_sre.sources.yamlfile import YamlError, line_of, load_all, read_documents

FILE_NAMES = ("sre.yaml", "sre.yml")


TARGET_LABELS = (
    "cluster", "container", "endpoint", "namespace", "node", "pod", "prometheus", "replica", "service",
)  # fmt: skip
"""Labels beside job and instance that relabelling often adds to what targets expose."""

Slos = Annotated[tuple[SloSpec, ...], AfterValidator(unique_slos)]


def _fitting(value: tuple[PolicySpec, ...], info: ValidationInfo) -> tuple[PolicySpec, ...]:
    """Fields are read in their order: the SLOs are there already, unless they are wrong themselves."""
    return fitting_policy(value, info.data.get("slos") or ())


Policy = Annotated[tuple[PolicySpec, ...], AfterValidator(unique_policy), AfterValidator(_fitting)]
Incidents = Annotated[tuple[IncidentSpec, ...], AfterValidator(unique_incidents)]
RoutingTests = Annotated[tuple[RoutingSpec, ...], AfterValidator(unique_routing)]
ErrorShare = Annotated[float, Field(ge=0, lt=1)]


class PrometheusServer(Frozen):
    """How the real Prometheus is run in production, as far as it changes verdicts."""

    binary: str | None = None
    promtool: str | None = None
    image: str | None = None
    feature_flags: tuple[str, ...] = ()
    lookback_delta: Duration = "5m"
    external_url: str | None = None


class AlertmanagerServer(Frozen):
    """How the real Alertmanager is run in production, as far as it changes verdicts."""

    binary: str | None = None
    image: str | None = None
    feature_flags: tuple[str, ...] = ()
    external_url: str | None = None


class Docker(Frozen):
    """The way between the containers and pytest; the relay's image must have Python 3 as ``python3``."""

    sink: Literal["auto", "gateway", "relay"] = "auto"
    relay_image: str = "python:3.13-alpine"


class Servers(Frozen):
    """Server settings."""

    backend: Literal["auto", "docker", "process"] = "auto"
    docker: Docker = Docker()
    prometheus: PrometheusServer = PrometheusServer()
    alertmanager: AlertmanagerServer = AlertmanagerServer()


class Oncall(Lined):
    """An expectation: alerts that match must reach all of ``reaches`` and none of ``never``.

    With ``at``, at that time. Without ``always``, time intervals may mute all of a page's routes at some hours.
    """

    match: tuple[str, ...] = ()
    reaches: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    at: Moment = None
    always: bool = True

    @field_validator("match", mode="before")
    @classmethod
    def _matchers(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for label, wanted in value.items():
                if not isinstance(wanted, (str, int, float)):
                    raise ValueError(
                        f"{label}: must be a text; for several values write a list of matchers: ['{label}=~\"a|b\"']"
                    )
            quoted = {k: str(v).replace("\\", "\\\\").replace('"', '\\"') for k, v in value.items()}
            value = [f'{label}="{text}"' for label, text in quoted.items()]
        for item in value if isinstance(value, (list, tuple)) else ():
            users_matchers(str(item))
        return value


class Severities(Frozen):
    """Which values, in any of ``labels``, say that an alert is a page, and else a ticket. Case doesn't count."""

    labels: tuple[str, ...] = ("severity", "priority", "level", "urgency")
    page: tuple[str, ...] = (
        "page", "pager", "paging", "critical", "crit", "emergency", "sev1", "sev-1", "p1",
    )  # fmt: skip
    ticket: tuple[str, ...] = (
        "ticket", "warning", "warn", "high", "error", "major", "sev2", "sev-2", "p2", "sev3", "sev-3", "p3",
    )  # fmt: skip

    def kind_of(self, labels: Mapping[str, str]) -> Notify | None:
        """What an alert's own labels say that it is; None where they say nothing of the kind."""
        said = {labels.get(label, "").lower() for label in self.labels}
        if said & {value.lower() for value in self.page}:
            return "page"
        return "ticket" if said & {value.lower() for value in self.ticket} else None


class HandSeries(Frozen):
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


class ByHand(Frozen):
    """Series given by hand for one alert; ``alert`` is its name, or ``file::name``."""

    alert: str
    interval: Duration = "1m"
    input_series: tuple[HandSeries, ...]


class UnitTests(Frozen):
    """promtool's unit tests. ``partial``: labels and annotations that a test does not expect don't matter."""

    partial: bool = False


class MetricsPages(Frozen):
    """Snapshots of metrics pages: a glob, and what holds for all files that it finds.

    ``job``, ``instance`` and ``labels`` are what Prometheus adds when it scrapes these targets. ``healthy`` is false
    for pages taken in trouble: no alert must be quiet on them. ``taken`` is when they were scraped.
    """

    path: str
    healthy: bool = True
    job: str | None = None
    instance: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    taken: Moment = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value

    def below(self, folder: Path) -> MetricsPages:
        """The same in a folder."""
        return self.model_copy(update={"path": str(folder / self.path)})


class SreYaml(Frozen):
    """The file ``sre.yaml``, or one scope of it. Paths are relative to the file."""

    rules: tuple[str, ...] = ()
    alertmanager: str | None = None
    prometheus: str | None = None
    metrics: tuple[MetricsPages, ...] = (MetricsPages(path="fixtures/*.prom"),)
    target_labels: tuple[str, ...] = TARGET_LABELS
    servers: Servers = Servers()
    oncall: tuple[Oncall, ...] = ()
    routing: RoutingTests = ()
    incidents: Incidents = ()
    runbooks: Runbooks = Runbooks()
    series: tuple[ByHand, ...] = ()
    slos: Slos = ()
    policy: Policy = DEFAULT_POLICY
    healthy_error_share: ErrorShare = 1e-5
    page_worth: Percent = "0.5%"
    severities: Severities = Severities()
    unit_tests: UnitTests = UnitTests()
    strict: bool = False
    scopes: tuple[Scope, ...] = ()

    @field_validator("scopes")
    @classmethod
    def _unique(cls, value: tuple[Scope, ...]) -> tuple[Scope, ...]:
        no_repeats([scope.name for scope in value], "two scopes are called {}")
        return value


class Scope(Frozen):
    """One Prometheus and Alertmanager of several. What it doesn't set is as at the top level of ``sre.yaml``.

    ``folder`` is where its files are searched, and what its own paths are relative to.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    folder: str = "."
    rules: tuple[str, ...] = ()
    alertmanager: str | None = None
    prometheus: str | None = None
    metrics: tuple[MetricsPages, ...] = ()
    target_labels: tuple[str, ...] = TARGET_LABELS
    servers: Servers = Servers()
    oncall: tuple[Oncall, ...] = ()
    routing: RoutingTests = ()
    incidents: Incidents = ()
    runbooks: Runbooks = Runbooks()
    series: tuple[ByHand, ...] = ()
    slos: Slos = ()
    policy: Policy = DEFAULT_POLICY
    healthy_error_share: ErrorShare = 1e-5
    page_worth: Percent = "0.5%"
    severities: Severities = Severities()
    unit_tests: UnitTests = UnitTests()


SreYaml.model_rebuild()  # now that there is Scope


class Settings(Frozen):
    """The settings of one stack: a scope (where there are some) with ini options and command line applied.

    ``folder`` is what the paths in ``file`` are relative to, ``search`` where files are looked for. ``version``
    tells the stacks of a matrix apart.
    """

    root: Path
    folder: Path
    search: Path
    file: SreYaml
    scope: str = ""
    version: str = ""
    keep: bool = False

    @property
    def label(self) -> str:
        """What tells this stack apart from the others of the run; empty when it is the only one."""
        return ",".join(filter(None, (self.scope, self.version)))


def of_scope(file: SreYaml, scope: Scope) -> SreYaml:
    """``sre.yaml`` as it holds for one scope; all paths relative to the file."""
    base = Path(scope.folder)
    own: dict[str, Any] = {name: getattr(scope, name) for name in scope.model_fields_set - {"name", "folder"}}
    if "rules" in own:
        own["rules"] = tuple(str(base / pattern) for pattern in own["rules"])
    if "metrics" in own:
        own["metrics"] = tuple(pages.below(base) for pages in own["metrics"])
    for name in ("alertmanager", "prometheus"):
        if own.get(name):
            own[name] = str(base / own[name])
    if "runbooks" in own:
        urls = {url: str(base / folder) for url, folder in scope.runbooks.urls.items()}
        pages = tuple(str(base / pattern) for pattern in scope.runbooks.pages)
        own["runbooks"] = scope.runbooks.model_copy(update={"urls": urls, "pages": pages})
    if "servers" in own:
        own["servers"] = _merged(file.servers, scope.servers)
    return file.model_copy(update={**own, "scopes": ()})


def _merged(base: Any, over: Any) -> Any:
    """A model with what another of the same kind sets, key by key."""
    values = {name: getattr(over, name) for name in over.model_fields_set}
    for name, value in values.items():
        if isinstance(value, BaseModel):
            values[name] = _merged(getattr(base, name), value)
    return base.model_copy(update=values)


def is_settings(path: Path) -> bool:
    """Whether a file may be our settings: it is there, and no file of rules that has the same name."""
    try:
        documents = load_all(path.read_text("utf-8-sig")) if path.is_file() else None
    except (YamlError, OSError, UnicodeDecodeError):
        return True  # whoever reads it tells what is wrong
    if documents is None:
        return False
    top = documents[0].value if documents else None
    return not (isinstance(top, dict) and "groups" in top and not top.keys() & SreYaml.model_fields.keys())


def read_sre_yaml(path: Path) -> SreYaml:
    """Read and validate ``sre.yaml``; raises UserError that names file, line and key."""
    documents = read_documents(path)
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


# pydantic speaks of Python's types.
_MESSAGES = {
    "extra_forbidden": "unknown key; see docs/configuration.md",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be a string",
    "timezone_aware": "needs an offset, as 2026-12-25T03:00+01:00 has",
}


def _explain(path: Path, value: Any, error: Any) -> str:
    line, where = 1, value
    for key in error["loc"]:
        line = line_of(where, key, line)
        try:
            where = where[key]
        except (KeyError, IndexError, TypeError):
            break
    return f"{path}:{line}: {'.'.join(map(str, error['loc'])) or 'top level'}: {in_words(error)}"


def in_words(error: Any) -> str:
    """One of pydantic's errors, for users."""
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should be ", "must be ")
    return _MESSAGES.get(error["type"], message)
