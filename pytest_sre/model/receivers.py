"""Where each kind of receiver shows what, and how much it takes: one table, for reading and for checking.

Paths as in the JSON, form or mail that Alertmanager's notify/<kind> of 0.25 to 0.33 sends; ``*`` is any member,
``**`` any depth. Limits as the vendors document them and as notify/<kind> cuts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MARK_LENGTH = 25  # characters of our mark, which takes room in the one field that carries it


@dataclass(frozen=True, slots=True)
class Limit:
    """How long what stands at ``path`` ("" : the whole body) may be.

    ``cut`` are the lengths at which versions of Alertmanager cut it, in the same unit; empty: it doesn't.
    """

    path: str
    most: int
    unit: Literal["characters", "bytes"] = "characters"
    cut: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.path or 'body'} {self.most:,} {self.unit}" + (" (cut)" if self.cut else "")


@dataclass(frozen=True, slots=True)
class Receiver:
    """What a kind shows, and where. ``setting`` is the key of its title in alertmanager.yml ("": may have none)."""

    title: tuple[str, ...]
    text: tuple[str, ...]
    severity: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    setting: str = ""


def _cut(path: str, most: int, unit: Literal["characters", "bytes"] = "characters", *more: int) -> Limit:
    return Limit(path, most, unit, (*more, most))


_ATTACHED = ("attachments.*.pretext", "attachments.*.text", "blocks.**.text")
_ALERTS = ("alerts.*.annotations.*",)
_LABELS = ("receiver", "status", "commonLabels.*")
RECEIVERS: Mapping[str, Receiver] = {
    "discord": Receiver(
        ("embeds.*.title",),
        ("content", "embeds.*.description"),
        fields=("username", "embeds.*.fields.*"),
        limits=(
            _cut("embeds.*.title", 256),
            _cut("embeds.*.description", 4096, "characters", 2048),
            _cut("content", 2000),
            Limit("embeds", 6000),
        ),
        setting="title",
    ),
    "email": Receiver(("subject",), ("text", "html"), fields=("from", "to", "cc"), setting="headers"),
    "incidentio": Receiver(
        (), _ALERTS, ("commonLabels.severity",), _LABELS, (Limit("", 512 * 1024, "bytes"),)
    ),
    "jira": Receiver(
        ("fields.summary",),
        ("fields.description", "fields.description.**.text"),
        ("fields.priority.name",),
        ("fields.project.key", "fields.issuetype.name", "fields.labels"),
        (_cut("fields.summary", 255), _cut("fields.description", 32767)),
        setting="summary",
    ),
    "mattermost": Receiver(
        ("attachments.*.title",),
        ("text", *_ATTACHED),
        ("priority.priority",),
        ("channel", "username", "attachments.*.fields.*"),
        (_cut("text", 16383),),
    ),
    "msteams": Receiver(("title",), ("text",), fields=("summary",), limits=(Limit("", 28 * 1024, "bytes"),), setting="title"),
    "msteamsv2": Receiver(
        ("attachments.*.content.body.0.text",),
        ("attachments.*.content.body.**.text", "attachments.*.content.body.**.value"),
        limits=(Limit("", 28 * 1024, "bytes"),),
        setting="title",
    ),
    "opsgenie": Receiver(
        ("message",),
        ("description", "note"),
        ("priority",),
        ("source", "entity", "tags", "actions", "responders.*.*", "details.*"),
        (_cut("message", 130), Limit("description", 15000)),
        "message",
    ),
    "pagerduty": Receiver(
        ("payload.summary", "description"),
        ("payload.custom_details.**", "details.**"),
        ("payload.severity",),
        (
            *("client", "payload.source", "payload.component", "payload.group", "payload.class"),
            *("payload.custom_details.*", "details.*"),
        ),
        (_cut("payload.summary", 1024), _cut("description", 1024), Limit("", 512_000, "bytes")),
        "description",
    ),
    "pushover": Receiver(
        ("title",),
        ("message",),
        ("priority",),
        ("url_title", "device", "sound"),
        (_cut("title", 250), _cut("message", 1024), _cut("url", 512), Limit("url_title", 100)),
        "title",
    ),
    "rocketchat": Receiver(
        ("attachments.*.title",),
        ("text", "attachments.*.text"),
        fields=("channel", "alias", "attachments.*.fields.*"),
        limits=(_cut("attachments.*.title", 1024),),
        setting="title",
    ),
    "slack": Receiver(
        ("attachments.*.title",),
        ("text", *_ATTACHED),
        fields=("channel", "username", "attachments.*.footer", "attachments.*.fields.*"),
        limits=(_cut("attachments.*.title", 1024), Limit("attachments.*.text", 40_000)),
        setting="title",
    ),
    "sns": Receiver(
        ("Subject",),
        ("Message",),
        fields=("TopicArn", "TargetArn", "PhoneNumber"),
        limits=(_cut("Subject", 100), _cut("Message", 256 * 1024, "bytes")),
    ),
    "telegram": Receiver(
        (), ("text",), fields=("chat_id", "message_thread_id"), limits=(_cut("text", 4096),)
    ),
    "victorops": Receiver(
        ("entity_display_name",),
        ("state_message",),
        ("message_type",),
        ("monitoring_tool", "entity_id"),
        (_cut("state_message", 20480),),
        "entity_display_name",
    ),
    "webex": Receiver((), ("markdown", "text"), fields=("roomId",), limits=(_cut("markdown", 7439, "bytes"),)),
    "webhook": Receiver((), _ALERTS, ("commonLabels.severity",), _LABELS),
    "wechat": Receiver(
        (),
        ("text.content", "markdown.content"),
        fields=("touser", "toparty", "totag", "agentid"),
        limits=(Limit("text.content", 2048, "bytes"), Limit("markdown.content", 2048, "bytes")),
    ),
}  # fmt: skip
