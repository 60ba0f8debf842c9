// Small words for what every part of the script does.

export const find = (selector, root = document) => root.querySelector(selector);
export const parse = (text) => new DOMParser().parseFromString(text, "text/html");

export const PAGE = new URL(find(".brand").href).pathname; // "/", or where a proxy serves it
export const main = find("main");

/** Tells a screen reader. */
export function say(text) {
  find("#status").textContent = text.replace(/\s+/g, " ");
}
