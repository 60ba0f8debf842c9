// Searches without a reload: fetches what the server renders, and has it put in place.

import { find, main, PAGE, parse, say } from "./dom.js";
import { fieldsOf, fillRegionFields, refined } from "./fields.js";
import { remember } from "./history.js";
import { show, showTemplate } from "./place.js";
import { query } from "./query.js";

const QUERY_FIELDS = ["text", "image", "image_id", "image_ids", "not_image_ids", "region"];

let running = null; // AbortController of the search under way

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
 * shown. `change`: of the history, pushState or replaceState. `focus`: what to go to then.
 */
export async function visit(url, { body, resend = null, keepQuery = false, change = "pushState", focus = "" } = {}) {
  const signal = begin();
  main.setAttribute("aria-busy", "true");
  say(document.body.dataset.searching);
  try {
    arrive(await rendered({ url, body, signal }), { resend, keepQuery, change, focus });
  } catch (error) {
    if (error.name === "AbortError") return;
    showTemplate("#offline", find("#results") ?? main);
    say("");
  }
  if (!signal.aborted) main.removeAttribute("aria-busy");
}

export async function rendered({ url, body, signal }) {
  const response = await fetch(url, { method: body ? "POST" : "GET", body, headers: { Accept: "text/html" }, signal });
  return response.text();
}

function arrive(text, { resend, keepQuery, change, focus }) {
  const sent = resend?.uploads ?? [];
  const page = parse(text);
  const shown = find(".query-image");
  if (sent.length === 1 && shown?.src === query.picture && shown.naturalWidth && find(".query-image", page)) {
    find(".query-image", page).src = query.picture; // sharper than the preview, and already on the screen
  }
  const hasFailed = Boolean(find(".problem", page));
  if (!hasFailed) query.uploads = sent;
  remember(text, change, find("link[rel=canonical]", page).getAttribute("href"), resend);
  show(page, { keepQuery: keepQuery || (sent.length > 0 && hasFailed) });
  say(find("#summary")?.textContent ?? "");
  if (focus && !hasFailed) goTo(focus);
}

/** Shows a part of the page from its top, and reads on from there. */
function goTo(selector) {
  const heading = find(selector) ?? find("#results-heading");
  if (selector === "#results-heading") scrollTo(0, 0);
  else heading?.scrollIntoView({ block: "start" });
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

/** Searches with chosen files, in place of the query so far. */
export function upload(files) {
  if (isTooLarge(files)) return;
  const fields = fieldsOf(find(".refine") ?? find(".upload"));
  for (const name of QUERY_FIELDS) fields.delete(name);
  query.uploads = files.map((file) => ({ file, isNegative: false }));
  URL.revokeObjectURL(query.picture);
  query.picture = URL.createObjectURL(files[0]);
  showTemplate("#pending", main);
  const image = find(".query-image");
  image.addEventListener("error", () => find("#query")?.remove()); // not a photo, or one that only the server can show
  image.src = query.picture;
  query.box = null;
  scrollTo(0, 0);
  search(`${PAGE}?${new URLSearchParams(fields)}`, query.uploads);
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

export function addFiles(files) {
  if (isTooLarge([...query.uploads.map(({ file }) => file), ...files])) return;
  searchWith([...query.uploads, ...files.map((file) => ({ file, isNegative: false }))]);
}

function isTooLarge(files) {
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  if (bytes <= Number(document.body.dataset.maxBytes)) return false;
  cease();
  showTemplate("#too-large", find("#results") ?? main);
  return true;
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
