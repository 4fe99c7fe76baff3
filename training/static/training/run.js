/* Follows a run that is going on: new lines of its log every three seconds, the whole page anew when it has ended. */
"use strict";
{
    const EVERY = 3000;

    const follow = (log) => {
        const look = async () => {
            try {
                const answer = await fetch(`${log.dataset.follow}?from=${log.dataset.end}`);
                if (answer.redirected) {
                    location.reload();
                    return;
                }
                if (answer.ok) {
                    const news = await answer.json();
                    if (!news.running) {
                        location.reload();
                        return;
                    }
                    if (news.log) {
                        const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
                        log.append(news.log);
                        log.dataset.end = news.end;
                        if (atEnd) {
                            log.scrollTop = log.scrollHeight;
                        }
                    }
                }
            } catch {
                // The server restarts or the network is away: the next look may find it again.
            }
            setTimeout(look, EVERY);
        };
        log.scrollTop = log.scrollHeight;
        setTimeout(look, EVERY);
    };

    addEventListener("DOMContentLoaded", () => {
        const log = document.getElementById("run-log");
        if (log && log.dataset.follow) {
            follow(log);
        }
    });
}
