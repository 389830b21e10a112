"""The payer at their wallet, as a browser sees it: links, cookies and one form."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

MOST_REDIRECTS = 10


@dataclass(slots=True)
class Form:
    """The form of a page: where it goes, its hidden fields and the buttons to send it with."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)  # value: name


class Browser:
    """Follows redirects with a cookie jar. `visited` is every address it asked for, in order."""

    def __init__(self) -> None:
        self.visited: list[str] = []
        self._http = httpx.Client(timeout=20, trust_env=False)

    def open(self, url: str) -> httpx.Response:
        """Open an address and come to the page it leads to."""
        return self._follow(self._http.build_request("GET", url), stop_before="\n")

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def press(self, page: httpx.Response, button: str, *, stop_before: str) -> str:
        """Send the form of `page` with the button of this value; return where that led.

        Redirects are followed until one leads to an address that starts with `stop_before`.
        """
        form = _form(page)
        data = {**form.fields, form.buttons[button]: button}
        request = self._http.build_request("POST", form.action, data=data)
        return str(self._follow(request, stop_before=stop_before).url)

    def _follow(self, request: httpx.Request, *, stop_before: str) -> httpx.Response:
        for _ in range(MOST_REDIRECTS):
            self.visited.append(str(request.url))
            answer = self._http.send(request)
            if not answer.is_redirect:
                answer.raise_for_status()
                return answer
            target = urljoin(str(request.url), answer.headers["location"])
            request = self._http.build_request("GET", target)
            if target.startswith(stop_before):
                self.visited.append(target)
                return httpx.Response(200, request=request)
        raise httpx.TooManyRedirects(f"Gave up at {request.url}.")


def _form(page: httpx.Response) -> Form:
    reader = _FormReader()
    reader.feed(page.text)
    assert reader.form.buttons, f"no form at {page.url}"
    reader.form.action = urljoin(str(page.url), reader.form.action)
    return reader.form


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.form = Form()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.form.action = found.get("action", "")
        elif tag == "input" and found.get("type") == "hidden":
            self.form.fields[found["name"]] = found.get("value", "")
        elif tag == "button" and "name" in found:
            self.form.buttons[found.get("value", "")] = found["name"]
