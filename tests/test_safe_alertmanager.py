"""The safe copy: no secret survives, nothing but the sink is reachable, and the server still accepts it."""

from __future__ import annotations

import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from servers import REPO, Pair

from pytest_sre.errors import UserError
from pytest_sre.live.page import Office, open_office
from pytest_sre.model.observation import Notification
from pytest_sre.model.routing import Integration, Routing
from pytest_sre.settings import AlertmanagerServer
from pytest_sre.sources.alertmanager import parse_routing
from pytest_sre.sources.yamlfile import dump, load_all
from pytest_sre.stack import alertmanager
from pytest_sre.stack.decode import decode
from pytest_sre.stack.dummies import GLOBAL, KINDS, dummy, dummy_url
from pytest_sre.stack.marker import TEMPLATE
from pytest_sre.stack.process import ProcessStack
from pytest_sre.stack.safe_alertmanager import DEAD_END, SafeCopy, safe_copy
from pytest_sre.stack.sink import Sink

CORPUS = REPO.parent / "shared" / "corpora" / "alertmanager"
SINK, SMARTHOST = "http://{}.{}.{}:x@127.0.0.1:9999", "127.0.0.1:2525"


def copy_of(text: str, folder: Path, path: str = "am.yml", base: str = "/repo") -> SafeCopy:
    def proxy_url(integration: Integration) -> str:
        return SINK.format("r", integration.kind, integration.index)

    def hello(integration: Integration, users: str) -> str:
        return f"{integration.kind}-{integration.index}-for-{users}"

    return safe_copy(parse_routing(path, base, text), proxy_url, hello, SMARTHOST, folder / "secrets")


def one(kind: str, entry: str, folder: Path, glob: str = "{}") -> tuple[Any, SafeCopy]:
    """The copy of a configuration with a single integration."""
    text = f"global: {glob}\nroute: {{receiver: a}}\nreceivers:\n- name: a\n  {kind}_configs:\n  - {entry}\n"
    copy = copy_of(text, folder)
    return copy.document["receivers"][0][f"{kind}_configs"][0], copy


HTTP = {
    "authorization": {"type": "Bearer", "credentials": "C", "credentials_file": "/C", "credentials_ref": "C"},
    "basic_auth": {
        **{"username": "C", "username_file": "/C", "username_ref": "C"},
        **{"password": "C", "password_file": "/C", "password_ref": "C"},
    },
    "bearer_token": "C",
    "bearer_token_file": "/C",
    "oauth2": {
        "client_id": "id",
        "client_secret": "C",
        "client_secret_file": "/C",
        "client_secret_ref": "C",
        "scopes": ["a"],
        "token_url": "https://u:C@login.example.org/a/token?key=C",
        "endpoint_params": {"password": "C", "more": ["C"]},
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "client_certificate_key": "C",
        "client_certificate_key_file": "/C",
        "client_certificate_key_id": "C",
        "client_certificate_key_ref": "C",
        "signature_algorithm": "RS256",
        "iss": "C",
        "claims": {"a": "C"},
        "audience": "a",
        "tls_config": {"key": "C", "key_file": "/C"},
        "proxy_url": "http://u:C@proxy.example.org",
        "proxy_connect_header": {"X": ["C"]},
    },
    "http_headers": {"X-Key": {"values": ["C"], "secrets": ["C", "C"], "files": ["/C"]}},
    "tls_config": {"cert": "C", "key": "C", "ca": "C", "ca_file": "/C", "key_file": "/C", "cert_file": "/C"},
    "proxy_url": "http://u:C@proxy.example.org",
    "proxy_connect_header": {"Proxy-Authorization": ["C"]},
    "no_proxy": "C",
    "proxy_from_environment": "true",
}
URL = "https://C:C@host.example.org:8443/services/C/v2/C?key=C&C#C"


def planted() -> tuple[str, list[str]]:
    """A configuration with a canary of its own in every place that can hold a secret."""
    canaries: list[str] = []

    def plant(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plant(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plant(item) for item in value]
        while isinstance(value, str) and "C" in value.replace("CRITICAL", ""):
            canaries.append(f"canary{len(canaries)}z")
            value = value.replace("C", canaries[-1], 1)
        return value

    def entry(name: str) -> dict[str, Any]:
        kind = KINDS[name] if name != "global" else GLOBAL
        secrets = {**dict.fromkeys(kind.secrets, "C"), **dict.fromkeys(kind.secret_urls, URL)}
        urls = dict.fromkeys(kind.urls, "https://C:C@host.example.org/v2/x?key=C")
        text = "see https://u:C@wiki.example.org and <https://u:C@x>"
        texts = dict.fromkeys({"title_link", "text", "html", "client_url"} & kind.keys, text)
        maps = {
            key: {"a-token": "C", "x-api-key": "C"} for key in {"details", "headers", "payload"} & kind.keys
        }
        files = {f"{key}_file": "/C" for key in [*kind.secrets, *kind.secret_urls]}
        http = {"http_config": HTTP} if "http_config" in kind.keys else {}
        tls = {key: {"key": "C"} for key in ("tls_config", "smtp_tls_config") if key in kind.keys}
        extra = {"sigv4": {"access_key": "C", "secret_key": "C", "profile": "C", "role_arn": "C"}}
        extra |= {"actions": [{"type": "button", "url": "https://u:C@wiki.example.org"}]}
        extra = {key: value for key, value in extra.items() if key in kind.keys and name != "opsgenie"}
        return {**secrets, **urls, **texts, **maps, **files, **http, **tls, **extra}

    document = {
        "global": entry("global"),
        "route": {"receiver": "a"},
        "tracing": {"endpoint": "C", "headers": {"a": "C"}},
        "event_recorder": {"webhook_outputs": [{"url": "C"}]},
        "receivers": [{"name": "a", **{f"{name}_configs": [entry(name)] for name in KINDS}}],
    }
    return dump(plant(document))[0], canaries


def test_no_secret_survives(tmp_path: Path) -> None:
    text, canaries = planted()
    assert len(canaries) > 600
    copy = copy_of(text, tmp_path)
    dumped, changes = dump(copy.document)[0], "\n".join(map(str, copy.changes))
    files = "\n".join(file.read_text() for file in (tmp_path / "secrets").iterdir())
    assert not [each for each in canaries if each in dumped]
    assert not [each for each in canaries if each in changes or each in files]
    # Nor is anything but the sink left to go through.
    assert "proxy.example.org" not in dumped
    assert "proxy_from_environment" not in dumped
    assert "https://x:x@host.example.org:8443/services/x" in dumped


def test_every_way_out_leads_to_the_sink(tmp_path: Path) -> None:
    document = copy_of(planted()[0], tmp_path).document
    assert document["global"]["http_config"] == {"proxy_url": DEAD_END}
    assert (document["tracing"], document["event_recorder"]) == (None, None)
    for name in KINDS:
        (entry,) = document["receivers"][0][f"{name}_configs"]
        if name == "email":
            assert "smarthost" not in entry
            assert "tls_config" not in entry
            continue
        http = entry["http_config"]
        assert http["proxy_url"] == http["oauth2"]["proxy_url"] == SINK.format("r", name, 0)
        assert http["tls_config"] == http["oauth2"]["tls_config"] == {"insecure_skip_verify": "true"}
        assert http["oauth2"]["scopes"] == ["a"]


def test_secret_files_are_stood_in_for(tmp_path: Path) -> None:
    entry, _ = one("slack", "{api_url_file: /nowhere/at/all, channel: '#a'}", tmp_path)
    file = Path(entry["api_url_file"])
    assert file.read_text().startswith("https://hooks.slack.com/services/")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    entry, copy = one("telegram", "{chat_id_file: c, bot_token_file: b}", tmp_path, "{slack_api_url_file: s}")
    assert Path(entry["chat_id_file"]).read_text() == "1"
    assert Path(entry["bot_token_file"]).read_text() == "x" * 32
    assert Path(copy.document["global"]["slack_api_url_file"]).read_text() == KINDS["slack"].vendor


def test_http_config_of_the_receiver_replaces_the_global_one(tmp_path: Path) -> None:
    glob = "{http_config: {follow_redirects: false, basic_auth: {username: a, password: b}}}"
    own, _ = one("webhook", "{url: 'http://h/', http_config: {enable_http2: false}}", tmp_path, glob)
    assert set(own["http_config"]) == {"enable_http2", "proxy_url", "tls_config"}
    inherited, _ = one("webhook", "{url: 'http://h/'}", tmp_path, glob)
    assert inherited["http_config"]["basic_auth"] == {"username": "x", "password": "x"}
    assert inherited["http_config"]["follow_redirects"] == "false"
    null, _ = one("webhook", "{url: 'http://h/', http_config: }", tmp_path, glob)
    assert null["http_config"] == inherited["http_config"]


def test_sns(tmp_path: Path) -> None:
    users = "{region: eu-west-1, profile: p, role_arn: r, access_key: a, secret_key: b}"
    entry, copy = one("sns", f"{{topic_arn: t, use_aws_http_client: true, sigv4: {users}}}", tmp_path)
    assert entry["sigv4"] == {"region": "eu-west-1", "access_key": "AKIA" + "X" * 16, "secret_key": "x" * 40}
    assert "use_aws_http_client" not in entry
    assert any(change.where.endswith("use_aws_http_client") for change in copy.changes)
    entry, _ = one("sns", "{topic_arn: t}", tmp_path)
    assert entry["sigv4"]["region"] == "us-east-1"


def test_email(tmp_path: Path) -> None:
    glob = "{smtp_smarthost: 'mail.example.org:587', smtp_from: a@b, smtp_force_implicit_tls: true}"
    headers = "{Subject: s, x-pytest-sre: theirs}"
    entry, copy = one("email", f"{{to: c@d, headers: {headers}, force_implicit_tls: true}}", tmp_path, glob)
    assert entry["smarthost"] == copy.document["global"]["smtp_smarthost"] == SMARTHOST
    assert entry["hello"] == "email-0-for-mail.example.org:587"
    assert entry["headers"] == {"Subject": "s", "X-Pytest-Sre": TEMPLATE}
    assert entry["require_tls"] == "false"
    assert "force_implicit_tls" not in entry
    assert "smtp_force_implicit_tls" not in copy.document["global"]
    entry, _ = one("email", "{to: c@d, smarthost: 'own:25'}", tmp_path, glob)
    assert (entry["smarthost"], entry["hello"]) == (SMARTHOST, "email-0-for-own:25")


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"email", "webhook", "incidentio"}))
def test_mark(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    entry, copy = one(name, "{}", tmp_path)
    assert entry[kind.mark] == TEMPLATE + kind.default
    assert f"{name} {kind.mark}" in " ".join(change.what for change in copy.changes)
    entry, _ = one(name, f"{{{kind.mark}: 'mine {{{{ .Status }}}}'}}", tmp_path)
    assert entry[kind.mark] == TEMPLATE + "mine {{ .Status }}"


def test_mark_of_other_shapes(tmp_path: Path) -> None:
    entry, _ = one("jira", "{summary: {template: mine, enable_update: false}}", tmp_path)
    assert entry["summary"] == {"template": TEMPLATE + "mine", "enable_update": "false"}
    entry, _ = one("webhook", "{url: 'http://h/', payload: {text: mine}}", tmp_path)
    assert entry["payload"] == {"text": "mine", "pytest_sre": TEMPLATE}
    entry, _ = one("webhook", "{url: 'http://h/', payload: '{\"text\": \"mine\"}'}", tmp_path)
    assert entry["payload"] == {"pytest_sre_payload": '{"text": "mine"}', "pytest_sre": TEMPLATE}


ROUTES = """\
route:
  receiver: a
  repeat_interval: 4h
  routes:
  - mute_time_intervals: [night]
    group_wait: 5m
    routes:
    - active_time_intervals: [day]
  - mute_time_intervals: [nihgt]
    group_interval: 0s
  - group_wait: 5 minutes
receivers: [{name: a}]
mute_time_intervals: [{name: night, time_intervals: []}]
time_intervals: [{name: day, time_intervals: []}]
templates: [a/*.tmpl, /b/*.tmpl]
"""


def test_routes_and_templates(tmp_path: Path) -> None:
    copy = copy_of(ROUTES, tmp_path)
    root = copy.document["route"]
    night, typo, wrong = root["routes"]
    assert (root["group_wait"], root["group_interval"], root["repeat_interval"]) == ("100ms", "1s", "4h")
    assert set(night) == {"group_wait", "group_interval", "routes"}
    assert night["routes"] == [{"group_wait": "100ms", "group_interval": "1s"}]
    assert copy.document["templates"] == ["/repo/a/*.tmpl", "/b/*.tmpl"]
    # The user's mistakes stay for the server to find.
    assert typo == {"mute_time_intervals": ["nihgt"], "group_interval": "0s", "group_wait": "100ms"}
    assert wrong["group_wait"] == "5 minutes"
    assert [change.where for change in copy.changes if "hour" in change.what] == [
        "route.routes[0].mute_time_intervals",
        "route.routes[0].routes[0].active_time_intervals",
    ]
    assert all(change.path == "am.yml" for change in copy.changes)


def test_the_users_document_stays_as_it_is_and_lines_are_kept(tmp_path: Path) -> None:
    routing: Routing = parse_routing("am.yml", "/", ROUTES)
    before = dump(routing.document)
    copy = safe_copy(routing, lambda _: "http://x", lambda _, __: "x", SMARTHOST, tmp_path)
    assert dump(routing.document) == before
    text, lines = dump(copy.document)
    assert lines[text.splitlines().index('"group_wait": "5 minutes",')] == 11


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("route: {receiver: a}\nreceivers: [{name: a}]\nexporters: {}\n", "am.yml:3: `exporters`"),
        (
            "route: {receiver: a}\nglobal:\n  carrier_pigeon_url: x\nreceivers: [{name: a}]\n",
            "am.yml:3: `carrier",
        ),
        (
            "route: {receiver: a}\nreceivers:\n- name: a\n  pigeon_configs: [{}]\n",
            "am.yml:4: `pigeon_configs`",
        ),
        (
            "route: {receiver: a}\nreceivers:\n- name: a\n  slack_configs:\n  - channel: a\n    relay: b\n",
            "am.yml:6: `relay`",
        ),
        (
            "route: {receiver: a}\nreceivers:\n- name: a\n  slack_configs:\n  - http_config:\n      run: b\n",
            "am.yml:6: `run`",
        ),
        (
            "route: {receiver: a}\nreceivers:\n- name: a\n  slack_configs:\n  - http_config:\n      oauth2:\n"
            "        exec: b\n",
            "am.yml:7: `exec`",
        ),
        (
            "route: {receiver: a}\nglobal:\n  http_config: a\nreceivers: [{name: a, slack_configs: [{}]}]\n",
            "am.yml:3",
        ),
        ("route: {receiver: a}\nglobal: x\nreceivers: [{name: a}]\n", "am.yml:2: `global`"),
        (
            "route: {receiver: a}\nreceivers:\n- name: a\n  email_configs: [{headers: x}]\n",
            "am.yml:4: `headers`",
        ),
    ],
)
def test_what_is_unknown_stops_the_run(text: str, place: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        copy_of(text, tmp_path)
    assert str(error.value).startswith(place)
    assert "nothing was started" in str(error.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.slack.com/services/T0A/B1c/dEf9", "https://hooks.slack.com/services/x0x/x0x/xxx0"),
        ("https://slack.com/api/chat.postMessage", "https://slack.com/api/chat.postMessage"),
        ("http://u:p@h:80/v1/ab?k=v&tok#f", "http://x:x@h:80/v1/xx?k=x&xxx#x"),
        ("http://{{ .X }}.h/{{ .Y }}/a?b={{ .Z }}", "http://{{ .X }}.h/x/x?b=x"),
        ("http://h", "http://h"),
        ("<secret>", "<secret>"),
        ("not a url", "xxxxxxxxx"),
    ],
)
def test_dummy_url(url: str, expected: str) -> None:
    assert dummy_url(url) == expected


def test_dummies_keep_their_shape() -> None:
    assert dummy("123456:ABC-dEf_9") == "000000:xxx-xxx_0"
    assert dummy(["a"]) == "x"
    assert dummy_url("https://u:p@h/a/b?c=d", keep_path=True) == "https://x:x@h/a/b?c=x"
    assert dummy_url("https://h/{{ .A }}/b", keep_path=True) == "https://h/{{ .A }}/b"


def accepted(pair: Pair, path: Path) -> tuple[bool, str]:
    done = subprocess.run([pair.amtool, "check-config", path], capture_output=True, text=True, timeout=30)
    return done.returncode == 0, done.stdout + done.stderr


ENTRIES = {
    "discord": "{webhook_url: 'https://discord.com/api/webhooks/1/a'}",
    "email": "{to: a@b, from: c@d, smarthost: 'm:25', auth_username: a, auth_password: b}",
    "incidentio": "{url: 'https://api.incident.io/v2/alert_events/alertmanager/a', alert_source_token: t}",
    "jira": "{api_url: 'https://j.atlassian.net/rest/api/2', project: P, issue_type: Bug}",
    "mattermost": "{webhook_url: 'https://m.example.org/hooks/a'}",
    "msteams": "{webhook_url: 'https://a.webhook.office.com/webhookb2/a'}",
    "msteamsv2": "{webhook_url: 'https://a.logic.azure.com/workflows/a?sig=b'}",
    "opsgenie": "{api_key: k, responders: [{name: a, type: team}]}",
    "pagerduty": "{routing_key: k, details: {a: b}}",
    "pushover": "{user_key: a, token: b, retry: 1m}",
    "rocketchat": "{token: a, token_id: b, channel: c}",
    "slack": "{api_url: 'https://hooks.slack.com/services/a/b/c', send_resolved: yes}",
    "sns": "{topic_arn: 'arn:aws:sns:us-east-2:123456789012:t', sigv4: {profile: p, role_arn: r}}",
    "telegram": "{bot_token: '1:a', chat_id: -12}",
    "victorops": "{api_key: a, routing_key: b}",
    "webex": "{room_id: a, http_config: {authorization: {credentials: c}}}",
    "webhook": "{url: 'https://h/a', http_config: {oauth2: {client_id: a, client_secret: b, token_url: 'https://t/'}}}",
    "wechat": "{api_secret: a, corp_id: b}",
}


def alone(name: str) -> str:
    return f"route: {{receiver: a}}\nreceivers:\n- name: a\n  {name}_configs:\n  - {ENTRIES[name]}\n"


def accepted_kind(pair: Pair, name: str, folder: Path) -> bool:
    """Whether this version knows the kind; anything else that it says of the entry is a mistake of ours."""
    users = folder / "users.yml"
    users.write_text(alone(name))
    ok, said = accepted(pair, users)
    assert ok or f"field {name}_configs not found" in said
    return ok


def test_the_server_accepts_the_copy_of_every_kind(pair: Pair, tmp_path: Path) -> None:
    assert set(ENTRIES) == set(KINDS)
    known = [name for name in ENTRIES if accepted_kind(pair, name, tmp_path)]
    for name in known:
        safe = tmp_path / "safe.yml"
        safe.write_text(dump(copy_of(alone(name), tmp_path).document)[0])
        ok, said = accepted(pair, safe)
        assert ok, said
    assert len(known) >= 12


def test_the_server_still_finds_the_users_mistakes(pair: Pair, tmp_path: Path) -> None:
    email = "route: {receiver: a}\nreceivers: [{name: a, email_configs: [{to: a@b, from: c@d%s}]}]\n"
    webex = "route: {receiver: a}\nglobal: {http_config: {authorization: {credentials: a}}}\n"
    webex += "receivers: [{name: a, webex_configs: [{room_id: a}]}]\n"
    for text in (ROUTES, email % "", email % ", smarthost: m", webex):
        safe = tmp_path / "safe.yml"
        safe.write_text(dump(copy_of(text, tmp_path).document)[0])
        assert not accepted(pair, safe)[0], text


def test_the_server_accepts_the_copies_of_public_configurations(pair: Pair, tmp_path: Path) -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"no corpora at {CORPUS}")
    count = 0
    for path in sorted(CORPUS.rglob("*.yml")):
        if not accepted(pair, path)[0]:
            continue
        safe = tmp_path / "safe.yml"
        safe.write_text(dump(copy_of(path.read_text(), tmp_path, path.name, str(path.parent)).document)[0])
        ok, said = accepted(pair, safe)
        assert ok, f"{path}: {said}"
        count += 1
    assert count >= 30


def test_every_kind_says_at_the_sink_which_alert_it_is_about(
    pair: Pair, stack: ProcessStack, tmp_path: Path
) -> None:
    known = {name for name in ENTRIES if accepted_kind(pair, name, tmp_path)}
    lines = [f"  {name}_configs: [{ENTRIES[name]}]" for name in sorted(known)]
    text = "route: {receiver: a}\nreceivers:\n- name: a\n" + "\n".join(lines) + "\n"
    routing = parse_routing("am.yml", str(tmp_path), text)
    sink = stack.sink
    wave, _ = open_office(Office(stack, AlertmanagerServer(), routing, tmp_path, keep=False), "one")
    with stack.session() as client:
        alertmanager.post(client, wave.server, [{"labels": {"alertname": "A"}}])
        (alert,) = [*poll(lambda: alertmanager.alerts(client, wave.server))]
    sink.wait(lambda: known <= {each.integration.kind for each in notifications(sink)}, timeout=20)
    errors = alertmanager.send_errors(wave.server)
    seen = {each.integration.kind: each.fingerprint for each in notifications(sink)}
    assert not errors
    assert seen == dict.fromkeys(known, alert["fingerprint"])


def notifications(sink: Sink) -> list[Notification]:
    return [decode(capture) for capture in sink.captures("one") if not capture.auxiliary]


def poll(ask: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(0.05)
    raise AssertionError("nothing came")


def test_the_copy_is_yaml_that_reads_back(tmp_path: Path) -> None:
    copy = copy_of(planted()[0], tmp_path)
    text = dump(copy.document)[0]
    assert dump(load_all(text)[0].value)[0] == text
