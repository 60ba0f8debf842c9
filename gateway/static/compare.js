// The query over a result, on one spot: as much of it as a slider says. Where geometry was verified it lies where it
// was found, else both fill the frame.

import { find } from "./dom.js";

export class Comparison {
  #spot;
  #layer;
  #slider;

  /** `corners`: of the query's outline in the result as fractions, clockwise from its top left; null where unknown. */
  constructor(spot, query, corners, label) {
    this.#spot = spot;
    this.#layer = document.createElement("div");
    this.#layer.className = "over";
    this.#layer.hidden = true;
    const image = this.#layer.appendChild(query.cloneNode());
    image.className = corners ? "laid" : "filling";
    image.removeAttribute("id");
    this.#slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 100, value: 50 });
    this.#slider.setAttribute("aria-label", label);
    this.#slider.addEventListener("input", () => this.#cut());
    if (corners) new ResizeObserver(() => this.#lay(image, corners)).observe(this.#layer);
  }

  /** Shows or hides it. Returns whether it is shown now. */
  toggle() {
    if (!this.#layer.isConnected) this.#spot.append(this.#layer, this.#slider);
    this.#layer.hidden = !this.#layer.hidden;
    this.#slider.hidden = this.#layer.hidden;
    this.#cut();
    if (!this.#slider.hidden) this.#slider.focus();
    return !this.#layer.hidden;
  }

  #cut() {
    this.#layer.style.clipPath = `inset(0 ${100 - this.#slider.value}% 0 0)`;
    this.#spot.style.setProperty("--cut", `${this.#slider.value}%`);
  }

  #lay(image, corners) {
    const { width, height } = find(".large", this.#spot).getBoundingClientRect();
    image.style.width = `${width}px`;
    image.style.height = `${height}px`;
    const scaled = corners.map(({ x, y }) => ({ x: x * width, y: y * height }));
    image.style.transform = `matrix3d(${projection(width, height, scaled).join(",")})`;
  }
}

/**
 * The 4 × 4 matrix, column by column, that takes a rectangle's corners to four points: Heckbert, Fundamentals of
 * Texture Mapping and Image Warping, 1989, section 2.2.3.
 */
export function projection(width, height, [p0, p1, p2, p3]) {
  const [dx1, dy1] = [p1.x - p2.x, p1.y - p2.y];
  const [dx2, dy2] = [p3.x - p2.x, p3.y - p2.y];
  const [sx, sy] = [p0.x - p1.x + p2.x - p3.x, p0.y - p1.y + p2.y - p3.y];
  const whole = dx1 * dy2 - dx2 * dy1 || Number.EPSILON;
  const g = (sx * dy2 - dx2 * sy) / whole;
  const h = (dx1 * sy - sx * dy1) / whole;
  const across = [p1.x - p0.x + g * p1.x, p1.y - p0.y + g * p1.y, 0, g].map((value) => value / width);
  const down = [p3.x - p0.x + h * p3.x, p3.y - p0.y + h * p3.y, 0, h].map((value) => value / height);
  return [...across, ...down, 0, 0, 1, 0, p0.x, p0.y, 0, 1];
}
