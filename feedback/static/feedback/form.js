// The form works without this: it adds the room left for the comment, the window's size and the focus on errors.
"use strict";

const comment = document.getElementById("comment");
const left = document.getElementById("comment-left");
const status = document.getElementById("comment-status");
const max = Number(comment.dataset.max);
const NEARLY = 200;
const hint = left.textContent;

function showLeft() {
  // Code points without the spaces around, as the server counts them: an emoji is one.
  const room = max - [...comment.value.trim()].length;
  const count = Math.abs(room);
  const text = `${count.toLocaleString("en")} character${count === 1 ? "" : "s"} ${room < 0 ? "too many" : "left"}`;
  left.textContent = comment.value ? text : hint;
  left.classList.toggle("over", room < 0);
  // Read aloud only when it starts to matter, and not at every key.
  const aloud = room < 0 ? "The comment is too long." : room <= NEARLY ? `Fewer than ${NEARLY} characters left.` : "";
  if (status.textContent !== aloud) status.textContent = aloud;
}

comment.addEventListener("input", showLeft);
// A browser that restores the text after "back" fires no input event.
addEventListener("pageshow", showLeft);
document.querySelector("form").addEventListener("submit", () => {
  document.getElementById("viewport").value = `${innerWidth}x${innerHeight}`;
});
document.getElementById("problems")?.focus();
