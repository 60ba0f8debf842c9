// Searches without a reload: fetches what the server renders, and has it put in place.

import { find, main, PAGE, parse, say } from "./dom.js";
import { fieldsOf, fillRegionFields, refined } from "./fields.js";
import { remember } from "./history.js";
import { holder } from "./hold.js";
import { keepFocus, show } from "./place.js";
import { query } from "./query.js";
import { rendered } from "./send.js";

let running = null; // AbortController of the search under way
let again = () => location.reload(); // begins it once more

/** Ends the search under way, and begins another one. Returns what tells whether that is ended too. */
export function begin() {
  running?.abort();
  running = new AbortController();
  return running.signal;
}

export function cease() {
  running?.abort();
  main.removeAttribute("aria-busy");
}

/**
 * Fetches a page and shows it. A newer search ends this one.
 * `body`: what to post, `resend` what it was made of: {address, uploads}. `keepQuery`: the query is the one already
 * shown. `change`: of the history, pushState or replaceState. `focus`: what to go to then. `held`: the result that
 * stays where it is. `onFailure`: given the code of a failure, may return whether it does something else about it.
 */
export async function visit(url, options = {}) {
  const { body, keepQuery = false, focus = "" } = options;
  const signal = begin();
  again = () => visit(url, options);
  main.setAttribute("aria-busy", "true");
  say(document.body.dataset.searching);
  try {
    await arrive(await rendered({ url, body, signal }), { change: "pushState", ...options, url, keepQuery, focus });
  } catch (error) {
    if (error.name === "AbortError") return;
    showOffline();
  }
  if (!signal.aborted) main.removeAttribute("aria-busy");
}

/** Tries the last search again. */
export function tryAgain() {
  again();
}

/** Says so above what is shown, which stays. */
function showOffline() {
  const place = find(".skeleton") ? find("#results") : main;
  if (place === main) find(":scope > .problem", main)?.remove();
  const problem = find("#offline").content.cloneNode(true);
  if (place === main) main.prepend(problem);
  else place.replaceChildren(problem);
  find(".problem").scrollIntoView({ block: "nearest" });
  say("");
}

async function arrive(text, { url, body, resend = null, keepQuery, change, focus, held, onFailure }) {
  const sent = resend?.uploads ?? [];
  const page = parse(text);
  const problem = find(".problem", page);
  if (problem && (await onFailure?.(problem.dataset.code))) return;
  const shown = find(".query-image");
  if (sent.length === 1 && shown?.src === query.picture && shown.naturalWidth && find(".query-image", page)) {
    find(".query-image", page).src = query.picture; // sharper than the preview, and already on the screen
  }
  if (!problem) query.uploads = sent;
  const canonical = find("link[rel=canonical]", page).getAttribute("href");
  const failed = body ? location.href : url;
  remember(text, change, problem ? failed : canonical, resend);
  const hold = held && !problem ? holder(held) : null;
  show(page, { keepQuery: keepQuery || (sent.length > 0 && Boolean(problem)) });
  say(find("#summary")?.textContent ?? "");
  if (hold) hold();
  else if (focus && !problem) goTo(focus);
  else keepFocus();
}

/** Shows a part of the page from its top, and reads on from there. */
function goTo(selector) {
  const heading = find(selector) ?? find("#results-heading");
  if (heading?.id === "results-heading") scrollTo(0, 0);
  else heading?.scrollIntoView({ block: selector.startsWith("#") ? "start" : "nearest" });
  heading?.focus({ preventScroll: true });
}

/** A search of the page's, whose address says all but the uploaded photos. */
export function search(address, photos, options) {
  const { url, body } = requestOf(address, photos);
  visit(url, { ...options, body, resend: body ? { address, uploads: photos } : null });
}

export function requestOf(address, photos) {
  const { searchParams: fields } = new URL(address, location.href);
  if (!photos.length) return { url: fields.size ? `${PAGE}?${fields}` : PAGE };
  const body = new FormData();
  for (const [name, value] of fields) {
    if (name !== "match") body.append(name === "image_id" ? "image_ids" : name, value);
  }
  for (const { file, isNegative } of photos) body.append(isNegative ? "not_images" : "images", file);
  const match = fields.get("match");
  return { url: match ? `${PAGE}?match=${match}` : PAGE, body };
}

/** Searches with words alone, from the start page, with the options that are ticked there. */
export function searchWithWords(text) {
  if (!text) return;
  const fields = fieldsOf(find(".upload"));
  fields.delete("image");
  fields.set("text", text);
  visit(`${PAGE}?${new URLSearchParams(fields)}`, { focus: "#results-heading" });
}

/** The query shown with other uploaded photos beside its indexed ones; a part is only of a single photo. */
export function searchWith(photos) {
  const positivesFirst = [...photos].sort((a, b) => a.isNegative - b.isNegative);
  fillRegionFields(null);
  search(refined(), positivesFirst, { focus: "#results-heading" });
}

/** Searches again with what a reload took off the page; with nothing where the browser has lost the files. */
export async function restore({ address, uploads }) {
  try {
    await Promise.all(uploads.map(({ file }) => file.slice(0, 1).arrayBuffer()));
  } catch {
    return;
  }
  search(address, uploads, { change: "replaceState" });
}
