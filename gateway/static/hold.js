// Keeps a result where it is while those around it change, so that the pointer stays over the same photo.

import { find } from "./dom.js";
import { arrange } from "./gallery.js";

const REACH = 12; // places before and after its own that are tried

/** Call it before the page changes; what it returns, afterwards: it puts the tile back, marked as chosen. */
export function holder(tile) {
  const { left, top } = tile.getBoundingClientRect();
  const at = tiles().indexOf(tile);
  return () => {
    const kept = chosen(tile);
    put(kept, at, left);
    arrange();
    scrollBy(0, kept.getBoundingClientRect().top - top);
    find(".photo", kept).focus({ preventScroll: true });
  };
}

const tiles = () => [...document.querySelectorAll("#results .gallery > li")];

function chosen(tile) {
  const kept = tile.cloneNode(true);
  kept.classList.add("chosen");
  find(".signs", kept)?.remove();
  for (const each of kept.querySelectorAll("[id], [aria-describedby]")) {
    each.removeAttribute("id");
    each.removeAttribute("aria-describedby");
  }
  return kept;
}

/** At its old place among the results, or at the nearest one where it is as far from the left as it was. */
function put(kept, at, left) {
  const others = tiles();
  const distance = (place) => {
    const before = others[place];
    if (before) before.before(kept);
    else others.at(-1)?.after(kept);
    return Math.abs(kept.getBoundingClientRect().left - left);
  };
  const places = [...Array(2 * REACH + 1).keys()].map((step) => at + (step % 2 ? -1 : 1) * Math.ceil(step / 2));
  const possible = places.filter((place) => place >= 0 && place <= others.length);
  const best = possible.find((place) => distance(place) < 24) ?? possible[0] ?? 0;
  distance(best);
}
