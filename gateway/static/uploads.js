// Chosen files on their way into a search: those that are too large are scaled down, bad ones cost only themselves.

import { find, main, PAGE } from "./dom.js";
import { fieldsOf } from "./fields.js";
import { showTemplate } from "./place.js";
import { query } from "./query.js";
import { cease, search, searchWith } from "./search.js";
import { shrunk } from "./shrink.js";

const QUERY_FIELDS = ["text", "image", "image_id", "image_ids", "not_image_ids", "region"];
const MOST_PHOTOS = 8;

/** Searches with chosen files, in place of the query so far; looks each of them up where they are too many for that. */
export async function upload(chosen) {
  if (chosen.length > MOST_PHOTOS) {
    lookUpEach(chosen);
    return;
  }
  const fields = fieldsOf(find(".refine") ?? find(".upload"));
  for (const name of QUERY_FIELDS) fields.delete(name);
  query.notes = [];
  const files = await fitting(chosen, []);
  if (!files.length) return;
  send(files, `${PAGE}?${new URLSearchParams(fields)}`);
}

/** Searches with chosen files beside the photos of the query. */
export async function addFiles(chosen) {
  query.notes = [];
  const files = await fitting(chosen, query.uploads.map(({ file }) => file));
  if (!files.length) return;
  searchWith([...query.uploads, ...files.map((file) => ({ file, isNegative: false }))]);
}

/** Tells which of several files are in the collection already. */
export async function lookUpEach(files) {
  const { lookUp } = await import("./lookup.js"); // not before somebody wants it
  lookUp(files);
}

function send(files, address) {
  showPending(files);
  const photos = files.map((file) => ({ file, isNegative: false }));
  search(address, photos, { onFailure: (code) => sift(code, files, address) });
}

function showPending(files) {
  URL.revokeObjectURL(query.picture);
  query.picture = URL.createObjectURL(files[0]);
  showTemplate("#pending", main);
  const image = find(".query-image");
  image.addEventListener("error", () => find("#query")?.remove()); // not a photo, or one that only the server can show
  image.src = query.picture;
  query.box = null;
  scrollTo(0, 0);
}

/** The files that may be sent beside others, made smaller where all together are too large; none where they stay so. */
async function fitting(chosen, others) {
  const files = chosen.filter((file) => file.size || chosen.length === 1);
  for (const file of chosen) if (!files.includes(file)) note("bad", file.name);
  const most = Number(document.body.dataset.maxBytes) - others.reduce((sum, { size }) => sum + size, 0);
  const share = most / files.length;
  if (files.reduce((sum, { size }) => sum + size, 0) <= most) return files;
  try {
    return await Promise.all(files.map((file) => (file.size <= share ? file : smaller(file, share))));
  } catch {
    cease();
    showTemplate("#too-large", find("#results") ?? main);
    return [];
  }
}

async function smaller(file, mostBytes) {
  const { file: small, size } = await shrunk(file, mostBytes);
  note("shrunk", file.name, size);
  return small;
}

/** Of several files, searches again with those that are photos. Returns whether there is something to search with. */
async function sift(code, files, address) {
  const isAboutAFile = ["EMPTY_IMAGE", "UNSUPPORTED_IMAGE_TYPE", "UNDECODABLE_IMAGE", "TOO_MANY_PIXELS"].includes(code);
  if (!isAboutAFile || files.length < 2) return false;
  const verdicts = await Promise.all(files.map(isPhoto));
  const good = files.filter((_, index) => verdicts[index]);
  if (!good.length || good.length === files.length) return false;
  for (const file of files) if (!good.includes(file)) note("bad", file.name);
  send(good, address);
  return true;
}

async function isPhoto(file) {
  const body = new FormData();
  body.append("image", file);
  body.append("limit", "1");
  body.append("verify", "false");
  const response = await fetch(`${PAGE}search`, { method: "POST", body });
  return response.ok;
}

/** Remembers a sentence about a file, which stands above the results. */
function note(key, name, size = "") {
  query.notes.push(find("#notes").dataset[key].replace("{name}", name).replace("{size}", size));
}
