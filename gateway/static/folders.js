// The folders of the collection, offered where one can be typed in. Asked for once, when somebody goes there.

const OFFERED = 1_000; // of very many folders the browser's list is slow

/** `address`: of the list of folders. */
export function offerFolders(address) {
  let options = null;
  addEventListener("focusin", async ({ target }) => {
    if (!target.matches("input[name=folder]") || target.list?.options.length) return;
    options ??= ask(address);
    target.list?.replaceChildren(...(await options).map((path) => new Option("", path)));
  });
}

async function ask(address) {
  try {
    const { folders } = await (await fetch(address, { headers: { Accept: "application/json" } })).json();
    return folders.slice(0, OFFERED).map(({ path }) => path);
  } catch {
    return []; // it can be typed in as well
  }
}
