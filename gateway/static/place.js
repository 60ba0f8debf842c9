// Puts rendered pages in place, and binds what they need.

import { find, main } from "./dom.js";
import { fillRegionFields, regionOfFields } from "./fields.js";
import { arrange } from "./gallery.js";
import { layBy } from "./history.js";
import { query } from "./query.js";
import { RegionBox } from "./region.js";

/** Puts a rendered page in place; with `keepQuery`, only its results and what depends on the region. */
export function show(page, { keepQuery = false } = {}) {
  const problem = find(".problem", page);
  if (keepQuery && find("#query")) {
    if (problem) find("#results").replaceChildren(problem);
    else find("#results").replaceWith(find("#results", page));
    find(".problem", page)?.remove();
    if (!problem) replaceParts(page, ["#query .tools", "#query .photo-set"]);
  } else {
    main.replaceChildren(...find("main", page).childNodes);
  }
  find("footer").replaceChildren(...find("footer", page).childNodes);
  document.body.className = page.body.className;
  document.title = page.title;
  prepare({ keepQuery });
}

function replaceParts(page, selectors) {
  for (const selector of selectors) find(selector)?.replaceWith(find(selector, page));
}

/** Binds what the page in place needs. */
export function prepare({ keepQuery = false } = {}) {
  find("#results-heading")?.after(...notes());
  arrange();
  window.onbeforeunload = query.uploads.length ? layBy : null;
  const stage = find(".stage");
  if (keepQuery && query.box) return;
  query.box = null;
  if (!stage || !find(".shade", stage)) return;
  query.box = new RegionBox(stage, { onChange: fillRegionFields, onCommit: searchWithBox });
  query.box.show(regionOfFields());
}

function notes() {
  return query.uploads.length ? query.notes.map((text) => Object.assign(document.createElement("p"), { className: "note", textContent: text })) : [];
}

function searchWithBox() {
  find(".refine").requestSubmit();
  keepFocus();
}

/** Where what had the keyboard is gone, it goes to what is nearest. */
export function keepFocus() {
  if (document.activeElement !== document.body) return;
  const near = [...document.querySelectorAll("#query .tools button, #results-heading")];
  (near.find((each) => each.checkVisibility()) ?? main).focus({ preventScroll: true });
}

export function showTemplate(id, target) {
  target.replaceChildren(find(id).content.cloneNode(true));
  document.body.className = "search";
}
