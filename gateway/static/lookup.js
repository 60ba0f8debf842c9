// Which of many files are in the collection already: each is searched with by itself, and they stand by what was found.

import { find, main, PAGE, say } from "./dom.js";
import { remember, remembered } from "./history.js";
import { showTemplate } from "./place.js";
import { query } from "./query.js";
import { begin } from "./search.js";
import { shrunk } from "./shrink.js";

const GROUPS = { identical: "held", same: "akin" }; // by the likeness of the first result; of others, "unknown"
const SHOWN = ["identical", "same", "alike"]; // worth a look beside the file

let waiting = []; // files that nothing is known of yet
let total = 0;

/** Looks files up, in place of what is shown. */
export function lookUp(files) {
  [waiting, total] = [[...files], files.length];
  Object.assign(query, { uploads: [], notes: [], box: null });
  showTemplate("#lookup", main);
  document.title = `${find("#lookup-heading").textContent} · ${find(".brand h1").textContent}`;
  remember(text(), "pushState", PAGE, null);
  find("#lookup-heading").focus({ preventScroll: true });
  scrollTo(0, 0);
  return goOn();
}

/** Looks up those that are left over, one after the other. */
export async function goOn() {
  const signal = begin();
  const kept = remembered();
  find("[data-group=waiting]").hidden = true;
  say(document.body.dataset.searching);
  try {
    while (waiting.length) {
      put(waiting[0], await answerFor(waiting[0], signal));
      waiting.shift();
      count();
      kept.text = text();
    }
    say(find("#looked-up").textContent);
  } catch (error) {
    if (error.name !== "AbortError") stop();
  }
}

/** What going back shows: all that was found, and a way on where it is not all there is to find. */
function text() {
  const page = document.documentElement.cloneNode(true);
  find("[data-group=waiting]", page).hidden = !waiting.length;
  return page.outerHTML;
}

function stop() {
  find("[data-group=waiting]").hidden = false;
  say(find("[data-group=waiting] p").textContent);
}

/** {group, hit, words}: the first result, or why there is none. Rejects where nobody can tell just now. */
async function answerFor(file, signal) {
  const body = new FormData();
  body.append("image", await sendable(file));
  body.append("limit", "1");
  const response = await fetch(`${PAGE}search`, { method: "POST", body, signal });
  const answer = await response.json();
  if (response.ok) {
    const [hit] = answer.results;
    return { group: GROUPS[hit?.likeness] ?? "unknown", hit: SHOWN.includes(hit?.likeness) ? hit : null };
  }
  if (response.status >= 500 || response.status === 429) throw new Error(answer.title);
  return { group: "refused", hit: null, words: answer.title };
}

/** As it is, or smaller where it is above the limit and the browser can read it. */
async function sendable(file) {
  const most = Number(document.body.dataset.maxBytes);
  if (file.size <= most) return file;
  return shrunk(file, most).then((small) => small.file, () => file);
}

function put(file, { group, hit, words = hit?.path ?? "" }) {
  const item = find("#looked-up-file").content.cloneNode(true);
  const own = find(".own", item);
  own.src = URL.createObjectURL(file);
  own.addEventListener("error", () => own.remove()); // one that only the server can show
  find(".name", item).textContent = file.name;
  find(".quiet", item).textContent = words;
  if (hit) show(hit, find("li", item));
  else find(".look", item).remove();
  find(`[data-group=${group}] ol`).append(item);
}

function show({ image_id: id, path, thumbnail_url: thumbnail, likeness, match }, item) {
  item.dataset.photo = id;
  const link = find(".look", item);
  link.href = `${PAGE}photo/${id}`;
  link.title = path;
  Object.assign(find("img", link), { src: thumbnail, alt: path });
  const outline = likeness === "same" && match?.quadrilateral;
  if (outline) find("polygon", link).setAttribute("points", outline.map(({ x, y }) => `${x},${y}`).join(" "));
  else find(".outline", link).remove();
}

/** What each heading says, and which names can be copied. */
function count() {
  let done = 0;
  for (const group of document.querySelectorAll(".lookup [data-group]:has(ol)")) {
    const names = [...group.querySelectorAll(".name")].map(({ textContent }) => textContent);
    done += names.length;
    group.hidden = !names.length;
    find(".count", group).textContent = names.length;
    find("[data-copy]", group).dataset.copy = names.join("\n");
  }
  const line = find("#looked-up");
  line.textContent = line.dataset.words.replace("{done}", done).replace("{total}", total);
}
