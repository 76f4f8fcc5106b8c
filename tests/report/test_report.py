"""The report of a small warehouse that is written here."""

import re
import subprocess
import sys
from datetime import date
from html import unescape
from html.parser import HTMLParser

import duckdb
import pytest

from pictures import charts
from pictures.domains import DOMAINS
from report import main

EMPTY = {
    "tap_events": """
        CREATE TABLE events (id HUGEINT, title VARCHAR, tickets_sold HUGEINT);
        CREATE TABLE transactions (transaction_date VARCHAR, transaction_status VARCHAR, payment_type VARCHAR,
          buyer_first_name VARCHAR, email VARCHAR)""",
    "tap_scheduling": """
        CREATE TABLE bookings ("start" TIMESTAMP, status VARCHAR, duration DOUBLE, title VARCHAR);
        CREATE TABLE event_types (id HUGEINT)""",
    "tap_promotions": """
        CREATE TABLE promotions (id VARCHAR, title VARCHAR);
        CREATE TABLE users (id VARCHAR, created TIMESTAMP, email VARCHAR);
        CREATE TABLE prizes (id VARCHAR);
        CREATE TABLE participations (id VARCHAR, promotion_id VARCHAR, created TIMESTAMP)""",
    "tap_billing": """
        CREATE TABLE customers (id HUGEINT);
        CREATE TABLE subscriptions (id HUGEINT, state VARCHAR);
        CREATE TABLE invoices (uid VARCHAR, issue_date VARCHAR, status VARCHAR, currency VARCHAR,
          total_amount VARCHAR, paid_amount VARCHAR, _sdc_batched_at TIMESTAMP)""",
    "tap_rewards": """
        CREATE TABLE campaigns (id VARCHAR, name VARCHAR);
        CREATE TABLE orders (id VARCHAR, campaign_id VARCHAR);
        CREATE TABLE rewards (id VARCHAR, order_id VARCHAR, delivery JSON);
        CREATE TABLE balance_transactions (_sdc_key VARCHAR, created_at TIMESTAMP, balance DOUBLE,
          currency_code VARCHAR)""",
}
ROWS = {
    "tap_events": r"""
        INSERT INTO events VALUES (1, 'Costs $5 & more, $6 <b>', 1200), (2, '東京 🎪' || chr(1), 30),
          (3, NULL, 7);
        INSERT INTO transactions VALUES ('2026-03-04T10:00:00', 'Confirmed',
          'PayPal', 'Ada', 'ada@secret.example'),
          ('2026-03-08T23:59:59', 'Confirmed', NULL, 'Ada', NULL),
          ('2026-03-09T00:00:00', 'Refunded', 'Free', '', ''),
          ('soon', NULL, 'Free', NULL, NULL)""",
    "tap_scheduling": """
        INSERT INTO bookings VALUES ('2026-01-05 12:00', 'accepted', 90, 'Call between us and Ada'),
          ('2026-01-11 12:00', 'accepted', 30, ''), ('2026-01-12 12:00', 'rejected', 30, ''),
          (NULL, NULL, 5, NULL), ('9999-12-31', NULL, 5, NULL), ('infinity', 'rejected', NULL, NULL)""",
    "tap_promotions": """
        INSERT INTO promotions VALUES ('1', 'Spring'), ('2', 'Spring');
        INSERT INTO users VALUES ('7', '2026-01-01', 'ada@secret.example'), ('8', '2026-01-01', ''),
          ('9', '2026-02-01', '');
        INSERT INTO participations VALUES ('a', '1', '2026-01-01'), ('b', '1', '2026-01-02'),
          ('c', '3', NULL)""",
    "tap_billing": """
        INSERT INTO subscriptions VALUES (1, 'active'), (2, 'active'), (3, 'past_due');
        INSERT INTO invoices SELECT range, '2026-02-0' || range % 9 + 1, 'paid', 'USD', '0.1', '0.1',
          '2026-03-01 12:34' FROM range(3);
        INSERT INTO invoices VALUES ('o', '2026-02-28', 'open', 'USD', '1000000000000.05', '0.0', NULL),
          ('v', '2026-02-28', 'voided', 'USD', '77.0', '0.0', NULL),
          ('e', '2026-02-28', 'paid', 'EUR', '55', '55', NULL),
          ('n', '2026-03-01', 'open', 'USD', '', NULL, NULL)
        """,
    "tap_rewards": """
        INSERT INTO campaigns VALUES ('c', 'Thanks');
        INSERT INTO orders VALUES ('1', 'c'), ('2', NULL);
        INSERT INTO rewards VALUES ('x', '1', '{"status": "SUCCEEDED"}'), ('y', '1', NULL), ('z', '2', '{}');
        INSERT INTO balance_transactions VALUES ('a', '2026-01-01 10:00', 100, 'USD'),
          ('b', '2026-01-01 11:00', 80.5, 'USD'), ('c', '2026-01-03 10:00', NULL, 'USD')""",
}


class Outline(HTMLParser):
    """What there is in a page."""

    def __init__(self, html):
        super().__init__()
        self.open, self.ids, self.links, self.names, self.words = [], [], [], set(), []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.names.add(tag)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [value for name, value in attributes if name in {"src", "href", "xlink:href", "data"}]
        if tag not in {"meta", "wbr"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += [data.strip()] if data.strip() else []


def written(folder, schemas, rows=ROWS):
    """The report of a warehouse with these schemas."""
    source, target = folder / "warehouse.duckdb", folder / "report.html"
    with duckdb.connect(str(source)) as connection:
        for schema in schemas:
            connection.execute(f"CREATE SCHEMA {schema}; USE {schema}; {EMPTY[schema]}")
            connection.execute(rows.get(schema, "SELECT 1"))
    assert main(source, target) == 0
    return target.read_text()


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return written(tmp_path_factory.mktemp("full"), EMPTY)


def test_numbers(full):
    text = unescape(full)
    for said in (
        # tooltips of bars
        "Costs $5 & more, $6 <b>: 1,200",
        "東京 🎪: 30",
        "Event 3: 7",
        "Week of 02 Mar 2026, confirmed: 2",
        "Week of 09 Mar 2026, refunded: 1",
        "Free: 2",
        "Week of 05 Jan 2026, accepted: 2",
        "Week of 12 Jan 2026, rejected: 1",
        "no status: 2",
        "Spring: 2",
        "Promotion 3: 1",
        "February 2026, paid: 0.30 USD",
        "February 2026, not yet paid: 1,000,000,000,000.05 USD",
        "March 2026, not yet paid: 0.00 USD",
        "past due: 1",
        "Thanks: 2",
        "No campaign: 1",
        "succeeded: 1",
        "not told: 2",
        # newest values of lines
        "<b>3</b> on 01 Feb 2026",
        "<b>80.50 USD</b> on 01 Jan 2026",
        # figures
        "<dt>tickets sold</dt><dd>1,237</dd>",
        "<dt>hours accepted</dt><dd>2</dd>",
        "<dt>paid by invoices</dt><dd>0.30 USD</dd>",
        "<dt>last balance known</dt><dd>80.50 USD</dd>",
        # tables
        "<th scope='row'>participations</th><td>3</td>",
        "<th scope='row'>invoices</th><td>7</td><td>2026-03-01 12:34</td>",
    ):
        assert said in text, said
    assert "77" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)


def test_page_needs_nothing_else_and_names_nobody(full):
    html, outline = full, Outline(full)
    assert outline.open == []
    assert outline.links == []
    assert not outline.names & {"script", "img", "link", "iframe", "object", "use"}
    assert not re.search(r"https?:|//\w|@import|url\(", html)
    assert len(outline.ids) == len(set(outline.ids))
    assert not re.search(r"(?i)\bada\b|secret\.example", html)


def test_all_sections_with_their_charts(full):
    html, outline = full, Outline(full)
    assert outline.ids == [*EMPTY, "tables"]
    for domain in DOMAINS:
        for chart in domain.charts:
            assert f'aria-label="{chart.title}"' in html
            assert chart.title in outline.words
    assert "Left out" not in html


def test_colours_are_the_page_s_own(full):
    html = full
    drawn = "".join(re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL))
    assert not re.search(r"#[0-9a-f]{6}", drawn)
    assert set(re.findall(r"var\((--[\w-]+)\)", html)) <= set(re.findall(r"(--[\w-]+):", html))
    assert "prefers-color-scheme: dark" in html


def test_empty_tables(tmp_path):
    html = written(tmp_path, EMPTY, rows={})
    assert html.count("No rows yet.") == sum(len(domain.charts) for domain in DOMAINS)
    assert "<svg" not in html
    assert "is not known" in html, "nothing tells when the tables were loaded"


def test_missing_taps(tmp_path):
    html = written(tmp_path, ["tap_rewards"])
    assert html.count("nothing was loaded by") == len(DOMAINS) - 1
    assert "nothing was loaded by <code>tap-billing</code> or <code>tap-maxio</code>" in html
    assert 'aria-label="Balance over time"' in html


def test_empty_warehouse(tmp_path):
    assert written(tmp_path, []).count("nothing was loaded by") == len(DOMAINS)


def test_preset_and_missing_columns(tmp_path):
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("CREATE SCHEMA tap_eventzilla; CREATE TABLE tap_eventzilla.events (id HUGEINT)")
    html = written(tmp_path, ["tap_events"])
    assert {"tap_events", "tap_eventzilla"} <= set(Outline(html).ids)
    assert html.count("not all tables and columns that it needs were loaded") == 3


def test_G12_answers_stand_before_counts(full):
    assert full.index('aria-label="Balance over time"') < full.index(" rows in 15 tables.")
    assert "Sandbox data" not in full


def test_G12_sandbox_data_is_called_so(tmp_path):
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        for schema, url in (
            ("tap_events", "https://events.example/e/1"),
            ("tap_eventzilla", "https://e.com/1"),
        ):
            connection.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.events (id INT, url VARCHAR)")
            connection.execute(f"INSERT INTO {schema}.events VALUES (1, '{url}')")
    head, _ = written(tmp_path, []).split("</header>")
    assert "Sandbox data, made up and of no account:</strong> <code>tap_events</code></p>" in head


def test_where_the_page_is_is_said(tmp_path, capsys):
    written(tmp_path, [])
    assert "report.html is written" in capsys.readouterr().out


def test_where_the_page_can_not_be_is_said(tmp_path, capsys):
    duckdb.connect(str(tmp_path / "empty.duckdb")).close()
    for target in (tmp_path, tmp_path / "none" / "report.html"):
        assert main(tmp_path / "empty.duckdb", target) == 1
        assert f"{target} cannot be written: " in capsys.readouterr().err


def test_help_is_help():
    command = [sys.executable, main.__globals__["__file__"], "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("usage: report.py")


def test_no_warehouse(tmp_path, capsys):
    assert main(tmp_path / "none.duckdb", tmp_path / "report.html") == 1
    assert "make demo" in capsys.readouterr().err
    (tmp_path / "text.duckdb").write_text("not a database, but long enough to be looked at" * 100)
    assert main(tmp_path / "text.duckdb", tmp_path / "report.html") == 1
    assert "cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


def test_long_labels_are_cut_and_short_ones_are_not():
    assert charts.shortened("Spring", 300) == "Spring"
    assert charts.shortened("M" * 99, 95) == "M" * 10 + "…"
    assert charts.shortened("京" * 99, 115) == "京" * 10 + "…"


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0"), (950, "950"), (2500, "2,500"), (40_000, "40k"), (-3_500_000, "-3.5M")]
)
def test_ticks(number, shown):
    assert charts.compact(number) == shown


def test_many_years_show_the_newest_only():
    rows = [(date(year, 1, 5), "done", 1, None) for year in range(2000, 2027)]
    assert charts.weeks("Weeks", rows).count("<title>") == 3


def test_taps_need_no_plotting():
    code = "import sys, tap_events.tap; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
