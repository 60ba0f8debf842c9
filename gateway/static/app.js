// Searches without a reload. The server renders every state of the page; this fetches it and puts it in place.

import { evenLastRows } from "./gallery.js";
import { offerFolders } from "./folders.js";
import { keepLive } from "./live.js";
import { append } from "./more.js";
import { RegionBox } from "./region.js";

const REMEMBERED = 30;
const PAGE = new URL("..", import.meta.url).pathname; // "/", or where a proxy serves it
const QUERY_FIELDS = ["text", "image", "image_id", "image_ids", "not_image_ids", "region"];

const find = (selector, root = document) => root.querySelector(selector);
const status = find("#status");
const main = find("main");

/** Pages of this tab by the key in their history entry: {text, uploads}, so that going back asks nobody. */
const pages = new Map();

let running = null; // AbortController of the search under way
let uploads = []; // the uploaded photos of the query shown: {file, isNegative}, the positive ones first
let picture = ""; // object URL of a single one
let box = null;

// --- Showing pages ---

/** Puts a rendered page in place; with `keepQuery`, only its results and what depends on the region. */
function show(page, { keepQuery = false } = {}) {
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
function prepare({ keepQuery = false } = {}) {
  evenLastRows(document.querySelectorAll(".gallery"));
  window.onbeforeunload = uploads.length ? layBy : null;
  const stage = find(".stage");
  if (keepQuery && box) return;
  box = null;
  if (!stage || !find(".shade", stage)) return;
  box = new RegionBox(stage, { onChange: fillRegionFields, onCommit: () => find(".refine").requestSubmit() });
  box.show(regionOfFields());
}

function regionFields() {
  return [...document.querySelectorAll(".refine input[name=region]")];
}

function fillRegionFields(region) {
  const values = region ? [region.x, region.y, region.width, region.height] : ["", "", "", ""];
  regionFields().forEach((input, index) => { input.value = values[index]; });
  find("[data-do=search-region]")?.toggleAttribute("hidden", !region);
  find("[data-do=select-region]")?.toggleAttribute("hidden", Boolean(region));
}

function regionOfFields() {
  const [x, y, width, height] = regionFields().map((input) => input.valueAsNumber);
  return width > 0 && height > 0 && x >= 0 && y >= 0 ? { x, y, width, height } : null;
}

function showTemplate(id, target) {
  target.replaceChildren(find(id).content.cloneNode(true));
  document.body.className = "search";
}

// --- Searching ---

/**
 * Fetches a page and shows it. A newer search ends this one.
 * `body`: what to post, `resend` what it was made of: {address, uploads}. `keepQuery`: the query is the one already
 * shown. `change`: of the history, pushState or replaceState. `focus`: what to go to then.
 */
async function visit(url, { body, resend = null, keepQuery = false, change = "pushState", focus = "" } = {}) {
  running?.abort();
  const controller = (running = new AbortController());
  main.setAttribute("aria-busy", "true");
  status.textContent = document.body.dataset.searching;
  try {
    const text = await rendered({ url, body, signal: controller.signal });
    arrive(text, { resend, keepQuery, change, focus });
  } catch (error) {
    if (error.name === "AbortError") return;
    showTemplate("#offline", find("#results") ?? main);
    status.textContent = "";
  }
  if (running === controller) main.removeAttribute("aria-busy");
}

async function rendered({ url, body, signal }) {
  const response = await fetch(url, { method: body ? "POST" : "GET", body, headers: { Accept: "text/html" }, signal });
  return response.text();
}

function arrive(text, { resend, keepQuery, change, focus }) {
  const sent = resend?.uploads ?? [];
  const page = new DOMParser().parseFromString(text, "text/html");
  const shown = find(".query-image");
  if (sent.length === 1 && shown?.src === picture && shown.naturalWidth && find(".query-image", page)) {
    find(".query-image", page).src = picture; // sharper than the preview, and already on the screen
  }
  const hasFailed = Boolean(find(".problem", page));
  if (!hasFailed) uploads = sent;
  remember(text, change, find("link[rel=canonical]", page).getAttribute("href"), resend);
  show(page, { keepQuery: keepQuery || (sent.length > 0 && hasFailed) });
  status.textContent = find("#summary")?.textContent.replace(/\s+/g, " ") ?? "";
  if (focus && !hasFailed) goTo(focus);
}

/** Shows a part of the page from its top, and reads on from there. */
function goTo(selector) {
  const heading = find(selector) ?? find("#results-heading");
  if (selector === "#results-heading") scrollTo(0, 0);
  else heading?.scrollIntoView({ block: "start" });
  heading?.focus({ preventScroll: true });
}

/** Keeps a page for its entry in the history, which `change` (pushState or replaceState) makes. */
function remember(text, change, address, resend) {
  const key = crypto.getRandomValues(new Uint32Array(2)).join("-");
  history[change]({ key }, "", address);
  pages.set(key, { text, uploads, resend });
  if (pages.size > REMEMBERED) pages.delete(pages.keys().next().value);
}

/** Lays the files by for a reload. Only then: an entry of the history that holds files cannot be gone back to. */
function layBy() {
  const resend = pages.get(history.state?.key)?.resend;
  try {
    history.replaceState({ ...history.state, resend }, "");
  } catch {
    // Too much for this browser: a reload begins anew.
  }
}

/** Searches again with what a reload took off the page; with nothing where the browser has lost the files. */
async function restore({ address, uploads: photos }) {
  try {
    await Promise.all(photos.map(({ file }) => file.slice(0, 1).arrayBuffer()));
  } catch {
    return;
  }
  search(address, photos, { change: "replaceState" });
}

/** Searches with chosen files, in place of the query so far. */
function upload(files) {
  if (isTooLarge(files)) return;
  const fields = fieldsOf(find(".refine") ?? find(".upload"));
  for (const name of QUERY_FIELDS) fields.delete(name);
  uploads = files.map((file) => ({ file, isNegative: false }));
  URL.revokeObjectURL(picture);
  picture = URL.createObjectURL(files[0]);
  showTemplate("#pending", main);
  const image = find(".query-image");
  image.addEventListener("error", () => find("#query")?.remove()); // not a photo, or one that only the server can show
  image.src = picture;
  box = null;
  scrollTo(0, 0);
  search(`${PAGE}?${new URLSearchParams(fields)}`, uploads);
}

/** Searches with words alone, from the start page, with the options that are ticked there. */
function searchWithWords(text) {
  if (!text) return;
  const fields = fieldsOf(find(".upload"));
  fields.delete("image");
  fields.set("text", text);
  visit(`${PAGE}?${new URLSearchParams(fields)}`, { focus: "#results-heading" });
}

function isTooLarge(files) {
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  if (bytes <= Number(document.body.dataset.maxBytes)) return false;
  running?.abort();
  main.removeAttribute("aria-busy");
  showTemplate("#too-large", find("#results") ?? main);
  return true;
}

function addUploads(body, photos) {
  for (const { file, isNegative } of photos) body.append(isNegative ? "not_images" : "images", file);
}

/** A search of the page's, whose address says all but the uploaded photos. */
function search(address, photos, options) {
  const { url, body } = requestOf(address, photos);
  visit(url, { ...options, body, resend: body ? { address, uploads: photos } : null });
}

function requestOf(address, photos) {
  const { searchParams: fields } = new URL(address, location.href);
  if (!photos.length) return { url: fields.size ? `${PAGE}?${fields}` : PAGE };
  const body = new FormData();
  for (const [name, value] of fields) {
    if (name !== "match") body.append(name === "image_id" ? "image_ids" : name, value);
  }
  addUploads(body, photos);
  const match = fields.get("match");
  return { url: match ? `${PAGE}?match=${match}` : PAGE, body };
}

/** Puts the next results behind those shown, where they stay; the address then says how far they go. */
async function showMore(control) {
  if (control.ariaBusy === "true") return;
  control.ariaBusy = "true";
  running?.abort();
  const { signal } = (running = new AbortController());
  const address = control.dataset.address ?? control.href;
  status.textContent = document.body.dataset.searching;
  find("#results .problem")?.remove();
  try {
    take(await rendered({ ...requestOf(address, uploads), signal }), address);
  } catch (error) {
    if (error.name === "AbortError") return;
    find(".following").before(find("#offline").content.cloneNode(true));
    status.textContent = "";
  }
  control.ariaBusy = "false";
}

function take(text, address) {
  const parsed = () => new DOMParser().parseFromString(text, "text/html");
  const next = parsed();
  const problem = find(".problem", next);
  if (problem) {
    find(".following").before(problem);
    return;
  }
  const kept = pages.get(history.state?.key);
  if (kept) { // going back shows them all
    const whole = new DOMParser().parseFromString(kept.text, "text/html");
    append(whole, parsed());
    kept.text = whole.documentElement.outerHTML;
    if (uploads.length) kept.resend = { address, uploads };
  }
  history.replaceState(history.state, "", find("link[rel=canonical]", next).getAttribute("href"));
  const first = append(document, next);
  evenLastRows(document.querySelectorAll(".gallery"));
  find(".photo", first).focus({ preventScroll: true });
  status.textContent = find("#found").textContent;
}

/** What a form holds. Of an option that is on by itself, which it says by two fields, nothing unless it is off. */
function fieldsOf(form) {
  const fields = new FormData(form);
  for (const { name } of form.querySelectorAll("input[type=hidden][value=false]")) {
    if (fields.getAll(name).length > 1) fields.delete(name);
  }
  return fields;
}

/** The address of the query shown, with the options and the region as they now stand. */
function refined() {
  const fields = fieldsOf(find(".refine"));
  const region = fields.getAll("region").join(",");
  fields.delete("region");
  if (/\d/.test(region)) fields.set("region", region);
  return `${PAGE}?${new URLSearchParams(fields)}`;
}

/** The query shown with other uploaded photos beside its indexed ones; a part is only of a single photo. */
function searchWith(photos) {
  const positivesFirst = [...photos].sort((a, b) => a.isNegative - b.isNegative);
  fillRegionFields(null);
  search(refined(), positivesFirst, { focus: "#results-heading" });
}

// --- What people do ---

document.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target.matches(".refine")) {
    box?.show(regionOfFields());
    search(refined(), uploads, { keepQuery: true });
  } else if (event.target.matches(".words")) {
    searchWithWords(new FormData(event.target).get("text").trim());
  } else {
    const chosen = [...find("#photo").files];
    if (chosen.length) upload(chosen);
  }
});

document.addEventListener("change", ({ target }) => {
  if (!target.matches("input[type=file]") || !target.files.length) return;
  const chosen = [...target.files];
  target.value = "";
  if (target.id === "photo") upload(chosen);
  else addFiles(chosen);
});

function addFiles(files) {
  if (isTooLarge([...uploads.map(({ file }) => file), ...files])) return;
  searchWith([...uploads, ...files.map((file) => ({ file, isNegative: false }))]);
}

document.addEventListener("click", (event) => {
  const control = event.target.closest("[data-do], [data-address]");
  const act = ACTIONS[control?.dataset.do];
  if (act) {
    event.preventDefault();
    act(Number(control.dataset.file), control);
  } else if (control) {
    search(control.dataset.address, uploads, whereTo(control.dataset.address));
  } else {
    follow(event);
  }
});

const ACTIONS = {
  "show-more": (_, control) => showMore(control),
  "select-region": () => box?.select(),
  "search-region": () => find(".refine").requestSubmit(),
  "clear-region": () => {
    box?.show(null);
    fillRegionFields(null);
    find(".refine").requestSubmit();
  },
  "remove-file": (index) => searchWith(uploads.filter((_, place) => place !== index)),
  "turn-file": (index) => searchWith(
    uploads.map((photo, place) => (place === index ? { ...photo, isNegative: !photo.isNegative } : photo)),
  ),
};

/** A match is shown above the results of the query that stays. */
function whereTo(address) {
  const isMatch = new URL(address, location.href).searchParams.has("match");
  return { keepQuery: isMatch, focus: isMatch ? "#match-heading" : "#results-heading" };
}

/** Links of the page itself are shown in place; others, and those opened in a new tab, are left to the browser. */
function follow(event) {
  const link = event.target.closest("a[href]");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || link.target || link.origin !== location.origin || link.pathname !== PAGE) return;
  if (link.getAttribute("href").startsWith("#")) return;
  event.preventDefault();
  visit(link.href, whereTo(link.href));
}

addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) {
    event.preventDefault();
    upload([...event.clipboardData.files]);
  }
});

addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});

addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});

addEventListener("drop", (event) => {
  document.body.classList.remove("dropping");
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  upload([...event.dataTransfer.files]);
});

addEventListener("popstate", ({ state }) => {
  const page = pages.get(state?.key);
  if (!page) {
    visit(location.href, { change: "replaceState" });
    return;
  }
  running?.abort();
  main.removeAttribute("aria-busy");
  uploads = page.uploads;
  show(new DOMParser().parseFromString(page.text, "text/html"));
  status.textContent = find("#summary")?.textContent.replace(/\s+/g, " ") ?? "";
});

document.documentElement.classList.add("scripted");
const resend = history.state?.resend ?? null;
remember(document.documentElement.outerHTML, "replaceState", location.href, resend);
prepare();
keepLive(PAGE, (page, text) => {
  pages.set(history.state?.key, { text, uploads, resend: null });
  show(page);
});
offerFolders(`${PAGE}folders`);
if (resend) restore(resend);
