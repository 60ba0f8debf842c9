// The last row of each gallery, as high as the row before it: style sheets cannot tell which photos are in it.

import { makeOneStop } from "./roving.js";

/** Call it whenever there are other photos. */
export function arrange() {
  evenLastRows(document.querySelectorAll(".gallery"));
  makeOneStop();
}

/** Keeps it so when a gallery's width changes, or when it is unfolded. */
function evenLastRows(galleries) {
  widths.disconnect();
  for (const gallery of galleries) {
    stretch(gallery); // at once, so that nothing is seen to move
    widths.observe(gallery);
  }
}

const widths = new ResizeObserver((changes) => changes.forEach(({ target }) => stretch(target)));

function stretch(gallery) {
  gallery.style.removeProperty("--last-row");
  const items = [...gallery.children];
  const top = items.at(-1)?.offsetTop;
  const last = items.filter((item) => item.offsetTop === top);
  const before = items[items.length - last.length - 1];
  items.forEach((item) => item.classList.toggle("in-last-row", Boolean(before) && last.includes(item)));
  if (!before) return;
  const gaps = (last.length - 1) * Number.parseFloat(getComputedStyle(gallery).columnGap);
  const ratios = last.map((item) => Number(getComputedStyle(item).getPropertyValue("--ratio")));
  const highest = (gallery.clientWidth - gaps) / ratios.reduce((sum, ratio) => sum + ratio);
  const height = Math.min(before.querySelector(".photo").offsetHeight, Math.floor(highest));
  gallery.style.setProperty("--last-row", `${height}px`);
}
