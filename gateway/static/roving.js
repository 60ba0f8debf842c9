// A gallery is one stop for the Tab key; arrow keys go on from photo to photo in it.

import { find } from "./dom.js";

const TILES = "main .gallery > li";
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

let current = null; // the tile whose controls Tab reaches

/** Call it whenever there are other tiles. */
export function makeOneStop() {
  const tiles = [...document.querySelectorAll(TILES)];
  if (!tiles.includes(current)) current = tiles[0];
  for (const tile of tiles) setReached(tile, tile === current);
}

function setReached(tile, isReached) {
  for (const control of tile.querySelectorAll("a, button, input")) control.tabIndex = isReached ? 0 : -1;
}

/** The tile that an arrow key leads to; undefined beyond the last one. */
function next(tile, key) {
  const tiles = [...document.querySelectorAll(TILES)].filter((each) => each.checkVisibility());
  if (STEPS[key]) return tiles[tiles.indexOf(tile) + STEPS[key]];
  if (key === "Home") return tiles[0];
  if (key === "End") return tiles.at(-1);
  return nearest(tiles, tile.getBoundingClientRect(), key === "ArrowDown" ? 1 : -1);
}

/** In the next row below (1) or above (-1), the one most nearly in line. */
function nearest(tiles, from, side) {
  const away = ({ top }) => side * (top - from.top);
  const others = tiles.map((tile) => ({ tile, box: tile.getBoundingClientRect() })).filter(({ box }) => away(box) > 4);
  const row = Math.min(...others.map(({ box }) => away(box)));
  const off = ({ box }) => Math.abs(box.left + box.width / 2 - from.left - from.width / 2);
  return others.filter(({ box }) => away(box) < row + 4).sort((a, b) => off(a) - off(b))[0]?.tile;
}

document.addEventListener("focusin", ({ target }) => {
  const tile = target.closest(TILES);
  if (!tile || tile === current) return;
  if (current) setReached(current, false);
  current = tile;
  setReached(tile, true);
});

document.addEventListener("keydown", (event) => {
  if (!event.target.matches(".photo") || event.ctrlKey || event.metaKey || event.altKey) return;
  const tile = event.target.closest(TILES);
  if (event.key === " ") find("a.look", tile)?.click();
  else if (/^(Arrow|Home|End)/.test(event.key)) next(tile, event.key)?.querySelector(".photo").focus();
  else return;
  event.preventDefault();
});
