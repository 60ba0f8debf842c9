// Looks at one photo over the page: large, with all that is known of it, and on to the next by arrow or swipe.

import { Comparison } from "./compare.js";
import { find, parse } from "./dom.js";

const SWIPE_PX = 50;
const box = find("#lightbox");
const looking = find("#looking");

let link = null; // of the photo that is looked at
let touched = null; // where a finger came down
let comparison = null;

const links = () => [...document.querySelectorAll("main a.look")].filter((each) => each.checkVisibility());

/** Shows the photo that a link leads to. Going back closes it. */
export async function look(target) {
  if (!box.open) {
    history.pushState({ ...history.state, isLooking: true }, "");
    box.showModal();
  }
  link = target;
  const step = links().indexOf(target);
  find(".previous", box).toggleAttribute("disabled", step <= 0);
  find(".next", box).toggleAttribute("disabled", step < 0 || step === links().length - 1);
  if (document.activeElement.disabled || !box.contains(document.activeElement)) box.focus();
  try {
    const response = await fetch(target.href, { headers: { Accept: "text/html" } });
    if (link === target) put(parse(await response.text()));
  } catch {
    looking.replaceChildren(find("#offline")?.content.cloneNode(true) ?? "");
  }
}

function put(page) {
  looking.replaceChildren(...(find("#photo", page) ?? find(".problem", page)).childNodes);
  comparison = null;
  const tile = link.closest("[data-photo]");
  const query = queryOf(tile);
  if (query && find(".spot", looking)) offerComparison(query, tile);
}

/** The photo that a result was found with, or the query's only one. */
function queryOf(tile) {
  const own = tile && find(".own", tile);
  if (own) return own;
  const photos = document.querySelectorAll("#query :is(.query-image, .photo-set img)");
  if (!tile?.closest("#results")) return null;
  const outline = find(".outline", tile);
  return outline || photos.length === 1 ? photos[Number(outline?.dataset.query ?? 0)] : null;
}

function offerComparison(query, tile) {
  const button = document.createElement("button");
  button.className = "button";
  button.type = "button";
  button.dataset.look = "compare";
  button.setAttribute("aria-keyshortcuts", "c");
  button.textContent = box.dataset.compare;
  find(".tools", looking).append(button);
  const points = find(".outline polygon", tile)?.points;
  comparison = new Comparison(find(".spot", looking), query, points ? [...points] : null, box.dataset.slider);
}

function compare() {
  if (!comparison) return;
  const isOn = comparison.toggle();
  find("[data-look=compare]", looking).textContent = isOn ? box.dataset.alone : box.dataset.compare;
}

function go(step) {
  const others = links();
  const next = others[others.indexOf(link) + step];
  if (next) look(next);
}

function act(what) {
  if (what === "close") box.close();
  else if (what === "compare") compare();
  else go(Number(what));
}

box.addEventListener("click", ({ target }) => {
  const control = target.closest("[data-look]");
  if (control) act(control.dataset.look);
  else if (target === box) box.close();
});

box.addEventListener("keydown", (event) => {
  const isSlider = event.target.matches("input");
  const keys = { ArrowLeft: "-1", ArrowRight: "1", c: "compare" };
  if (event.ctrlKey || event.metaKey || !keys[event.key] || (isSlider && event.key !== "c")) return;
  event.preventDefault();
  act(keys[event.key]);
});

box.addEventListener("touchstart", ({ touches, target }) => {
  touched = touches.length === 1 && !target.matches("input") ? touches[0].clientX : null;
}, { passive: true });

box.addEventListener("touchend", ({ changedTouches }) => {
  const moved = touched === null ? 0 : changedTouches[0].clientX - touched;
  touched = null;
  if (Math.abs(moved) > SWIPE_PX) go(moved < 0 ? 1 : -1);
});

box.addEventListener("close", () => {
  looking.replaceChildren();
  comparison = null;
  const isLeft = box.returnValue === "left";
  box.returnValue = "";
  if (history.state?.isLooking && !isLeft) history.back();
  if (link?.isConnected) link.focus();
});
