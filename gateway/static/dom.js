// Small words for what every part of the script does.

export const find = (selector, root = document) => root.querySelector(selector);
export const parse = (text) => new DOMParser().parseFromString(text, "text/html");

export const PAGE = new URL(find(".brand").href).pathname; // "/", or where a proxy serves it
export const main = find("main");

/** Closes the photo over the page without touching the history, before another page is shown. Returns whether one was. */
export function leave() {
  const box = find("#lightbox");
  if (!box.open) return false;
  box.close("left");
  return true;
}

/** Tells a screen reader. */
export function say(text) {
  find("#status").textContent = text.replace(/\s+/g, " ");
}
