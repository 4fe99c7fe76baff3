/* A key presses what carries it in data-key: a button, a link, a choice, or a part that opens. So whatever a key does
   can be done by hand, and a page says itself which keys it has. */
"use strict";
{
    const dialog = document.getElementById("keys");
    const off = () => dialog !== null && "off" in dialog.dataset;
    const WRITES = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=submit], [type=button])";
    const ACTS = "a, button, summary, [type=checkbox]";

    const shown = (element) => !element.disabled && element.checkVisibility({visibilityProperty: true});

    // In a list the keys are those of the line that has the focus; then those of the page.
    const find = (key) => {
        const line = document.activeElement.closest("[data-line]");
        const carriers = [...(line ? line.querySelectorAll("[data-key]") : []), ...document.querySelectorAll("[data-key]")];
        return carriers.find((each) => each.dataset.key.split(" ").includes(key) && shown(each)
            && (!each.closest("[data-line]") || each.closest("[data-line]") === line));
    };

    const press = (element) => {
        if (element.matches("summary")) {
            element.parentElement.open = true;
            element.parentElement.querySelector("textarea, input")?.focus();
        } else if (element.matches(WRITES)) {
            element.focus();
            element.select?.();
        } else {
            element.click();
        }
    };

    const move = (lines, step) => {
        const now = lines.indexOf(document.activeElement.closest("[data-line]"));
        const next = lines[now < 0 ? (step > 0 ? 0 : lines.length - 1) : now + step];
        if (next) {
            next.querySelector("a").focus();
            next.scrollIntoView({block: "nearest"});
        }
    };

    addEventListener("keydown", (event) => {
        const {target} = event;
        if (event.defaultPrevented || event.isComposing || event.altKey) {
            return;
        }
        if (target.matches(WRITES)) {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
                event.preventDefault();
                find("v")?.click();
            } else if (event.key === "Escape") {
                target.blur();
                document.getElementById("focus-title")?.focus({preventScroll: true});
            }
            return;
        }
        if (event.ctrlKey || event.metaKey || off() || (dialog && dialog.open)) {
            return;
        }
        // On keyboards where digits need Shift, the key itself still counts.
        const digit = !event.shiftKey && /^Digit\d$/.test(event.code);
        const key = digit ? event.code.at(-1) : event.key.length === 1 ? event.key.toLowerCase() : event.key;
        if (key === "Enter" && target.closest(ACTS)) {
            return;
        }
        const lines = [...document.querySelectorAll("[data-line]")];
        if (lines.length && (key === "j" || key === "k")) {
            event.preventDefault();
            move(lines, key === "j" ? 1 : -1);
            return;
        }
        // A key that is held down must not decide one item after the other.
        const carrier = event.repeat ? null : find(key);
        if (carrier) {
            event.preventDefault();
            press(carrier);
        }
    });

    document.addEventListener("click", (event) => {
        const opener = event.target.closest("[data-dialog=keys]");
        if (opener && dialog) {
            event.preventDefault();
            dialog.showModal();
        } else if (dialog && (event.target === dialog || event.target.closest("[data-close]"))) {
            dialog.close();
        }
    });
}
