/* The card changes without a new page; whatever goes wrong on the way, what the person chose stays where it is. */
"use strict";
{
    const root = document.getElementById("focus");
    const announcer = document.getElementById("announce");
    const HEADERS = {"X-Desk-Fragment": "1"};
    // Nobody has read a card within this time: a second press on the same spot was meant for the one before.
    const SETTLE = 250;
    const TOAST = 30_000;
    const RENEW = 60_000;
    let busy = false;
    let since = 0;
    let timers = [];
    let renewed = 0;

    const say = (text) => { announcer.textContent = text; };
    const text = (element) => [...element.childNodes].filter((node) => !(node.matches && node.matches("button")))
        .map((node) => node.textContent).join("").replace(/\s+/g, " ").trim();

    const warn = (message) => {
        const list = root.querySelector(".messagelist");
        const line = document.createElement("li");
        line.className = "error";
        line.textContent = message;
        list.replaceChildren(line);
        list.hidden = false;
        say(message);
    };

    const choices = () => [...root.querySelectorAll(".choice")].map((field) => ({
        field,
        name: field.querySelector("input[type=radio]").name,
        chosen: field.querySelector("input[type=radio]:checked"),
        suggested: field.querySelector("[data-suggested]"),
    }));

    // What Enter would do is written on its button.
    const describe = () => {
        const card = root.querySelector("#card");
        const save = root.querySelector("#save-what");
        if (!save || "blind" in card.dataset) {
            return;
        }
        const found = choices();
        const edited = [...card.querySelectorAll("textarea[name=action], input[name=priority]")]
            .some((input) => input.value !== input.defaultValue);
        const labels = found.map(({chosen}) => chosen ? chosen.dataset.label : "?").join(" · ");
        const changed = edited || found.some(({chosen, suggested}) => chosen !== suggested);
        card.toggleAttribute("data-changed", changed);
        if (root.querySelector(".if-kept")) {
            root.querySelector(".if-kept").textContent = `Validate ${labels}`;
            root.querySelector(".if-changed").textContent = `Save as ${labels}`;
        }
    };

    const countDown = () => {
        const left = root.querySelector("#left");
        if (!left) {
            return;
        }
        let end = Date.now() + Number(left.dataset.left) * 1000;
        left.restart = (seconds) => { end = Date.now() + seconds * 1000; };
        const tick = () => {
            const seconds = Math.max(0, Math.round((end - Date.now()) / 1000));
            left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
        };
        tick();
        timers.push(setInterval(tick, 1000));
    };

    const settle = () => {
        timers.forEach(clearTimeout);
        timers = [];
        const part = root.querySelector("#focus-part");
        document.title = document.title.replace(/^[^|]*/, `${part.dataset.title} `);
        const toast = root.querySelector(".messagelist");
        if (!toast.hidden) {
            timers.push(setTimeout(() => {
                if (!toast.matches(":hover, :focus-within")) {
                    toast.hidden = true;
                }
            }, TOAST));
        }
        renewed = since = Date.now();
        countDown();
        describe();
    };

    const show = (html, address) => {
        const parsed = new DOMParser().parseFromString(html, "text/html").getElementById("focus-part");
        if (!parsed) {
            return false;
        }
        root.replaceChildren(document.adoptNode(parsed));
        history.replaceState(null, "", address);
        settle();
        scrollTo({top: 0, behavior: "instant"});
        const heading = root.querySelector("#focus-title");
        heading.focus({preventScroll: true});
        const done = [...root.querySelectorAll(".messagelist li")].map((line) =>
            text(line) + (line.querySelector(".undo") ? " Undo: z." : ""));
        say([...done, `Now ${parsed.dataset.now || heading.textContent.trim()}`].join(" "));
        return true;
    };

    const go = async (address, options) => {
        busy = true;
        root.setAttribute("aria-busy", "true");
        try {
            const response = await fetch(address, {...options, headers: HEADERS, credentials: "same-origin"});
            const signedOut = new URL(response.url).pathname.endsWith("/login/");
            if (signedOut) {
                warn("Not stored: you are signed out. Sign in in another tab, then press the key again; your choice is still here.");
            } else if (response.status >= 500 || response.status === 400 || response.status === 403) {
                warn(`Not stored: the server answered ${response.status}. Your choice is still here; try again, or reload the page.`);
            } else if (!show(await response.text(), response.url)) {
                location.assign(response.url);
            }
        } catch {
            warn("Not stored: the desk cannot be reached. Your choice is still here; press the key again when it is back.");
        } finally {
            busy = false;
            root.removeAttribute("aria-busy");
        }
    };

    root.addEventListener("submit", (event) => {
        if ("whole" in event.target.dataset) {
            return;
        }
        event.preventDefault();
        if (busy || Date.now() - since < SETTLE) {
            return;
        }
        const {submitter, target} = event;
        const body = new FormData(target, submitter);
        const token = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie);
        if (token) {
            body.set("csrfmiddlewaretoken", token[1]);
        }
        // Not target.action: the form has a field of that name.
        go(submitter?.getAttribute("formaction") || target.getAttribute("action"), {method: "POST", body});
    });

    root.addEventListener("click", (event) => {
        const link = event.target.closest("a[href]");
        const inside = link && /\/queueitem\/review\/$/.test(new URL(link.href).pathname);
        if (inside && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
            event.preventDefault();
            if (!busy) {
                go(link.href);
            }
        }
    });

    root.addEventListener("change", (event) => {
        const radio = event.target;
        if (radio.type !== "radio") {
            describe();
            return;
        }
        // Praise and noise hold nobody up: their severity follows, until somebody says otherwise.
        const severity = choices().find(({name}) => name === "severity");
        const meant = root.querySelector("#card [name=meant]");
        if (radio.name === "severity") {
            meant.value = "severity";
        } else if (!meant.value) {
            const low = severity.field.querySelector("input[value=low]");
            const harmless = radio.value === "noise" || radio.value === "positive";
            const follow = harmless ? low : severity.suggested;
            if (follow || severity.chosen) {
                (follow || severity.chosen).checked = Boolean(follow);
            }
        }
        describe();
        const was = choices().find(({name}) => name === radio.name).suggested;
        say(`${radio.name} ${radio.dataset.label}${was && was !== radio ? `, suggested was ${was.dataset.label}` : ""}. Enter saves.`);
    });
    root.addEventListener("input", describe);

    // Somebody who works on an item keeps it; somebody who has left gives it back by doing nothing.
    const stay = async () => {
        const left = root.querySelector("#left");
        if (!left || busy || Date.now() - renewed < RENEW) {
            return;
        }
        renewed = Date.now();
        const body = new FormData(root.querySelector("#desk-form"));
        try {
            const response = await fetch(left.dataset.renew, {method: "POST", body, credentials: "same-origin"});
            const answer = await response.json();
            if (response.ok) {
                left.restart(answer.left);
            } else if (response.status === 409) {
                warn(answer.text);
            }
        } catch {
            // The next key tries again, and what is chosen stays where it is.
        }
    };
    addEventListener("keydown", stay);
    addEventListener("pointerdown", stay);

    settle();
}
