"""The page that an alert's runbook link means, as it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_sre.changed.facts import Fact, Facts, Key, canonical
from pytest_sre.model.rules import Rule
from pytest_sre.settings import Settings
from pytest_sre.sources.discover import relative
from pytest_sre.sources.runbook_links import resolve_link, resolve_url

_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)")
_CODE = re.compile(r"`|^( {4}|\t)\s*\S|^~~~", re.M)
_PAGES = (".md", ".markdown")


class Runbooks:
    """The pages of one revision."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is read yet."""
        self._settings = settings
        self._memo: dict[str, Facts] = {}

    def facts(self, rule: Rule) -> Facts:
        """The page of an alert's link; all pages that it may be, where the link is a template."""
        url = self._settings.file.runbooks.link(rule.annotations)[1]
        if url not in self._memo:
            self._memo[url] = dict(self._templated(url) if "{{" in url else self._page(url)) if url else {}
        return self._memo[url]

    def _page(self, url: str) -> Iterator[tuple[Key, Fact]]:
        page = resolve_url(url, self._prefixes, self._settings.folder)
        if page is not None:
            text = _read(page.path)
            shown = relative(self._settings.root, page.path)
            # Keyed by the link: a page that has moved with its prefix is still the page.
            yield Key("runbook", url), Fact(str(text), f"runbook {shown}")
            if text is not None and not _CODE.search(text):
                yield from self._linked(text, page.path)

    def _linked(self, text: str, page: Path) -> Iterator[tuple[Key, Fact]]:
        """A page without any code only leads to others, so those are what the on-call works with."""
        for target in dict.fromkeys(_LINK.findall(text)):
            linked = resolve_link(target, page, self._prefixes, self._settings.folder)
            if linked is not None and linked.path != page and linked.path.suffix.lower() in _PAGES:
                shown = relative(self._settings.root, linked.path)
                yield Key("runbook", target), Fact(str(_read(linked.path)), f"runbook {shown}")

    def _templated(self, url: str) -> Iterator[tuple[Key, Fact]]:
        """All pages of the folders that the link's beginning may lead to."""
        start = url.partition("{{")[0]
        for prefix, folder in self._prefixes.items():
            if start.lower().startswith(prefix.lower()) or prefix.lower().startswith(start.lower()):
                pages = sorted((self._settings.folder / folder).rglob("*.md"))
                texts = {relative(self._settings.folder / folder, page): _read(page) for page in pages}
                yield Key("runbook", prefix), Fact(canonical(texts), f"a runbook below {prefix}")

    @property
    def _prefixes(self) -> Mapping[str, str]:
        return self._settings.file.runbooks.urls


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace").replace("\r\n", "\n") if path.is_file() else None
    except OSError:
        return None
