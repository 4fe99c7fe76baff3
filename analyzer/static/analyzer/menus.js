/* What opens over a list closes like a menu. */
"use strict";
{
    const close = (except) => document.querySelectorAll("details[name][open]").forEach((details) => {
        if (!details.contains(except)) {
            details.open = false;
        }
    });
    addEventListener("click", (event) => close(event.target));
    addEventListener("keydown", (event) => {
        if (event.key === "Escape") {
            const open = document.querySelector("details[name][open]");
            close(null);
            if (open) {
                open.querySelector("summary").focus();
            }
        }
    });
}
