// The pages that this tab has shown, so that going back asks nobody, and the files of one that is reloaded.

import { query } from "./query.js";

const REMEMBERED = 30;

/** By the key in their history entry: {text, uploads, resend}. */
const pages = new Map();

/** Keeps a page for its entry in the history, which `change` (pushState or replaceState) makes. */
export function remember(text, change, address, resend) {
  const key = crypto.getRandomValues(new Uint32Array(2)).join("-");
  history[change]({ key }, "", address);
  pages.set(key, { text, uploads: query.uploads, resend });
  if (pages.size > REMEMBERED) pages.delete(pages.keys().next().value);
}

/** The page of an entry of the history; undefined for one that is forgotten. */
export function remembered(state = history.state) {
  return pages.get(state?.key);
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
