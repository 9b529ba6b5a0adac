"""What prometheus-operator makes of its objects, with the real servers."""

from __future__ import annotations

from pathlib import Path

import pytest
from amconfigs import config
from servers import NO_SERVERS, PAIRS, Pair, unavailable
from shop import Result, run
from test_amconfig_live import BASE, HOOK, reached, repository
from test_operator_whole import GLOBAL, MAP, SERVER

NEWER = """  - name: r
    webhookConfigs:
    - urlSecret: {name: s, key: k}
      timeout: 5s
    pushoverConfigs:
    - {userKey: {name: s, key: k}, token: {name: s, key: k}, ttl: 1h, device: d, monospace: true}
    discordConfigs:
    - {apiURL: {name: s, key: k}, content: c, username: u, avatarURL: 'https://x.example/a'}
    snsConfigs:
    - apiURL: https://sns.us-east-2.amazonaws.com
      topicARN: arn:aws:sns:us-east-2:000000000000:t
      useAWSHTTPClient: false
      sigv4: {region: us-east-2, accessKey: {name: s, key: k}, secretKey: {name: s, key: k}, useFIPSSTSEndpoint: true}
    slackConfigs:
    - {apiURL: {name: s, key: k}, channel: '#a', timeout: 5s, messageText: m}
    emailConfigs:
    - to: a@b.example
      from: c@d.example
      smarthost: smtp.example:587
      forceImplicitTLS: false
      threading: {threadByDate: None}
"""
MUTED = """  timeIntervals:
  - name: never
    timeIntervals: [{years: ["2000"]}]
  inhibitRules:
  - sourceMatch: [{name: alertname, value: ShopDown}]
    targetMatch: [{name: severity, value: page}]
"""


def loaded(result: Result) -> None:
    assert result.status == 0, result.output
    assert result.outcomes["objects.yml::loads"] == "PASSED"


@pytest.mark.parametrize("version", ["v1alpha1", "v1beta1"])
def test_what_an_older_alertmanager_does_not_know_is_left_out(
    version: str, tmp_path: Path, pair: Pair
) -> None:
    repo = repository(tmp_path, objects=config("team", "shop", NEWER, version=version))
    result = run(repo, pair, "-k", "ShopDown and pages or loads")

    loaded(result)
    sent = [alert for alert in result.seen["alerts"] if alert["alert"] == "ShopDown"]
    integrations = {str(one["integration"]) for alert in sent for one in alert["notifications"]}
    assert len(integrations) == 6, integrations


def test_an_object_is_the_whole_configuration_with_a_template_of_a_configmap(
    tmp_path: Path, pair: Pair
) -> None:
    slack = """  - name: r
    slackConfigs: [{channel: '#a', text: '{{ template "own" . }}'}]
    emailConfigs: [{to: a@b.example}]
    pagerdutyConfigs: [{routingKey: {name: s, key: k}}]
"""
    templates = "    templates:\n    - configMap: {name: texts, key: slack.tmpl}\n"
    # Of these the operator leaves nothing out for an older Alertmanager.
    globals_ = "".join(
        line for line in GLOBAL.splitlines(True) if line.split(":")[0].strip() not in ("jira", "rocketChat")
    )
    own = MAP.replace("x{{ end }}", "own of {{ .CommonLabels.alertname }}{{ end }}")
    repo = repository(
        tmp_path, objects=config("main", "monitoring", slack), am=SERVER + globals_ + templates, texts=own
    )
    result = run(repo, pair, "-k", "pages or loads")

    loaded(result)
    assert reached(result) == {name: {"monitoring/main/r"} for name in ("ShopDown", "BankDown")}
    assert "own of BankDown" in str(result.seen["alerts"])


def test_a_template_that_is_nowhere_is_told_at_its_reference(tmp_path: Path, pair: Pair) -> None:
    templates = "    templates:\n    - configMap: {name: texts, key: slack.tmpl}\n"
    server = SERVER + templates
    repo = repository(tmp_path, objects=config("main", "monitoring", HOOK), am=server)
    result = run(repo, pair, "-k", "loads")

    line = server.splitlines().index("    - configMap: {name: texts, key: slack.tmpl}") + 1
    message = result.message("am.yml::loads")
    assert f"am.yml:{line}: this file does not load" in message
    assert "templates: no file matches /etc/alertmanager/templates/slack.tmpl" in message


@pytest.mark.parametrize(
    ("strategy", "others"),
    [("OnNamespace", set()), ("OnNamespaceExceptForAlertmanagerNamespace", {"monitoring/main/r"}),
     ("None", {"monitoring/main/r", "shop/team/r"})],
)  # fmt: skip
def test_the_strategy_says_whose_alerts_an_object_gets(
    strategy: str, others: set[str], tmp_path: Path, newest: Pair
) -> None:
    server = SERVER.partition("  alertmanagerConfiguration")[0].replace(
        '{matchLabels: {tenant: "yes"}}', "{}"
    )
    server += f"  alertmanagerConfigMatcherStrategy: {{type: {strategy}}}\n"
    objects = config("team", "shop", HOOK) + "---\n" + config("main", "monitoring", HOOK)
    result = run(repository(tmp_path, objects=objects, alertmanager=BASE, am=server), newest, "-k", "pages")

    assert reached(result)["BankDown"] == {"audit", *others}
    assert reached(result)["ShopDown"] == {"audit", "shop/team/r", *others}


def test_intervals_and_inhibit_rules_of_v1beta1_load(tmp_path: Path, newest: Pair) -> None:
    route = "receiver: r\n    muteTimeIntervals: [never]"
    objects = config("team", "shop", HOOK, route, MUTED, "v1beta1")
    result = run(repository(tmp_path, objects=objects, alertmanager=BASE), newest, "-k", "pages or loads")

    loaded(result)
    assert reached(result) == {"ShopDown": {"shop/team/r", "audit"}, "BankDown": {"audit"}}


def test_a_complaint_without_a_line_is_told_at_the_receiver_that_it_is_about(
    tmp_path: Path, pair: Pair
) -> None:
    good = "  - name: r\n    emailConfigs: [{to: a@b.example, from: c@d.example, smarthost: 'smtp.example:587'}]\n"
    bad = good.replace(", from: c@d.example", "")
    objects = {f"o{i}": config("team", f"n{i}", bad if i in (3, 4) else good) for i in range(6)}
    result = run(repository(tmp_path, **objects), pair, "-k", "loads")

    line = objects["o3"].splitlines().index(bad.splitlines()[1]) + 1
    assert f"o3.yml:{line}: this file does not load" in result.message("o3.yml::loads"), result.output


def test_a_template_that_does_not_parse_is_told_in_the_configmap(tmp_path: Path, pair: Pair) -> None:
    templates = "    templates:\n    - configMap: {name: texts, key: slack.tmpl}\n"
    texts = MAP.replace(
        """'{{ define "own" }}x{{ end }}'""", "|\n    {{ define `x` }}\n    {{ if }}\n    {{ end }}"
    )
    objects = config("main", "monitoring", HOOK)
    result = run(
        repository(tmp_path, objects=objects, am=SERVER + templates, texts=texts), pair, "-k", "loads"
    )

    line = texts.splitlines().index("    {{ if }}") + 1
    assert f"texts.yml:{line}: this file does not load" in result.message("objects.yml::loads"), result.output
    assert "missing value for if" in result.output


def test_a_template_file_that_does_not_parse_is_told_at_its_line(tmp_path: Path) -> None:
    if not PAIRS:
        unavailable(NO_SERVERS)
    folder = tmp_path / "am"
    folder.mkdir()
    (folder / "alertmanager.yml").write_text(BASE + "templates: ['*.tmpl']\n")
    (folder / "a.tmpl").write_text("{{ define `x` }}{{ end }}\n\n{{ if }}\n")
    (folder / "b.tmpl").write_text("{{ define `y` }}{{ end }}\n")
    result = run(repository(tmp_path), PAIRS[-1], "-k", "loads")

    message = result.message("am/alertmanager.yml::loads")
    assert "am/a.tmpl:3: this file does not load" in message, result.output
