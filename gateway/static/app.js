// Searches without a reload. The server renders every state of the page; this fetches it and puts it in place.

import { RegionBox } from "./region.js";

const REMEMBERED = 30;

const find = (selector, root = document) => root.querySelector(selector);
const status = find("#status");
const main = find("main");

/** Pages of this tab by the key in their history entry: {text, file}, so that going back asks nobody. */
const pages = new Map();

let running = null; // AbortController of the search under way
let file = null; // the uploaded query of the page shown; null for an indexed one
let picture = ""; // object URL of that file
let box = null;

// --- Showing pages ---

/** Puts a rendered page in place; with `keepQuery`, only its results and what depends on the region. */
function show(page, { keepQuery = false } = {}) {
  const problem = find(".problem", page);
  if (keepQuery && find("#query")) {
    if (problem) find("#results").replaceChildren(problem);
    else find("#results").replaceWith(find("#results", page));
    find(".problem", page)?.remove();
    if (!problem) find("#query .tools")?.replaceWith(find("#query .tools", page));
  } else {
    main.replaceChildren(...find("main", page).childNodes);
  }
  find("footer").replaceChildren(...find("footer", page).childNodes);
  document.body.className = page.body.className;
  document.title = page.title;
  prepare({ keepQuery });
}

/** Binds what the page in place needs. */
function prepare({ keepQuery = false } = {}) {
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
 * `keepQuery`: the query is the one already shown. `push`: adds a history entry.
 */
async function visit(url, { body, query = null, keepQuery = false, push = true, focus = false } = {}) {
  running?.abort();
  const controller = (running = new AbortController());
  main.setAttribute("aria-busy", "true");
  status.textContent = document.body.dataset.searching;
  try {
    const response = await fetch(url, {
      method: body ? "POST" : "GET",
      body,
      headers: { Accept: "text/html" },
      signal: controller.signal,
    });
    const text = await response.text();
    arrive(text, { query, keepQuery, push, focus });
  } catch (error) {
    if (error.name === "AbortError") return;
    showTemplate("#offline", find("#results") ?? main);
    status.textContent = "";
  }
  if (running === controller) main.removeAttribute("aria-busy");
}

function arrive(text, { query, keepQuery, push, focus }) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const shown = find(".query-image");
  if (query && shown?.src === picture && shown.naturalWidth && find(".query-image", page)) {
    find(".query-image", page).src = picture; // sharper than the preview, and already on the screen
  }
  file = query;
  if (push) remember(text, "pushState", find("link[rel=canonical]", page).getAttribute("href"));
  show(page, { keepQuery: keepQuery || Boolean(query && find(".problem", page)) });
  status.textContent = find("#summary")?.textContent.replace(/\s+/g, " ") ?? "";
  if (focus) {
    scrollTo(0, 0);
    find("#results-heading")?.focus({ preventScroll: true });
  }
}

/** Keeps a page for its entry in the history, which `change` (pushState or replaceState) makes. */
function remember(text, change, address) {
  const key = crypto.getRandomValues(new Uint32Array(2)).join("-");
  history[change]({ key }, "", address);
  pages.set(key, { text, file });
  if (pages.size > REMEMBERED) pages.delete(pages.keys().next().value);
}

function upload(chosen) {
  if (chosen.size > Number(document.body.dataset.maxBytes)) {
    running?.abort();
    main.removeAttribute("aria-busy");
    showTemplate("#too-large", main);
    return;
  }
  const body = new FormData(find(".refine") ?? find(".upload"));
  body.delete("image_id");
  body.delete("region");
  body.set("image", chosen);
  URL.revokeObjectURL(picture);
  picture = URL.createObjectURL(chosen);
  showTemplate("#pending", main);
  const image = find(".query-image");
  image.addEventListener("error", () => find("#query")?.remove()); // not a photo, or one that only the server can show
  image.src = picture;
  box = null;
  scrollTo(0, 0);
  visit("/", { body, query: chosen });
}

/** The query of the page again, with the options and the region as they now stand. */
function refine(form) {
  const fields = new FormData(form);
  const region = fields.getAll("region").join(",");
  fields.delete("region");
  if (/\d/.test(region)) fields.set("region", region);
  if (file) {
    fields.set("image", file);
    visit("/", { body: fields, query: file, keepQuery: true });
  } else {
    visit(`/?${new URLSearchParams(fields)}`, { keepQuery: true });
  }
}

// --- What people do ---

document.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target.matches(".refine")) {
    box?.show(regionOfFields());
    refine(event.target);
  } else {
    const chosen = find(".file").files[0];
    if (chosen) upload(chosen);
  }
});

find(".file").addEventListener("change", ({ target }) => {
  if (target.files[0]) upload(target.files[0]);
  target.value = "";
});

document.addEventListener("click", (event) => {
  const action = event.target.closest("[data-do]")?.dataset.do;
  if (action === "select-region") {
    box?.select();
  } else if (action === "clear-region") {
    event.preventDefault();
    box?.show(null);
    fillRegionFields(null);
    find(".refine").requestSubmit();
  } else {
    follow(event);
  }
});

/** Links of the page itself are shown in place; others, and those opened in a new tab, are left to the browser. */
function follow(event) {
  const link = event.target.closest("a[href]");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || link.target || link.origin !== location.origin || link.pathname !== "/") return;
  if (link.hash) return;
  event.preventDefault();
  visit(link.href, { focus: true });
}

addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) {
    event.preventDefault();
    upload(event.clipboardData.files[0]);
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
  upload(event.dataTransfer.files[0]);
});

addEventListener("popstate", ({ state }) => {
  const page = pages.get(state?.key);
  if (!page) {
    visit(location.href, { push: false });
    return;
  }
  running?.abort();
  main.removeAttribute("aria-busy");
  file = page.file;
  show(new DOMParser().parseFromString(page.text, "text/html"));
  status.textContent = find("#summary")?.textContent.replace(/\s+/g, " ") ?? "";
});

document.documentElement.classList.add("scripted");
remember(document.documentElement.outerHTML, "replaceState", location.href);
prepare();
