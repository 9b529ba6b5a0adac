"""Tables of when alerts fire, on a screen and in Markdown."""

from __future__ import annotations

from pathlib import Path

from pytest_sre.model.finding import Location
from pytest_sre.model.observation import Observations, TimedObservation
from pytest_sre.model.rules import Rule
from pytest_sre.model.slo import Slo
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.model.timeline import Passage
from pytest_sre.promql.selector import selector
from pytest_sre.report.detection import Table, aligned, others, tables
from pytest_sre.report.markdown import detected
from pytest_sre.report.seen import Seen
from pytest_sre.settings import Settings, SreYaml
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.prometheus import PrometheusConfig

DAY = 86400.0
SLO = Slo("shop", 99.9, 30 * DAY, selector("bad"), None, selector("all"), Location("sre.yaml", 1))


def rule(name: str, **labels: str) -> Rule:
    return Rule("alert", name, "x > 1", Location("r.yml", 1), 1, "g", 0, labels)


def burn(
    fired: float | None,
    ratio: float | None = None,
    *,
    ended: float | None = None,
    recovery: float | None = None,
    early: float | None = None,
    factor: float | None = None,
) -> Passage:
    return Passage(
        "burn", "", -60.0, 9000.0, 30.0, recovery=recovery, early=early, fired=fired, ended=ended,
        error_ratio=ratio, slo="shop" if ratio else "", factor=factor,
    )  # fmt: skip


def seen(timed: dict[Rule, tuple[Passage, ...]], *slos: Slo, version: str = "") -> Seen:
    root = Path("/")
    observations = Observations(
        {}, {}, (), {}, timed={one: TimedObservation(one, some) for one, some in timed.items()}
    )
    return Seen(
        Settings(root=root, folder=root, search=root, file=SreYaml(), version=version),
        Inventory(root, (), (), (), None, PrometheusConfig(), Snapshots()),
        slos,
        (),
        observations,
    )


PAGE = (
    burn(3000.0, ended=7200.0, recovery=3600.0),
    burn(60.0, 1.0),
    burn(None, 0.002),
    burn(500.0, 0.0158, factor=1.1),
)
TICKET = (burn(60.0, ended=3600.0, recovery=3600.0), burn(None, 1.0, early=-60.0), burn(36000.0, 0.002))
ALERTS = {rule("Fast", severity="page"): PAGE, rule("Slow", severity="low"): TICKET}


def test_a_table_for_each_slo_whose_series_are_read() -> None:
    (table,) = tables(
        seen(ALERTS, SLO, Slo("other", 99.0, DAY, selector("x"), None, selector("y"), SLO.location))
    )

    assert list(aligned(table, 120)) == [
        "shop (99.9% over 30d): fires after, error budget spent by then",
        "  errors            100%        0.2%  ends after",
        "  burn rate        1000x          2x",
        "  Fast (page)  1m · 2.3%       never          1h",
        "  Slow            before  10h · 2.8%     at once",
    ]


def test_what_does_not_fit_goes_below() -> None:
    (table,) = tables(seen(ALERTS, SLO, version="3.5.0"))

    lines = list(aligned(table, 40))
    assert lines[0].startswith("3.5.0: shop")
    assert lines[1:5] == [
        "  errors            100%        0.2%",
        "  burn rate        1000x          2x",
        "  Fast (page)  1m · 2.3%       never",
        "  Slow            before  10h · 2.8%",
    ]
    assert lines[5] == "  errors       ends after"
    assert len(list(aligned(table, 1))) == 1 + 3 * 4  # a column is never cut


def test_alerts_without_slo() -> None:
    timed = {
        rule("Down"): (burn(60.0, ended=3600.0, recovery=3600.0),),
        rule("Stuck"): (burn(90.0, recovery=100.0),),
        rule("Deaf"): (burn(None, recovery=100.0),),
        rule("Mad"): (burn(None, recovery=100.0, early=-30.0),),
        **ALERTS,
    }
    found = others(seen(timed, SLO))

    assert found is not None
    assert found.rows == (
        ("Down", "1m", "at once"),
        ("Stuck", "1m 30s", "never"),
        ("Deaf", "never", "-"),
        ("Mad", "before", "-"),
    )
    assert others(seen(ALERTS, SLO)) is None


def test_in_markdown() -> None:
    text = detected(Table("a & b", (("errors", "1%"), ("burn", "2x")), (("A|B", "never"),)), open_=True)

    assert text == (
        "<details open><summary>a &amp; b</summary>\n\n| errors | 1% |\n|---|---:|\n| burn | 2x |\n"
        "| A&#124;B | never |\n\n</details>"
    )
