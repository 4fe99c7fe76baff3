// A feedback button for any page: <script src="https://desk.example/static/feedback/widget.js" defer></script>
// It lives in a shadow root, sets no cookie, asks only the desk it came from, and needs nothing inline, so it
// works under a strict Content-Security-Policy that names the desk in script-src and connect-src.
"use strict";

(() => {
  const script = document.currentScript;
  if (!script || document.querySelector("[data-feedback-desk]")) return;
  const API = new URL("/api/feedback/", script.src);
  const TYPES = [
    ["", "Choose…"],
    ["bug", "Something is broken"],
    ["technical_question", "A technical question"],
    ["feature", "An idea or a wish"],
    ["general", "General feedback"],
    ["research", "Research"],
    ["commercial", "A business matter"],
  ];
  const RATINGS = ["1, very poor", "2, poor", "3, so-so", "4, good", "5, very good"];
  const STYLE = `
    :host { all: initial; color-scheme: light dark; --sheet: #fff; --ink: #1d2023; --quiet: #5a6068; --edge: #7d828a;
      --accent: #0b6b5d; --on-accent: #fff; --star: #f5a800; --star-edge: #a86200; --problem: #a8201a; }
    @media (prefers-color-scheme: dark) {
      :host { --sheet: #1b1e21; --ink: #eceeef; --quiet: #a9b0b8; --edge: #7c848d;
        --accent: #6fd3c1; --on-accent: #06231e; --star: #f0b34a; --star-edge: #f0b34a;
        --problem: #ff9d94; }
    }
    * { box-sizing: border-box; font: inherit; }
    button, dialog { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
    button { padding: 10px 20px; border: 1px solid transparent; border-radius: 8px; background: var(--accent);
      color: var(--on-accent); font-weight: 600; cursor: pointer; }
    button.quiet { background: none; color: var(--accent); }
    button[aria-disabled=true] { opacity: .6; cursor: progress; }
    .open { position: fixed; z-index: 2147483647; right: max(16px, env(safe-area-inset-right));
      bottom: max(16px, env(safe-area-inset-bottom)); border-radius: 24px; box-shadow: 0 2px 12px rgb(0 0 0 / 25%); }
    dialog { width: min(440px, 100vw - 24px); max-height: calc(100dvh - 24px); padding: 24px; overflow: auto;
      border: 1px solid transparent; border-radius: 14px; background: var(--sheet); color: var(--ink);
      box-shadow: 0 16px 48px rgb(0 0 0 / 35%); overflow-wrap: anywhere; }
    dialog::backdrop { background: rgb(0 0 0 / 45%); }
    :focus-visible, .stars input:focus-visible + label { outline: 3px solid var(--accent); outline-offset: 2px;
      border-radius: 6px; }
    h2 { margin: 0 0 16px; font-size: 22px; font-weight: 650; line-height: 1.25; }
    p { margin: 0; }
    fieldset { margin: 0 0 16px; padding: 0; border: 0; }
    legend, .field > label { display: block; padding: 0; font-weight: 600; }
    .field { margin-bottom: 16px; }
    .stars { display: flex; margin-left: -6px; position: relative; }
    .stars input, .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    .stars label { padding: 2px 6px; color: transparent; -webkit-text-stroke: 1px var(--edge); font-size: 32px;
      line-height: 1.25; cursor: pointer; forced-color-adjust: none; }
    .stars input:checked + label, .stars label:has(~ input:checked) { color: var(--star);
      -webkit-text-stroke-color: var(--star-edge); }
    select, textarea { display: block; width: 100%; margin-top: 4px; padding: 9px 11px; border: 1px solid var(--edge);
      border-radius: 8px; background: var(--sheet); color: inherit; }
    textarea { min-height: 110px; resize: vertical; }
    [aria-invalid=true] { border: 2px solid var(--problem); }
    .error { color: var(--problem); font-weight: 600; }
    .error:not(:empty) { margin-top: 8px; }
    .note { margin-bottom: 16px; color: var(--quiet); font-size: 14px; }
    .actions { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 16px; }
    @media print { .open { display: none; } }`;

  /** An element; what is no property of it becomes an attribute. */
  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  /** A labelled control with a place for its error below. */
  function field(name, text, control) {
    control.setAttribute("aria-describedby", `${name}-error`);
    const error = make("p", { className: "error", id: `${name}-error` });
    return make("div", { className: "field" }, make("label", { htmlFor: name }, text), control, error);
  }

  const stars = RATINGS.flatMap((text, index) => [
    make("input", { type: "radio", name: "rating", value: String(index + 1), id: `rating-${index + 1}` }),
    make("label", { htmlFor: `rating-${index + 1}`, title: text },
      make("span", { "aria-hidden": "true" }, "★"), make("span", { className: "unseen" }, text)),
  ]);
  const rating = make("fieldset", { "aria-describedby": "rating-error" },
    make("legend", {}, "How would you rate this page? (optional)"),
    make("div", { className: "stars" }, ...stars),
    make("p", { className: "error", id: "rating-error" }));
  const type = make("select", { id: "type", name: "type" },
    ...TYPES.map(([value, text]) => make("option", { value }, text)));
  const comment = make("textarea", { id: "comment", name: "comment", rows: 5, dir: "auto" });
  const problem = make("p", { className: "error", role: "alert" });
  const send = make("button", { type: "submit" }, "Send feedback");
  const form = make("form", { noValidate: true },
    make("h2", { id: "title" }, "Your feedback"),
    rating,
    field("type", "What is it about? (optional)", type),
    field("comment", "What would you like to tell us?", comment),
    make("p", { className: "note" }, "The address and title of this page are sent with it. E\u2011mail addresses, phone and "
      + "card numbers and other personal details that can be recognised are removed before anything is stored."),
    problem,
    make("div", { className: "actions" }, send,
      make("button", { type: "button", className: "quiet", onclick: close }, "Cancel")));
  const done = make("button", { type: "button", onclick: close }, "Close");
  const thanks = make("div", { hidden: true },
    make("h2", {}, "Thank you"),
    make("p", { role: "status" }, "Your feedback has arrived, and a person will see it."),
    make("div", { className: "actions" }, done));
  const dialog = make("dialog", { "aria-labelledby": "title" }, form, thanks);
  const label = script.dataset.label || "Feedback";
  const open = make("button", { type: "button", className: "open", "aria-haspopup": "dialog", onclick: show }, label);

  // What was sent without an answer, with its key: sent again unchanged, the desk stores it once.
  let unanswered = null;
  let sending = false;

  function show() {
    if (!thanks.hidden) {
      form.reset();
      thanks.hidden = true;
      form.hidden = false;
    }
    dialog.showModal();
  }

  function close() {
    dialog.close();
  }

  function newKey() {
    // Not randomUUID: pages served by plain http lack it.
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function written() {
    return {
      source: "widget",
      type: type.value,
      rating: form.elements.rating.value || null,
      comment: comment.value,
      page: location.href,
      page_title: document.title,
      viewport: `${innerWidth}x${innerHeight}`,
    };
  }

  /** Puts each error beside its field, the others above the button, and the focus where work is needed. */
  function explain(errors) {
    const rest = [];
    for (const name of ["rating", "type", "comment"]) showError(name, "");
    for (const [name, texts] of Object.entries(errors)) {
      if (["rating", "type", "comment"].includes(name)) showError(name, texts.join(" "));
      else rest.push(...texts);
    }
    problem.textContent = rest.join(" ");
    form.querySelector("[aria-invalid=true]")?.focus();
  }

  function showError(name, text) {
    form.querySelector(`#${name}-error`).textContent = text;
    const control = name === "rating" ? stars[0] : form.elements[name];
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }

  async function submit(event) {
    event.preventDefault();
    if (sending) return;
    unanswered ??= { key: newKey(), body: JSON.stringify(written()) };
    sending = true;
    send.setAttribute("aria-disabled", "true");
    explain({});
    try {
      const response = await fetch(API, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": unanswered.key },
        body: unanswered.body,
        credentials: "omit",
        signal: AbortSignal.timeout(20_000),
      });
      const answer = await response.json();
      if (response.ok) {
        unanswered = null;
        form.hidden = true;
        thanks.hidden = false;
        done.focus();
      } else {
        explain(answer.errors);
      }
    } catch {
      problem.textContent = "It could not be sent. Your text is still here: please try again.";
    } finally {
      sending = false;
      send.removeAttribute("aria-disabled");
    }
  }

  form.addEventListener("input", () => { unanswered = null; });
  form.addEventListener("submit", submit);

  const host = make("div", { "data-feedback-desk": "" });
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  root.append(open, dialog);
  document.body.append(host);
})();
