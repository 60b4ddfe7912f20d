"""Pages: templates in which every value is escaped, in the reader's language. They need no script and load nothing."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from rolecall.domain.directories.colours import DEFAULT, text_on
from rolecall.domain.directories.model import UserStore
from rolecall.signin.messages import MESSAGES
from rolecall.values import Language, Reply
from rolecall.web import replies

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "style.css").read_text("utf-8")

_environment = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    auto_reload=False,
)


@functools.lru_cache(maxsize=256)
def _style(colour: str) -> tuple[str, str]:
    """The style of pages in that colour, and its hash, by which their policy permits it."""
    text = f":root{{--brand:{colour};--brand-text:{text_on(colour)}}}\n{_STYLE}"
    return text, base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def translate(language: Language, key: str, **values: object) -> str:
    return MESSAGES[language][key].format(**values)


def page(
    template: str,
    language: Language,
    *,
    status: int = 200,
    message: str = "",
    leads_on: bool = False,
    headers: replies.Headers = (),
    code: str = "",
    store: UserStore | None = None,
    **values: object,
) -> Reply:
    """`message` is text to show at the top, already translated. The page has the name and the colour of `store`."""
    colour = store.colour if store is not None and store.colour else DEFAULT
    style, style_hash = _style(colour)
    html = _environment.get_template(f"{template}.html").render(
        translate=lambda key, **facts: translate(language, key, **facts),
        language=language.value,
        style=Markup(style),  # noqa: S704 - this repository's own, and a colour that the store checks
        brand="" if store is None else store.name,
        message=message,
        **values,
    )
    return replies.page(status, html, style_hash=style_hash, leads_on=leads_on, headers=headers, code=code)


def error(language: Language, status: int, key: str, headers: replies.Headers = (), **facts: object) -> Reply:
    return page(
        "error", language, status=status, message=translate(language, key, **facts), headers=headers, code=key
    )


def wrong_method(language: Language, methods: Sequence[str]) -> Reply:
    return error(language, 405, "wrong_method", (("allow", ", ".join(methods)),))
