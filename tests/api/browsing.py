"""A browser without a script: what it is shown, the forms on it, what it posts.

Follows nothing by itself, keeps cookies, and reads each page as a person and a validator would.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import uuid4

import httpx

from api.accounts.principal import Channel, PrincipalKind
from api.pages.visitors import COOKIE
from casework.model import Role
from tests.api.client import PASSWORD, Town

ACCEPTS = {"Accept": "text/html,application/xhtml+xml"}

Fields = dict[str, str | list[str]]


def client_of(town: Town) -> httpx.Client:
    """The connection of a new browser."""
    return httpx.Client(base_url=town.http.base_url, headers=ACCEPTS, timeout=30)


def origin(town: Town) -> dict[str, str]:
    """What a browser says of the page that a form stood on."""
    return {"Origin": str(town.http.base_url).rstrip("/")}


class Browser:
    """A browser, and whoever is signed in there."""

    def __init__(self, town: Town, http: httpx.Client) -> None:
        self.town = town
        self.http = http

    def get(self, path: str, **query: str) -> httpx.Response:
        """What is answered, once the views have all that has happened."""
        head = self.town.parts.casework.eventlog.head()
        self.town.reviewer.get("/cases", after=head, limit=1)
        return self.http.get(path, params=query or None)

    def page(self, path: str, status: int = 200, **query: str) -> str:
        """The text of a page that holds together."""
        answer = self.get(path, **query)
        assert answer.status_code == status, (
            f"{path}: {answer.status_code}: {words_of(answer.text)}"
        )
        holds_together(answer)
        return answer.text

    def post(
        self,
        path: str,
        form: Mapping[str, object],
        headers: Mapping[str, str] | None = None,
        **files: tuple[str, bytes, str],
    ) -> httpx.Response:
        """Post a form as our own page does."""
        said = origin(self.town) | dict(headers or {})
        return self.http.post(path, data=dict(form), files=files or None, headers=said)

    def send(self, page: str, path: str, **fields: object) -> httpx.Response:
        """Fill in the form on a page that is posted to `path`, and send it.

        Fields are given with `__` where their name has a dot.
        """
        given = {name.replace("__", "."): value for name, value in fields.items()}
        return self.post(path, {**form_to(page, path), **given})

    def done(self, page: str, path: str, **fields: object) -> str:
        """The same, taken in; the page that one is led on to."""
        answer = self.send(page, path, **fields)
        assert answer.status_code == 303, answer.text
        return self.page(answer.headers["location"])


@contextmanager
def browsing(
    town: Town, *roles: Role, street: str | None = None, name: str = ""
) -> Iterator[Browser]:
    """The browser of somebody in these roles, new without a name; without any role, of nobody."""
    with client_of(town) as http:
        if roles:
            sits_down(town, http, name or f"{roles[0]}{uuid4().hex[:8]}", *roles, street=street)
        yield Browser(town, http)


def sits_down(
    town: Town, http: httpx.Client, name: str, *roles: Role, street: str | None = None
) -> None:
    """Let somebody be signed in at a browser, as the form for signing in would.

    What argon2 costs is the affair of the tests of that form.
    """
    account = town.staff(name, *roles, street=street).account
    assert account is not None
    with town.parts.desk.write() as connection:
        session = town.parts.sessions.open(
            connection, account, PrincipalKind.STAFF, Channel.PAGE, uuid4(), town.clock()
        )
    http.cookies.set(COOKIE, session.value)


def signed_in(town: Town, http: httpx.Client, name: str, next_: str = "/") -> httpx.Response:
    """Sign in by the form."""
    form = {"name": name, "password": PASSWORD, "next": next_}
    return http.post("/sign-in", data=form, headers=origin(town))


# what is read on a page ------------------------------------------------------------------


def holds_together(answer: httpx.Response) -> None:
    """What every page says about itself."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert "script-src 'self';" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<script>" not in answer.text and not re.search(r"\sstyle=", answer.text)
    assert '<html lang="zh-CN" class="scale-' in answer.text
    assert len(re.findall(r"<h1[ >]", answer.text)) == 1


def says(answer: httpx.Response, status: int, words: str) -> None:
    """The answer is a page for people that says this."""
    assert answer.status_code == status, answer.text
    holds_together(answer)
    assert words in answer.text


def form_to(page: str, path: str) -> dict[str, str]:
    """The hidden fields of the first form on a page that is posted to a path."""
    return _hidden(page, rf'action="{re.escape(path)}"')


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form of an action on a case's page."""
    return _hidden(page, f'id="act-{action}"')


def _hidden(page: str, mark: str) -> dict[str, str]:
    found = re.search(rf"<form[^>]*{mark}.*?</form>", page, re.DOTALL)
    assert found, f"no form {mark}"
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[0]))


def token_on(page: str) -> str:
    """What proves that a form was filled in on a page of this session."""
    found = re.search(r'name="token" value="([0-9a-f]+)"', page)
    assert found, "no form of a session"
    return found[1]


def part(page: str, key: str) -> str:
    """The section of a page whose heading has this id."""
    found = re.search(rf'aria-labelledby="{key}">.*?</section>', page, re.DOTALL)
    assert found, f"no section {key}"
    return found[0]


def words_of(page: str) -> str:
    """The first words that a person reads on a page."""
    main = re.search(r"<main.*</main>", page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", main[0] if main else page).split())[:600]
