// Asks the server for a page. What takes long to send says how far it is, and can be cancelled.

import { find } from "./dom.js";

const SHOWN_FROM_BYTES = 300_000;

/** The text of a rendered page. Rejects with an AbortError where it is ended, and with others where nobody answers. */
export async function rendered({ url, body, signal }) {
  if (body) return posted(url, body, signal);
  const response = await fetch(url, { headers: { Accept: "text/html" }, signal });
  return response.text();
}

/** Not by fetch, which does not tell how much has been sent. */
function posted(url, body, signal) {
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    request.open("POST", url);
    request.setRequestHeader("Accept", "text/html");
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      if (total >= SHOWN_FROM_BYTES) showProgress(loaded / total);
    });
    request.addEventListener("load", () => resolve(request.responseText));
    request.addEventListener("error", () => reject(new TypeError("nobody answers")));
    request.addEventListener("abort", () => reject(new DOMException("ended", "AbortError")));
    request.addEventListener("loadend", () => showProgress(1));
    signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

function showProgress(share) {
  find("#sending").hidden = share >= 1;
  find("#sending progress").value = share;
}
