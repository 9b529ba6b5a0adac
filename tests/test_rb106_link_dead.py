"""RB106: links lead to something, as far as anybody can know."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runbook_pages import agree, hits

from pytest_sre.checks.runbooks import rb106_link_dead


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        ".git/config": '[remote "origin"]\n\turl = git@github.com:acme/infra.git\n',
        ".gitmodules": '[submodule "x"]\n\tpath = vendor/x\n',
        ".gitignore": "/out\n*.html\n",
        "disk.md": "# Disk full\n\n## Mitigation {#fix}\n\n<a name='deep'></a>\n",
        "made.md": '# Made\n\n{{< include "parts.md" >}}\n',
        "shots/a b.png": "",
        "node/README.md": "# Nodes\n\n## Drain\n",
        "bin/tool": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def judged(text: str, folder: Path, name: str = "checkout.md") -> list[tuple[int, str]]:
    found = hits(rb106_link_dead, text, name, folder=folder)
    return [(hit.line, hit.message) for hit in found]


def test_the_page_of_the_check_is_true() -> None:
    agree(rb106_link_dead)


@pytest.mark.parametrize(
    "target",
    [
        "gone.md",
        "./Disk.md",
        "shots/b.png",
        "bin/tools",
        "nodes/",
        "node/drain.md",
        "disk.md?plain=1#resolution",
        "disk.md#resolution",
        "node#cordon",
        "node/#cordon",
        "#disk-full",
        "https://github.com/acme/infra/blob/main/gone.md",
        "https://github.com/acme/infra/tree/master/disk.md#resolution",
    ],
)
def test_dead(folder: Path, target: str) -> None:
    (found,) = judged(f"# X\n\nText,\nand [see]({target}).\n", folder)
    assert found[0] == 4
    assert found[1].startswith(f"the link to {target} leads ")


@pytest.mark.parametrize(
    "target",
    [
        "disk.md",
        "disk",  # a site's URL
        "./disk.md#mitigation",
        "disk.md#Fix",
        "disk.md#deep",
        "disk.md?plain=1#L3-L5",
        "disk.md#:~:text=full",
        "../disk.md",
        "shots/a%20b.png",
        "bin/tool#L3",
        "node",
        "node/#drain",
        "#",
        "#x",
        "#top",
        "#user-content-x",
        "made.md#from-elsewhere",
        # What nobody can know
        "/handbook/oncall",
        "../../outside.md",
        "../../issues/1",
        "vendor/x/README.md",
        "out/list.txt",
        "report.html",
        "{{site.url}}/x.md",
        "regions/$REGION.md",
        "mailto:ann@shop.example",
        "ann@shop.example",
        "localhost:9090/graph",
        "//cdn.shop.example/x.png",
        "https://[half/x",
        "https://github.com/acme/infra/issues/1",
        "https://github.com/acme/infra/blob/v1.2/gone.md",
        "https://github.com/acme/other/blob/main/gone.md",
        "regions/<region>.md",
    ],
)
def test_alive_or_unknown(folder: Path, target: str) -> None:
    assert judged(f"# X\n\n[see]({target})\n", folder) == []


def test_references_images_and_tags_at_their_lines(folder: Path) -> None:
    text = "# X\n\n[a][r]\n\n![b](b.png)\n\n<p>\n<img src='c.png'>\n</p>\n\nand <a href=\"d.md\">d</a>\n\n[r]: a.md\n"
    assert [line for line, _ in judged(text, folder)] == [3, 5, 8, 11]


def test_what_looks_like_a_link_and_is_none(folder: Path) -> None:
    text = "# X[^1]\n\n`[a](gone.md)` <!-- [b](gone.md) <a href='gone.md'> -->\n\n```\n[c](gone.md)\n```\n\n[^1]: Note\n"
    assert judged(text, folder) == []


def test_hugo_resolves_its_own(folder: Path) -> None:
    text = '# X\n\n[a]({{< ref "gone.md" >}}) [b]({{% relref "/x/gone" %}}) [c](../gone) ![d](gone.png)\n\n[e](gone2.md)\n'
    (folder / "content").mkdir()
    assert [line for line, _ in judged(text, folder, "content/page.md")] == [5]


def test_the_nearest_is_named(folder: Path) -> None:
    found = hits(rb106_link_dead, "# X\n\n[a](disks.md) [b](disk.md#mitigations)\n", folder=folder)
    assert [hit.mend for hit in found] == [
        "mend the link; there is disk.md",
        "mend the link; there is #mitigation",
    ]


@given(st.text(alphabet='ab.#/?%20\\[]()<>!:@{}"\n', max_size=80))
def test_any_target_is_judged(target: str) -> None:
    for hit in hits(rb106_link_dead, f"# X\n\n[x]({target}) [y]({target}#{target})\n"):
        assert hit.line >= 3
