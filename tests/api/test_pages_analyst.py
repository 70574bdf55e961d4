"""数据分析 as a browser asks for it: figures, the cases behind them, files, sealing, dry runs."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from uuid import uuid4

import httpx
import pytest
from openpyxl import load_workbook

from api.measure_schemas import FigureOut
from api.pages import analyst_words as words
from api.pages.analyst import PAGE
from api.pages.analyst_overview import STRIP
from casework.clocks import SHANGHAI
from casework.model import Role
from projections.measure_catalogue import CATALOGUE
from tests.api.browsing import client_of, holds_together, origin, says, sits_down, token_on
from tests.api.client import (
    XUEYUANLU,
    ZHONGGUANCUN,
    Town,
    Tracked,
    is_problem,
    open_town,
    settings_for,
)

HOME = "/desk/analyst"


def handed_over(town: Town, minutes: int) -> Tracked:
    """Dispatched, handed over after so many minutes, and closed."""
    case = town.anonymous().report()
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    town.street().act(case, "acknowledge", "handling")
    return town.settle(case, minutes)


class Scene:
    """A town with a case in time, one late, one overdue, and many that nobody has looked at."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.good, self.late = handed_over(town, 20), handed_over(town, 130)
        town.forward(minutes=2)
        self.before = town.clock()
        town.forward(minutes=2)
        self.waits = town.anonymous().report()
        town.reviewer.act(self.waits, "register", "dispatched", indicator="P10", condition="P10-2")
        self.new = [town.anonymous().report(text="<b>堆</b>") for _ in range(PAGE + 2)]
        town.forward(hours=3)
        town.reviewer.sees(self.new[-1])
        self.analyst = town.staff("分析甲", Role.ANALYST)
        local = town.clock().astimezone(SHANGHAI)
        self.month, self.day = f"{local:%Y-%m}", f"{local:%Y-%m-%d}"

    def read_to(self) -> int:
        """The position up to which the API answers."""
        told: int = self.analyst.get("/measures/reports").json()["as_of"]
        return told


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with open_town(settings_for(tmp_path_factory.mktemp("analyst") / "var")) as town:
        yield Scene(town)


@pytest.fixture(scope="module")
def opens(scene: Scene) -> Iterator[Callable[..., httpx.Client]]:
    """A browser of somebody with these roles, signed in; the same for the same."""
    clients: dict[tuple[object, ...], httpx.Client] = {}

    def opened(*roles: Role, street: str | None = None) -> httpx.Client:
        key = (*roles, street)
        if key not in clients:
            name = f"页面{uuid4().hex[:8]}"
            clients[key] = client_of(scene.town)
            sits_down(scene.town, clients[key], name, *roles, street=street)
        return clients[key]

    yield opened
    for client in clients.values():
        client.close()


@pytest.fixture
def analyst(opens: Callable[..., httpx.Client]) -> httpx.Client:
    return opens(Role.ANALYST)


@pytest.fixture
def supervisor(opens: Callable[..., httpx.Client]) -> httpx.Client:
    return opens(Role.SUPERVISOR)


def plain(markup: str) -> str:
    """What is read on it: a cell, a line or a card ends with a space."""
    spaced = re.sub(r"</(td|th|p|h[1-6]|li|option|dd|dt|label|tr)>", " ", markup)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", spaced)))


def shown(answer: httpx.Response, status: int = 200) -> str:
    """The words of a page, which holds together."""
    assert answer.status_code == status, answer.text[-2000:]
    holds_together(answer)
    return plain(answer.text)


def lines(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


# 总览 --------------------------------------------------------------------------------------


def test_each_number_is_that_of_the_api_with_its_fraction(
    scene: Scene, analyst: httpx.Client
) -> None:
    first = scene.read_to()
    page = analyst.get(HOME, params={"on": scene.day})
    assert page.status_code == 200
    holds_together(page)
    told_at = {int(found) for found in re.findall(r"日志位置 (\d+)", page.text)}
    assert len(told_at) == 1, "all of one state"
    assert first <= told_at.pop() <= scene.read_to(), "the clock works on meanwhile"
    cards = re.findall(r'<li class="kpi.*?</li>', page.text, re.DOTALL)
    assert len(cards) == len(STRIP)
    for card, (name, variant) in zip(cards, STRIP, strict=True):
        query = {"from": scene.day, "variant": variant}
        [told] = scene.analyst.get(f"/measures/{name}", **query).json()["figures"]
        of, figure = CATALOGUE[name], FigureOut.model_validate(told)
        said = plain(card)
        assert words.title_of(name, variant) in said
        assert f" {words.amount(of, figure.value)} " in said
        assert words.fraction(of, figure) in said and words.target(of, figure) in said
        assert f"环比 {words.change(of, figure.change)}" in said
        assert words.unsure(of, figure) in said
    (in_time,) = (card for card in cards if "按期处置率" in card)
    for beside in ("处置率", "现场未发现率", "转办率", "强制结案率", "虚假整改率"):
        assert beside in in_time, "what must be seen beside a rate in time"
    assert "参评率" in next(card for card in cards if "满意率" in card)


def test_the_29_are_listed_and_a_small_sample_is_neither_ranked_nor_coloured(
    scene: Scene, analyst: httpx.Client
) -> None:
    page = analyst.get(HOME, params={"on": scene.day})
    rows = re.findall(r'<tr data-code="(\d+)".*?</tr>', page.text, re.DOTALL)
    assert len(rows) == len(set(rows)) == 29
    own = re.search(rf'<tr data-code="{ZHONGGUANCUN}".*?</tr>', page.text, re.DOTALL)
    assert own and "data-level" not in own[0] and "33.33%" in own[0]
    assert "样本少于20，不排名" in own[0] and '<td class="num">—</td>' in own[0]
    by_reports = analyst.get(HOME, params={"on": scene.day, "show": "reports"})
    own = re.search(rf'<tr data-code="{ZHONGGUANCUN}".*?</tr>', by_reports.text, re.DOTALL)
    assert own and 'data-level="' in own[0], "a count has no sample to be too small"
    assert "这个数不参与排名" in by_reports.text


def test_stages_overdue_and_spots_lead_to_their_cases(scene: Scene, analyst: httpx.Client) -> None:
    page = analyst.get(HOME, params={"on": scene.day})
    overdue = page.text[page.text.index("超期最久的案件") :]
    assert scene.waits.number in overdue[: overdue.index("高发与反弹点位")]
    links = [
        unescape(link) for link in re.findall(r'href="(/desk/analyst/cases\?[^"]+)"', page.text)
    ]
    assert any("by=stage" in link for link in links) and any("by=cell" in link for link in links)
    for link in dict.fromkeys(links):
        if "by=stage" in link or "by=cell" in link:
            told = re.search(r"共([\d,]+)件", shown(analyst.get(link)))
            count = re.search(
                re.escape(link).replace("&", "&amp;") + r'"[^>]*>([\d,]+)件?</a>', page.text
            )
            assert told and count and told[1] == count[1], link


def test_a_past_moment_is_told_as_it_was(scene: Scene, analyst: httpx.Client) -> None:
    local = scene.before.astimezone(SHANGHAI)
    then = f"{local + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}"
    page = analyst.get(HOME, params={"on": scene.day, "as_of": then})
    said = shown(page)
    assert f"截至{local:%Y-%m-%d %H:%M}" in said
    assert re.search(r"上报量 2件", said) and f'value="{then}"' in page.text
    position = scene.good.position
    said = shown(analyst.get(HOME, params={"on": scene.day, "as_of": str(position)}))
    assert f"日志位置 {position}" in said and re.search(r"上报量 1件", said)


def test_what_cannot_be_asked_is_told_at_its_field_and_stays(analyst: httpx.Client) -> None:
    for query, says_ in (
        ({"as_of": "昨天"}, "应为日期或带时区的时间"),
        ({"as_of": "2999-01-01"}, "不能晚于现在"),
        ({"as_of": "999999999"}, "日志中没有这个位置"),
        ({"as_of": "2020-01-01"}, "所选时段还没有开始"),
    ):
        page = analyst.get(HOME, params=query)
        assert says_ in shown(page, 422)
        assert 'href="#f-as_of"' in page.text and f'value="{query["as_of"]}"' in page.text
    assert "这个时段还没有到" in shown(analyst.get(HOME, params={"on": "2099-01-01"}), 422)
    assert "应为日期" in shown(analyst.get(HOME, params={"on": "2026-99-99"}), 422)
    assert "请从列表中选择" in shown(analyst.get(HOME, params={"street": "x"}), 422)
    assert "请从日、周" in shown(analyst.get(HOME, params={"period": "year"}), 422)


def test_a_time_before_everything_is_empty_and_says_what_to_do(analyst: httpx.Client) -> None:
    said = shown(analyst.get(HOME, params={"on": "2020-01-01"}))
    assert "还没有案件" in said and "时段内没有立案" in said and "没有超期的案件" in said


@pytest.mark.parametrize("period", ["day", "week", "quarter"])
def test_every_length_of_period_can_be_chosen(
    scene: Scene, analyst: httpx.Client, period: str
) -> None:
    query = {"period": period, "on": scene.day, "street": ZHONGGUANCUN, "indicator": "P10"}
    said = shown(analyst.get(HOME, params=query))
    narrowed = {"street": ZHONGGUANCUN, "indicator": "P10"}
    [told] = scene.analyst.get(
        "/measures/handled_in_time", period=period, **{"from": scene.day}, **narrowed
    ).json()["figures"]
    assert f"{told['numerator']:.0f} ÷ {told['denominator']}" in said


# 指标、案件 --------------------------------------------------------------------------------


def test_a_measure_is_told_in_all_its_ways_of_counting(scene: Scene, analyst: httpx.Client) -> None:
    page = analyst.get(f"{HOME}/measures/handled_in_time", params={"on": scene.day})
    said = shown(page)
    for variant in CATALOGUE["handled_in_time"].variants.values():
        assert variant.title in said
    assert "95%区间" in said and "1 ÷ 3" in said and "未计入的 2" in said
    every = shown(analyst.get(f"{HOME}/measures", params={"on": scene.day}))
    assert all(of.title in every and words.formula(of) in every for of in CATALOGUE.values())
    density = shown(analyst.get(f"{HOME}/measures/reports", params={"on": scene.day}))
    assert "每平方千米" in density
    for by in ("indicator", "place_kind", "channel", "stage", "outcome", "cell", "code"):
        shown(analyst.get(f"{HOME}/measures/reports", params={"on": scene.day, "by": by}))
    says(analyst.get(f"{HOME}/measures/nothing"), 404, "没有这个指标口径")
    says(analyst.get(f"{HOME}/measures/closed", params={"variant": "odd"}), 422, "没有这种口径")


def test_the_table_of_a_measure_is_a_file_with_the_figures_of_the_api(
    scene: Scene, analyst: httpx.Client
) -> None:
    query = {"on": scene.day, "form": "csv"}
    answer = analyst.get(f"{HOME}/measures/handled_in_time", params=query)
    assert "attachment" in answer.headers["content-disposition"]
    whole, own, *_ = lines(answer)
    [told] = scene.analyst.get(
        "/measures/handled_in_time", **{"from": scene.day, "by": "street"}
    ).json()["figures"]
    assert (own["key"], own["value"]) == (told["key"], str(told["value"]))
    assert (own["numerator"], own["denominator"]) == ("1.0", "3")
    assert own["rank"] == "" and whole["key_name"] == "合计"
    assert 0 < int(own["position"]) <= scene.read_to()


def test_a_number_leads_to_the_very_cases_it_counts(scene: Scene, analyst: httpx.Client) -> None:
    page = analyst.get(f"{HOME}/measures/handled_in_time", params={"on": scene.day})
    found = re.search(r'href="([^"]+part=numerator[^"]*)"', page.text)
    assert found
    behind = analyst.get(unescape(found[1]))
    numbers = re.findall(r'href="/cases/(HD\d+)\?back=', behind.text)
    assert numbers == [scene.good.number] and "共1件" in shown(behind)
    rest = analyst.get(
        f"{HOME}/cases", params={"measure": "handled_in_time", "part": "rest", "on": scene.day}
    )
    assert set(re.findall(r"/cases/(HD\d+)\?", rest.text)) == {
        scene.late.number, scene.waits.number,
    }  # fmt: skip
    case = analyst.get(f"/cases/{scene.good.number}", params={"back": HOME})
    says(case, 200, f'<a class="button" href="{HOME}">返回列表</a>')
    assert "act-" not in case.text, "an analyst looks and changes nothing"


def test_many_cases_come_in_pages_and_as_one_file(scene: Scene, analyst: httpx.Client) -> None:
    query = {"measure": "reports", "on": scene.day}
    first = analyst.get(f"{HOME}/cases", params=query)
    following = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert following
    second = analyst.get(unescape(following[1]))
    pages = [re.findall(r"/cases/(HD\d+)\?back", page.text) for page in (first, second)]
    told = scene.analyst.get("/measures/reports/cases", limit=500, **{"from": scene.day}).json()
    assert [len(page) for page in pages] == [PAGE, told["total"] - PAGE]
    assert [number for page in pages for number in page] == [r["number"] for r in told["rows"]]
    assert "没有这一页" in shown(analyst.get(f"{HOME}/cases", params={**query, "page": 9}))
    file = lines(analyst.get(f"{HOME}/cases", params={**query, "form": "csv"}))
    assert [row["number"] for row in file] == [row["number"] for row in told["rows"]]
    undecided = {**query, "by": "indicator", "key": "-"}
    page = analyst.get(f"{HOME}/cases", params=undecided)
    assert f"共{len(scene.new)}件" in shown(page) and "指标：未定" in page.text
    says(analyst.get(f"{HOME}/cases"), 404, "没有这个指标口径")
    says(
        analyst.get(f"{HOME}/cases", params={**query, "by": "cell", "key": "x"}),
        404,
        "没有这个网格",
    )


# 导出 --------------------------------------------------------------------------------------


def test_cases_are_exported_with_the_columns_chosen(scene: Scene, analyst: httpx.Client) -> None:
    form = shown(analyst.get(f"{HOME}/export"))
    assert "字段" in form and "XLSX" in form
    asked = {"form": "csv", "field": ["number", "street_name"], "from": scene.day}
    answer = analyst.get(f"{HOME}/export/file", params=asked)
    rows = lines(answer)
    assert list(rows[0]) == ["number", "street_name"]
    assert len(rows) == len(scene.new) + 3
    with_words = analyst.get(f"{HOME}/export/file", params={**asked, "text": "yes"})
    assert list(lines(with_words)[0]) == ["number", "street_name", "text"]
    book = analyst.get(f"{HOME}/export/file", params={"form": "xlsx", "indicator": "P10"})
    assert load_workbook(io.BytesIO(book.content))["案件"].max_row == 4
    for form_ in ("parquet", "geoparquet"):
        file = analyst.get(f"{HOME}/export/file", params={"form": form_})
        assert file.content[:4] == b"PAR1"
    wrong = {"form": "csv", "from": "2026-05-02", "to": "2026-05-01", "field": "number"}
    refused = analyst.get(f"{HOME}/export/file", params=wrong)
    assert "结束日期不能早于开始日期" in shown(refused, 422)
    assert 'value="2026-05-02"' in refused.text and 'value="number" checked' in refused.text
    told = analyst.get(f"{HOME}/export/file", params=wrong, headers={"Accept": "application/json"})
    is_problem(told, 422, "bad-parameter")


def test_a_street_exports_its_own_and_sees_no_measures(
    scene: Scene, opens: Callable[..., httpx.Client]
) -> None:
    lead = opens(Role.STREET_LEAD, street=ZHONGGUANCUN)
    led = lead.get(HOME)
    assert (led.status_code, led.headers["location"]) == (303, f"{HOME}/export")
    page = lead.get(f"{HOME}/export")
    assert "您可导出本街镇已派遣的案件" in shown(page) and 'value="channel"' not in page.text
    rows = lines(lead.get(f"{HOME}/export/file", params={"form": "csv"}))
    assert {row["number"] for row in rows} == {
        each.number for each in (scene.good, scene.late, scene.waits)
    }
    other = opens(Role.STREET_LEAD, street=XUEYUANLU)
    assert lines(other.get(f"{HOME}/export/file", params={"form": "csv"})) == []
    stolen = {"form": "csv", "street": ZHONGGUANCUN}
    assert other.get(f"{HOME}/export/file", params=stolen).status_code == 403
    for path in ("/measures", "/measures/closed", "/cases", "/documents", "/dry-run"):
        assert lead.get(f"{HOME}{path}").status_code == 403, path


def test_who_has_no_part_in_it_is_kept_out(
    scene: Scene, opens: Callable[..., httpx.Client]
) -> None:
    reviewer = opens(Role.REVIEWER)
    for path in ("", "/measures", "/cases", "/export", "/documents", "/dry-run", "/sealed/2026-04"):
        assert reviewer.get(f"{HOME}{path}").status_code == 403, path
    assert "数据分析" not in reviewer.get("/search").text
    with client_of(scene.town) as nobody:
        led = nobody.get(HOME)
    assert (led.status_code, led.headers["location"]) == (303, f"/sign-in?next={HOME}")


# 报告、封存 --------------------------------------------------------------------------------


def test_reports_are_offered_by_role_and_made(
    scene: Scene, analyst: httpx.Client, opens: Callable[..., httpx.Client]
) -> None:
    page = analyst.get(f"{HOME}/documents")
    said = shown(page)
    for name in ("周报", "数据分析月报", "用户行为分析季报", "工作日志", "全区周一专页"):
        assert name in said
    assert "巡检记录" not in said and "还没有结束" in said
    file = {"report": "monthly", "form": "csv", "on": scene.day}
    answer = analyst.get(f"{HOME}/documents/file", params=file)
    assert answer.headers["content-type"].startswith("text/csv") and "按期处置率" in answer.text
    api = scene.analyst.get(f"/documents/monthly/{scene.month}.csv")
    assert answer.content.count(b"\n") == api.content.count(b"\n")
    wrong = analyst.get(f"{HOME}/documents/file", params={"report": "weekly", "on": "x"})
    assert "应为日期" in shown(wrong, 422)
    early = {"report": "weekly", "form": "csv", "on": "2099-01-01"}
    assert analyst.get(f"{HOME}/documents/file", params=early).status_code == 422
    shifts = {"report": "shifts", "form": "csv", "on": scene.day}
    assert analyst.get(f"{HOME}/documents/file", params=shifts).status_code == 403
    auditor = opens(Role.AUDITOR)
    theirs = auditor.get(f"{HOME}/documents")
    assert "巡检记录" in shown(theirs) and "周报" not in shown(theirs)
    assert f'<a href="{HOME}/documents" aria-current="page">报告</a>' in theirs.text
    rows = opens(Role.AUDITOR)
    made = rows.get(
        f"{HOME}/documents/file", params={"report": "inspection", "form": "csv", "on": scene.day}
    )
    assert made.headers["content-type"].startswith("text/csv")


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the last form that posts to this desk."""
    form = re.findall(rf'<form method="post" action="{HOME}.*?</form>', page, re.DOTALL)[-1]
    return dict(re.findall(r'<input type="hidden" name="([a-z_.]+)" value="([^"]*)">', form))


# 试算 --------------------------------------------------------------------------------------


def tried(client: httpx.Client, town: Town, form: dict[str, str]) -> httpx.Response:
    page = client.get(f"{HOME}/dry-run", params={"indicator": form.get("indicator", "")})
    given = {"token": token_on(page.text), **form}
    return client.post(f"{HOME}/dry-run", data=given, headers=origin(town))


def test_another_limit_is_tried_out_and_what_was_typed_stays(
    scene: Scene, analyst: httpx.Client
) -> None:
    references = scene.town.parts.casework.references
    before = scene.town.version_of(scene.good), references.head
    over = {"first": f"{scene.month}-01", "last": scene.day}
    form = {
        "what": "indicator", "indicator": "P10", **over,
        "limit.P10-1.amount": "1", "limit.P10-1.unit": "duty_hour",
        "limit.P10-2.amount": "10", "limit.P10-2.unit": "duty_minute",
    }  # fmt: skip
    page = tried(analyst, scene.town, form)
    said = shown(page)
    catalogue = scene.town.parts.casework.references.rules_at(scene.town.clock()).catalogue
    assert "结果：指标 P10" in said and catalogue.indicators["P10"].name in said
    told = scene.analyst.get("/measures/handled_in_time/cases", **{"from": scene.day}).json()
    assert re.search(rf"处置次数 {told['total']} ", said)
    assert re.search(r"超期 2 3 \+1", said), "10 minutes: the good one would be late too"
    assert scene.good.number in said
    assert 'name="limit.P10-2.amount"' in page.text and 'value="10"' in page.text
    for amount in ("0", "很多", ""):
        refused = tried(analyst, scene.town, {**form, "limit.P10-2.amount": amount})
        shown(refused, 422)
        assert 'role="alert"' in refused.text
    assert "颠倒" in shown(
        tried(analyst, scene.town, {**form, "first": scene.day, "last": "2026-01-01"}), 422
    )
    assert "没有找到该指标" in shown(tried(analyst, scene.town, {**form, "indicator": "Z99"}), 404)
    assert (scene.town.version_of(scene.good), references.head) == before, "nothing was changed"


def test_other_windows_and_waiting_changes_are_tried_out(
    scene: Scene, opens: Callable[..., httpx.Client]
) -> None:
    town, office = scene.town, opens(Role.SYSADMIN)
    home = office.get(f"{HOME}/dry-run")
    assert f'<a href="{HOME}/dry-run" aria-current="page">试算</a>' in home.text
    assert "没有待确认的变更" in shown(home)
    assert office.get(f"{HOME}/measures").status_code == 403
    over = {"first": f"{scene.month}-01", "last": scene.day}
    day = {"what": "calendar", **over, "duty.0.opens": "09:00", "duty.0.closes": "09:40",
           "working.0.opens": "09:00", "working.0.closes": "12:00"}  # fmt: skip
    page = tried(office, town, day)
    assert "总的结果" in shown(page) and 'value="09:40"' in page.text
    assert scene.good.number in page.text or "不再超期的案件" in page.text
    assert f"/cases/{scene.good.number}" not in page.text, "an administrator sees no cases"
    shown(tried(office, town, {**day, "duty.0.closes": "08:00"}), 422)
    told = town.staff("系统甲", Role.SYSADMIN)
    indicator = told.get("/indicators").json()
    (p10,) = (each for each in indicator["indicators"] if each["code"] == "P10")
    proposed = told.post(
        "/indicators/P10/revise",
        {
            "indicator": {
                "name": p10["name"], "group": p10["group"],
                "conditions": [
                    {"id": row["id"], "condition": row["condition"], "standard": row["standard"],
                     "limit": {"amount": 5, "unit": "duty_minute"}}
                    for row in p10["conditions"]
                ],
            },
            "effective_from": f"{town.clock() + timedelta(days=30):%Y-%m-%dT%H:%M:%S}+00:00",
            "reason": "试一试五分钟行不行。",
        },
    )  # fmt: skip
    assert proposed.status_code == 202, proposed.text
    number = str(proposed.json()["id"])
    waiting = office.get(f"{HOME}/dry-run")
    assert f'<option value="{number}"' in waiting.text
    page = tried(office, town, {"what": "change", "change": number, **over})
    assert re.search(r"超期 2 3 \+1", shown(page))
    assert "没有找到该变更" in shown(tried(office, town, {"what": "change", "change": "99"}), 404)


# Last, for it moves the clock into the next month.


def test_a_month_is_sealed_in_two_steps_and_corrections_stand_beside_it(
    scene: Scene, opens: Callable[..., httpx.Client]
) -> None:
    town, month = scene.town, scene.month
    early = opens(Role.SUPERVISOR).get(f"{HOME}/sealed/{month}")
    assert "还没有结束" in shown(early) and "第二步" not in early.text
    town.forward(days=33 - town.clock().astimezone(SHANGHAI).day)
    town.reviewer.act(scene.new[0], "register", "dispatched", indicator="P10", condition="P10-2")
    # A month is longer than a session.
    names = [f"封存{uuid4().hex[:6]}" for _ in range(2)]
    seated = []
    for name, role in zip(names, (Role.SUPERVISOR, Role.ANALYST), strict=True):
        seated.append(client_of(town))
        sits_down(town, seated[-1], name, role)
    supervisor, analyst = seated
    path = f"{HOME}/sealed/{month}"
    assert "督办员也可以办理" in shown(analyst.get(path))
    assert "核对并封存" in shown(supervisor.get(f"{HOME}/documents"))
    form = hidden(supervisor.get(path).text)
    unseen = supervisor.post(path, data={**form, "typed": month}, headers=origin(town))
    assert "请先核对" in shown(unseen, 422)
    mistyped = {**form, "seen": "yes", "typed": "2026-01"}
    assert "以确认" in shown(supervisor.post(path, data=mistyped, headers=origin(town)), 422)
    confirmed = {**form, "seen": "yes", "typed": month}
    stranger = analyst.post(path, data=confirmed, headers=origin(town))
    assert stranger.status_code in {400, 403}
    done = supervisor.post(path, data=confirmed, headers=origin(town))
    assert (done.status_code, done.headers["location"]) == (303, path), done.text
    assert supervisor.post(path, data=confirmed, headers=origin(town)).status_code == 303, "once"
    page = supervisor.get(path)
    says(page, 200, "已封存")
    again = supervisor.post(path, data={**confirmed, "key": str(uuid4())}, headers=origin(town))
    assert "已经封存" in shown(again, 409)
    told = town.staff("分析乙", Role.ANALYST).get(f"/measures/sealed/{month}").json()
    said = shown(analyst.get(path))
    assert f"之后的更正（{len(told['restated'])}项）" in said
    assert "读取已封存的数" in shown(analyst.get(HOME, params={"on": scene.day}))
    assert "已封存" in shown(analyst.get(f"{HOME}/documents"))
    for client in seated:
        client.close()
