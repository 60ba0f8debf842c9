// Copies texts, over plain HTTP too, where browsers keep the clipboard's own interface back.

import { say } from "./dom.js";

/** Copies, and says so on the control for a moment. */
export async function copy(text, control) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyByHand(text, control);
  }
  say(control.dataset.copied);
  control.classList.add("copied");
  setTimeout(() => control.classList.remove("copied"), 1_500);
}

function copyByHand(text, control) {
  const field = document.createElement("textarea");
  field.className = "unseen";
  field.value = text;
  control.after(field); // inside an open dialog, for nothing outside of it can be selected
  field.select();
  document.execCommand("copy");
  field.remove();
  control.focus();
}
