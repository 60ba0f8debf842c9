// What is dropped on the page or pasted into it: files, photos of the page itself, and addresses.

import { find, main, PAGE } from "./dom.js";
import { visit } from "./search.js";
import { upload } from "./uploads.js";

const OWN = /^(?:thumbnails|images|photo)\/([0-9a-f]{32})$/;

/** Searches with what a drop or the clipboard holds. Returns whether it is anything for a search. */
function take(data) {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()); // there is none of what is no file
  const text = data.getData("text/uri-list") || data.getData("text/plain");
  const address = URL.canParse(text.trim()) ? new URL(text.trim()) : null;
  const id = address?.origin === location.origin && idOf(address);
  if (id) visit(`${PAGE}?image_id=${id}`, { focus: "#results-heading" });
  else if (entries.some((entry) => entry?.isDirectory)) uploadAll(entries.filter(Boolean));
  else if (data.files.length) upload([...data.files]);
  else if (address && /^(https?|data):/.test(address.protocol)) showProblem("#elsewhere");
  else return false;
  return true;
}

async function uploadAll(entries) {
  upload((await Promise.all(entries.map(filesIn))).flat());
}

/** The files of a folder and of those below it, without hidden ones; of a file, itself. */
async function filesIn(entry) {
  if (entry.name.startsWith(".")) return [];
  if (entry.isFile) return [await new Promise((resolve, reject) => { entry.file(resolve, reject); })];
  const [reader, inside] = [entry.createReader(), []];
  const some = () => new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
  for (let read = await some(); read.length; read = await some()) inside.push(...read);
  return (await Promise.all(inside.map(filesIn))).flat();
}

/** Of the photo that an address of the page is about; "" where it is about none. */
function idOf({ pathname, searchParams }) {
  return OWN.exec(pathname.slice(PAGE.length))?.[1] ?? (pathname === PAGE && searchParams.get("image_id")) ?? "";
}

/** Says something above what is shown, which stays. */
export function showProblem(id) {
  find(":scope > .problem", main)?.remove();
  main.prepend(find(id).content.cloneNode(true));
  scrollTo(0, 0);
}

addEventListener("paste", (event) => {
  if (event.target.matches?.("input, textarea") && !event.clipboardData?.files.length) return;
  if (event.clipboardData && take(event.clipboardData)) event.preventDefault();
});

addEventListener("dragover", (event) => {
  if (!["Files", "text/uri-list"].some((type) => event.dataTransfer.types.includes(type))) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});

addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});

addEventListener("drop", (event) => {
  document.body.classList.remove("dropping");
  if (take(event.dataTransfer)) event.preventDefault();
});
