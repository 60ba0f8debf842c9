// What the forms hold: the options of a search, and the part of the photo.

import { find, PAGE } from "./dom.js";

/** What a form holds. Of an option that is on by itself, which it says by two fields, nothing unless it is off. */
export function fieldsOf(form) {
  const fields = new FormData(form);
  for (const { name } of form.querySelectorAll("input[type=hidden][value=false]")) {
    if (fields.getAll(name).length > 1) fields.delete(name);
  }
  return fields;
}

/** The address of the query shown, with the options and the region as they now stand. */
export function refined() {
  const fields = fieldsOf(find(".refine"));
  const region = fields.getAll("region").join(",");
  fields.delete("region");
  if (/\d/.test(region)) fields.set("region", region);
  return `${PAGE}?${new URLSearchParams(fields)}`;
}

function regionFields() {
  return [...document.querySelectorAll(".refine input[name=region]")];
}

export function fillRegionFields(region) {
  const values = region ? [region.x, region.y, region.width, region.height] : ["", "", "", ""];
  regionFields().forEach((input, index) => { input.value = values[index]; });
  find("[data-do=search-region]")?.toggleAttribute("hidden", !region);
  find("[data-do=select-region]")?.toggleAttribute("hidden", Boolean(region));
}

export function regionOfFields() {
  const [x, y, width, height] = regionFields().map((input) => input.valueAsNumber);
  return width > 0 && height > 0 && x >= 0 && y >= 0 ? { x, y, width, height } : null;
}
