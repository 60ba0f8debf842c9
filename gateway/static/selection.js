// Several results at once: to search with, to save, or to copy the paths of. The form itself works without this.

import { copy } from "./copy.js";
import { find } from "./dom.js";

const MOST_PHOTOS = 8;
const picked = () => [...document.querySelectorAll(".pick:checked")];

document.addEventListener("change", ({ target }) => {
  if (target.matches(".pick")) count();
});

/** What the bar says, and what can be done with so many. */
function count() {
  const form = find("#selection");
  const number = picked().length;
  find(".count", form).textContent = form.dataset.count.replace("{number}", number);
  find("[data-search]", form).disabled = number > MOST_PHOTOS;
}

export function copyPaths(control) {
  copy(picked().map(({ dataset }) => dataset.path).join("\n"), control);
}

export function clearSelection() {
  const first = picked()[0];
  for (const each of picked()) each.checked = false;
  first?.focus();
}

/** The address that searches with what is selected. */
export function selectedAddress(form) {
  return `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`;
}
