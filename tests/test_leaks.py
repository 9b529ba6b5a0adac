"""Configurations that could page, phone home or run programs: nothing leaves loopback, no secret gets out."""

from __future__ import annotations

import os
from pathlib import Path

from servers import Pair, run_isolated
from shop import command

SECRETS = [f"S3cretCanary{number:02}" for number in range(12)]
RULES = """
groups:
- name: g
  rules:
  - alert: Down
    expr: up{job="a"} == 0
    for: 1h
    labels: {severity: page}
    annotations: {summary: "down", runbook_url: "https://runbooks.example.org/x"}
"""
PROMETHEUS = f"""
global: {{external_labels: {{cluster: x}}}}
alerting:
  alertmanagers:
  - scheme: https
    basic_auth: {{username: u, password: {SECRETS[0]}}}
    static_configs: [{{targets: ["192.0.2.10:9093"]}}]
remote_write:
- url: https://192.0.2.11/api/v1/write
  basic_auth: {{username: u, password: {SECRETS[1]}}}
remote_read: [{{url: "https://192.0.2.12/read"}}]
tracing: {{endpoint: "192.0.2.13:4317"}}
scrape_configs: [{{job_name: a, static_configs: [{{targets: ["192.0.2.14:80"]}}]}}]
"""
TRACING = 'tracing: {endpoint: "192.0.2.20:4317"}\n'  # Alertmanager 0.33 knows it, 0.28 does not load
ALERTMANAGER = f"""
global:
  slack_api_url: https://hooks.slack.com/services/T00/B00/{SECRETS[2]}
  http_config: {{proxy_from_environment: true}}
route:
  receiver: all
  group_wait: 0s
receivers:
- name: all
  slack_configs: [{{channel: "#a"}}]
  pagerduty_configs:
  - routing_key: {SECRETS[3]}
    http_config: {{proxy_url: "http://user:{SECRETS[4]}@192.0.2.21:3128", no_proxy: "*"}}
  webhook_configs:
  - url: https://hooks.example.org/{SECRETS[5]}?token={SECRETS[6]}
    http_config:
      oauth2:
        client_id: me
        client_secret: {SECRETS[7]}
        token_url: https://login.example.org/token
        scopes: [alerts]
        no_proxy: login.example.org
        proxy_url: http://192.0.2.22:3128
  - url: http://192.0.2.23/plain
    http_config: {{no_proxy: "192.0.2.23", proxy_url: "http://192.0.2.24:1", basic_auth: {{username: u, password: {SECRETS[8]}}}}}
  sns_configs:
  - topic_arn: arn:aws:sns:eu-west-1:123456789012:pages
    sigv4: {{region: eu-west-1, profile: leaky}}
  - topic_arn: arn:aws:sns:eu-west-1:123456789012:pages
    sigv4: {{role_arn: "arn:aws:iam::123456789012:role/pager"}}
  opsgenie_configs: [{{api_key: {SECRETS[9]}}}]
  victorops_configs: [{{api_key: {SECRETS[10]}, routing_key: r}}]
  email_configs:
  - {{to: a@example.org, from: b@example.org, smarthost: "smtp.example.org:587", auth_username: u, auth_password: {SECRETS[11]}}}
"""


def test_no_packet_leaves_no_program_runs_no_secret_gets_out(tmp_path: Path, pair: Pair) -> None:
    folder, home, temporary = tmp_path / "repo", tmp_path / "home", tmp_path / "tmp"
    for path in (folder, home / ".aws", temporary):
        path.mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "rules.yml").write_text(RULES)
    (folder / "prometheus.yml").write_text(PROMETHEUS)
    (folder / "alertmanager.yml").write_text(ALERTMANAGER + (TRACING if pair.name == "forky" else ""))
    witness = tmp_path / "credential-process-ran"
    (home / ".aws/config").write_text(f"[profile leaky]\ncredential_process = touch {witness}\n")
    env = {
        **os.environ,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "HTTPS_PROXY": "http://192.0.2.30:3128",
        "AWS_PROFILE": "leaky",
        "AWS_CONFIG_FILE": str(home / ".aws/config"),
        "AWS_SDK_LOAD_CONFIG": "1",
    }
    report = tmp_path / "seen.json"
    done = run_isolated(command(pair, f"--sre-json={report}", "--sre-keep"), folder, env, timeout=240)

    assert "rules.yml::Down::pages PASSED" in done.stdout, done.stdout + done.stderr
    assert done.leaked == 0, done.destinations
    assert not witness.exists()
    written = [path.read_text(errors="replace") for path in [report, *temporary.rglob("*")] if path.is_file()]
    assert len(written) > 3
    for secret in SECRETS:
        assert all(secret not in text for text in [*written, done.stdout, done.stderr]), secret


def test_what_cannot_be_proven_safe_is_not_started(tmp_path: Path, pair: Pair) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "rules.yml").write_text(RULES)
    config = "route: {receiver: a}\nreceivers:\n- name: a\n  carrierpigeon_configs:\n  - url: https://x.example.org\n"
    (tmp_path / "alertmanager.yml").write_text(config)
    done = run_isolated(command(pair), tmp_path, dict(os.environ), timeout=240)

    assert done.returncode == 1
    assert "alertmanager.yml:4" in done.stdout
    assert "carrierpigeon" in done.stdout
    assert "rules.yml::Down::fires PASSED" in done.stdout
    assert done.leaked == 0
    if "sre: " in done.stdout:
        assert "delivered" not in done.stdout
