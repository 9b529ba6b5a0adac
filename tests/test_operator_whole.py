"""An `AlertmanagerConfig` that is the whole configuration: `alertmanagerConfiguration` of an `Alertmanager`."""

from __future__ import annotations

import base64
import re

import pytest
from amconfigs import config
from servers import REPO

from pytest_sre.model.routing import Routing
from pytest_sre.sources.amconfig_merge import Refused, with_objects

HOOK = "  - name: r\n    webhookConfigs: [{url: https://x.example}]\n"
SERVER = """apiVersion: monitoring.coreos.com/v1
kind: Alertmanager
metadata: {name: am, namespace: monitoring}
spec:
  alertmanagerConfigSelector: {}
  alertmanagerConfigNamespaceSelector: {matchLabels: {tenant: "yes"}}
  alertmanagerConfiguration:
    name: main
"""
SECRET = "{name: s, key: k}"
GLOBAL = f"""    global:
      resolveTimeout: 3m
      httpConfig: {{authorization: {{credentials: {SECRET}}}, followRedirects: false}}
      smtp: {{from: a@b.example, smartHost: {{host: smtp.example, port: "587"}}, requireTLS: true, authPassword: {SECRET}}}
      slackApiUrl: {SECRET}
      opsGenieApiKey: {SECRET}
      pagerdutyUrl: https://events.pagerduty.com/v2/enqueue
      telegram: {{apiURL: https://api.telegram.org, botToken: {SECRET}}}
      jira: {{apiURL: https://x.atlassian.net/rest/api/2/}}
      victorops: {{apiURL: https://alert.victorops.com/x/, apiKey: {SECRET}}}
      rocketChat: {{apiURL: https://open.rocket.chat/, token: {SECRET}, tokenID: {SECRET}}}
      webex: {{apiURL: https://webexapis.com/v1/messages}}
      wechat: {{apiURL: https://qyapi.weixin.qq.com/cgi-bin/, apiSecret: {SECRET}, apiCorpID: c}}
      mattermost: {{webhookURL: {SECRET}}}
"""
TEMPLATES = """    templates:
    - configMap: {name: texts, key: slack.tmpl}
    - secret: {name: more, key: mail.tmpl}
    - configMap: {name: elsewhere, key: other.tmpl}
"""
MAP = """apiVersion: v1
kind: ConfigMap
metadata: {name: texts, namespace: monitoring}
data:
  slack.tmpl: '{{ define "own" }}x{{ end }}'
---
apiVersion: v1
kind: ConfigMap
metadata: {name: texts, namespace: shop}
data: {slack.tmpl: another}
"""
MORE = f"""apiVersion: v1
kind: List
items:
- kind: Secret
  metadata: {{name: more}}
  data: {{mail.tmpl: {base64.b64encode(b"hello").decode()}}}
"""
SPACE = "kind: Namespace\nmetadata: {{name: {}, labels: {{tenant: {}}}}}\n"


def merged(*texts: str) -> tuple[Routing | None, list[Refused]]:
    return with_objects(None, [(f"{i}.yml", text) for i, text in enumerate(texts)], "/repo")


def test_what_is_global_and_where_its_templates_are() -> None:
    routing, refused = merged(config("main", "monitoring", HOOK), SERVER + GLOBAL + TEMPLATES, MAP, MORE)

    assert not refused
    assert routing is not None
    assert set(routing.document["global"]) == {
        "resolve_timeout", "http_config", "smtp_from", "smtp_smarthost", "smtp_require_tls", "smtp_auth_password",
        "slack_api_url", "opsgenie_api_key", "pagerduty_url", "telegram_api_url", "telegram_bot_token",
        "jira_api_url", "victorops_api_url", "victorops_api_key", "rocketchat_api_url", "rocketchat_token",
        "rocketchat_token_id", "webex_api_url", "wechat_api_url", "wechat_api_secret", "wechat_api_corp_id",
        "mattermost_webhook_url",
    }  # fmt: skip
    assert routing.document["global"]["smtp_smarthost"] == "smtp.example:587"
    folder = "/etc/alertmanager/templates/"
    assert routing.document["templates"] == [
        folder + name for name in ("slack.tmpl", "mail.tmpl", "other.tmpl")
    ]
    assert {path: one.text for path, one in routing.held.items()} == {
        folder + "slack.tmpl": '{{ define "own" }}x{{ end }}',
        folder + "mail.tmpl": "hello",
    }
    assert routing.base == "/repo"
    place = routing.place(routing.document["templates"].lines[1])
    lines = (SERVER + GLOBAL + TEMPLATES).splitlines()
    assert (place.path, lines[place.line - 1]) == ("1.yml", "    - secret: {name: more, key: mail.tmpl}")


def test_namespaces_of_the_repository_say_which_objects_are_taken() -> None:
    spaces = SPACE.format("shop", "'yes'") + "---\n" + SPACE.format("bank", "'no'")
    objects = "---\n".join(config("t", name, HOOK) for name in ("shop", "bank", "unknown"))
    routing, refused = merged(config("main", "monitoring", HOOK), objects, SERVER, spaces)

    assert routing is not None
    assert routing.receivers == ("monitoring/main/r", "shop/t/r", "unknown/t/r")
    (one,) = refused
    assert not one.broken
    assert "`alertmanagerConfigNamespaceSelector` asks for tenant=yes" in one.reason


@pytest.mark.parametrize(
    ("old", "new", "path", "what"),
    [
        ("receiver: r", "receiver: r\n    continue: true", "0.yml", "`continue` is not permitted on the root"),
        ("receiver: r", "receiver: r\n    matchers: [{name: a, value: b}]", "0.yml", "`matchers` is not permitted"),
        ("name: main\n", "names: main\n", "1.yml", "names no AlertmanagerConfig"),
        ("configMap: {name: texts", "configmap: {name: texts", "1.yml", "names no ConfigMap or Secret"),
        ('port: "587"', "portt: 1", "1.yml", "smartHost in global.smtp is not an address"),
        ("telegram: {apiURL", "telegram: {apiUrl", "1.yml", "`apiUrl` of global.telegram"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_is(old: str, new: str, path: str, what: str) -> None:
    texts = [config("main", "monitoring", HOOK), SERVER + GLOBAL + TEMPLATES]
    changed = [text.replace(old, new, 1) for text in texts]
    assert changed != texts
    _, refused = merged(*changed)

    assert refused[0].path == path
    assert what in refused[0].reason
    wrong = [line for line in changed[int(path[0])].splitlines() if new.splitlines()[-1].strip() in line]
    assert refused[0].line == changed[int(path[0])].splitlines().index(wrong[0]) + 1 or "names: main" in new


def test_the_example_of_the_documentation() -> None:
    page = (REPO / "docs/alertmanagerconfig.md").read_text("utf-8")
    (server,) = re.findall(r"^```yaml\n(# alertmanager-object.yaml\n.*?)^```$", page, re.M | re.S)
    shop, law = (
        config(name, name, HOOK).replace("}\nspec", f", labels: {{team: {name}}}}}\nspec")
        for name in ("shop", "law")
    )
    routing, (one,) = merged(config("base", "monitoring", HOOK), shop, law, server, MAP)

    assert routing is not None
    assert routing.receivers == ("monitoring/base/r", "shop/shop/r")
    assert "`alertmanagerConfigSelector` asks for team in (shop, bank)" in one.reason
    assert routing.document["global"]["slack_api_url"].startswith("https://hooks.slack.com/")
    assert list(routing.held) == routing.document["templates"]
