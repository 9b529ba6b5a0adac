"""What the on-call reads of a decoded payload: title, text, severity, links and the receiver's own fields."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

from pytest_sre.model.payload import at, texts_at, texts_in
from pytest_sre.model.receivers import RECEIVERS, Receiver

_URL = re.compile(r"https?://[^\s<>\"'`\\|]+")
_AFTER = ".,;:!?*_]}"  # what ends a sentence or a Markdown link, not an address
# Addresses that name a format or an icon: nobody follows them.
_UNFOLLOWED = re.compile(r"(\$schema|@context|.*icon(_url)?|avatar(_url)?|image_url|thumb_url|images)$", re.I)
_NOWHERE = Receiver((), ("**",))


@dataclass(frozen=True, slots=True)
class Reading:
    """What a notification says; ``links`` are all addresses in it, each once."""

    title: str
    text: str
    severity: str
    links: tuple[str, ...]
    fields: Mapping[str, str]


def read(kind: str, payload: object) -> Reading:
    """Read a payload by the table of kinds; of an unknown kind all that it says is text."""
    receiver = RECEIVERS.get(kind, _NOWHERE)
    titles = texts_at(payload, receiver.title)
    if isinstance(payload, str):
        texts: tuple[str, ...] = (payload,)
    else:
        texts = texts_at(payload, receiver.text) or _own_payload(kind, payload)
    if kind == "email":
        texts = tuple(_plain(one) if "<" in one else one for one in texts[:1])
    severity = next(
        (text for path in receiver.severity for one in at(payload, path) for text in texts_in(one)), ""
    )
    return Reading(
        "\n".join(filter(None, titles)),
        "\n".join(one for one in texts if one and one not in titles),
        severity,
        tuple(dict.fromkeys(_links(payload))),
        dict(_fields(payload, receiver)),
    )  # fmt: skip


def _own_payload(kind: str, payload: object) -> tuple[str, ...]:
    """A webhook's body may be of the user's own making."""
    own = kind == "webhook" and isinstance(payload, Mapping) and "alerts" not in payload
    return tuple(texts_in(payload)) if own else ()


def _fields(payload: object, receiver: Receiver) -> Iterator[tuple[str, str]]:
    for path in receiver.fields:
        parent, _, name = path.rpartition(".")
        if name != "*":
            for one in at(payload, path):
                if value := _shown(one):
                    yield (parent.rpartition(".")[2] if name in ("key", "name") else name), value
            continue
        for holder in at(payload, parent):
            yield from _pairs(holder)


def _pairs(holder: object) -> Iterator[tuple[str, str]]:
    """Named values: a mapping, or a list of titles with values as chats have them."""
    if isinstance(holder, Mapping):
        yield from ((str(name), _shown(one)) for name, one in holder.items() if _shown(one))
    for one in holder if isinstance(holder, list) else ():
        if isinstance(one, Mapping) and "value" in one:
            yield str(one.get("title") or one.get("name") or ""), _shown(one["value"])


def _shown(value: object) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _links(value: object, name: str = "") -> Iterator[str]:
    if _UNFOLLOWED.fullmatch(name):
        return
    if isinstance(value, str):
        if name == "html":
            value = " ".join([*re.findall(r"""href\s*=\s*["']([^"']*)""", value), _plain(value)])
        yield from (_address(found[0]) for found in _URL.finditer(html.unescape(value)))
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from _links(child, str(key))
    elif isinstance(value, list):
        for child in value:
            yield from _links(child, name)


def _address(text: str) -> str:
    """Without what ends a sentence, and without a bracket that the address does not open."""
    before = ""
    while before != text:
        before, text = text, text.rstrip(_AFTER)
        if text.endswith(")") and text.count("(") < text.count(")"):
            text = text[:-1]
    return text


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.hidden += tag in ("style", "script", "title")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "script", "title") and self.hidden > 0

    def handle_data(self, data: str) -> None:
        if not self.hidden and data.strip():
            self.words.append(" ".join(data.split()))


def _plain(page: str) -> str:
    """The words of an HTML page, one line for each piece."""
    parser = _Words()
    parser.feed(page)
    parser.close()
    return "\n".join(parser.words)
