"""A page as a browser without JavaScript has it: its buttons can be pressed, and send what their form holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.test import Client


@dataclass
class Button:
    """name is what a screen reader says: the label if there is one, else the text."""

    attributes: dict[str, str]
    form: str | None
    name: str = ""


@dataclass
class Page(HTMLParser):
    """GET url with this client, or what a response shows there; press sends a button's form, like a click."""

    client: Client
    url: str
    response: Any = None
    html: str = ""
    forms: dict[str, dict[str, Any]] = field(default_factory=dict)
    buttons: list[Button] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._forms: list[str] = []
        self._button: Button | None = None
        self._area: tuple[str, str] | None = None
        self.response = self.response or self.client.get(self.url)
        self.html = self.response.content.decode()
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            key = attributes.get("id", f"form-{len(self.forms)}")
            self.forms[key] = {"action": attributes.get("action") or self.url, "fields": []}
            self._forms.append(key)
        form = attributes.get("form") or (self._forms[-1] if self._forms else None)
        if tag == "button":
            self._button = Button(attributes, form, attributes.get("aria-label", ""))
            self.buttons.append(self._button)
        if tag == "textarea" and form:
            self._area = (form, attributes["name"])
            self.forms[form]["fields"].append((attributes["name"], ""))
        unsent = {"checkbox", "radio"} if "checked" not in attributes else set()
        if tag == "input" and form and attributes.get("name") and attributes.get("type") not in unsent:
            self.forms[form]["fields"].append((attributes["name"], attributes.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._area:
            form, name = self._area
            _, before = self.forms[form]["fields"].pop()
            self.forms[form]["fields"].append((name, before + data if before else data.removeprefix("\n")))
        if self._button and "aria-label" not in self._button.attributes:
            self._button.name = " ".join(f"{self._button.name} {data}".split())

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._forms.pop()
        if tag == "button":
            self._button = None
        if tag == "textarea":
            self._area = None

    def button(self, name: str) -> Button:
        """The only button that can be pressed and whose name starts like this."""
        found = [each for each in self.buttons if each.name.startswith(name) and "disabled" not in each.attributes]
        assert len(found) == 1, f"{name!r} names {len(found)} of {[each.name for each in self.buttons]}"
        return found[0]

    def press(self, name: str, *, follow: bool = False, **changes: Any) -> Any:
        """The response to pressing a button; changes are what the person ticked or wrote before."""
        button = self.button(name)
        assert button.form, f"{name!r} belongs to no form"
        form = self.forms[button.form]
        data: dict[str, Any] = {}
        for key, value in form["fields"]:
            data.setdefault(key, []).append(value)
        data |= changes
        if button.attributes.get("name"):
            data[button.attributes["name"]] = button.attributes.get("value", "")
        return self.client.post(button.attributes.get("formaction") or form["action"], data, follow=follow)


def messages(response: Any) -> list[str]:
    """What the page after a button says, with its markup."""
    return [str(message) for message in response.context["messages"]]
