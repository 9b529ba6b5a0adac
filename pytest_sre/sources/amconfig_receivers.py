"""The receivers of an `AlertmanagerConfig` object: each field, what Alertmanager calls it and how it is written.

Source: prometheus-operator, pkg/apis/monitoring/v1alpha1 and v1beta1, alertmanager_config_types.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

How = Literal[
    "same", "verbatim", "secret", "url", "pairs", "each", "one", "http", "threading", "address", "left_out"
]
SECRET = "x" * 32


class Field(NamedTuple):
    """A field: its name in Alertmanager, how its value is written there, and the fields of what is nested in it.

    Empty texts are not written, as the operator's are not, but for those of ``verbatim``.
    """

    name: str
    how: How = "same"
    nested: Mapping[str, Field] = {}


class Receiver(NamedTuple):
    """A kind of receiver: its fields, and a URL of the vendor that stands in for one that only a Secret knows."""

    fields: Mapping[str, Field]
    vendor: str = ""


def snake(name: str) -> str:
    """Alertmanager's spelling of the operator's: ``iconURL`` → ``icon_url``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _fields(same: str, secrets: str = "", **special: Field) -> dict[str, Field]:
    found = {name: Field(snake(name)) for name in same.split()}
    found |= {name: Field(snake(name), "secret") for name in secrets.split()}
    return found | special


def _receiver(same: str, secrets: str = "", vendor: str = "", **special: Field) -> Receiver:
    common = {"sendResolved": Field("send_resolved"), "httpConfig": Field("http_config", "http")}
    return Receiver(common | _fields(same, secrets, **special), vendor)


def _global(kind: str, fields: Mapping[str, Field]) -> Mapping[str, Field]:
    return {key: Field(f"{kind}_{field.name}", field.how, field.nested) for key, field in fields.items()}


_LINK = _fields("href", alt=Field("text"))
_FIELD = _fields("title value short")
_CONFIRM = Field("confirm", "one", _fields("text title okText dismissText"))
_ATTACHMENT = _fields(
    "fallback color pretext text authorName authorLink authorIcon title titleLink thumbURL footer footerIcon imageURL",
    fields=Field("fields", "each", _FIELD),
)
_TLS = Field("tls_config", "one", _fields(
    "insecureSkipVerify serverName", ca=Field("", "left_out"), cert=Field("", "left_out"),
    keySecret=Field("", "left_out"), minVersion=Field("min_version"), maxVersion=Field("max_version"),
))  # fmt: skip
# The sink is the proxy, so what the object says of its own is left out here as it would be in the safe copy.
_PROXY = dict.fromkeys(
    ("proxyURL", "proxyUrl", "noProxy", "proxyFromEnvironment", "proxyConnectHeader"), Field("", "left_out")
)
HTTP: Mapping[str, Field] = {
    **_PROXY,
    "authorization": Field("authorization", "one", _fields("type", "credentials")),
    "basicAuth": Field("basic_auth", "one", _fields("", "username password")),
    "bearerTokenSecret": Field("bearer_token", "secret"),
    "oauth2": Field(
        "oauth2",
        "one",
        _fields("tokenUrl scopes endpointParams", "clientId clientSecret", tlsConfig=_TLS, **_PROXY),
    ),
    "tlsConfig": _TLS,
    "followRedirects": Field("follow_redirects"),
    "enableHttp2": Field("enable_http2"),
    "enableHTTP2": Field("enable_http2"),
}
SIGV4: Mapping[str, Field] = _fields(
    "region profile roleArn externalID",
    "accessKey secretKey",
    # Known to the object, but not written by the operator.
    useFIPSSTSEndpoint=Field("", "left_out"),
)

_HOOK = Field("webhook_url", "url")
RECEIVERS: Mapping[str, Receiver] = {
    "discordConfigs": _receiver(
        "title message content username avatarURL",
        vendor="https://discord.com/api/webhooks/0/x",
        apiURL=_HOOK,
    ),
    "emailConfigs": Receiver(
        _fields(
            "sendResolved to from hello smarthost authUsername authIdentity text requireTLS forceImplicitTLS",
            "authPassword authSecret",
            html=Field("html", "verbatim"),
            threading=Field("threading", "threading"),
            headers=Field("headers", "pairs"),
            tlsConfig=_TLS,
        )
    ),
    "mattermostConfigs": _receiver(
        "channel username text iconURL iconEmoji",
        vendor="https://mattermost.invalid/hooks/x",
        webhookURL=_HOOK,
        attachments=Field("attachments", "each", _ATTACHMENT),
        props=Field("props", "one", _fields("card")),
        priority=Field("priority", "one", _fields("priority requestedAck persistentNotifications")),
    ),
    "msteamsConfigs": _receiver(
        "title summary text", vendor="https://example.webhook.office.com/webhookb2/x", webhookUrl=_HOOK
    ),
    "msteamsv2Configs": _receiver(
        "title text", vendor="https://example.logic.azure.com/workflows/x", webhookURL=_HOOK
    ),
    "opsgenieConfigs": _receiver(
        "apiURL message description source tags note priority updateAlerts entity actions",
        "apiKey",
        details=Field("details", "pairs"),
        responders=Field("responders", "each", _fields("id name username type")),
    ),
    "pagerdutyConfigs": _receiver(
        "url client clientURL description severity class group component source timeout",
        "routingKey serviceKey",
        details=Field("details", "pairs"),
        pagerDutyImageConfigs=Field("images", "each", _fields("src href alt")),
        pagerDutyLinkConfigs=Field("links", "each", _LINK),
    ),
    "pushoverConfigs": _receiver(
        "userKeyFile tokenFile title message url urlTitle ttl device sound priority retry expire html monospace",
        "userKey token",
    ),
    "rocketchatConfigs": _receiver(
        "apiURL channel color emoji iconURL text title titleLink shortFields imageURL thumbURL linkNames",
        "token tokenID",
        fields=Field("fields", "each", _FIELD),
        actions=Field("actions", "each", _fields("text url msg")),
    ),
    "slackConfigs": _receiver(
        "channel username color title titleLink pretext text shortFields footer fallback callbackId iconEmoji iconURL "
        "imageURL thumbURL linkNames mrkdwnIn timeout messageText updateMessage",
        vendor="https://hooks.slack.com/services/T0/B0/x",
        apiURL=Field("api_url", "url"),
        fields=Field("fields", "each", _FIELD),
        actions=Field("actions", "each", _fields("type text url style name value", confirm=_CONFIRM)),
    ),
    "snsConfigs": _receiver(
        "apiURL topicARN subject phoneNumber targetARN message attributes",
        useAWSHTTPClient=Field("use_aws_http_client"),
        sigv4=Field("sigv4", "one", SIGV4),
    ),
    "telegramConfigs": _receiver(
        "apiURL botTokenFile chatID messageThreadID message disableNotifications parseMode", "botToken"
    ),
    "victoropsConfigs": _receiver(
        "apiUrl apiURL routingKey messageType entityDisplayName stateMessage monitoringTool",
        "apiKey",
        customFields=Field("custom_fields", "pairs"),
    ),
    "webexConfigs": _receiver("apiURL message roomID"),
    "webhookConfigs": _receiver(
        "url maxAlerts timeout payload", vendor="https://webhook.invalid/x", urlSecret=Field("url", "url")
    ),
    "wechatConfigs": _receiver("apiURL corpID agentID toUser toParty toTag message messageType", "apiSecret"),
}

SMTP: Mapping[str, Field] = _global(
    "smtp",
    _fields(
        "from hello authUsername authIdentity requireTLS forceImplicitTLS",
        "authPassword authSecret",
        smartHost=Field("smarthost", "address"),
        tlsConfig=_TLS,
    ),
)
# Alertmanager has them side by side, in front of each the name of its kind.
GLOBAL_KINDS: Mapping[str, Mapping[str, Field]] = {
    "smtp": SMTP,
    "telegram": _global("telegram", _fields("apiURL botTokenFile", "botToken")),
    "jira": _global("jira", _fields("apiURL")),
    "victorops": _global("victorops", _fields("apiURL", "apiKey")),
    "rocketChat": _global("rocketchat", _fields("apiURL", "token tokenID")),
    "webex": _global("webex", _fields("apiURL")),
    "wechat": _global("wechat", _fields("apiURL", "apiSecret", apiCorpID=Field("api_corp_id"))),
    "mattermost": _global("mattermost", {"webhookURL": _HOOK}),
}
GLOBAL: Mapping[str, Field] = {
    "resolveTimeout": Field("resolve_timeout"),
    "httpConfig": Field("http_config", "http"),
    "slackApiUrl": Field("slack_api_url", "url"),
    "opsGenieApiKey": Field("opsgenie_api_key", "secret"),
    # Where it sends to is known to the Secret only; its default host stands in.
    "opsGenieApiUrl": Field("", "left_out"),
    "pagerdutyUrl": Field("pagerduty_url"),
}
# What Alertmanager has and no release of prometheus-operator (0.94 is the newest that was looked at) has a field for.
NOT_YET: Mapping[str, str] = {
    "jiraConfigs": "jira_configs",
    "incidentioConfigs": "incidentio_configs",
    "httpHeaders": "http_headers",
    "location": "location",
}
