"""What stands in for secrets in a safe copy, and which fields of which integration hold them.

Keys, secrets and defaults follow Alertmanager's config/notifiers.go and what `amtool check-config` of
0.25, 0.28 and 0.33 accepts. A key that is in no table here is unknown, and what is unknown is never started.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_sre.sources.yamlfile import List, Map


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


_ACTION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][\w+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)", re.DOTALL
)
_USERINFO = re.compile(r"([A-Za-z][\w+.-]*://)[^/\s?#]+@")
# Words of vendors' webhook paths that say which API is called and nothing more.
_WELL_KNOWN = words(
    "alert alerts alert_events alertmanager api automations chat.postMessage cgi-bin direct discord "
    "enqueue event events generic hook hooks IncomingWebhook incoming integrations invoke manual "
    "messages mattermost msteams notifications notify paths prometheus rest send services slack sns "
    "teams telegram trigger triggers webhook webhookb2 webhooks workflow workflows"
)
_SECRET_NAME = re.compile(r"(token|secret|password|passwd|api[-_]?key|authorization|credentials?)$", re.I)
_VERSION = re.compile(r"v?\d{1,2}")


def dummy(secret: object) -> str:
    """A text of the same shape: letters become x, digits 0, and of the rest only ``- _ . :`` are kept."""
    text = _ACTION.sub("x", secret) if isinstance(secret, str) else "x"
    return re.sub(r"[^0._:-]", "x", re.sub(r"\d", "0", text))


def dummy_url(url: object, *, keep_path: bool = False) -> str:
    """A URL with the same scheme, host and port; credentials, query, unknown words of the path replaced."""
    if not isinstance(url, str) or url == "<secret>":
        return "<secret>" if url == "<secret>" else dummy(url)
    actions = _ACTION.findall(url)
    # Templates may hold any character, so they are out of the way while the URL is taken apart.
    found = _URL.fullmatch(_ACTION.sub("\ue000", url))
    if found is None:
        return dummy(url)
    user, at, host = found["authority"].rpartition("@")
    before = user.count("\ue000")
    for action in actions[before:]:
        host = host.replace("\ue000", action, 1)
    path = found["path"] if keep_path else "/".join(map(_segment, found["path"].split("/")))
    for action in actions[found["authority"].count("\ue000") :]:
        path = path.replace("\ue000", action, 1)
    rest = _rest(found["rest"]).replace("\ue000", "x")
    return f"{found['scheme']}://{'x:x@' if at else ''}{host}{path}{rest}"


def _segment(word: str) -> str:
    return word if word in _WELL_KNOWN or _VERSION.fullmatch(word) else dummy(word)


def _rest(text: str) -> str:
    query, hash_, fragment = text.partition("#")
    pairs = []
    for pair in query[1:].split("&"):
        name, equals, value = pair.partition("=")
        pairs.append(f"{name}={dummy(value)}" if equals else dummy(name))
    return query[:1] + "&".join(pairs) + hash_ + dummy(fragment)


def without_userinfo(value: Any, *, named: bool = False) -> Any:
    """A deep copy in which no URL names a user or a password; lines are kept.

    ``named``: constant texts under keys that say what they are (``token``, ``x-api-key``) are replaced, too.
    """
    if isinstance(value, str):
        # An unquoted number or boolean has no URL in it and stays what it is.
        return _USERINFO.sub(r"\1x:x@", value) if "://" in value else value
    if isinstance(value, Mapping):
        result = Map()
        for key, item in value.items():
            secret = named and isinstance(item, str) and "{{" not in item and _SECRET_NAME.search(key)
            result[key] = dummy(item) if secret else without_userinfo(item, named=named)
        result.line, result.lines = getattr(value, "line", 0), dict(getattr(value, "lines", {}))
        return result
    if isinstance(value, list):
        items = List(without_userinfo(item, named=named) for item in value)
        items.line, items.lines = getattr(value, "line", 0), list(getattr(value, "lines", []))
        return items
    return value


@dataclass
class DummyFiles:
    """Files in ``folder`` that stand in for the user's secret files, which are never opened."""

    folder: Path
    count: int = field(default=0)

    def write(self, content: str) -> str:
        """Write one more file (mode 0600); its absolute path."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.count += 1
        path = self.folder.absolute() / f"dummy-{self.count}"
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(content, encoding="utf-8")
        return str(path)


@dataclass(frozen=True)
class Kind:
    """One kind of integration: its harmless keys, its secrets, and where the mark of an alert goes.

    Of each of ``secrets`` and ``secret_urls`` there may also be a ``*_file``. ``urls`` keep host and path,
    ``secret_urls`` the host; ``vendor`` is what a ``*_url_file`` holds; ``mark`` is a field that is a
    template in all versions and reaches the payload, ``default`` its default.
    """

    keys: frozenset[str]
    secrets: frozenset[str] = frozenset()
    secret_urls: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()
    vendor: str = ""
    mark: str = ""
    default: str = ""


def _kind(
    keys: str,
    *,
    secrets: str = "",
    secret_urls: str = "",
    urls: str = "",
    vendor: str = "",
    mark: str = "",
    default: str = "",
) -> Kind:
    common = {"send_resolved"} if "smarthost" in keys else {"send_resolved", "http_config"}
    return Kind(words(keys) | common, words(secrets), words(secret_urls), words(urls), vendor, mark, default)


# The mark goes to the front of a field, because long fields are cut off at their end. Not as one might think:
# msteams has `summary` only from 0.27; a Jira description must be JSON in API v3, so the summary has it.
KINDS: Mapping[str, Kind] = {
    "discord": _kind(
        "avatar_url content message title username",
        secret_urls="webhook_url",
        vendor="https://discord.com/api/webhooks/0/x",
        mark="message",
        default='{{ template "discord.default.message" . }}',
    ),
    "email": _kind(
        "auth_identity auth_username force_implicit_tls from headers hello html require_tls smarthost "
        "text threading tls_config to",
        secrets="auth_password auth_secret",
    ),
    "incidentio": _kind(
        "max_alerts timeout",
        secrets="alert_source_token",
        secret_urls="url",
        vendor="https://api.incident.io/v2/alert_events/alertmanager/x",
    ),
    "jira": _kind(
        "api_type description fields issue_type labels priority project reopen_duration reopen_transition "
        "resolve_transition summary wont_fix_resolution",
        urls="api_url",
        mark="summary",
        default='{{ template "jira.default.summary" . }}',
    ),
    "mattermost": _kind(
        "attachments author_icon author_link author_name channel color fallback fields footer "
        "footer_icon icon_emoji icon_url image_url pretext priority props text thumb_url title "
        "title_link type username",
        secret_urls="webhook_url",
        vendor="https://mattermost.invalid/hooks/x",
        mark="text",
        default='{{ template "mattermost.default.text" . }}',
    ),
    "msteams": _kind(
        "summary text title",
        secret_urls="webhook_url",
        vendor="https://example.webhook.office.com/webhookb2/x",
        mark="title",
        default='{{ template "msteams.default.title" . }}',
    ),
    "msteamsv2": _kind(
        "text title",
        secret_urls="webhook_url",
        vendor="https://example.logic.azure.com/workflows/x",
        mark="title",
        default='{{ template "msteamsv2.default.title" . }}',
    ),
    "opsgenie": _kind(
        "actions description details entity message note priority responders source tags update_alerts",
        secrets="api_key",
        urls="api_url",
        mark="note",
    ),
    "pagerduty": _kind(
        "class client client_url component description details group images links severity source timeout",
        secrets="routing_key service_key",
        urls="url",
        mark="description",
        default='{{ template "pagerduty.default.description" .}}',
    ),
    # `title` and `message` are cut off at 250 and 1024 characters, `url_title` never.
    "pushover": _kind(
        "device expire html message monospace priority retry sound title ttl url url_title",
        secrets="token user_key",
        mark="url_title",
    ),
    "rocketchat": _kind(
        "actions channel color emoji fields icon_url image_url link_names short_fields text thumb_url title "
        "title_link",
        secrets="token token_id",
        urls="api_url",
        mark="text",
        default='{{ template "rocketchat.default.text" . }}',
    ),
    "slack": _kind(
        "actions callback_id channel color fallback fields footer icon_emoji icon_url image_url "
        "link_names message_text mrkdwn_in pretext short_fields text thumb_url timeout title "
        "title_link update_message username",
        secrets="app_token",
        secret_urls="api_url",
        urls="app_url",
        vendor="https://hooks.slack.com/services/T0/B0/x",
        mark="callback_id",
        default='{{ template "slack.default.callbackid" . }}',
    ),
    "sns": _kind(
        "attributes message phone_number sigv4 subject target_arn topic_arn use_aws_http_client",
        urls="api_url",
        mark="message",
        default='{{ template "sns.default.message" . }}',
    ),
    "telegram": _kind(
        "chat_id chat_id_file disable_notifications message message_thread_id parse_mode",
        secrets="bot_token",
        urls="api_url",
        mark="message",
        default='{{ template "telegram.default.message" . }}',
    ),
    # VictorOps' routing key is a team's name, often a template; Alertmanager doesn't call it secret either.
    "victorops": _kind(
        "custom_fields entity_display_name message_type monitoring_tool routing_key state_message",
        secrets="api_key",
        urls="api_url",
        mark="state_message",
        default='{{ template "victorops.default.state_message" . }}',
    ),
    "webex": _kind(
        "message room_id", urls="api_url", mark="message", default='{{ template "webex.default.message" . }}'
    ),
    "webhook": _kind("max_alerts payload timeout", secret_urls="url", vendor="https://webhook.invalid/x"),
    "wechat": _kind(
        "agent_id corp_id message message_type to_party to_tag to_user",
        secrets="api_secret",
        urls="api_url",
        mark="message",
        default='{{ template "wechat.default.message" . }}',
    ),
}

GLOBAL = Kind(
    keys=words(
        "http_config resolve_timeout smtp_auth_identity smtp_auth_username smtp_force_implicit_tls smtp_from "
        "smtp_hello smtp_require_tls smtp_smarthost smtp_tls_config wechat_api_corp_id"
    ),
    secrets=words(
        "opsgenie_api_key rocketchat_token rocketchat_token_id slack_app_token smtp_auth_password "
        "smtp_auth_secret telegram_bot_token victorops_api_key wechat_api_secret"
    ),
    secret_urls=frozenset(["mattermost_webhook_url", "slack_api_url"]),
    urls=words(
        "jira_api_url opsgenie_api_url pagerduty_url rocketchat_api_url slack_app_url telegram_api_url "
        "victorops_api_url webex_api_url wechat_api_url"
    ),
)


def dummy_file_content(kind: str, key: str) -> str:
    """What a stand-in for a ``*_file`` holds: a URL, a number or a token, as the integration expects."""
    if key.endswith("url_file"):
        return KINDS[key.split("_")[0] if kind == "global" else kind].vendor
    return "1" if key == "chat_id_file" else "x" * 32
