// Keeps the line on how far indexing is up to date, and takes up the first photos once they can be searched.

import { find, parse } from "./dom.js";

const INTERVAL_MS = 2_000;

/** Asks for the start page until nothing is under way. `show`: puts a page, given with its text, in place. */
export function keepLive(address, show) {
  if (find("#live").dataset.live) setTimeout(() => refresh(address, show), INTERVAL_MS);
}

async function refresh(address, show) {
  if (!document.hidden) {
    try {
      const response = await fetch(address, { headers: { Accept: "text/html" } });
      take(await response.text(), show);
    } catch {
      // Not reached just now: it is asked again.
    }
  }
  keepLive(address, show);
}

/** What the reader has come to is left alone, unless it is a start page that had nothing to show so far. */
function take(text, show) {
  const page = parse(text);
  const [line, next] = [find("#live"), find("#live", page)];
  const hadNothing = ["awaited", "first"].includes(line.dataset.live) && line.dataset.live !== next.dataset.live;
  line.replaceWith(next);
  if (hadNothing && !location.search) show(page, text);
  else if (document.body.classList.contains("start")) find("footer").replaceChildren(...find("footer", page).childNodes);
}
