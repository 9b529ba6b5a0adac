"""`AlertmanagerConfig` objects for tests: every kind of receiver with its fields."""

from __future__ import annotations

HTTP = """
      httpConfig:
        authorization: {type: Bearer, credentials: {name: s, key: k}}
        tlsConfig: {serverName: x.example, ca: {secret: {name: s, key: k}}, insecureSkipVerify: true}
        proxyURL: http://proxy.example:3128
        followRedirects: false
        enableHttp2: true
"""
SECRET = "{name: s, key: k}"
# Kind → its fields, and the first Alertmanager that knows them all.
RECEIVERS = {
    "discord": (f"apiURL: {SECRET}\n      title: t\n      message: m\n      sendResolved: false" + HTTP, "0.25"),
    "email": (
        f"to: a@b.example\n      from: c@d.example\n      smarthost: smtp.example:587\n      authPassword: {SECRET}\n"
        "      authUsername: u\n      requireTLS: false\n      headers: [{key: Subject, value: s}]\n      text: t\n      html: ''",
        "0.25",
    ),
    "opsgenie": (
        f"apiKey: {SECRET}\n      apiURL: https://api.eu.opsgenie.com\n      message: m\n      updateAlerts: true\n"
        "      details: [{key: a, value: b}]\n      responders: [{name: team, type: team}]",
        "0.25",
    ),
    "pagerduty": (
        f"routingKey: {SECRET}\n      clientURL: https://x.example\n      severity: critical\n"
        "      details: [{key: a, value: b}]\n      pagerDutyImageConfigs: [{src: https://x.example/i.png, alt: i}]\n"
        "      pagerDutyLinkConfigs: [{href: https://x.example, alt: text}]",
        "0.25",
    ),
    "pushover": (f"userKey: {SECRET}\n      token: {SECRET}\n      urlTitle: t\n      retry: 1m\n      html: true", "0.25"),
    "slack": (
        f"apiURL: {SECRET}\n      channel: '#a'\n      titleLink: https://x.example\n      shortFields: true\n"
        "      mrkdwnIn: [text]\n      fields: [{title: a, value: b, short: true}]\n      iconURL: https://x.example/i\n"
        "      actions: [{type: button, text: t, url: 'https://x.example', name: n, confirm: {text: t, okText: o}}]",
        "0.25",
    ),
    "sns": (
        "apiURL: https://sns.us-east-2.amazonaws.com\n      topicARN: arn:aws:sns:us-east-2:000000000000:t\n"
        f"      sigv4: {{region: us-east-2, accessKey: {SECRET}, secretKey: {SECRET}}}\n      attributes: {{a: b}}",
        "0.25",
    ),
    "telegram": (f"botToken: {SECRET}\n      chatID: -1001\n      parseMode: HTML\n      disableNotifications: true", "0.25"),
    "victorops": (
        f"apiKey: {SECRET}\n      routingKey: team\n      stateMessage: s\n      customFields: [{{key: a, value: b}}]", "0.25"
    ),
    "webex": ("roomID: r" + HTTP, "0.25"),
    "webhook": (f"urlSecret: {SECRET}\n      maxAlerts: 5", "0.25"),
    "wechat": (f"apiSecret: {SECRET}\n      corpID: c\n      agentID: a\n      toUser: u\n      messageType: text", "0.25"),
    "msteams": (f"webhookUrl: {SECRET}\n      title: t\n      text: x", "0.28"),
    "msteamsv2": (f"webhookURL: {SECRET}\n      title: t\n      text: x", "0.28"),
    "rocketchat": (
        f"token: {SECRET}\n      tokenID: {SECRET}\n      channel: a\n      fields: [{{title: a, value: b}}]\n"
        "      actions: [{text: t, url: 'https://x.example', msg: m}]",
        "0.28",
    ),
    "mattermost": (
        f"webhookURL: {SECRET}\n      channel: a\n      text: t\n      props: {{card: c}}\n"
        "      priority: {priority: urgent, requestedAck: true}\n"
        "      attachments: [{fallback: f, title: t, fields: [{title: a, value: b}]}]",
        "0.33",
    ),
}  # fmt: skip


def config(
    name: str,
    namespace: str,
    receivers: str,
    route: str = "receiver: r",
    more: str = "",
    version: str = "v1alpha1",
) -> str:
    """An object's text."""
    return f"""apiVersion: monitoring.coreos.com/{version}
kind: AlertmanagerConfig
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  route:
    {route}
  receivers:
{receivers}{more}"""


def of_kind(kind: str) -> str:
    """A receiver `r` with one integration of a kind."""
    return f"  - name: r\n    {kind}Configs:\n    - {RECEIVERS[kind][0]}\n"
