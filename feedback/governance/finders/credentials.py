"""Keys, tokens, passwords and other things that open a door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from feedback.governance.finders.reading import Span

_SHAPES: Final = re.compile(
    r"""(?<![A-Za-z0-9])(?:
        (?:AKIA|ASIA)[A-Z0-9]{16}                                              # AWS
      | gh[pousr]_[A-Za-z0-9]{20,255} | github_pat_\w{20,255} | glpat-[\w-]{20,255}
      | sk-(?=[\w-]{0,200}\d)[\w-]{20,255}                                      # OpenAI and those who follow it
      | xox[abeoprs]-[\w-]{10,255} | xapp-[\w-]{10,255}                         # Slack
      | (?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,255} | whsec_[\w+/=]{20,255}  # Stripe
      | AIza[\w-]{35} | ya29\.[\w-]{20,255} | GOCSPX-[\w-]{20,255}              # Google
      | npm_[A-Za-z0-9]{36} | pypi-[\w-]{30,255} | hf_[A-Za-z0-9]{30,255}
      | SG\.[\w-]{16,64}\.[\w-]{16,128} | key-[0-9a-f]{32}                      # SendGrid, Mailgun
      | shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32} | do[opr]_v1_[0-9a-f]{64}            # Shopify, DigitalOcean
      | \d{8,10}:AA[\w-]{33}                                                    # Telegram
      | eyJ[\w-]{8,4000}\.eyJ[\w-]{4,4000}\.[\w-]{0,4000}                       # JSON web tokens
    )"""
    r"|(?<=hooks\.slack\.com/services/)[\w/]{20,255}|(?<=/api/webhooks/)\d{10,30}/[\w-]{20,255}"
    r"|-----BEGIN[ A-Z0-9]{0,40}PRIVATE\ KEY-----[^\ufffc]*?(?:-----END[ A-Z0-9]{0,40}PRIVATE\ KEY-----|(?=\ufffc)|\Z)",
    re.VERBOSE,
)
_USERINFO: Final = re.compile(r"(?<=://)[^\s/?#:\"'<>\ufffc]{0,100}:[^\s/?#\"'<>\ufffc]{1,200}@")
_SCHEME: Final = re.compile(r"(?<![^\W_])(?:Bearer|Basic)\s{1,3}([\w.~+/=-]{8,4000})", re.IGNORECASE)
_COMMAND_LINE: Final = re.compile(
    r"(?<!\S)--(?:password|token|secret|api-key)\s+([^\s\"'<\[{$\ufffc-][^\s\"'\ufffc]{3,200})"
)

_PASSWORDS: Final = (
    r"(?:user|db|admin|root)?pass(?:word|wd|wort|phrase)|pass|pwd?|kennwort|mot\sde\spasse|mdp|contrase[ñn]a|clave|senha"
    r"|wachtwoord|parola(?:\sd'ordine)?|has[łl]o|пароль"
)
_TOKENS: Final = (
    r"(?:api|access|secret|private|account|auth|subscription|shared\s?access|encryption|signing)[\s_-]?(?:access[\s_-]?)?key"
    r"|(?:client|app|consumer|shared)?[\s_-]?secret|(?:(?:access|auth|refresh|id|bearer|csrf|session)[\s_-]?)?token"
    r"|(?:php|j)?sess(?:ion)?(?:[\s_-]?id)?|sid|jwt"
)
_ASSIGNED: Final = re.compile(
    rf"""(?<![^\W_])(?:(?P<password>{_PASSWORDS})|(?P<token>{_TOKENS})|(?P<pin>pin(?:[\s-]?code)?))(?![^\W_])["']?
        (?:\s{{0,2}}(?P<equals>:=|=>|=)\s{{0,2}}|(?P<colon>\s{{0,2}}:\s{{0,3}}|\s-\s|\s\()
          |\s(?P<verb>is|was|ist|lautet|est|es|era|è|é|jest)(?:(?P<pause>\s?:\s{{0,3}})|\s{{1,2}}))
        (?:"(?P<quoted>[^"\n\ufffc]{{3,200}})"|'(?P<single>[^'\n\ufffc]{{3,200}})'|(?P<bare>[^\s"'<>;,&\ufffc]{{3,500}}))""",
    re.IGNORECASE | re.VERBOSE,
)
_TRIED: Final = re.compile(
    rf"(?<![^\W_])(?:my|mein|mon|mi|with|mit|avec|con|tried|typed|entered|us(?:e|ed|ing))\s(?:(?:the|this|my|dem)\s)?"
    rf"(?:{_PASSWORDS})\s(?:[\"“„«](?P<quoted>[^\"”“»\n\ufffc]{{3,100}})[\"”“»]|(?P<bare>[^\s\"'“„«<>,;\ufffc]{{6,100}}))",
    re.IGNORECASE,
)
# In a link "key" and "code" are often harmless (a sort key, an error code), the others hardly ever.
_PARAMETER: Final = re.compile(
    r"(?<=[?&;#])(?:[a-z]+[_-])?"
    r"(?:(?:token|secret|session(?:id)?|sid|password|pwd|jwt)=(?P<named>[^\s&#;\"'<>\ufffc]{4,2000})"
    r"|(?:key|apikey|signature|sig|auth|code)=(?P<random>[^\s&#;\"'<>\ufffc]{8,2000}))",
    re.IGNORECASE,
)
_LINK_WITH_KEY: Final = re.compile(
    r"/(?:reset|password|activate|activation|confirm|verify|invite|invitation|magic|unsubscribe|login|token)"
    r"(?:[\w-]{0,20}/){1,4}(?=[\w-]{0,199}\d)(?![a-z]+(?:-[a-z0-9]{1,12}){2})([\w-]{16,200})(?![\w-])",
    re.IGNORECASE,
)
_PIN: Final = re.compile(r"(?<![^\W_])PIN\s(\d{4,8})(?!\d)")

# What stands where a value would: a mask, a template, the name of the thing, a verdict on it.
_NO_VALUE: Final = re.compile(
    r"[*•●·.xX_#?!-]+|\W+|[<\[{$%(=].*|your.*|env.*|process\.env.*|os\.environ.*|none|null|nil|true|false|undefined"
    r"|(?:my|mein|mon|example|xxx|changeme)?[\s_-]?(?:api|secret|access)?[\s_-]?(?:password|passwort|key|token|secret)"
    r"(?:[\s_-]?here)?|empty|string|str|text|required|invalid|missing|wrong|incorrect|correct|expired|optional|hidden"
    r"|visible|default|unknown|forgotten|weak|strong|too|ung[üu]ltig|falsch|abgelaufen|vergessen|incorrecta?|invalide",
    re.IGNORECASE,
)


def find_secrets(text: str) -> Iterator[Span]:
    """Keys by their issuer's shape, and values that the text itself calls a password, a token or a PIN."""
    yield from (match.span() for match in _SHAPES.finditer(text))
    if "://" in text:
        yield from ((match.start(), match.end() - 1) for match in _USERINFO.finditer(text))
    for pattern in (_COMMAND_LINE, _LINK_WITH_KEY, _PIN):
        yield from (match.span(1) for match in pattern.finditer(text))
    yield from (match.span(1) for match in _SCHEME.finditer(text) if _looks_random(match[1]))
    for match in _ASSIGNED.finditer(text):
        group = _group_of(match, "quoted", "single", "bare")
        value = match[group] if group != "bare" or match[group].endswith("=") else match[group].rstrip(".,:)]}")
        if len(value) >= 3 and not _NO_VALUE.fullmatch(value) and _is_assigned(match, group, value):
            yield match.start(group), match.start(group) + len(value)
    for match in _TRIED.finditer(text):
        group = _group_of(match, "quoted", "bare")
        if not _NO_VALUE.fullmatch(match[group]) and (group == "quoted" or _looks_random(match[group])):
            yield match.span(group)
    for match in _PARAMETER.finditer(text):
        group = _group_of(match, "named", "random")
        if not _NO_VALUE.fullmatch(match[group]) and (group == "named" or _looks_random(match[group])):
            yield match.span(group)


def _group_of(match: re.Match[str], *names: str) -> str:
    return next(name for name in names if match[name] is not None)


def _is_assigned(match: re.Match[str], group: str, value: str) -> bool:
    """After a colon or a verb most words are prose: "password: forgotten", "the PIN is required"."""
    if match["token"]:
        return _looks_random(value)
    if match["equals"]:
        return True
    if match["pin"]:
        return value.isdigit() and len(value) <= 8
    one_word = not re.search(r"\s", value)
    if one_word and _mixes(value):
        return True
    if group != "bare":
        return one_word and len(value) >= 5
    ends_here = re.compile(r"[.,;!)]?\s*(?:$|\n)").match(match.string, match.start(group) + len(value))
    is_word = value.isalpha() and len(value) >= 5
    names_it = ":" in (match["colon"] or match["pause"] or "") and match["password"].lower() != "pass"
    return bool(names_it and is_word and ends_here)


def _mixes(value: str) -> bool:
    """Letters with digits or marks among them; one "!" at the end is a tone of voice, unless the word is long."""
    inner = value if len(value) > 8 else value.rstrip("!?")
    return bool(re.search(r"[^\W\d_]", value) and re.search(r"[\d!#$%&*+@^_~?|\\]", inner))


def _looks_random(value: str) -> bool:
    if len(value) < 6:
        return False
    has_both = re.search(r"\d", value) and re.search(r"[^\W\d_]", value)
    return bool(has_both or value.endswith("=") or re.search(r"[a-z][A-Z].*[a-z][A-Z]", value))
