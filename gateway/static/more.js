// The next results, put behind those that are shown.

import { find, parse, say } from "./dom.js";
import { arrange } from "./gallery.js";
import { remembered } from "./history.js";
import { query } from "./query.js";
import { begin, requestOf } from "./search.js";
import { rendered } from "./send.js";

const ORDER = ["same", "alike", "related", "weak"]; // of the sections by how alike results are

const NEAR_PX = 600; // of the end of the results to the end of the screen

const DOWNWARDS = ["ArrowDown", "PageDown", "End", " "]; // keys that scroll
const GESTURE_MS = 3000; // a page goes on for so long after a hand has left it

/**
 * Shows more while somebody scrolls towards the end, as long as there is more that is alike. A page that is put where
 * it was, or brought to its results, scrolls as well, and nobody asked for more.
 */
export function followScrolling() {
  let gestureMs = -Infinity;
  const note = ({ timeStamp }) => { gestureMs = timeStamp; };
  for (const gesture of ["wheel", "touchmove"]) addEventListener(gesture, note, { passive: true });
  addEventListener("keydown", (event) => { if (DOWNWARDS.includes(event.key)) note(event); });
  addEventListener("scroll", ({ timeStamp }) => {
    if (timeStamp - gestureMs < GESTURE_MS) showMoreNearEnd();
  }, { passive: true });
}

function showMoreNearEnd() {
  const control = find(".following [data-do=show-more]");
  const isShut = find("details[data-section=weak]:not([open])");
  if (!control || isShut || find("dialog[open], #results .problem")) return;
  if (control.getBoundingClientRect().top < innerHeight + NEAR_PX) showMore(control, { isAsked: false });
}

/** Puts the next results behind those shown, where they stay; the address then says how far they go. */
export async function showMore(control, { isAsked = true } = {}) {
  if (control.ariaBusy === "true") return;
  control.ariaBusy = "true";
  const signal = begin();
  const address = control.dataset.address ?? control.href;
  say(document.body.dataset.searching);
  find("#results .problem")?.remove();
  try {
    take(await rendered({ ...requestOf(address, query.uploads), signal }), address, isAsked);
  } catch (error) {
    if (error.name === "AbortError") return;
    find(".following").before(find("#offline").content.cloneNode(true));
    say("");
  }
  control.ariaBusy = "false";
}

function take(text, address, isAsked) {
  const next = parse(text);
  const problem = find(".problem", next);
  if (problem) {
    find(".following").before(problem);
    return;
  }
  keep(text, address, isAsked);
  history.replaceState(history.state, "", find("link[rel=canonical]", next).getAttribute("href"));
  const first = append(document, next, isAsked);
  arrange();
  if (isAsked) find(".photo", first).focus({ preventScroll: true });
  say(find("#found").textContent);
}

/** So that going back shows them all. */
function keep(text, address, isAsked) {
  const kept = remembered();
  if (!kept) return;
  const whole = parse(kept.text);
  append(whole, parse(text), isAsked);
  kept.text = whole.documentElement.outerHTML;
  if (query.uploads.length) kept.resend = { address, uploads: query.uploads };
}

/** Moves the results of the rendered page `next` into `page`, each to those as alike. Returns the first of them. */
function append(page, next, isAsked) {
  const first = find("#results .gallery > li", next);
  for (const section of next.querySelectorAll("[data-section]")) {
    const same = find(`[data-section=${section.dataset.section}]`, page);
    if (!same) insert(section, page);
    else join(find(".gallery", same), find(".gallery", section));
    (same ?? section).open = isAsked; // only the least alike can be shut
  }
  find("#found", page).textContent = find("#found", next).dataset.through;
  replaceLink(page, next);
  return first;
}

/** The results of one section, in the order that was asked for. */
function join(gallery, more) {
  gallery.append(...more.children);
  if (gallery.closest("#results").dataset.sort !== "date") return;
  const taken = ({ dataset }) => dataset.taken;
  gallery.append(...[...gallery.children].sort((a, b) => (taken(a) < taken(b) ? 1 : taken(a) > taken(b) ? -1 : 0)));
}

function insert(section, page) {
  const rank = ({ dataset }) => ORDER.indexOf(dataset.section);
  const later = [...page.querySelectorAll("[data-section]")].find((other) => rank(other) > rank(section));
  if (later) later.before(section);
  else find(".following", page).before(section);
}

/** What leads on: to the results after these, or nowhere. */
function replaceLink(page, next) {
  const link = find(".following", next);
  if (link) find(".following", page).replaceWith(link);
  else find(".following", page).remove();
}
