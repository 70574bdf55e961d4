"""What tests of pages share: a browser without a script, its forms, what every page must say."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx

from casework.model import Role
from tests.api.client import PASSWORD, Town

ACCEPTS = {"Accept": "text/html,application/xhtml+xml"}


class Browser:
    """A browser without a script: keeps cookies, follows nothing, posts as from a page."""

    def __init__(self, town: Town, client: httpx.Client) -> None:
        self.town = town
        self.client = client
        self.origin = {"Origin": str(town.http.base_url).rstrip("/")}

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.client.get(path, params=query or None)

    def post(
        self, path: str, form: dict[str, str], **files: tuple[str, bytes, str]
    ) -> httpx.Response:
        return self.client.post(path, data=form, files=files or None, headers=self.origin)

    def page(self, path: str, status: int = 200, **query: str) -> str:
        """The text of a page that holds together, once the views have all that has happened."""
        head = self.town.parts.casework.eventlog.head()
        self.town.reviewer.get("/cases", after=head, limit=1)
        answer = self.get(path, **query)
        assert answer.status_code == status, answer.text
        holds_together(answer)
        return answer.text


@contextmanager
def browsing(town: Town, *roles: Role, street: str | None = None) -> Iterator[Browser]:
    """The browser of somebody new in these roles; without any, of nobody."""
    with httpx.Client(base_url=town.http.base_url, headers=ACCEPTS, timeout=30) as client:
        browser = Browser(town, client)
        if roles:
            name = f"{roles[0]}{uuid4().hex[:8]}"
            town.staff(name, *roles, street=street)
            form = {"name": name, "password": PASSWORD, "next": "/"}
            assert browser.post("/sign-in", form).status_code == 303
        yield browser


def holds_together(answer: httpx.Response) -> None:
    """What every page says about itself."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "<script>" not in answer.text and not re.search(r"\sstyle=", answer.text)
    assert len(re.findall(r"<h1[ >]", answer.text)) == 1


def form_to(page: str, path: str) -> dict[str, str]:
    """The hidden fields of the first form that is posted to a path."""
    found = re.search(rf'<form[^>]*action="{re.escape(path)}".*?</form>', page, re.DOTALL)
    assert found, f"no form to {path}"
    return dict(re.findall(r'<input type="hidden" name="([a-z_.]+)" value="([^"]*)">', found[0]))


def part(page: str, key: str) -> str:
    """The section of a page whose heading has this id."""
    found = re.search(rf'aria-labelledby="{key}">.*?</section>', page, re.DOTALL)
    assert found, f"no section {key}"
    return found[0]
