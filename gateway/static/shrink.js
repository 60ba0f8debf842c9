// Photos made smaller in the browser.

const LONGEST_SIDES = [4096, 2560, 1600, 1024]; // pixels; tried one after the other

/** The photo as a JPEG of at most so many bytes, and its size in pixels. Rejects where the browser cannot read it. */
export async function shrunk(file, mostBytes) {
  const bitmap = await createImageBitmap(file);
  for (const side of LONGEST_SIDES) {
    const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
    const canvas = new OffscreenCanvas(Math.ceil(bitmap.width * scale), Math.ceil(bitmap.height * scale));
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
    if (blob.size > mostBytes) continue;
    return { file: new File([blob], file.name, { type: blob.type }), size: `${canvas.width} × ${canvas.height}` };
  }
  throw new RangeError("still too large");
}
