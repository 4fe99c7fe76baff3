"""What must not pass unseen: one table of rules, each with an outcome and a sentence for the person who reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from feedback.governance import danger, injection, legal
from feedback.governance.normalization import flatten, normalize, phrases

# Links to other sites than the one the comment is about: a report may quote some, a link farm brings many.
LINKS_MAX: Final = 10
HOSTS_FLAGGED: Final = 4


class Outcome(StrEnum):
    """What becomes of a submission, mildest first; the words also sort in that order."""

    ACCEPT = "accept"
    FLAG = "flag"
    HOLD = "hold"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that fired; the reason tells staff, or the visitor where it refuses, what to do."""

    rule: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A submission as the rules see it: the comment plain, flattened for patterns and as it came, and its place."""

    text: str
    flat: str
    raw: str
    page: str
    page_title: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A named test; when it answers with a text, "{}" in the reason takes it."""

    name: str
    outcome: Outcome
    test: Callable[[Subject], bool | str]
    reason: str


def check(comment: str, page: str = "", *, page_title: str = "", raw: str | None = None) -> tuple[Finding, ...]:
    """Every rule that fires, in the order of RULES; no reason quotes the text.

    raw is the comment before normalization and redaction; without it the comment is taken to be as it came.
    """
    text = normalize(comment).text
    subject = Subject(
        text=text,
        flat=flatten(text),
        raw=comment if raw is None else raw,
        page=page,
        page_title=page_title,
    )
    findings = []
    for rule in RULES:
        answer = rule.test(subject)
        if answer:
            reason = rule.reason.format(answer) if isinstance(answer, str) else rule.reason
            findings.append(Finding(rule.name, rule.outcome, reason))
    return tuple(findings)


_WEAKNESS: Final = (
    r"(?:xss|cross[- ]site[- ]scripting|sql[- ]?injections?|sqli|csrf|ssrf|rce|remote code execution|idor"
    r"|open redirect|clickjacking"
    r"|(?:path|directory) traversal|privilege escalation|auth(?:entication)? bypass|zero[- ]day"
    r"|subdomain takeover|account takeover"
    r"|(?:security )?vulnerabilit(?:y|ies)|security (?:hole|flaw|bug|weakness|leak|breach)s?)"
)
_OTHERS: Final = (
    r"(?:(?:an)?other (?:users?|customers?|persons?|people|compan(?:y|ies)|clients?|members?|accounts?"
    r"|tenants?)(?:'s|')?|someone else's|somebody else's|everyone(?:'s| else's)|anyone's|strangers?(?:'s|'))"
)
_SECURITY: Final = phrases(
    r"(?:found|discovered|identified|noticed|report(?:ing)?|disclos(?:e|ing)|there is|there's|there are|has"
    rf"|have|contains?|vulnerable to|susceptible to|exploit\w{{0,5}}|allows?|leads? to|exposed to|stored"
    rf"|reflected|critical|blind|possible|potential) (?:\w{{1,14}} ){{0,4}}?(?<!prevent )(?<!against "
    rf")(?<!about ){_WEAKNESS}\b(?! (?:scanner|docs|documentation|course|chapter|page|article|lesson))",
    rf"(?<!prevent )(?<!preventing )(?<!against )(?<!avoid )(?<!about )(?<!explain )(?<!on ){_WEAKNESS} (?:in"
    r"|on|at|via|through) (?:your|the (?:login|search|comment|checkout|profile|upload|admin|contact|api)|/)",
    r"(?:responsible|coordinated|security) disclosure\b(?! (?:policy|page|link))|bug bounty (?:program"
    r"|submission|report)|cve-\d{4}-\d{4,7}\b|proof[- ]of[- ]concept (?:exploit|attached|below)\b|(?:your"
    r"|the) (?:\w{1,12} )?(?:site|server|website|database|app|system) (?:has been|was|is"
    r"|got) (?:\w{1,10} )?(?:hacked|compromised|defaced|breached)\b",
    r"(?:can|could|able to|i|possible to) (?:also |now |then |still )?(?:see|view|access|read|open|download"
    rf"|edit|delete|change|saw|got) (?:the |all |all the |any )?(?:\w{{1,12}} (?:of|from"
    rf"|for) )?(?:{_OTHERS})(?!\w|'| (?:comments?|posts?|reviews?|ratings?|profiles? pictures?|public|feedback"
    r"|opinions?|languages?))",
    r"(?:passwords?|api[- ]?keys?|access tokens?|credentials|secrets|session (?:ids?|cookies?)) (?:is|are|was"
    r"|were|get|gets) (?:\w{1,12} ){0,2}?(?:stored|sent|visible|shown|exposed|leaked|logged|transmitted"
    r"|printed) (?:\w{1,12} ){0,2}?(?:plain|clear|publicly|unencrypted|html|source|javascript|url|logs?|public)",
    r"(?:expos(?:es?|ed|ing)|leak(?:s|ed|ing)?) (?:\w{1,14} ){0,4}?(?:credentials|passwords?|api[- ]?keys?"
    r"|tokens?|personal (?:data|information)|(?:customer|user|patient) (?:data|records|details)"
    r"|e-?mail addresses|the database|\.env|\.git|secrets?)",
    r"(?:passwords?|api[- ]?keys?|tokens?|credentials|secrets|personal data) (?:is |are |gets? |was "
    r"|were )?(?:leak(?:s|ed|ing)?|exposed)\b|csrf (?:token|protection|check) (?:is|was) (?:missing|not)",
    r"(?:is|are|was|were) (?:reachable|accessible|readable|downloadable) (?:\w{1,12} ){0,2}?without (?:any "
    r"|a )?(?:authentication|authorization|logging in|login|password|token)\b|(?:is"
    r"|are) publicly (?:downloadable|exposed)\b",
    # German, French, Spanish
    r"(?:sicherheitslucken?|schwachstelle (?:gefunden|entdeckt|in)|datenleck)\b|(?:fremde"
    r"|andere) (?:kundendaten|bestellungen|konten|rechnungen) (?:sehen|einsehen|abrufen)",
    r"(?:failles? de securite|vulnerabilites? (?:dans|sur|trouvee|critique)|fuite de donnees)\b|(?:voir"
    r"|acceder aux?) (?:les )?(?:donnees|commandes|factures|comptes) (?:d'autres|des autres|d'un autre)",
    r"(?:fallos? de seguridad|agujero de seguridad|vulnerabilidad(?:es)? (?:en|critica|encontrada)"
    r"|fuga de datos)\b|(?:ver|acceder a) (?:los )?(?:datos|pedidos|facturas|cuentas) de (?:otros?|otra)",
)
_AGE: Final = r"(?:[4-9]|1[0-7])"
_CHILD: Final = (
    r"(?:son|daughter|child|kid|grandson|granddaughter|niece|nephew|pupil|student|little (?:brother|sister))"
)
_MINORS: Final = phrases(
    rf"i(?:'m| am|m) (?:only |just )?{_AGE} (?:years?[- ]old|yrs? old|yo\b|y/o|years of age)"
    rf"|as an? {_AGE}[- ]year[- ]old (?:boy|girl|student|user|kid)?",
    rf"my (?:\w{{1,12}} )?{_CHILD}(?: \w{{1,15}})?,? (?:\(|is |who is |aged? |\(aged? )?(?:only |just "
    rf"|now )?{_AGE}(?:\)| years?| yrs?| yo\b|[,.;!]| and| but)",
    rf"my {_AGE}[- ](?:years?|yrs?|yo)[- ](?:old )?(?:{_CHILD}|boy|girl)\b",
    r"(?:my|our) (?:child|children|kids?|sons?|daughters?|pupils?|students?)(?:'s|s'"
    r"|') (?:\w{1,12} ){0,2}?(?:name|names|photos?|pictures?|address|data|details|e-?mail|birthday"
    r"|date of birth|school|location|medical)",
    r"(?:data|photos?|pictures?|information|details|personal data) (?:of|about|from) (?:\w{1,12} )?(?:children"
    r"|minors|kids|pupils|a minor|a child|under-?age\w{0,2})\b|(?:children|kids|minors"
    r"|users) under (?:the age of )?1[368]\b",
    rf"ich bin (?:erst )?{_AGE} jahre? alt|mein(?:e)? (?:sohn|tochter|kind)(?: \w{{1,15}})?,? (?:\("
    rf"|ist )?(?:erst )?{_AGE}(?:\)| jahre?)",
    rf"j'ai {_AGE} ans\b|(?:mon fils|ma fille|mon enfant)(?: \w{{1,15}})?,? (?:\(|a |de |age de )?{_AGE} ans",
    rf"tengo {_AGE} anos\b|mi hij[oa](?: \w{{1,15}})?,? (?:\(|tiene |de )?{_AGE} anos",
)
_LINK: Final = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"'()\[\]]{3,400}", re.IGNORECASE)
_MARKUP_LINK: Final = re.compile(
    r"\[url=?|\[link=|<a\s{1,3}href=[\"']?https?://[^>]{1,300}>[^<]{1,80}</a>", re.IGNORECASE
)
_NOT_TEXT: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff\ud800-\udfff]")
_BLOB: Final = re.compile(r"[A-Za-z0-9+/=_-]{300,}")
# Of all characters: above this share it is a file or a broken encoding, not somebody's words.
_NOT_TEXT_SHARE: Final = 0.2
_BLOB_SHARE: Final = 0.6
# A single stray zero-width space comes with any copied text; more in one comment is somebody's doing.
_ZERO_WIDTH_FLAGGED: Final = 4


def _matches(pattern: re.Pattern[str]) -> Callable[[Subject], bool]:
    return lambda subject: pattern.search(subject.flat) is not None


def _steers(subject: Subject) -> str:
    # As it came: redaction may have taken an encoded instruction for a secret. Page and title reach the model too.
    return ", ".join(injection.kinds(normalize(f"{subject.raw}\n{subject.page_title}\n{subject.page}").text))


def _hides(subject: Subject) -> str:
    removed = normalize(subject.raw).removed
    hidden = sum(removed.get(kind, 0) for kind in ("tag", "override"))
    hidden += sum(n for kind in ("zero_width", "selector") if (n := removed.get(kind, 0)) >= _ZERO_WIDTH_FLAGGED)
    return f"{hidden} hidden character{'s' if hidden > 1 else ''}" if hidden else ""


def _is_not_text(subject: Subject) -> bool:
    size = len(subject.raw)
    blobs = sum(len(blob) for blob in _BLOB.findall(subject.raw))
    return size > 3 and (len(_NOT_TEXT.findall(subject.raw)) > _NOT_TEXT_SHARE * size or blobs > _BLOB_SHARE * size)


def _hosts_elsewhere(subject: Subject) -> list[str]:
    """The host of each link that leaves the page's own site; a list of one's own broken links is a report."""
    own = _host(subject.page)
    return [host for link in _LINK.findall(subject.text) if (host := _host(link)) != own or not own]


def _host(address: str) -> str:
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


def _is_a_link_farm(subject: Subject) -> str:
    links = len(_hosts_elsewhere(subject))
    return str(links) if links > LINKS_MAX else ""


def _may_be_spam(subject: Subject) -> str:
    hosts = _hosts_elsewhere(subject)
    if len(hosts) > LINKS_MAX:
        return ""
    if len(set(hosts)) >= HOSTS_FLAGGED:
        return f"links to {len(set(hosts))} other sites"
    return "a link in markup" if _MARKUP_LINK.search(subject.text) else ""


RULES: Final = (
    Rule(
        "not-text",
        Outcome.REFUSE,
        _is_not_text,
        "Most of the comment is not readable text. Please describe what happened in words; files cannot be sent here.",
    ),
    Rule(
        "link-farm",
        Outcome.REFUSE,
        _is_a_link_farm,
        f"The comment has {{}} links to other sites; we take at most {LINKS_MAX}. Please keep the links "
        "that matter and send it again.",
    ),
    Rule(
        "threat",
        Outcome.HOLD,
        _matches(danger.THREAT),
        "May be a threat of violence. Read it before anything else and follow your safety procedure.",
    ),
    Rule(
        "person-in-danger",
        Outcome.HOLD,
        _matches(danger.SELF_HARM),
        "Somebody may be in danger or may want to harm themselves. Read it now and follow your emergency procedure.",
    ),
    Rule(
        "prompt-injection",
        Outcome.FLAG,
        _steers,
        "The text speaks to the analyzer ({}). Read it yourself and decide from the text, not from the suggestion.",
    ),
    Rule(
        "hidden-text",
        Outcome.FLAG,
        _hides,
        "{} were removed. Text that nobody sees is a way to hide instructions; do not trust the suggestion alone.",
    ),
    Rule(
        "legal-matter",
        Outcome.FLAG,
        _matches(legal.MATTER),
        "May be a legal matter: a claim, a right over data, copyright or accessibility law. Hand it to the "
        "people "
        "responsible for it; a deadline may be running.",
    ),
    Rule(
        "security-disclosure",
        Outcome.FLAG,
        _matches(_SECURITY),
        "May disclose a security weakness. Hand it to the people responsible for security and do not pass it round.",
    ),
    Rule(
        "minors-data",
        Outcome.FLAG,
        _matches(_MINORS),
        "May be by or about a child. Do not copy it further than needed, and check whether the data may be kept.",
    ),
    Rule(
        "abuse",
        Outcome.FLAG,
        _matches(danger.ABUSE),
        "Abusive towards people. You may hand it to a colleague; a real report may still be inside.",
    ),
    Rule(
        "possible-spam",
        Outcome.FLAG,
        _may_be_spam,
        "May be advertising: {}. Decide it as noise if there is no feedback in it.",
    ),
)
