"""The documentation is true to the code: pages, keys, options, schema and every example."""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from servers import REPO
from shop import edit

from pytest_sre import checks
from pytest_sre.checks import (
    CHECKS,
    coverage,
    detects,
    fires,
    incident,
    known,
    loads,
    pages,
    pages_read,
    pages_resolved,
    policy,
    quiet,
    resolves,
    routing,
    steady,
    unit,
)
from pytest_sre.checks.case import Case, Skipped
from pytest_sre.checks.oncall import KINDS
from pytest_sre.checks.runbooks import PAGE_CHECKS
from pytest_sre.model.finding import Location
from pytest_sre.model.incident import GroupNotification, IncidentObservation, PlayedAlert
from pytest_sre.model.observation import (
    AlertObservation,
    Change,
    FileVerdict,
    FiredAlert,
    Inhibition,
    Notification,
    Observations,
    TimedObservation,
    Unresolved,
)
from pytest_sre.model.routing import Integration
from pytest_sre.model.rules import Rule
from pytest_sre.model.runbook_checks import CATALOGUE, IDS
from pytest_sre.model.scenario import Scenario, Series
from pytest_sre.model.slo import PolicyEntry, Slo, detection
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.model.timeline import Passage
from pytest_sre.model.unittest import SeenAlert, UnitObservation
from pytest_sre.promql.selector import selector
from pytest_sre.report.json import SCHEMA, as_dict
from pytest_sre.report.review import Change as AlertsChange
from pytest_sre.report.seen import Seen
from pytest_sre.settings import Scope, Settings, SreYaml, read_sre_yaml
from pytest_sre.sources.discover import BrokenFile, Inventory, SkippedFile, discover
from pytest_sre.sources.prometheus import PrometheusConfig
from pytest_sre.stack import rulecopy
from pytest_sre.stack.process import ProcessStack

DOCS = REPO / "docs"
PAGES = sorted(path for path in (*DOCS.rglob("*.md"), REPO / "README.md") if path.is_file())
CONFIGURATION = (DOCS / "configuration.md").read_text("utf-8")
JSON_PAGE = (DOCS / "json.md").read_text("utf-8")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_OPTION = re.compile(r"--sre-[a-z-]+")
_ROW = re.compile(r"^\| `([^`]+)` (\|.*)\|$", re.M)


def blocks(text: str, language: str) -> list[str]:
    """The contents of all fenced blocks of a language."""
    return [content for name, content in _FENCE.findall(text) if name == language]


def section(text: str, title: str) -> str:
    """What stands below a heading of the second level."""
    return re.split(r"^## ", text.partition(f"\n## {title}\n")[2], maxsplit=1, flags=re.M)[0]


def rows(text: str) -> dict[str, list[str]]:
    """A table's rows whose first cell is code, by that code; the other cells without blanks around them."""
    found = {}
    for key, rest in _ROW.findall(text):
        assert key not in found, f"{key} is documented twice"
        found[key] = [cell.strip() for cell in rest[1:].split("|")]
    return found


SRE_YAML = [
    pytest.param(content, id=f"{path.relative_to(REPO)}-{number}")
    for path in PAGES
    for number, content in enumerate(blocks(path.read_text("utf-8"), "yaml"))
    if content.startswith("# sre.yaml")
]


# Checks: modules, the list, pages


def test_every_check_is_in_the_list() -> None:
    found = {
        name: module
        for _, name, _ in pkgutil.iter_modules(checks.__path__)
        if hasattr(module := import_module(f"{checks.__name__}.{name}"), "judge")
    }

    assert set(found) == {
        module.__name__.rpartition(".")[2]
        for module in (*CHECKS, loads, policy, unit, routing, coverage, incident)
    }
    assert {module.NAME for module in found.values()} == set(found)


def test_every_check_has_a_page_and_every_page_a_check() -> None:
    found = {path.stem: path.read_text("utf-8").splitlines()[0] for path in (DOCS / "checks").glob("*.md")}
    of_runbooks = {name: found.pop(name) for name in list(found) if re.match(r"rb\d", name)}

    for name, title in of_runbooks.items():
        about = IDS[name[:5].upper()]
        assert name == f"{about.id.lower()}_{about.name.replace('-', '_')}"
        assert re.match(rf"# {about.id} {about.name}(: |$)", title), (
            f"docs/checks/{name}.md begins with {title!r}"
        )
    for module in PAGE_CHECKS:
        stem = module.__name__.rpartition(".")[2]
        assert stem in of_runbooks, f"docs/checks/{stem}.md is missing"
        assert stem[:5].upper() == module.ID
    assert set(found) == {module.NAME for module in (*CHECKS, loads, policy, unit, incident)}
    for name, title in found.items():
        assert title.startswith(f"# {name}: "), f"docs/checks/{name}.md begins with {title!r}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(REPO).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    prose = re.sub(r"^(`{3,}).*?^\1$|`[^`\n]+`", "", path.read_text("utf-8"), flags=re.M | re.S)

    for target in re.findall(r"\]\(([^)#\s]+)", prose):
        assert "://" in target or (path.parent / target).exists(), f"{path}: no file {target}"


# configuration.md


@pytest.mark.parametrize("content", SRE_YAML)
def test_examples_of_sre_yaml_are_valid(content: str, tmp_path: Path) -> None:
    path = tmp_path / "sre.yaml"
    path.write_text(content, "utf-8")

    assert read_sre_yaml(path) != SreYaml()


def leaves(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys of a settings model, with their defaults."""
    for name, field in model.model_fields.items():
        if model is Scope and name in SreYaml.model_fields:
            continue  # described once, for the top level
        inner = [
            one for one in (field.annotation, *getattr(field.annotation, "__args__", ())) if _is_model(one)
        ]
        if inner:
            many = field.annotation is not inner[0]
            yield from leaves(inner[0], f"{path}{name}{'[]' if many else ''}.")
        else:
            yield (
                path + name,
                "required" if field.is_required() else field.get_default(call_default_factory=True),
            )


def default_policy() -> dict[str, Any]:
    """The policy that holds where none is given, as one would write it."""
    return {"policy": [entry.model_dump() for entry in SreYaml().policy]}


def _is_model(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)


def test_every_key_of_sre_yaml_is_documented_with_its_default() -> None:
    documented = rows(section(CONFIGURATION, "sre.yaml"))
    expected = dict(leaves(SreYaml))

    assert set(documented) == set(expected)
    assert default_policy() in [yaml.safe_load(text) for text in blocks(CONFIGURATION, "yaml")]
    for key, default in expected.items():
        written = yaml.safe_load(documented[key][1].strip("`")) if documented[key][1] else None
        assert written == (list(default) if isinstance(default, tuple) else default), key


def test_the_complete_example_is_complete() -> None:
    example = yaml.safe_load(blocks(section(CONFIGURATION, "sre.yaml"), "yaml")[0])

    def keys(value: Any, path: str = "") -> Iterator[str]:
        for key, item in value.items():
            dots = f"{path}{key}{'[]' if isinstance(item, list) else ''}."
            for inner in item if isinstance(item, list) else [item]:
                nested = isinstance(inner, Mapping) and f"{path}{key}" not in known_keys
                yield from keys(inner, dots) if nested else [path + key]

    known_keys = {key for key, _ in leaves(SreYaml)}
    assert set(keys(example)) == known_keys


def test_every_option_is_documented(pytester: pytest.Pytester) -> None:
    declared = pytester.runpytest("--help").stdout.str()
    table = section(CONFIGURATION, "Command line and ini options")
    ini = set(re.findall(r"^\s+(sre_\w+) \(", declared, re.M))

    assert set(_OPTION.findall(declared)) == set(_OPTION.findall(CONFIGURATION))
    assert ini == {name.strip("`") for cells in rows(table).values() for name in cells[:1] if name}
    for name, (option, *_) in rows(table).items():
        assert option in ("", f"`{name.partition('=')[0][2:].replace('-', '_')}`")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(REPO).as_posix())
def test_pages_name_only_options_that_exist(path: Path) -> None:
    assert set(_OPTION.findall(path.read_text("utf-8"))) <= set(_OPTION.findall(CONFIGURATION))


def test_the_ini_example_names_only_ini_options() -> None:
    (example,) = blocks(CONFIGURATION, "ini")
    documented = {cells[0].strip("`") for cells in rows(CONFIGURATION).values()}

    assert set(re.findall(r"^(sre_\w+) =", example, re.M)) <= documented


def test_kinds_of_integrations_are_documented() -> None:
    listed = CONFIGURATION.partition("`*_configs` keys:")[2].partition(".")[0]

    assert set(re.findall(r"`(\w+)`", listed)) == KINDS


def test_the_exit_code_is_documented() -> None:
    from pytest_sre.session import EXIT_BROKEN_STACK

    assert f"\n| {EXIT_BROKEN_STACK} | The stack is broken" in section(CONFIGURATION, "Exit codes")


def test_every_junit_property_is_documented() -> None:
    package = REPO / "pytest_sre"
    sources = [*(package / "items").glob("*.py"), package / "checks" / "timed.py"]
    written = set(
        re.findall(r'\(f?"(sre_\w+)(?:\{suffix\})?", ', "".join(one.read_text() for one in sources))
    )

    assert written
    assert written == set(re.findall(r"`(sre_\w+)`", section(CONFIGURATION, "Reports")))


def test_the_changelog_knows_the_version() -> None:
    version = re.search(r'^version = "(.*)"$', (REPO / "pyproject.toml").read_text("utf-8"), re.M)

    assert version
    assert f"\n## [{version[1]}]" in (REPO / "CHANGELOG.md").read_text("utf-8")


# json.md

WHY = "pagerduty-payments/pagerduty[0]: unexpected status code 400"
OPAQUE = {"labels", "renamed", "annotations", "sent_labels", "texts", "payload", "first", "last"}
OPAQUE |= {"reasons", "receivers", "inhibited_by", "silenced_by", "send_errors", "target", "source"}
OPAQUE |= {"why", "times", "values", "group", "fingerprints", "unsent", "errors", "unfired"}
_PLOT = "stacks[].alerts[].timed.passages[].plot[]"
UNITS = {"s", "s since the epoch", "share", "factor", "percent"}
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "array"}


def by_hand() -> dict[str, Any]:
    """Observations in which every key of the report occurs."""
    files = ("rules/payments.yml", "rules/broken.yml")
    labels = {"alertname": "PaymentsQueueBacklog", "queue": "cards", "severity": "page"}
    integration = Integration("pagerduty-payments", "pagerduty", 0)
    rule = Rule(
        "alert", labels["alertname"], "payments_queue_length > 1000", Location(files[0], 67), 68, "g", 0
    )
    burn = Rule(
        "alert", "PaymentsErrorBudgetBurnFast", "…", Location(files[0], 13), 14, "g", 1, {"severity": "page"}
    )
    series = Series(
        (("__name__", "payments_queue_length"), ("queue", "cards")),
        tuple((60.0 * minute, 1500.0) for minute in range(-15, 10)),
    )
    fired = FiredAlert(
        labels,
        {"summary": "Payments pile up in the queue cards"},
        "1.5e+03",
        "2026-03-01T08:49:00Z",
        {**labels, "cluster": "shop-eu-1"},
        "bb91cae34db94fed",
        (integration.receiver,),
    )
    notification = Notification(
        integration,
        "https://events.pagerduty.com/v2/enqueue",
        1772355607.25,
        202,
        {"summary": "[FIRING:1] PaymentsQueueBacklog"},
        {
            "event_action": "trigger",
            "payload": {"summary": "[FIRING:1] PaymentsQueueBacklog"},
            "routing_key": "…",
        },
        fired.fingerprint,
        "[FIRING:1] PaymentsQueueBacklog",
    )
    alert = AlertObservation(
        rule,
        Scenario(rule, (series,), ()),
        "firing",
        "",
        1.84,
        (fired,),
        (notification,),
        inhibited_together=(Inhibition(labels, {"alertname": "DatacenterDown"}),),
        unresolved=(Unresolved(Integration("pagerduty-payments", "pagerduty", 0), WHY),),
    )
    observations = Observations(
        {rule: alert},
        {files[0]: FileVerdict(files[0])},
        (Change(files[0], "group payments-settlement", "interval 1s"),),
        {"prometheus": "2.53.3", "alertmanager": "0.28.1"},
        {"plan": 0.412, "fired": 6.903, "delivered": 7.35, "timed": 7.12},
        {
            rule: TimedObservation(rule, queue_on_virtual_time(), moves=(queue_that_moves(),)),
            burn: TimedObservation(burn, (burning(),)),
        },
        incidents={"backlog": played(labels, notification)},
    )
    inventory = Inventory(
        root=Path("/"),
        rule_files=(),
        broken=(BrokenFile(files[1], 3, "`groups` must be a list"),),
        skipped=(
            SkippedFile("chart/templates/rules.yaml", "a Helm template; render it first (helm template)"),
        ),
        routing=None,
        prometheus=PrometheusConfig(),
        snapshots=Snapshots(),
    )
    folder = Path("/")
    settings = Settings(root=folder, folder=folder, search=folder, file=SreYaml())
    gone = Rule("alert", "PaymentsSlow", "x", Location(files[0], 80), 80, "g", 1)
    change = AlertsChange("", {rule: ("for: 5m → 10m",)}, {rule: rule}, (gone,), (), None, None)
    policy_ = (PolicyEntry(3600.0, "page", 0.1),)
    seen = Seen(settings, inventory, (availability(),), policy_, observations)
    return as_dict([seen], "main (163315ce6a)", [change])


def played(labels: Mapping[str, str], page: Notification) -> IncidentObservation:
    """An incident of one alert."""
    name = labels["alertname"]
    alert = PlayedAlert(name, f"rules/payments.yml::{name}", labels, fingerprint=page.fingerprint)
    group = {"alertname": name}
    told = GroupNotification(page.integration.receiver, group, (page.fingerprint,), (page,))
    return IncidentObservation((alert,), (told,))


def queue_that_moves() -> Passage:
    """What the example's alert does with its value in a label."""
    faces = tuple((("alertname", "PaymentsQueueBacklog"), ("waiting", value)) for value in ("1045", "1090"))
    return Passage("moving", "values that move", 0.0, 900.0, 30.0, faces=faces, lasted=30.0)


def availability() -> Slo:
    errors, total = (
        selector(f"payments_authorizations_total{{{one}}}") for one in ('outcome="error"', 'job="payments"')
    )
    return Slo("payments-availability", 99.95, 30 * 86400.0, errors, None, total, Location("sre.yaml", 37))


def queue_on_virtual_time() -> tuple[Passage, ...]:
    leg = {"leg": "payments_queue_length", "expr": "payments_queue_length", "op": ">", "threshold": 1000.0}
    plot = {
        "role": "value",
        **leg,
        "budget": None,
        "unit": "",
        "negated": False,
        "labels": {"queue": "cards"},
    }
    return (
        Passage("near", "0.9x of the threshold", -750.0, 0.0, 30.0, factor=0.9),
        Passage(
            "burn",
            "above the threshold",
            -750.0,
            1230.0,
            30.0,
            recovery=750.0,
            pending=30.0,
            fired=630.0,
            why=("payments_queue_length  held to the end, 8m after recovery, still at 1500 (needs > 1000)",),
            plot=({**plot, "times": [-750.0, 0.0, 30.0, 1230.0], "values": [100.0, 100.0, 1500.0, 1500.0]},),
        ),
    )


def burning() -> Passage:
    name, slo = "36% of the requests fail", availability()
    ratio = PolicyEntry(3600.0, "page", 0.1).ratio(slo)
    return Passage(
        "burn", name, -150.0, 21810.0, 30.0, pending=90.0, fired=90.0, error_ratio=ratio, slo=slo.name
    )


def schema(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys of a report and the types of their values; names that users choose are left out."""
    for key, item in value.items():
        yield path + key, "null" if item is None else TYPES[type(item)]
        if key in OPAQUE:
            continue
        if isinstance(item, Mapping):
            yield from schema(item, f"{path}{key}.")
        for one in item if isinstance(item, list) else ():
            yield from schema(one, f"{path}{key}[].")


def test_every_key_of_the_report_is_documented_with_its_type() -> None:
    report = by_hand()
    documented = {key: cells[0].split(" or ") for key, cells in rows(section(JSON_PAGE, "Fields")).items()}

    assert {key for key, _ in schema(report)} == set(documented)
    for key, kind in schema(report):
        assert kind in documented[key] or (kind == "integer" and "number" in documented[key]), key


def test_every_number_in_the_report_has_its_unit() -> None:
    cells = rows(section(JSON_PAGE, "Fields"))
    numbers = [key for key, (kind, *_) in cells.items() if "number" in kind]

    unknown = {f"{_PLOT}.threshold"}  # that of the expression, whatever that is
    assert {cells[key][1] for key in numbers if key not in unknown} == UNITS
    assert f"Version of this schema: {SCHEMA}" in JSON_PAGE


def test_the_example_of_the_report_is_what_is_written() -> None:
    (example,) = blocks(JSON_PAGE, "json")

    assert json.loads(example) == by_hand()


# docs/checks: each example is what the check says of the broken shop


def shop(repo: Path) -> tuple[Settings, Inventory]:
    """What is found in a copy of the example."""
    settings = Settings(root=repo, folder=repo, search=repo, file=read_sre_yaml(repo / "sre.yaml"))
    return settings, discover(settings)


def case_of(
    repo: Path, alert: str, observe: Callable[[Rule], AlertObservation | None] = lambda rule: None
) -> Case:
    """One alert of the copy, with what is observed of it."""
    settings, inventory = shop(repo)
    rule = next(rule for rule in inventory.rules if rule.name == alert)
    return Case(rule, observe(rule), {}, settings.file, inventory, str(settings.folder))


def assert_shown(check: Any, verdict: Any) -> None:
    """The page of a check shows these findings, letter by letter."""
    findings = [str(finding) for finding in verdict]
    shown = blocks((DOCS / "checks" / f"{check.NAME}.md").read_text("utf-8"), "text")

    assert findings
    assert [one for one in findings if f"{one}\n" not in shown] == []


def test_example_of_loads(repo: Path, tmp_path: Path, stack: ProcessStack) -> None:
    edit(repo / "rules" / "platform.yml", "expr: ", "expr: (")
    verdicts = rulecopy.check(stack, shop(repo)[1].rule_files, (), tmp_path)

    assert_shown(loads, [finding for verdict in verdicts for finding in loads.judge(verdict)])


def test_example_of_an_alert_that_is_there_twice(repo: Path) -> None:
    labels = "labels: {severity: page, team: payments}"
    copy = f"groups:\n  - name: copy\n    rules:\n      - {{alert: PaymentsQueueBacklog, expr: payments_queue_length > 1000, {labels}}}\n"
    (repo / "rules" / "copy.yml").write_text(copy)

    assert_shown(loads, loads.twins("rules/payments.yml", shop(repo)[1]))


def test_example_of_known(repo: Path) -> None:
    edit(repo / "rules" / "checkout.yml", "(rate(http_requests_total{", "(rate(http_request_total{")

    assert_shown(known, known.judge(case_of(repo, "CheckoutErrorBudgetBurnFast")))


def backlog(rule: Rule) -> Scenario:
    labels = (("__name__", "payments_queue_length"), ("job", "payments"), ("queue", "cards"))
    return Scenario(rule, (Series(labels, ((0.0, 1500.0),)),), ())


def test_example_of_an_alert_that_does_not_fire(repo: Path) -> None:
    case = case_of(
        repo, "PaymentsQueueBacklog", lambda rule: AlertObservation(rule, backlog(rule), "inactive")
    )

    assert_shown(fires, fires.judge(case))


def test_example_of_a_template_that_does_not_render(repo: Path) -> None:
    # As Prometheus 2.53 renders it.
    name = "__alert_PaymentsQueueBacklog"
    text = (
        f"<error expanding template: error executing template {name}: template: {name}:1:177: "
        f'executing "{name}" at <first>: error calling first: first() called on vector with no elements>'
    )

    def observe(rule: Rule) -> AlertObservation:
        fired = FiredAlert({"alertname": rule.name}, {"summary": text}, "1.5e+03", "")
        return AlertObservation(rule, backlog(rule), "firing", fired=(fired,))

    assert_shown(fires, fires.judge(case_of(repo, "PaymentsQueueBacklog", observe)))


def test_example_of_pages(repo: Path) -> None:
    wanted = "          receiver: pagerduty-"
    edit(repo / "alertmanager.yml", f"{wanted}checkout", f"{wanted}payments")

    def observe(rule: Rule) -> AlertObservation:
        labels = {**rule.labels, "alertname": rule.name, "job": "checkout"}
        sent = (
            ("pagerduty-payments", "pagerduty", "https://events.pagerduty.com/v2/enqueue", 202),
            ("audit-log", "webhook", "https://audit.shop.example/v1/alerts", 200),
        )
        got = tuple(
            Notification(Integration(name, kind, 0), url, 0.0, status, {}, {}, title="Checkout fails")
            for name, kind, url, status in sent
        )
        receivers = ("audit-log", "pagerduty-payments")
        fired = FiredAlert(labels, {}, "0.06", "", {**labels, "cluster": "shop-eu-1"}, "f", receivers)
        return AlertObservation(rule, backlog(rule), "firing", fired=(fired,), notifications=got)

    assert_shown(pages, pages.judge(case_of(repo, "CheckoutErrorBudgetBurnFast", observe)))


def test_example_of_what_the_oncall_reads(repo: Path) -> None:
    settings, inventory = shop(REPO / "examples" / "fleet")
    rule = next(rule for rule in inventory.rules if rule.name == "Rebooted")
    title = "[FIRING:1] Rebooted fleet-eu-1 job-25 (instance-25 ticket)"
    sent = Notification(Integration("slack-fleet", "slack", 0), "", 0.0, 200, {}, {}, title=title)
    annotations = {"summary": "instance-25 has been up for 1m 3s only"}
    labels = {**rule.labels, "alertname": rule.name}
    fired = FiredAlert(labels, annotations, "63", "", labels, "f", ("slack-fleet",))
    alert = AlertObservation(rule, backlog(rule), "firing", fired=(fired,), notifications=(sent,))
    case = Case(rule, alert, {}, settings.file, inventory, str(settings.folder))

    assert_shown(pages, pages_read.unreadable(case, alert, pages.NAME))


def test_example_of_a_page_that_stays_open(repo: Path) -> None:
    key = "      - routing_key: 00000000000000000000000000c4ec07"
    edit(repo / "alertmanager.yml", key, f"      - send_resolved: false\n{key.replace('-', ' ', 1)}")
    pagerduty, audit = (
        Integration("pagerduty-checkout", "pagerduty", 0),
        Integration("audit-log", "webhook", 0),
    )

    def observe(rule: Rule) -> AlertObservation:
        labels = {**rule.labels, "alertname": rule.name}
        got = tuple(Notification(one, "https://host/", 0.0, 200, {}, {}) for one in (pagerduty, audit))
        receivers = ("audit-log", "pagerduty-checkout")
        fired = FiredAlert(labels, {}, "0.06", "", labels, "f", receivers)
        return AlertObservation(
            *(rule, backlog(rule), "firing"),
            fired=(fired,),
            notifications=got,
            unresolved=(Unresolved(audit, "audit-log/webhook[0]: notify retry canceled"),),
        )

    case = case_of(repo, "CheckoutErrorBudgetBurnFast", observe)
    assert case.alert is not None
    found = list(pages_resolved.ended(case, case.alert, pages.NAME))
    assert [one.severity for one in found] == ["error", "warning"]
    assert_shown(pages, found)


def test_example_of_policy(repo: Path) -> None:
    settings, inventory = shop(repo)
    slo = next(spec for spec in settings.file.slos if spec.name == "checkout-availability").as_model(
        "sre.yaml"
    )
    entry = settings.file.policy[0].as_model()
    # The page lost its fast leg: 6x over 6 hours turned into 6x over 3 days.
    after = {"CheckoutErrorBudgetBurnFast": detection(slo, entry.ratio(slo), 3 * 86400.0, 6.0)}
    after["CheckoutErrorBudgetBurnSlow"] = detection(slo, entry.ratio(slo), 86400.0, 3.0)
    detections = [
        policy.Detection(rule, policy.kind_of_alert(rule, settings.file.severities), after[rule.name])
        for rule in inventory.rules
        if rule.name in after
    ]

    assert_shown(policy, policy.judge(slo, entry, detections))
    assert_shown(policy, policy.judge(slo, entry, []))


def test_examples_of_unit(repo: Path) -> None:
    path = repo / "tests" / "checkout_test.yml"
    edit(path, "{job: checkout, severity: page", "{job: checkout, severity: ticket")
    edit(path, "alertname: CheckoutErrorBudgetBurnFast", "alertname: CheckoutErrorBudgetBurn")
    found = discover(Settings(root=repo, folder=repo, search=repo, file=read_sre_yaml(repo / "sre.yaml")))
    file = found.unit_files[0]
    group = file.groups[0]
    names = frozenset(rule.name for rule in found.rules if rule.kind == "alert")
    fires = group.alerts[1].expected[0]
    alert = SeenAlert({**fires.labels, "severity": "page"}, fires.annotations)
    seen = UnitObservation(names, {case.eval_time: () for case in group.alerts} | {600.0: (alert,)})

    assert_shown(unit, unit.judge(file, group, group.alerts[1], seen, partial=False))
    misspelt = unit.judge(file, group, group.alerts[0], seen, partial=False)
    assert not isinstance(misspelt, Skipped)
    assert_shown(unit, misspelt[:1])


def detected(repo: Path, alert: str, after: float) -> policy.Detection:
    """When an alert of the copy fires."""
    settings, inventory = shop(repo)
    rule = next(rule for rule in inventory.rules if rule.name == alert)
    return policy.Detection(rule, policy.kind_of_alert(rule, settings.file.severities), after)


def asked(repo: Path, name: str) -> tuple[Slo, PolicyEntry]:
    """An SLO of the copy, and when somebody must be paged for it."""
    file = shop(repo)[0].file
    spec = next(spec for spec in file.slos if spec.name == name)
    return spec.as_model("sre.yaml"), file.policy[0].as_model()


def test_example_of_a_page_that_waits(repo: Path) -> None:
    labels = "        labels:\n          severity: page\n          team: checkout\n          slo: checkout-availability"
    edit(repo / "rules/checkout.yml", labels, f"        for: 10m\n{labels}")
    seen = [detected(repo, "CheckoutErrorBudgetBurnFast", 690.0)]

    assert_shown(policy, policy.judge(*asked(repo, "checkout-availability"), seen))


def test_example_of_a_page_that_is_a_ticket(repo: Path) -> None:
    labels = "severity: page\n          team: checkout\n          slo: checkout-latency"
    edit(repo / "rules/checkout.yml", labels, labels.replace("page", "ticket"))
    seen = [detected(repo, "CheckoutLatencyBudgetBurnFast", 540.0)]

    assert_shown(policy, policy.judge(*asked(repo, "checkout-latency"), seen))


def on_virtual_time(repo: Path, alert: str, *passages: Passage) -> Case:
    """One alert of the copy, with what it did on virtual time. (tests/test_time_acceptance.py shows that it does.)"""
    case = case_of(repo, alert)
    return replace(case, timed=TimedObservation(case.rule, passages))


def test_example_of_quiet(repo: Path) -> None:
    edit(repo / "rules/checkout.yml", "(1 * 0.001)", "(1 * 0.00001)", 0)
    why = (
        "either",
        "  1d leg  never held: was always 0.1x",
        "  2h leg  never held: was always 0.1x",
        "or",
        "  3d leg  held all the time, peak 10x of 1x (10 times it)",
        "  6h leg  held all the time, peak 10x of 1x (10 times it)",
        "the expression held all the time",
    )
    passages = [
        Passage("burn", "", -150.0, 9.0, 30.0, early=-150.0, error_ratio=ratio, slo="checkout-availability", why=why)
        for ratio in (1.0, 0.72)
    ]  # fmt: skip

    assert_shown(quiet, quiet.judge(on_virtual_time(repo, "CheckoutErrorBudgetBurnSlow", *passages)))


def test_example_of_an_alert_that_fires_on_all_data(repo: Path) -> None:
    edit(repo / "rules/platform.yml", " == 0", " >= 0")

    assert_shown(quiet, quiet.judge(on_virtual_time(repo, "ServiceDown")))


def test_example_of_detects(repo: Path) -> None:
    why = (
        "1h leg                                held from 1m after onset to the end (peak 1000x)",
        "sum by (job) (payments_queue_length)  was always 100; needs > 1000",
        "both legs never held together",
    )
    passages = [
        Passage("burn", "", -150.0, 3750.0, 30.0, error_ratio=ratio, slo="payments-availability", why=why)
        for ratio in (0.5, 0.36, 0.075, 0.015, 0.01, 0.005, 0.001)
    ]

    assert_shown(detects, detects.judge(on_virtual_time(repo, "PaymentsErrorBudgetBurnFast", *passages)))


def test_examples_of_resolves(repo: Path) -> None:
    why = "kube_pod_container_status_restarts_total  held to the end, 8m after recovery, still at 7501 (needs > 5)"
    lasting = Passage("burn", "", -150.0, 630.0, 30.0, recovery=150.0, fired=30.0, why=(why,))
    assert_shown(resolves, resolves.judge(on_virtual_time(repo, "ContainerRestarts", lasting)))

    edit(repo / "rules/platform.yml", "        for: 5m\n", "        for: 5m\n        keep_firing_for: 30d\n")
    kept = Passage("burn", "", -450.0, 9e6, 30.0, recovery=450.0, fired=300.0, ended=2592450.0)
    assert_shown(resolves, resolves.judge(on_virtual_time(repo, "InstanceDown", kept)))


def test_examples_of_steady(repo: Path) -> None:
    rules = repo / "rules/payments.yml"
    backlog = "expr: payments_queue_length > 1000\n          for: 10m\n          labels:\n"
    edit(rules, backlog, f"{backlog}            waiting: '{{{{ $value }}}}'\n")
    faces = ((("waiting", "1045.1"),), (("waiting", "1090.1"),))
    moving = Passage("moving", "", 0.0, 900.0, 30.0, faces=faces, lasted=30.0)
    assert_shown(steady, steady.judge(on_moving(repo, moving)))

    edit(
        rules,
        f"{backlog}            waiting: '{{{{ $value }}}}'\n",
        backlog.replace("          for: 10m\n", ""),
    )
    assert_shown(steady, steady.judge(on_moving(repo, Passage("hover", "", 0.0, 3600.0, 30.0, firings=20))))


def on_moving(repo: Path, passage: Passage) -> Case:
    """The backlog's alert on values that moved."""
    case = on_virtual_time(repo, "PaymentsQueueBacklog")
    return replace(case, timed=TimedObservation(case.rule, moves=(passage,)))


def test_the_catalogue_of_runbook_checks_is_complete() -> None:
    page = (DOCS / "runbooks.md").read_text("utf-8")
    told = re.findall(r"^\| \[`(RB\d+)`\]\((\S+)\) \| (\S+) \| (\w+) \| (.*?) \|", page, re.M)

    assert [(one[0], one[2], one[3]) for one in told] == [
        (one.id, one.name, one.severity) for one in CATALOGUE
    ]
    for (_, target, _, _, item), about in zip(told, CATALOGUE, strict=True):
        assert (DOCS / target).is_file()
        assert item == (f"`{about.item}`" if about.item else "alert: `runbook`")
