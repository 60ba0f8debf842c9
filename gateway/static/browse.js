// Pages beside the search: the folders, the duplicates, the photos of a folder, and one photo.

import { copy } from "./copy.js";
import { arrange } from "./gallery.js";
import { leave } from "./dom.js";
import { look } from "./lightbox.js";

document.documentElement.classList.add("scripted");
arrange();

document.addEventListener("click", (event) => {
  const copied = event.target.closest("[data-copy]");
  const looked = event.target.closest("a.look");
  if (copied) {
    copy(copied.dataset.copy, copied);
  } else if (looked && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    look(looked);
  }
});

addEventListener("popstate", leave);
