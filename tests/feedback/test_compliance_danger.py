"""Threats, people in danger and abuse are noticed; killed processes and figures of speech are not."""

from __future__ import annotations

import pytest

from feedback.governance.compliance import Outcome, check

THREATS = [
    "I will kill you all if this is not fixed.",
    "I'm going to hurt your support agent.",
    "We know where you live.",
    "I will come to your office with a gun.",
    "I will come to your office and kill you all tomorrow",
    "We are going to show up at your shop and beat every one of you",
    "Fix it or I'll burn down your office.",
    "There is a bomb in your building.",
    "You will die for this, and your family too.",
    "I hope you all die.",
    "You better watch your back.",
    "I'll find you and break your neck.",
    "I want to murder the developer who made this. I am going to shoot every one of you.",
    "Somebody should shoot your CEO.",
    "I swear I'll stab the next agent, I will stab you.",
    "we're going to blow up your headquarters",
    "You are a dead man.",
    "I know exactly where your kids go to school",
    "Ich bringe dich um.",
    "Ich weiß, wo du wohnst.",
    "Wir werden euch alle umbringen",
    "Je vais te tuer.",
    "Je sais où vous habitez",
    "Te voy a matar.",
    "Sé dónde vives.",
]
NO_THREATS = [
    "This bug is killing me",
    "Kill the process and start it again",
    "The app crashed and died",
    "My battery dies within an hour because of your app",
    "I will kill the tab and retry",
    "I'd kill for a dark mode",
    "My boss will kill me if the report is late",
    "Shoot me an email when it is fixed",
    "The new player is a killer feature",
    "The update bombed my settings",
    "In the game I will shoot you and the hit is not counted",
    "You will regret removing this feature",
    "I will beat you in the game next round",
    "Your servers are dying under load",
    "I know where the button is, but it does nothing",
    "The dead link on your office page",
    "Attack of the cookie banners!",
    "Please execute the job every night",
    "I will burn the ISO to a disk",
    "I will come to your office and restart the server myself",
    "I am going to come to your office on Monday to pick it up",
    "Der Prozess wird vom System getötet",
    "Der neue Preis bringt mich nicht um, aber er ist hoch",
    "Je vais tuer le processus",
    "Voy a matar el proceso",
]
IN_DANGER = [
    "I am thinking about suicide",
    "I'm considering suicide",
    "Suicide is the only way out for me",
    "I no longer want to live",
    "I want to kill myself.",
    "I don't want to live anymore.",
    "I am thinking about ending my life",
    "I've been suicidal for weeks",
    "I just want to die",
    "I wish I was dead",
    "I took too many pills",
    "My husband beats me and reads my messages on your site.",
    "He is going to kill me, please hide my address",
    "I am in danger, please remove my profile at once",
    "My daughter tried to take an overdose after what was posted here",
    "My brother wrote that he wants to kill himself in your forum",
    "I have no reason to live",
    "I was kidnapped and this is the only page I can open",
    "I keep hurting myself",
    "Everyone would be better off without me",
    "Ich will nicht mehr leben.",
    "Ich bringe mich um",
    "Mein Mann schlägt mich",
    "Je veux mourir.",
    "Je ne veux plus vivre",
    "Quiero morir",
    "Voy a suicidarme",
    "Mi marido me pega",
]
NOT_IN_DANGER = [
    "I'm dying for a dark mode",
    "I died laughing at the 404 page",
    "The link to the suicide prevention hotline is broken",
    "The article on self-harm has a typo",
    "The worker thread commits suicide after a timeout",
    "I had to cut myself off from the newsletter",
    "I nearly had a heart attack when I saw the bill",
    "I'm in danger of losing my data",
    "There is an overdose of pop-ups",
    "The page about domestic violence does not load",
    "I was thinking about suicide prevention week, add a banner",
    "I no longer want to live chat with a bot",
    "I beat myself up for not finding the button",
    "My son killed the wifi",
    "My wife will kill me if the flowers arrive late",
    "He hit me with a support ticket",
    "I want to live in a world without captchas",
    "I could kill this modal myself",
    "The child process was killed and the parent died",
    "I don't want to live without this app",
    "The player should not die when she falls in the water",
    "Please end my subscription, not my trial",
    "I jumped off the tutorial after page two",
    "Je meurs de rire devant ce bug",
    "Me muero por un modo oscuro",
    "Ich sterbe vor Langeweile, so lange lädt die Seite",
]
ABUSE = [
    "You are all idiots.",
    "You idiots broke the search again",
    "Your support team are complete morons.",
    "What a bunch of useless clowns",
    "Fuck you and your company",
    "Go to hell",
    "Go back to your country",
    "You people are scum",
    "You're pathetic",
    "Stupid developers, learn to code",
    "Ihr Vollidioten!",
    "Bande d'abrutis",
    "Sois unos idiotas",
    "¡Idos a la mierda!",
]
NO_ABUSE = [
    "The installer should be idiot-proof",
    "I felt like an idiot looking for the button",
    "This is fucking slow",
    "The garbage collector pauses for seconds",
    "The stupid button does nothing",
    "What a stupid layout",
    "Your support team is slow",
    "The fool's guide link is broken",
    "This is pathetic for the price",
    "Anyone slower than you is an idiot, says the old joke",
    "You are stupidly good at this, thank you",
    "All blacks should be #111 in dark mode",
    "I hate the new menu",
    "The pigs in the farm game do not move",
    "Die Idee ist idiotisch, aber nett gemacht",
]


def rules(comment: str) -> dict[str, Outcome]:
    return {finding.rule: finding.outcome for finding in check(comment)}


@pytest.mark.parametrize("comment", THREATS)
def test_a_threat_waits_for_a_person(comment: str) -> None:
    assert rules(comment).get("threat") is Outcome.HOLD


@pytest.mark.parametrize("comment", IN_DANGER)
def test_a_person_in_danger_waits_for_a_person(comment: str) -> None:
    assert rules(comment).get("person-in-danger") is Outcome.HOLD


@pytest.mark.parametrize("comment", [*NO_THREATS, *NOT_IN_DANGER])
def test_figures_of_speech_are_not_held(comment: str) -> None:
    assert Outcome.HOLD not in rules(comment).values()


@pytest.mark.parametrize("comment", ABUSE)
def test_abuse_of_staff_is_flagged(comment: str) -> None:
    assert rules(comment).get("abuse") is Outcome.FLAG


@pytest.mark.parametrize("comment", NO_ABUSE)
def test_anger_at_the_product_is_not_abuse(comment: str) -> None:
    assert "abuse" not in rules(comment)
