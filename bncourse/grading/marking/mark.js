// The keys of a page: an element with data-key is clicked by that key. Nothing here is needed to mark with a mouse.
"use strict";
const switched = document.getElementById("keys");
const comment = document.getElementById("comment");
const NAME = "bncourse-mark-keys";

function remembered() {
  try { return localStorage.getItem(NAME) !== "off"; } catch { return true; }
}

if (switched) {
  switched.checked = remembered();
  switched.addEventListener("change", () => {
    try { localStorage.setItem(NAME, switched.checked ? "on" : "off"); } catch { /* then for this page alone */ }
  });
}

for (const button of document.querySelectorAll("[data-comment]")) {
  button.addEventListener("click", () => {
    const said = button.dataset.comment;
    if (!comment.value.includes(said)) comment.value = (comment.value.trim() + "\n\n" + said).trim();
  });
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.repeat) return;
  const field = event.target.closest("input:not([type=checkbox]), textarea");
  if (field) {
    if (event.key === "Escape") field.blur();
    if (event.key === "Enter" && event.ctrlKey) field.form.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || !(switched ? switched.checked : remembered())) return;
  const target = { p: document.getElementById("points"), c: comment }[event.key];
  if (target) {
    target.focus();
    target.select();
    event.preventDefault();
    return;
  }
  const pressed = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === event.key);
  if (pressed) {
    pressed.click();
    event.preventDefault();
  }
});
