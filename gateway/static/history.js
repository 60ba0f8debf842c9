// The pages that this tab has shown, so that going back asks nobody, and the files of one that is reloaded.

import { query } from "./query.js";

const REMEMBERED = 30;

/** By the key in their history entry: {text, uploads, resend}. */
const pages = new Map();
let shown = ""; // key of the page in place

/** Keeps a page for its entry in the history, which `change` (pushState or replaceState) makes. */
export function remember(text, change, address, resend) {
  const key = crypto.getRandomValues(new Uint32Array(2)).join("-");
  history[change]({ key }, "", address);
  shown = key;
  pages.set(key, { text, uploads: query.uploads, resend });
  if (pages.size > REMEMBERED) pages.delete(pages.keys().next().value);
}

/** Whether the page of an entry is in place already: there may be a photo over it, or not any more. */
export function isShown(state) {
  return state?.key === shown;
}

/** The page of an entry that is gone back to; undefined for one that is forgotten. */
export function recalled(state) {
  shown = state?.key;
  return pages.get(shown);
}

/** The page in place. */
export function remembered() {
  return pages.get(shown);
}

/** Lays the files by for a reload. Only then: an entry of the history that holds files cannot be gone back to. */
export function layBy() {
  const resend = remembered()?.resend;
  try {
    history.replaceState({ ...history.state, resend }, "");
  } catch {
    // Too much for this browser: a reload begins anew.
  }
}
