// What people do on the page, and what then happens. The server renders every state of it.

import { find, leave, PAGE, parse, say } from "./dom.js";
import { fieldsOf, fillRegionFields, refined, regionOfFields } from "./fields.js";
import { copy } from "./copy.js";
import "./drops.js";
import { offerFolders } from "./folders.js";
import { isShown, recalled, remember, remembered } from "./history.js";
import { keepLive } from "./live.js";
import { followScrolling, showMore } from "./more.js";
import { keepFocus, prepare, show } from "./place.js";
import { query } from "./query.js";
import { cease, restore, search, searchWith, searchWithWords, tryAgain, visit } from "./search.js";
import { clearSelection, copyPaths, selectedAddress } from "./selection.js";
import { addFiles, lookUpEach, upload } from "./uploads.js";

document.addEventListener("submit", (event) => {
  if (event.submitter?.hasAttribute("formaction")) return; // a file to be saved
  event.preventDefault();
  if (event.target.matches(".refine")) {
    shutOptionsAbove();
    query.box?.show(regionOfFields());
    search(refined(), query.uploads, { keepQuery: true });
  } else if (event.target.matches(".selection")) {
    visit(selectedAddress(event.target), { focus: "#results-heading" });
  } else if (event.target.matches(".words")) {
    searchWithWords(new FormData(event.target).get("text").trim());
  } else {
    const chosen = [...find("#photo").files];
    if (chosen.length) upload(chosen);
  }
});

/** Where results are below the options, they would come out of sight. */
function shutOptionsAbove() {
  const [options, results] = [find(".refine .options"), find("#results")];
  if (options && results.offsetTop > options.offsetTop) options.open = false;
}

document.addEventListener("change", ({ target }) => {
  if (!target.matches("input[type=file]") || !target.files.length) return;
  const chosen = [...target.files];
  target.value = "";
  if (target.id === "photo") upload(chosen);
  else addFiles(chosen);
});

document.addEventListener("click", (event) => {
  const control = event.target.closest("[data-do], [data-address], [data-copy]");
  const act = ACTIONS[control?.dataset.do];
  if (act) {
    event.preventDefault();
    act(Number(control.dataset.file), control);
  } else if (control?.dataset.copy) {
    copy(control.dataset.copy, control);
  } else if (control) {
    search(control.dataset.address, query.uploads, whereTo(control, control.dataset.address));
  } else {
    follow(event);
  }
});

const ACTIONS = {
  again: tryAgain,
  cancel: () => {
    cease();
    show(parse(remembered().text));
  },
  "copy-paths": (_, control) => copyPaths(control),
  "clear-selection": clearSelection,
  "look-up": () => lookUpEach(query.uploads.map(({ file }) => file)),
  "look-up-rest": () => import("./lookup.js").then(({ goOn }) => goOn()),
  "show-more": (_, control) => showMore(control),
  "select-region": () => query.box?.select(),
  "search-region": () => find(".refine").requestSubmit(),
  "clear-region": () => {
    query.box?.show(null);
    fillRegionFields(null);
    find(".refine").requestSubmit();
  },
  "remove-file": (index) => searchWith(query.uploads.filter((_, place) => place !== index)),
  "turn-file": (index) => searchWith(
    query.uploads.map((photo, place) => (place === index ? { ...photo, isNegative: !photo.isNegative } : photo)),
  ),
};

/** A match is shown above the results of the query that stays; closed, it leads back to the result it is of. */
function whereTo(control, address) {
  if (control.matches("#others")) return { focus: "[id=others]", change: "replaceState" };
  const match = control.closest("section.match");
  const held = control.closest(".signs")?.closest("li");
  if (match) return { keepQuery: true, focus: `[data-photo="${match.dataset.photo}"] .match` };
  const isMatch = new URL(address, location.href).searchParams.has("match");
  return { held, keepQuery: isMatch, focus: isMatch ? "#match-heading" : "#results-heading" };
}

/** The address of a sample with the options that are ticked beside it. */
function optioned(link) {
  if (!link.closest(".samples .photo")) return link.href;
  const fields = new URLSearchParams(fieldsOf(find(".upload")));
  fields.delete("image");
  fields.set("image_id", new URL(link.href).searchParams.get("image_id"));
  return `${PAGE}?${fields}`;
}

/** Links of the page itself are shown in place; others, and those opened in a new tab, are left to the browser. */
function follow(event) {
  const link = event.target.closest("a[href]");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || link.target || link.origin !== location.origin) return;
  if (link.matches(".look")) {
    event.preventDefault();
    import("./lightbox.js").then(({ look }) => look(link)); // not before somebody wants it
    return;
  }
  if (link.getAttribute("href").startsWith("#")) {
    event.preventDefault();
    find(link.hash).focus();
    return;
  }
  if (link.pathname !== PAGE) return;
  event.preventDefault();
  visit(optioned(link), { ...(leave() && { change: "replaceState" }), ...whereTo(link, link.href) });
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || find("dialog[open]")) return;
  if (event.key === "Escape") find("section.match > .remove")?.click();
  if (event.key !== "/" || event.target.matches("input, textarea")) return;
  event.preventDefault();
  find("#photo").focus();
});

addEventListener("popstate", ({ state }) => {
  leave();
  if (isShown(state)) return;
  const page = recalled(state);
  if (!page) {
    visit(location.href, { change: "replaceState" });
    return;
  }
  cease();
  query.uploads = page.uploads;
  show(parse(page.text));
  keepFocus();
  say(find("#summary")?.textContent ?? "");
});

document.documentElement.classList.add("scripted");
find("#photo").multiple = true; // without scripts the form takes one
const resend = history.state?.resend ?? null;
remember(document.documentElement.outerHTML, "replaceState", location.href, resend);
prepare();
keepLive(PAGE, (page, text) => {
  Object.assign(remembered(), { text, resend: null });
  show(page);
});
offerFolders(`${PAGE}folders`);
followScrolling();
if (resend) restore(resend);
