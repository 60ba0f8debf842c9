// Keeps the line on how far indexing is up to date, and takes up the first photos once they can be searched.

const INTERVAL_MS = 2_000;
const find = (selector, root = document) => root.querySelector(selector);

/** Asks for the start page until nothing is under way. `show`: puts a page in place of one that had nothing to show. */
export function keepLive(address, show) {
  const line = find("#live");
  if (line && "live" in line.dataset) setTimeout(() => refresh(address, show), INTERVAL_MS);
}

async function refresh(address, show) {
  if (!document.hidden) {
    try {
      const response = await fetch(address, { headers: { Accept: "text/html" } });
      take(new DOMParser().parseFromString(await response.text(), "text/html"), show);
    } catch {
      // Not reached just now: it is asked again.
    }
  }
  keepLive(address, show);
}

function take(page, show) {
  const isWaiting = !find(".samples, .search-layout");
  find("#live").replaceWith(find("#live", page));
  if (isWaiting) show(page);
  else if (document.body.classList.contains("start")) find("footer").replaceChildren(...find("footer", page).childNodes);
}
