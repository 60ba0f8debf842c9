// The next results, put behind those that are shown.

const ORDER = ["same", "alike", "related", "weak"]; // of the sections by how alike results are

const find = (selector, root) => root.querySelector(selector);

/** Moves the results of the rendered page `next` into `page`, each to those as alike. Returns the first of them. */
export function append(page, next) {
  const first = find("#results .gallery > li", next);
  for (const section of next.querySelectorAll("[data-section]")) {
    const same = find(`[data-section=${section.dataset.section}]`, page);
    if (!same) insert(section, page);
    else find(".gallery", same).append(...find(".gallery", section).children);
    if (same) same.open = true; // only the least alike can be shut
  }
  find("#found", page).textContent = find("#found", next).dataset.through;
  replaceLink(page, next);
  return first;
}

function insert(section, page) {
  const rank = ({ dataset }) => ORDER.indexOf(dataset.section);
  const later = [...page.querySelectorAll("[data-section]")].find((other) => rank(other) > rank(section));
  if (later) later.before(section);
  else find(".following", page).before(section);
}

/** What leads on: to the results after these, or nowhere. */
function replaceLink(page, next) {
  const link = find(".following", next);
  if (link) find(".following", page).replaceWith(link);
  else find(".following", page).remove();
}
