/* Comfort only: after a decision the list stands where it stood, and the next line's button has the focus. */
"use strict";
{
    const KEY = "desk.scroll";
    const list = document.getElementById("result_list");

    if (list) {
        document.getElementById("changelist-form").addEventListener("submit", () => {
            sessionStorage.setItem(KEY, String(scrollY));
        });
    }

    addEventListener("load", () => {
        if (location.hash === "#searchbar") {
            document.getElementById("searchbar")?.focus();
        }
        const scroll = sessionStorage.getItem(KEY);
        sessionStorage.removeItem(KEY);
        if (scroll === null || !list) {
            return;
        }
        const row = location.hash && document.getElementById(location.hash.slice(1));
        const button = row && (row.querySelector(".validate") || row.querySelector("a"));
        if (button) {
            button.focus({preventScroll: true});
        }
        scrollTo({top: Number(scroll), behavior: "instant"});
        // A reload must not jump to a line that was decided long ago.
        history.replaceState(null, "", location.pathname + location.search);
    });
}
