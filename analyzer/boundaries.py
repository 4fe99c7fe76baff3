"""The limits on what the machine may suggest: whatever commits the organisation or decides a principle needs a person.

A rule fires on what a clause tells somebody to do ("refund the customer"), not on
what it is about ("fix the refund button"). In doubt it fires: a person's glance costs less than a promise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from analyzer.clauses import GAP, PERSON, THING, WHO, orders, plain


@dataclass(frozen=True, slots=True)
class Boundary:
    """A limit that an action crosses; the reason tells staff why it needs their decision."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Patterns that start where a clause starts, and patterns that count wherever they stand."""

    name: str
    reason: str
    orders: re.Pattern[str]
    anywhere: re.Pattern[str] | None = None


def check(action: str) -> tuple[Boundary, ...]:
    """The boundaries that an action crosses, each rule once; none means that it may be suggested as it is."""
    text = plain(action)
    clauses = orders(text)
    return tuple(
        Boundary(rule.name, rule.reason)
        for rule in RULES
        if (rule.anywhere is not None and rule.anywhere.search(text))
        or any(rule.orders.match(clause) for clause in clauses)
    )


_MONEY: Final = (
    r"(?:refunds?|reimbursements?|compensation|credits?|vouchers?|coupons?|gift cards?|discounts?|rebates?"
    r"|goodwill (?:gesture|payment|credit)|chargebacks?"
    r"|free (?:months?|years?|upgrades?|shipping|replacements?|items?|subscription)|money back|months? free"
    r"|replacement)"
)
_LAW: Final = (
    r"(?:gdpr|ccpa|dsgvo|rgpd|hipaa|coppa|ada|eaa|european accessibility act|section 508|(?:the |consumer "
    r"|privacy |data protection |local |eu )(?:laws?|regulations?|legislation))"
)
_RULEBOOK: Final = (
    r"(?:(?:refunds?|returns?|cancellations?|privacy|retention|moderation|pricing|warranty"
    r"|(?<!content )security|shipping|cookie|community|acceptable use|fair use"
    r"|complaints?)(?: and \w{1,12})? (?:polic(?:y|ies)|guidelines|terms)|(?:community|moderation|house) rules"
    r"|terms (?:and conditions|of (?:service|use|sale))"
    r"|contracts?|licen[cs]e terms|agreements?|slas?|service level agreements?|terms)"
)
_CHANGE: Final = (
    r"(?:chang|updat|rais|increas|reduc|decreas|revis|doubl|halv|introduc|defin|clos|relax|tighten|amend|adjust"
    r"|alter|rewrit|lower|modif|honou?r|cut|set|freez|renegotiat|match)"
    r"(?:e|es|ed|ing|ting|y|ying)?"
)
_GIVE: Final = (
    r"(?:(?:issu|provid|arrang|authori[sz]|approv|giv|mak|promis|initiat|propos)(?:es?|ing)|(?:offer|consider"
    r"|recommend|suggest|grant|award|extend|send|process|hand(?: out)?|trigger|pay(?: out)?)(?:s|ing)?"
    r"|apply(?:s|ing)?)"
)
_RECORD: Final = (
    r"(?:accounts?|profiles?|personal (?:data|information|details)|(?:customer|user|order|payment|billing"
    r"|production|patient|member|chat|purchase)s?'? (?:data|records?|histor(?:y|ies)"
    r"|details|entr(?:y|ies)|files)|subscriptions?|memberships?|reviews?|posts?|tenants?|users?|customers?"
    r"|visitors?|members?|reporters?)"
)
_ALL_RECORDS: Final = (
    rf"(?:{_RECORD}|data|records?|histor(?:y|ies)|backups?|databases?|orders?|comments?(?! (?:in"
    rf"|from) (?:\S{{1,40}}\.\w|the (?:code|source|template)))|feedback"
    r"|messages?|uploads?|everything|mailbox(?:es)?|him|her|them)"
)
_SOON: Final = (
    r"(?:by (?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|tonight|noon|the end of|end of"
    r"|next|q[1-4]|\w{3,9} \d)"
    r"|within (?:\w{1,6} ){0,2}(?:hours?|days?|weeks?|months?)|this week|next (?:week|month|sprint|release"
    r"|quarter)|in the next|tomorrow|soon)\b"
)
# The interface that speaks to whoever uses it, not one of us.
_NOT_INTERFACE: Final = (
    r"(?!.{0,120}\b(?:toast|dialog|modal|banner|tooltip|inline|error (?:text|message|state)"
    r"|confirmation\b(?! (?:e-?mail|by))|on[ -]screen|on the (?:page|form|screen)"
    r"|in the (?:form|ui|interface|error|app|dialog|header|console|logs?)|aria-|screen readers?|assistive"
    r"|live region|voiceover|help text|hint|empty state|placeholder|spinner"
    r"|before (?:deleting|leaving|discarding|closing|saving|overwriting|submitting)"
    r"|when (?:the |a |an )?(?:\w{1,14} ){0,3}(?:fails?|failed|expires?|times out|is invalid|is missing"
    r"|is empty)))"
)


def _pattern(*alternatives: str) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(alternatives) + ")")


RULES: Final = (
    Rule(
        "promise",
        "It promises something in our name: only a person may commit us.",
        _pattern(
            rf"promis(?:e|es|ing) (?:to\b|that\b|we\b|it\b|an?\b|full\b|free\b|delivery|{PERSON})",
            rf"guarantee(?:s|ing)? (?:{PERSON}|that (?:we|it|this|the (?:issue|bug|problem|fix|parcel"
            r"|feature))|an? (?:fix|refund|date|delivery|response|solution|price)"
            r"|the (?:price|delivery|date|availability)|delivery|availability|uptime|\d)",
            rf"(?:assure|assuring|reassure|reassuring) {PERSON}|(?:pledge|vow|swear|give our word)\b",
            r"commit(?:ting)? (?:us |ourselves |the (?:team|company) )?to (?:an? (?:date|deadline|fix|timeline"
            r"|roadmap|release|delivery|response)"
            r"|(?:the )?(?:deadline|timeline|customer|roadmap|date)|(?:fix|deliver|ship|add|implement|respond"
            r"|build|resolv)ing)",
            r"(?:giv(?:es?|ing)|provid(?:es?|ing)|confirm(?:s|ing)?|communicat(?:es?|ing)|agree(?:s|ing)? on"
            rf"|send(?:s|ing)?) (?:{PERSON} )?{GAP}(?:release date|delivery date|deadline|eta|timeline"
            r"|commitment|assurance)\b",
        ),
        _pattern(
            r"(?:that|know|customers?|them|users?|saying|reporter|visitor):? (?:that )?we (?:will|'ll|shall"
            r"|are going to|plan to|intend to)\b",
            r"(?:will|shall|is going to) be (?:fixed|resolved|shipped|delivered|added|available|implemented"
            rf"|released|ready|refunded) (?:\w{{1,12}} )?{_SOON}",
            rf"we(?:'ll| will| shall) (?:fix|deliver|ship|add|resolve|implement|release|have) .{{0,40}}?{_SOON}",
        ),
    ),
    Rule(
        "money",
        "It gives away money or something of value: only a person may decide that.",
        _pattern(
            rf"{_GIVE} (?:{PERSON} )?{GAP}{_MONEY}\b{THING}",
            rf"(?:giv(?:es?|ing)|send(?:s|ing)?|pay(?:s|ing)?|return(?:s|ing)?) (?:{PERSON} )?{GAP}(?:money"
            rf"|amount|difference)\b{THING}",
            rf"(?:(?:refund|repay)(?:s|ing)?|(?:compensat|reimburs|recompens)(?:es?|ing)) {GAP}(?:{PERSON}"
            r"|(?:orders?|payments?|purchases?|charges?|fees?|amounts?|money|difference|costs?|price"
            rf"|subscriptions?|shipping|it|both|in full|fully|\d\S{{0,8}})\b{THING})",
            r"(?:refund|compensate|reimburse)(?:s|ing)?$",
            rf"(?:credit|bill)(?:s|ing)? (?:{PERSON}|(?:the |their |his |her )(?:\w{{1,12}} )?(?:account"
            rf"|card)\b{THING})|charg(?:es?|ing) (?:{PERSON}|(?:their|his|her) )",
            r"(?:waiv(?:es?|ing)|forgiv(?:es?|ing)|drop(?:ping)?|revers(?:es?|ing)"
            rf"|cancel(?:l?ing)?) {GAP}(?:fees?|charges?|penalt(?:y|ies)|invoices?|debts?|payments?)\b{THING}",
            r"(?:mak(?:es?|ing)|tak(?:es?|ing)) (?:it|this|things) (?:right|good|up to)\b|mak(?:es?"
            rf"|ing) it up to|ship(?:ping)? {GAP}(?:free |replacement)",
        ),
        _pattern(
            rf"{_MONEY} (?:should|must|needs? to|has to|ought to|will) be (?:\w{{1,12}} )?(?:issued|offered"
            r"|given|granted|paid|sent|provided|applied|approved)\b",
            rf"{WHO} (?:(?:should|must|needs? to|has to|have to|ought to|will) be (?:\w{{1,12}} )?(?:refunded"
            r"|compensated|reimbursed|credited|repaid)|(?:deserves?|(?:is|are) (?:owed"
            rf"|entitled to)) (?:\w{{1,8}} ){{0,2}}{_MONEY})\b",
            r"(?:their|his|her) money back\b|free of charge\b",
        ),
    ),
    Rule(
        "contact",
        "It contacts somebody: a person decides who writes to whom, and what.",
        _pattern(
            r"(?:(?:e-?mail|mail|call|phone|ring|text|contact|inform|tell|ask|thank|answer|warn|remind|alert"
            r"|interview|survey|visit|message)(?:s|ing)?|(?:telephon|advis|invit|messag|apprais)(?:es?|ing)"
            r"|notify(?:s|ing)?|updat(?:es?|ing)(?= them|(?: the)? (?:customer|reporter|visitor))"
            rf"|reassur(?:es?|ing)) {_NOT_INTERFACE}{PERSON}",
            r"(?:reply(?:s|ing)?|respond(?:s|ing)?|writ(?:es?|ing)|reach(?:s|ing)? out|get(?:ting)? back"
            r"|get(?:ting)? in touch|speak(?:s|ing)?|talk(?:s|ing)?|apologi[sz](?:es?|ing)|explain(?:s|ing)?"
            rf"|say(?:s|ing)? \w{{1,8}}"
            r"|follow(?:s|ing)? up|liais(?:es?|ing)|check(?:s|ing)?(?: in)?|confirm(?:s|ing)?|clarify(?:s"
            rf"|ing)?|schedul(?:es?|ing)|arrang(?:es?|ing)|set(?:ting)? up)(?: {GAP}| )(?:to"
            rf"|with) {_NOT_INTERFACE}{PERSON}",
            rf"(?:ask|request|obtain|get)(?:s|ing)? (?:for )?{GAP}\w{{3,14}} from {_NOT_INTERFACE}{PERSON}"
            rf"|let(?:ting)? {_NOT_INTERFACE}{PERSON} know\b",
            rf"(?:send|writ|draft|mail|leav|post|giv)(?:es?|ing)? {_NOT_INTERFACE}(?:{PERSON} "
            rf"{GAP}(?:messages?|repl(?:y|ies)|e-?mails?|notes?|apolog(?:y|ies)|letters?|answers?"
            r"|explanations?|updates?|surveys?|links?|invitations?"
            rf"|workarounds?|instructions|call|response|newsletter)\b|{GAP}(?:messages?|repl(?:y|ies)"
            r"|e-?mails?|notes?|apolog(?:y|ies)|letters?|answers?|explanations?|updates?|response"
            rf"|thank[- ]you(?: \w{{1,8}})?) (?:to|for|with) {PERSON})",
            r"apologi[sz](?:es?|ing)\b|(?:reply|respond|answer)(?:s|ing)?(?:$| (?:with|that|saying|publicly"
            r"|promptly|personally|quickly|politely|directly|by e-?mail|and )(?! ?(?:an? |the )?(?:\d{3}|http"
            r"|json|xml|status|errors?|code"
            r"|empty|cached|correct|same|plain)))",
            rf"(?:contact|call)(?:s|ing)? (?:support|stripe|paypal|the \w{{1,12}} (?:support|helpdesk"
            rf"|hotline))\b{THING}|(?:offer|giv(?:es?|ing)|provid(?:es?|ing)) {GAP}apolog(?:y|ies)\b",
            rf"(?:offer|propos(?:es?|ing)|schedul(?:es?|ing)|arrang(?:es?|ing)) {GAP}(?:phone call|call"
            rf"|meeting|interview|call-?back)\b{THING}",
        ),
        _pattern(
            rf"(?:{WHO}) (?:should|must|needs? to|has to|have to|ought to"
            rf"|will) be (?:\w{{1,12}} )?(?:contacted|informed|notified|e-?mailed|called|told|thanked|answered"
            r"|warned)\b"
            r"(?!.{0,80}\b(?:toast|dialog|modal|banner|inline|error message|on the page))",
        ),
    ),
    Rule(
        "publish",
        "It says something in public in our name: only a person may publish.",
        _pattern(
            rf"publish(?:s|ing)? (?!{GAP}(?:events?|messages?|packages?|artefacts?|artifacts?"
            rf"|metrics?)\b){GAP}\w{{2,20}}\b{THING}|publish(?:s|ing)?$",
            r"(?:announc(?:es?|ing)|broadcast(?:s|ing)?|tweet(?:s|ing)?|advertis(?:es?|ing)|publici[sz](?:es?"
            rf"|ing)) (?!{GAP}(?:events?|messages?|packets?)\b){_NOT_INTERFACE}",
            rf"(?:post|shar|issu|releas|mak|writ|put out|prepar)(?:es?|ing)? {_NOT_INTERFACE}{GAP}(?:(?:public"
            rf"|press|official) \w{{2,12}}|statements?|notices?|announcements?|press releases?|blog posts?"
            rf"|tweets?|advisor(?:y|ies)|testimonials?)\b{THING}",
            r"(?:post|shar|writ|link|reply|respond|quot|featur|promot|mention|updat|post it|put)(?:es?"
            r"|ing)? .{0,60}?\b(?:on|to|via|in) (?:our |the |a )?(?:twitter|x account|facebook|linkedin"
            r"|instagram|mastodon|reddit|social media|(?:company |public )?blog\b(?! (?:page|template|layout))"
            r"|status page|press|newsletter|public forum|community forum|marketing \w{2,12}|homepage as)",
            rf"us(?:es?|ing) {GAP}(?:quotes?|comments?|reviews?|praise|feedback|words|text) (?:as|in"
            rf"|for) {GAP}(?:testimonials?|marketing|advert\w{{0,8}}|campaign|case study|promotion)",
            rf"(?:add|featur|quot|show)(?:es?|ing)? {GAP}(?:quote|comment|review|praise|feedback|it"
            rf"|them) (?:as|to|on|in) {GAP}testimonials?\b|go(?:s|ing)? public\b",
            rf"updat(?:es?|ing) {GAP}status page\b(?! (?:layout|template|component|css|link))",
        ),
        _pattern(
            r"(?:apologi[sz]e|reply|respond|say so|thank \w{1,10}|comment|announce \w{1,10}|share (?:it"
            r"|this)) publicly\b|public apology\b|press release\b(?! (?:page|template|list|section))"
        ),
    ),
    Rule(
        "erase",
        "It deletes or blocks what belongs to somebody: that cannot be undone without asking a person.",
        _pattern(
            r"(?:(?:delet|eras|purg|wip|truncat|anonymi[sz])(?:es?|ing)|destroy(?:s"
            rf"|ing)?) (?:out )?{GAP}{_ALL_RECORDS}\b{THING}",
            rf"(?:remov|clear|scrub)(?:es?|ing)? {GAP}(?:{_RECORD}|their (?:\w{{1,12}} )?(?:data|account"
            rf"|review|post|comment|order|details|e-?mail)|(?:him|her|them) from)\b{THING}",
            r"(?:(?:deactivat|disabl|clos|terminat|unsubscrib)(?:es?|ing)|suspend(?:s|ing)?|ban(?:ning)?"
            r"|block(?:s|ing)?|lock(?:s|ing)?|blacklist(?:s|ing)?|kick(?:s|ing)?"
            rf"|expel(?:ling)?) {GAP}(?:accounts?\b{THING}|subscriptions?\b{THING}|memberships?\b{THING}"
            rf"|{PERSON})",
            rf"drop(?:ping)? {GAP}(?:tables?|databases?|backups?|collections?|(?:user|customer"
            rf"|order) records?)\b(?! (?:headers?|cells?|borders?|view))|merg(?:es?|ing) {GAP}(?:accounts"
            rf"|profiles)\b{THING}",
        ),
        _pattern(
            r"(?:accounts?|profiles?|data|records?|users?|customers?|subscriptions?|reviews?|posts?"
            r"|comments?) (?:should|must|needs? to|has to|have to|ought to) be (?:\w{1,12} )?(?:deleted|erased"
            r"|removed|purged|wiped|closed|suspended|anonymi[sz]ed|banned|deactivated|blocked)\b"
        ),
    ),
    Rule(
        "terms",
        "It changes a price, a contract or a policy: only a person may set our terms.",
        _pattern(
            rf"{_CHANGE} {GAP}(?:prices?|pricing|fees?|tariffs?|list price)\b{THING}(?! (?:when|after|on|once"
            r"|live|immediately|dynamically|in real time|whenever|if|without|in the (?:cart|basket|summary)))",
            rf"(?:{_CHANGE}|writ(?:es?|ing)|draft(?:s|ing)?|document(?:s|ing)?|describ(?:es?|ing)|explain(?:s"
            r"|ing)?|clarify(?:s|ing)?|add(?:s|ing)?|creat(?:es?|ing)|sign(?:s|ing)?|accept(?:s|ing)?"
            r"|negotiat(?:es?|ing)|break(?:s|ing)?|void(?:s|ing)?|enforc(?:es?|ing)"
            r"|extend(?:s|ing)?|renew(?:s|ing)?|terminat(?:es?|ing)|cancel(?:l?ing)?|waiv(?:es?|ing)|adopt(?:s"
            rf"|ing)?|publish(?:s|ing)?) {GAP}{_RULEBOOK}\b{THING}",
            rf"(?:add|writ|draft|creat|insert|includ|publish)(?:es?|ing)? {GAP}(?:section|paragraph|page|entry"
            r"|entries|faq|note|sentence|passage|answer|clause|statement)s? (?:on|about|for|explaining"
            rf"|describing|covering|to|stating|that explains?) (?:the |our |a )?(?:\w{{1,12}} )?{_RULEBOOK}\b",
            r"(?:extend|renew|terminat|cancel|transfer|upgrad|downgrad|prolong|paus|reinstat)(?:e|ing"
            rf"|l?ing)? {GAP}(?:subscriptions?|memberships?|trials?|bookings?|reservations?|orders?"
            rf"|warrant(?:y|ies)|licen[cs]es?|plans?)\b{THING}",
            rf"(?:upgrad|downgrad)(?:es?|ing) {PERSON}|(?:mak|grant|giv)(?:es?"
            rf"|ing)? {GAP}exceptions?\b(?! (?:handl|class|message|in the code))",
        ),
    ),
    Rule(
        "law",
        "It decides a matter of law: hand it to the people responsible for that.",
        _pattern(
            r"(?:confirm|stat|declar|certif|assess|determin|decid|conclud|verif|assert|claim|say|check|evaluat"
            r"|judg|establish|deny|admit|assur|reassur|tell|explain|rul|argu|clarif)(?:e|y|ing"
            r"|ying)?\b .{0,70}?"
            rf"(?:{_LAW}[- ]complian\w{{1,3}}|complian\w{{1,3}} (?:with|of|under) .{{0,20}}?{_LAW}"
            rf"|complies with .{{0,20}}?{_LAW}|(?:il)?legal(?:ly)?\b(?! (?:page|notice|text|characters?"
            r"|arguments?|state|value|footer|link|section|move|team|menu|name))|(?:un)?lawful"
            rf"|liab(?:le|ility)|infring\w{{1,7}}|fair use|in breach of|(?:violat"
            rf"|breach)\w{{1,3}} (?:\w{{1,8}} )?(?:{_LAW}|the contract|their rights)|obliged to|(?:have"
            r"|has) the right to)",
            r"(?:check|assess|confirm|verify|review|evaluat|ensur|audit)(?:es?"
            rf"|ing)? (?:\w{{1,14}} ){{0,4}}?(?:{_LAW}) (?:complian\w{{1,3}}|conformity)",
            r"(?:(?:accept|admit|dispute|acknowledg|assum|conced|reject|settl|deny|contest)(?:es?"
            rf"|ing)?) {GAP}(?:liability|fault|responsibility|guilt|blame|wrongdoing|negligence|lawsuit"
            rf"|infringement|breach|(?:legal |copyright |damages? )?claims?)\b{THING}(?! (?:in"
            r"|from) (?:the )?(?:jwt|id token|token))",
            r"(?:comply(?:s|ing)? with|respond(?:s|ing)? to|answer(?:s|ing)?|ignor(?:es?|ing)|contest(?:s"
            r"|ing)?|process(?:s|ing)?|fulfil(?:l|ling)?|honou?r(?:s|ing)?|execut(?:es?|ing)|handl(?:es?|ing)"
            rf"|action(?:s|ing)?|reject(?:s|ing)?|grant(?:s|ing)?) {GAP}"
            r"(?:take-?down|dmca|subpoena|court order|data subject|subject access|dsar|(?:gdpr|ccpa|erasure"
            r"|deletion|right[- ]to[- ]be[- ]forgotten|data) requests?\b(?! (?:form|page|button|endpoint))"
            r"|cease and desist|legal (?:letter|threat|notice|claim|demand|request)|lawsuit)",
            rf"tak(?:es?|ing) down {GAP}(?:photos?|articles?|posts?|images?|pictures?|content|videos?|page"
            rf"|listing)\b|(?:remov|unpublish|withdraw)(?:es?|ing)? {GAP}(?:infringing|copyrighted|disputed"
            r"|unlicen[cs]ed|defamatory|unlawful|illegal|libell?ous)\b",
            rf"(?:giv|offer|provid)(?:es?|ing)? {GAP}legal advice|(?:su(?:es?|ing)|prosecut(?:es?"
            rf"|ing)) {PERSON}|tak(?:es?|ing) legal action|threaten(?:s|ing)? {GAP}legal|interpret(?:s"
            rf"|ing)? {GAP}(?:law|contract|terms|gdpr|licen[cs]e)\b|fil(?:es?|ing) {GAP}(?:lawsuit|complaint"
            r"|dmca|take-?down)",
        ),
        _pattern(
            r"(?:we|it|site|company|product|this|practice|policy|app) (?:is|are|was|were) (?:fully |already "
            rf"|not |still )?(?:{_LAW}[- ]?compliant|legally |compliant with .{{0,15}}?{_LAW}|lawful\b"
            r"|unlawful\b|liable\b|within our rights)",
        ),
    ),
    Rule(
        "privacy",
        "It decides over personal data or somebody's account: a person must.",
        _pattern(
            r"(?:(?:shar|disclos|reveal|releas|sell|leak)(?:es?|ing)?|hand(?:s|ing)? over|pass(?:s|ing)? on"
            rf"|turn(?:s|ing)? over) (?:{PERSON} )?{GAP}(?:personal (?:data|information|details)|{WHO}(?:'s"
            rf"|s'|') (?:\w{{1,12}} )?(?:data|details|e-?mails?|addresses|address|phone|numbers?|records"
            r"|information|identity|names?|history|messages|location)"
            r"|(?:customer|user|visitor|reporter|client|patient|member) (?:data|details|e-?mails?|addresses"
            rf"|records|information|list|identity)|their (?:\w{{1,12}} )?(?:data|details|identity|e-?mail"
            r"|address|phone|messages|history|records|name)|identity|e-?mail addresses|contact details"
            rf"|credentials|passwords?)\b{THING}",
            rf"provid(?:es?|ing) {PERSON} with (?:[\w']{{1,14}} ){{0,4}}?(?:data|details|address|addresses"
            rf"|e-?mails?|names?|identity|logs|records)\b{THING}",
            rf"(?:hand|turn)(?:s|ing)? over {GAP}(?:logs?|data|details|records|files|messages"
            rf"|chats?)\b{THING}",
            rf"(?:send|provid|giv|export|forward|transfer|upload)(?:es?|ing)? {GAP}(?:data|details|e-?mails?"
            r"|addresses|address|records|information|messages|lists?|contacts?) to (?:an? |the |our "
            rf"|another )?(?:\w{{1,12}} )?(?:third part(?:y|ies)|partners?|press|police|couriers?"
            rf"|advertis\w{{2,5}}|authorit(?:y|ies)|reporters?|brokers?|agency|vendors?|customers?|employer"
            r"|marketing|sales)\b",
            rf"(?:log(?:ging)? in|sign(?:s|ing)? in|login) as {PERSON}|log(?:ging)? in(?:to)? (?:to )?(?:their"
            rf"|the (?:customer|user|reporter|visitor|member)'s) |impersonat(?:es?|ing) {PERSON}",
            r"(?:(?:look(?:s|ing)?|dig(?:ging)?) (?:up|into|at|through)|open(?:s|ing)?|access(?:s|ing)?"
            r"|inspect(?:s|ing)?|read(?:s|ing)?|search(?:s|ing)?|view(?:s|ing)?|review(?:s|ing)?|check(?:s"
            rf"|ing)?|pull(?:s|ing)? up) (?:their|the {WHO}(?:'s|s'|')) (?:\w{{1,12}} )?(?:accounts?|mailbox"
            rf"|inbox|messages|e-?mails|private \w{{1,12}}|personal \w{{1,12}}|medical \w{{1,12}}|files"
            rf"|documents|chats?|browsing history|location|order history|purchase history)\b{THING}",
            rf"(?:track|profil|fingerprint)(?:es?|ing)? {PERSON}|(?:identify(?:s|ing)?|de-?anonymi[sz](?:es?"
            r"|ing)|unmask(?:s|ing)?|find(?:s|ing)? out who|trac(?:es?|ing)) (?:the |this |an? )?(?:person"
            rf"|anonymous \w{{2,12}}|visitor|reporter|author|commenter|who\b|whoever|wrote)",
            r"(?:collect|stor|retain|keep|record|log|gather|process|us|combin)(?:es?"
            rf"|ing)? {GAP}(?:personal (?:data|information)|ip addresses|location data|health data"
            rf"|biometric\w{{0,6}}|unredacted|raw text|(?<!test )(?:customer|visitor) (?:e-?mails?|addresses"
            rf"|phone numbers))\b{THING}",
            r"(?:chang|extend|shorten|set|decid|defin|reduc|increas|lengthen)(?:e|ing"
            rf"|ting)? {GAP}(?:data )?retention(?: period| time)?\b{THING}|keep(?:s|ing)? {GAP}(?:data|logs"
            r"|records) (?:for )?(?:longer|\d)",
            rf"(?:disabl|remov|skip|bypass|ignor|drop|turn off|turning off)(?:e|ing|ping)? {GAP}(?:consent"
            r"|opt-?outs?|anonymi[sz]ation|redaction|privacy (?:settings|controls|notice))\b(?! (?:banner"
            rf"|dialog|button|bug|overlap))|(?:enabl|add|turn on|start)(?:es?|ing)? {GAP}(?:tracking|analytics"
            rf"|profiling)\b(?=.{{0,30}}(?:without|by default|across|of (?:all )?(?:users|visitors)))",
            rf"(?:grant|giv|provid|allow)(?:es?|ing)? (?:{PERSON} )?{GAP}(?:(?:admin|administrator|full"
            r"|elevated|root|owner) (?:access|rights|permissions?|role)|access to (?:their|the (?:customer"
            r"|user|account)|personal|private|another))",
            rf"(?:reset|chang|unlock|restor)(?:e|ting|ing)? (?:their|his|her|the {WHO}(?:'s|s'"
            rf"|')) (?:\w{{1,12}} )?(?:password|2fa|mfa|pin|e-?mail|account|access|credentials)\b{THING}",
        ),
    ),
    Rule(
        "safety",
        "It decides whether people are safe: a person must, and quickly.",
        _pattern(
            r"(?:confirm|declar|stat|tell|assur|reassur|say|decid|assess|judg|conclud|determin|advis|certif|rul"
            r"|evaluat|verif)(?:e|y|ing|ying)?\b .{0,70}?(?:(?<![\w-])(?:un)?safe\b(?! (?:area|mode|to (?:retry"
            r"|call|rerun|re-run|run|deploy|delete|merge|cache|remove|repeat|ignore)))|harmless|dangerous"
            r"|no (?:risk|danger)|hazard\w{0,3}|toxic\b|risk to (?:people|health|life|children|users)|in danger"
            r"|suicid\w{2,3}|poses no)",
            rf"(?:recall|withdraw|quarantin|pull|stop selling)(?:es?|ing)? {GAP}(?:products?|items?"
            rf"|batch(?:es)?|toys?|devices?|medicines?|food|chargers?|batter(?:y|ies)|helmets?)\b{THING}",
            rf"(?:ignor|dismiss|disregard|downplay|overlook|set aside)(?:es?|ing)? {GAP}(?:threats?|safety"
            rf"|danger|hazards?|allerg\w{{1,5}}|injur(?:y|ies)|self-harm|suicid\w{{2,3}}|abuse"
            rf"|burns?)\b{THING}",
            r"(?:call|alert|notify|contact|inform|send)(?:s|ing)? (?:the |an )?(?:police|emergency services"
            r"|ambulance|fire (?:brigade|department)|authorities|hospital|911|112|999)\b",
            rf"(?:giv|offer|provid)(?:es?|ing)? {GAP}(?:medical|health|safety|financial|tax"
            rf"|psychological) advice|(?:advis|recommend|tell|suggest)(?:es?|ing)? .{{0,40}}?(?:dos(?:e|age)"
            r"|treatment|medication|see a doctor|stop (?:taking|using)|keep using|continue (?:using|taking))",
            rf"(?:disabl|bypass|remov|relax|turn off|turning off|lower|skip)(?:es?|ing)? {GAP}(?:safety|age"
            r"|parental|security|fraud) (?:checks?|limits?|controls?|verification|warnings?|gate|locks?"
            r"|interlocks?)\b",
        ),
    ),
    Rule(
        "values",
        "It judges people, opinions or what is fair: a person must take that decision.",
        _pattern(
            r"(?:decid|judg|assess|determin|evaluat|rul|discuss|clarif|consider|check|review)(?:e|y|ing"
            r"|ying)? (?:on |whether|if|what|how|the|this|that) .{0,60}?(?:appropriate\b|inappropriate"
            r"|acceptable\b(?! (?:format|input|range|value))|offensive|unfair|\bfair\b|ethical|moral\w{0,3}"
            r"|discriminat\w{2,6}|racist|sexist|hate speech|inclusive\b(?! (?:range|or))|respectful"
            r"|politic\w{2,6}|religio\w{2,4}|cultural\w{0,2}|free speech|harass\w{0,5}|abusive|deserv\w{1,3})",
            rf"(?:tak|adopt|stat|express|issu|publish|defend)(?:es?|ing)? {GAP}(?:stance|position|sides?"
            r"|opinion) (?:on|about|regarding|against|for|in)\b|tak(?:es?|ing) sides",
            r"(?:moderat|censor|hid|remov|delet|reject|suppress|unpublish|ban|block|approv|shadow-?ban)(?:e"
            rf"|ing|ning)? {GAP}(?:offensive|hateful|racist|sexist|abusive|critical|negative|political"
            rf"|religious|controversial|inappropriate|harassing|insulting|rude) (?:\w{{1,12}} )?(?:reviews?"
            r"|comments?|posts?|content|feedback|users?|customers?|members?|speech|opinions?|images?"
            rf"|ratings?)\b{THING}",
            rf"(?:dismiss|reject|uphold|declin|overrul)(?:es?|ing)? {GAP}(?:complaints?|appeals?|grievances?"
            rf"|objections?|accusations?|allegations?|decisions?)\b{THING}",
            r"(?:disciplin|fir|reprimand|sack|punish|demot|suspend|retrain|blam|dismiss)(?:es?"
            rf"|ing)? {GAP}(?:employees?|staff|colleagues?|developers?|team members?|support agents?|agent"
            r"|drivers?|couriers?|moderators?|sellers?)\b(?! (?:hook|event|handler))",
            rf"(?:exclud|refus|reject|deny|turn away|discriminat\w{{0,3}} against)(?:es?"
            rf"|ing)? {PERSON} (?:service|entry|access because|because|based on|from (?:the|our) (?:community"
            r"|platform|service|forum|event))",
            rf"(?:renam|reword|chang|remov|replac|rephras)(?:es?|ing)? {GAP}(?:offensive|gendered|racist"
            rf"|sexist|discriminatory|non-inclusive|political|religious|insensitive) (?:\w{{1,12}} )?(?:terms?"
            r"|words?|language|wording|names?|images?|labels?|text|content|pictures?)\b",
        ),
    ),
)
