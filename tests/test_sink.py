"""The sink with real Alertmanagers, and with clients that misbehave."""

from __future__ import annotations

import base64
import http.client
import json
import os
import resource
import smtplib
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from pytest_sre.model.routing import Integration
from pytest_sre.stack import marker
from pytest_sre.stack.decode import MAIL_HEADER, decode
from pytest_sre.stack.sink import Sink

SERVERS = Path(os.environ.get("PYTEST_SRE_SERVERS", "/tmp/srv"))
WEBHOOK = Integration("ops", "webhook", 0)
MARKED = marker.TEMPLATE + "{{ .CommonAnnotations.summary }}"

# kind: what a user writes, and where it must be seen to go (after decoding).
KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "discord": (
        {"webhook_url": "https://discord.com/api/webhooks/1/abc", "title": MARKED},
        "https://discord.com/api/webhooks/1/abc",
    ),
    "incidentio": (
        {"url": "https://api.incident.io/v2/alert_events/alertmanager/1", "alert_source_token": "t"},
        "https://api.incident.io/v2/alert_events/alertmanager/1",
    ),
    "jira": (
        {
            "api_url": "https://acme.atlassian.net/rest/api/2",
            "project": "OPS",
            "issue_type": "Bug",
            "summary": MARKED,
        },
        "https://acme.atlassian.net/rest/api/2/issue",
    ),
    "mattermost": (
        {"webhook_url": "https://chat.acme.example/hooks/abc", "text": MARKED},
        "https://chat.acme.example/hooks/abc",
    ),
    "msteams": (
        {"webhook_url": "https://acme.webhook.office.com/webhookb2/x", "title": MARKED},
        "https://acme.webhook.office.com/webhookb2/x",
    ),
    "msteamsv2": (
        {"webhook_url": "https://prod.westus.logic.azure.com:443/workflows/x?sig=secret", "title": MARKED},
        "https://prod.westus.logic.azure.com/workflows/x?sig=…",
    ),
    "opsgenie": (
        {"api_key": "k", "message": MARKED, "update_alerts": True},
        "https://api.opsgenie.com/v2/alerts",
    ),
    "pagerduty": (
        {"routing_key": "k", "description": MARKED},
        "https://events.pagerduty.com/v2/enqueue",
    ),
    "pushover": (
        {"user_key": "u", "token": "t", "title": MARKED},
        "https://api.pushover.net/1/messages.json",
    ),
    "rocketchat": (
        {
            "api_url": "https://rocket.acme.example/",
            "token": "t",
            "token_id": "i",
            "channel": "ops",
            "title": MARKED,
        },
        "https://rocket.acme.example/api/v1/chat.postMessage",
    ),
    "slack": (
        {"api_url": "https://hooks.slack.com/services/T0/B0/x", "channel": "#ops", "title": MARKED},
        "https://hooks.slack.com/services/T0/B0/x",
    ),
    "sns": (
        {
            "topic_arn": "arn:aws:sns:us-east-2:123456789012:ops",
            "subject": MARKED,
            "sigv4": {"region": "us-east-2", "access_key": "a", "secret_key": "s"},
        },
        "https://sns.us-east-2.amazonaws.com/",
    ),
    "telegram": (
        {"bot_token": "123:abc", "chat_id": -10042, "message": MARKED, "parse_mode": ""},
        "https://api.telegram.org/bot…/sendMessage",
    ),
    "victorops": (
        {"api_key": "k", "routing_key": "ops", "state_message": MARKED},
        "https://alert.victorops.com/integrations/generic/20131114/alert/k/ops",
    ),
    "webex": (
        {"room_id": "r", "message": MARKED},
        "https://webexapis.com/v1/messages",
    ),
    "webhook": ({"url": "https://hook.acme.example/alert"}, "https://hook.acme.example/alert"),
    "wechat": (
        {"api_secret": "s", "corp_id": "c", "to_user": "@all", "message": MARKED},
        "https://qyapi.weixin.qq.com/cgi-bin/message/send?access_token=…",
    ),
}  # fmt: skip


@pytest.fixture(params=["bookworm", "trixie", "forky"])
def alertmanager(request: pytest.FixtureRequest) -> Path:
    path = SERVERS / str(request.param) / "usr/bin/prometheus-alertmanager"
    if not path.exists():
        pytest.skip(f"no Alertmanager at {path}; set PYTEST_SRE_SERVERS")
    return path


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as running:
        yield running


@contextmanager
def serving(binary: Path, config: dict[str, Any], folder: Path) -> Iterator[str]:
    """A running Alertmanager; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "alertmanager.yml").write_text(json.dumps(config))
    command = [
        str(binary), f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stderr=log, stdout=log, env={"HOME": str(folder)})
    url = f"http://127.0.0.1:{port}"
    try:
        wait_ready(url, process, folder / "log")
        yield url
    finally:
        process.kill()
        process.wait()


def wait_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if requests.get(f"{url}/-/ready", timeout=1).ok:
                return
        except requests.ConnectionError:
            assert process.poll() is None, log.read_text()
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def post_alerts(url: str, *labels: dict[str, str]) -> None:
    alerts = [{"labels": pairs, "annotations": {"summary": "Überlast “now”"}} for pairs in labels]
    requests.post(f"{url}/api/v2/alerts", json=alerts, timeout=5).raise_for_status()


def failed_notifications(url: str) -> list[str]:
    """Alertmanager's own counters of failures that are not 0."""
    lines = requests.get(f"{url}/metrics", timeout=5).text.splitlines()
    counted = [line for line in lines if line.startswith("alertmanager_notifications_failed_total")]
    assert counted
    return [line for line in counted if not line.endswith(" 0")]


def through(sink: Sink, integration: Integration, wave: str = "one") -> dict[str, Any]:
    return {"proxy_url": sink.proxy_url(integration, wave), "tls_config": {"insecure_skip_verify": True}}


def route(receiver: str) -> dict[str, Any]:
    return {"receiver": receiver, "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s"}


def everything(sink: Sink, kinds: set[str]) -> dict[str, Any]:
    """A configuration whose one receiver has an integration of each kind, and a few special ones."""
    receiver: dict[str, Any] = {"name": "ops"}
    for kind in kinds:
        settings = KINDS[kind][0]
        receiver[f"{kind}_configs"] = [
            {**settings, "http_config": through(sink, Integration("ops", kind, 0))}
        ]
    api = through(sink, Integration("ops", "slack", 1)) | {"authorization": {"credentials": "xoxb"}}
    receiver["slack_configs"].append(
        {"api_url": "https://slack.com/api/chat.postMessage", "channel": "ops", "http_config": api}
    )
    receiver["pagerduty_configs"].append(
        {"service_key": "k", "http_config": through(sink, Integration("ops", "pagerduty", 1))}
    )
    guarded = through(sink, Integration("ops", "webhook", 1))
    login = {
        "client_id": "i",
        "client_secret": "s",
        "token_url": "https://login.acme.example/token",
        **guarded,
    }
    receiver["webhook_configs"].append(
        {"url": "http://plain.acme.example:8080/alert", "http_config": {**guarded, "oauth2": login}}
    )
    mail = {"to": "a@acme.example, b@acme.example", "from": "am@acme.example", "require_tls": False}
    mail |= {"smarthost": sink.smarthost, "auth_username": "u", "auth_password": "p"}
    mail["hello"] = sink.hello(Integration("ops", "email", 0), "one", "mail.acme.example:587")
    mail["headers"] = {MAIL_HEADER: marker.TEMPLATE, "Subject": "{{ .CommonAnnotations.summary }}"}
    receiver["email_configs"] = [mail]
    return {"global": {"webex_api_url": "https://webexapis.com/v1/messages"} if "webex" in kinds else {},
            "route": route("ops"), "receivers": [fill_webex(receiver)]}  # fmt: skip


def fill_webex(receiver: dict[str, Any]) -> dict[str, Any]:
    for item in receiver.get("webex_configs", ()):
        item["http_config"]["authorization"] = {"credentials": "t"}
    return receiver


def test_every_integration_of_every_version_is_captured(
    alertmanager: Path, sink: Sink, tmp_path: Path
) -> None:
    binary = alertmanager.read_bytes()
    kinds = {kind for kind in KINDS if f'yaml:"{kind}_configs'.encode() in binary}
    assert len(kinds) >= 11
    config = everything(sink, kinds)
    expected = sum(len(value) for name, value in config["receivers"][0].items() if name.endswith("_configs"))
    with serving(alertmanager, config, tmp_path) as url:
        post_alerts(url, {"alertname": "Hot", "severity": "page"})

        def seen() -> dict[Integration, Any]:
            return {c.integration: c for c in sink.captures("one") if not c.auxiliary}

        assert sink.wait(lambda: len(seen()) == expected, 10), (seen().keys(), (tmp_path / "log").read_text())
        (alert,) = requests.get(f"{url}/api/v2/alerts", timeout=5).json()
        assert failed_notifications(url) == []
    assert sink.refused == ()
    read = {integration: decode(capture) for integration, capture in seen().items()}
    for kind in kinds:
        notification = read[Integration("ops", kind, 0)]
        assert notification.destination == KINDS[kind][1]
        assert notification.fingerprint == alert["fingerprint"], kind
        assert any("Überlast “now”" in text for text in notification.texts.values()), (
            kind,
            notification.texts,
        )
        assert "sretag" not in repr(notification)
    assert read[Integration("ops", "slack", 1)].destination == "https://slack.com/api/chat.postMessage"
    assert read[Integration("ops", "pagerduty", 1)].destination.endswith("/2010-04-15/create_event.json")
    assert read[Integration("ops", "webhook", 1)].destination == "http://plain.acme.example:8080/alert"
    mail = read[Integration("ops", "email", 0)]
    assert mail.destination == "smtp://mail.acme.example:587 -> a@acme.example, b@acme.example"
    assert mail.fingerprint == alert["fingerprint"]
    assert mail.texts["subject"] == "Überlast “now”"
    lookups = {c.destination.partition("?")[0] for c in sink.captures("one") if c.auxiliary}
    assert {"https://login.acme.example/token", "https://qyapi.weixin.qq.com/cgi-bin/gettoken"} <= lookups


def test_a_burst_of_500_groups_arrives_within_seconds(alertmanager: Path, sink: Sink, tmp_path: Path) -> None:
    hook = {"url": "https://hook.acme.example/alert", "http_config": through(sink, WEBHOOK)}
    config = {"route": route("ops"), "receivers": [{"name": "ops", "webhook_configs": [hook]}]}
    with serving(alertmanager, config, tmp_path) as url:
        began = time.monotonic()
        post_alerts(url, *({"alertname": f"A{i}"} for i in range(500)))
        assert sink.wait(lambda: len({decode(c).fingerprint for c in sink.captures("one")}) == 500, 15)
        took = time.monotonic() - began
        assert failed_notifications(url) == []
    assert took < 8


def proxied(sink: Sink, host: str, wave: str = "one") -> http.client.HTTPSConnection:
    """A client with a tunnel through the sink that believes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    proxy = urlsplit(sink.proxy_url(WEBHOOK, wave))
    client = http.client.HTTPSConnection(*endpoint(sink), context=context, timeout=5)
    client.set_tunnel(host, 443, {"Proxy-Authorization": basic(f"{proxy.username}:{proxy.password}")})
    return client


def endpoint(sink: Sink) -> tuple[str, int]:
    host, _, port = sink.address.partition(":")
    return host, int(port)


def basic(credentials: str) -> str:
    return "Basic " + base64.b64encode(credentials.encode()).decode()


@pytest.mark.parametrize("host", ["hook.acme.example", "under_score.example", "192.0.2.1"])
def test_several_requests_share_a_tunnel(sink: Sink, host: str) -> None:
    client = proxied(sink, host)
    for i in range(3):
        client.request("POST", f"/x?n={i}", json.dumps({"n": i}))
        response = client.getresponse()
        assert (response.status, response.read()) == (200, b"")
    client.close()
    captures = sink.captures("one")
    assert [c.destination for c in captures] == [f"https://{host}/x?n={i}" for i in range(3)]
    assert captures[2].body == b'{"n": 2}'
    assert "Proxy-Authorization" not in captures[0].headers
    assert sink.captures("two") == []


def test_a_plain_request_keeps_its_url_and_its_chunks(sink: Sink) -> None:
    proxy = urlsplit(sink.proxy_url(WEBHOOK, "one"))
    client = http.client.HTTPConnection(*endpoint(sink), timeout=5)
    login = {"Proxy-Authorization": basic(f"{proxy.username}:{proxy.password}")}
    client.request("POST", "http://a.example:81//twice", iter([b"ab", b"cd"]), login, encode_chunked=True)
    assert client.getresponse().read() == b""
    client.close()
    (capture,) = sink.captures("one")
    assert (capture.destination, capture.path, capture.body) == (
        "http://a.example:81//twice",
        "//twice",
        b"abcd",
    )


@pytest.mark.parametrize("credentials", [None, "Basic !", "Bearer x", "token", "secret"])
def test_unknown_callers_get_407_and_nothing_is_forwarded(sink: Sink, credentials: str | None) -> None:
    proxy = urlsplit(sink.proxy_url(WEBHOOK, "one"))
    wrong = {"token": basic(f"r9-slack-0-w9:{proxy.password}"), "secret": basic(f"{proxy.username}:guess")}
    value = wrong.get(credentials or "", credentials)
    with socket.create_server(("127.0.0.1", 0)) as victim:
        target = f"127.0.0.1:{victim.getsockname()[1]}"
        for method, url in (("CONNECT", target), ("POST", f"http://{target}/x")):
            client = http.client.HTTPConnection(*endpoint(sink), timeout=5)
            client.request(method, url, headers={"Proxy-Authorization": value} if value else {})
            assert client.getresponse().status == 407
            client.close()
        victim.settimeout(0.05)
        with pytest.raises(TimeoutError):
            victim.accept()
    assert [text for text in sink.refused if target not in text] == []
    assert len(sink.refused) == 2
    assert sink.captures("one") == []


def test_a_known_caller_is_answered_but_not_forwarded_either(sink: Sink) -> None:
    with socket.create_server(("127.0.0.1", 0)) as victim:
        url = f"http://127.0.0.1:{victim.getsockname()[1]}/x"
        session = requests.Session()
        session.trust_env = False
        with session:
            assert session.post(url, proxies={"http": sink.proxy_url(WEBHOOK, "one")}, timeout=5).ok
        victim.settimeout(0.05)
        with pytest.raises(TimeoutError):
            victim.accept()
    assert sink.captures("one")[0].destination == url


def test_a_client_that_checks_certificates_is_told_of(sink: Sink) -> None:
    client = proxied(sink, "hook.acme.example")
    client._context = ssl.create_default_context()  # type: ignore[attr-defined]
    with pytest.raises(ssl.SSLError):
        client.request("POST", "/")
    client.close()
    assert sink.wait(lambda: bool(sink.refused), 5)
    assert sink.refused[0].startswith("https://hook.acme.example: no TLS with the sink")


def test_clients_that_go_away_in_the_middle_leave_nothing_behind() -> None:
    process = psutil.Process()
    files, threads = process.num_fds(), threading.active_count()
    with Sink() as sink:
        proxy = urlsplit(sink.proxy_url(WEBHOOK, "one"))
        login = basic(f"{proxy.username}:{proxy.password}")
        for i in range(100):
            with socket.create_connection(endpoint(sink), timeout=5) as client:
                client.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )  # reset, not end
                client.sendall(
                    f"CONNECT h{i % 2}.example:443 HTTP/1.1\r\nProxy-Authorization: {login}\r\n".encode()
                )
                client.sendall(b"\r\n" if i % 4 else b"")
                if i % 4 == 2:
                    client.recv(12)
        assert sink.refused == ()
    assert (process.num_fds(), threading.active_count()) == (files, threads)


def test_prometheus_alerts_are_kept_once_per_label_set(sink: Sink) -> None:
    def post(name: str, *alerts: dict[str, Any]) -> int:
        return requests.post(
            f"http://127.0.0.1:{endpoint(sink)[1]}{name}/api/v2/alerts", json=alerts, timeout=5
        ).status_code

    first = {"labels": {"alertname": "A"}, "startsAt": "s", "endsAt": "e1", "generatorURL": "http://g"}
    assert post("/one/b", first, {"labels": {"alertname": "B"}, "annotations": {"x": "y"}}) == 200
    assert post("/one/b", {**first, "endsAt": "e2"}) == 200
    assert post("", first) == 200
    assert [(a.labels["alertname"], a.ends_at) for a in sink.posted("one/b")] == [("A", "e2"), ("B", "")]
    assert sink.posted("one/b")[1].annotations == {"x": "y"}
    assert (len(sink.posted("")), sink.posted("other")) == (1, [])
    assert post("/one", {"no": "labels"}) == 400
    assert requests.get(f"http://127.0.0.1:{endpoint(sink)[1]}/metrics", timeout=5).status_code == 404
    assert len(sink.refused) == 2


def test_mail_from_strangers_is_refused_and_no_password_is_asked_for(sink: Sink) -> None:
    hello = sink.hello(Integration("ops", "email", 0), "one", "mail:25")
    host, _, port = sink.smarthost.partition(":")
    with smtplib.SMTP(host, int(port), timeout=5) as client:
        assert client.ehlo("stranger")[0] == 550
        assert client.helo("stranger")[0] == 550
        with pytest.raises(smtplib.SMTPException):
            client.sendmail("a@x", ["b@y"], "Subject: s\r\n\r\nt")
        assert client.ehlo(hello)[0] == 250
        assert not {"auth", "starttls"} & client.esmtp_features.keys()
        client.sendmail("a@x", ["b@y", "c@z"], "Subject: " + "s" * 3000 + "\r\n\r\nt")
    (capture,) = sink.captures("one")
    assert capture.destination == "smtp://mail:25 -> b@y, c@z"
    assert decode(capture).texts["subject"] == "s" * 3000
    assert "SMTP: unknown hello 'stranger'" in sink.refused


@pytest.fixture
def few_files() -> Iterator[tuple[int, int]]:
    """The usual limit of open files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = (512, before[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    yield limit
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_thousand_connections_at_once_and_a_clean_end(few_files: tuple[int, int]) -> None:
    process, threads = psutil.Process(), threading.active_count()
    files = process.num_fds()
    with ExitStack() as stack:
        sink = Sink()
        sink.start()
        proxy = urlsplit(sink.proxy_url(WEBHOOK, "one"))
        login = basic(f"{proxy.username}:{proxy.password}")
        began = time.monotonic()
        address = endpoint(sink)
        clients = [stack.enter_context(socket.create_connection(address, timeout=5)) for _ in range(1000)]
        stack.enter_context(socket.create_connection(("127.0.0.1", int(sink.smarthost.partition(":")[2]))))
        tunnel = proxied(sink, "idle.example")
        stack.callback(tunnel.close)
        tunnel.request("POST", "/")
        assert tunnel.getresponse().read() == b""
        for client in clients:
            client.sendall(
                f"POST http://a.example/x HTTP/1.1\r\nProxy-Authorization: {login}\r\n\r\n".encode()
            )
        assert all(client.recv(12) == b"HTTP/1.1 200" for client in clients)
        assert time.monotonic() - began < 5
        began = time.monotonic()
        sink.close()
        assert time.monotonic() - began < 1
    assert len(sink.captures("one")) == 1001
    assert threading.active_count() == threads
    assert process.num_fds() == files
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == few_files


def test_waiting_ends_when_the_time_is_up(sink: Sink) -> None:
    began = time.monotonic()
    assert not sink.wait(lambda: False, 0.05)
    assert 0.05 <= time.monotonic() - began < 1
    timer = threading.Timer(0.05, sink._ledger.refused, ["x"])
    timer.start()
    assert sink.wait(lambda: sink.refused == ("x",), 5)
    timer.join()
