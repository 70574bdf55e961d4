"""A browser of one person over plain HTTP: what it is shown, the forms on it, what it posts."""

import re
from dataclasses import dataclass

import httpx

from tests.api.client import PASSWORD, Town

HEADERS = {"Accept": "text/html,application/xhtml+xml"}


@dataclass
class Browsing:
    """Somebody at a browser that follows nothing by itself."""

    town: Town
    http: httpx.Client

    def open(self, path: str, status: int = 200) -> str:
        """The page at a path."""
        answer = self.http.get(path)
        assert answer.status_code == status, (
            f"{path}: {answer.status_code}: {words_of(answer.text)}"
        )
        return answer.text

    def post(self, path: str, form: dict[str, str | list[str]]) -> httpx.Response:
        """Post a form as our own page does."""
        origin = str(self.town.http.base_url).rstrip("/")
        return self.http.post(path, data=form, headers={"Origin": origin})

    def sign_in(self, name: str) -> None:
        """Sign in by the form."""
        answer = self.post("/sign-in", {"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text

    def send(self, page: str, path: str, **fields: str | list[str]) -> httpx.Response:
        """Fill in the form on a page that is posted to `path`, and send it.

        Fields are given with `__` where their name has a dot.
        """
        given = {name.replace("__", "."): value for name, value in fields.items()}
        return self.post(path, {**hidden(page, path), **given})

    def done(self, page: str, path: str, **fields: str | list[str]) -> str:
        """The same, taken in; the page that one is led on to."""
        answer = self.send(page, path, **fields)
        assert answer.status_code == 303, answer.text
        return self.open(answer.headers["location"])


def hidden(page: str, path: str) -> dict[str, str | list[str]]:
    """The hidden fields of the form on a page that is posted to a path."""
    found = re.search(rf'<form[^>]*action="{re.escape(path)}".*?</form>', page, re.DOTALL)
    assert found, f"no form to {path}"
    return dict(re.findall(r'<input type="hidden" name="([a-z_.]+)" value="([^"]*)">', found[0]))


def words_of(page: str) -> str:
    """What a person reads on a page."""
    main = re.search(r"<main.*</main>", page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", main[0] if main else page).split())[:600]
