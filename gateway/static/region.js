// A box on the query photo: drawn with a mouse or pen, moved and resized with handles, touch or keys.
// A region is {x, y, width, height} in fractions of the photo, or null for the whole of it.

const SMALLEST = 0.02;
const STEP = 0.01;
const START = { x: 0.25, y: 0.25, width: 0.5, height: 0.5 };
const CORNERS = ["nw", "ne", "se", "sw"];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const rounded = (value) => Math.round(value * 1e4) / 1e4;

/** The rectangle between two points. */
function between(a, b) {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return { x, y, width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) };
}

function moved(region, dx, dy) {
  const x = clamp(region.x + dx, 0, 1 - region.width);
  const y = clamp(region.y + dy, 0, 1 - region.height);
  return { ...region, x, y };
}

function grown(region, dx, dy) {
  const width = clamp(region.width + dx, SMALLEST, 1 - region.x);
  const height = clamp(region.height + dy, SMALLEST, 1 - region.y);
  return { ...region, width, height };
}

/** The corner that stays where it is while the named one is dragged. */
function opposite(region, corner) {
  return {
    x: corner.includes("w") ? region.x + region.width : region.x,
    y: corner.includes("n") ? region.y + region.height : region.y,
  };
}

export class RegionBox {
  #stage;
  #region = null;
  #box = null;
  #onChange;
  #onCommit;

  /** onChange(region) follows every movement; onCommit() means: search with it now. */
  constructor(stage, { onChange, onCommit }) {
    this.#stage = stage;
    this.#onChange = onChange;
    this.#onCommit = onCommit;
    stage.addEventListener("pointerdown", (event) => this.#start(event));
    stage.addEventListener("dragstart", (event) => event.preventDefault());
  }

  get region() {
    return this.#region;
  }

  /** Shows a region without telling anyone; null removes the box. */
  show(region) {
    this.#region = region && {
      x: rounded(region.x),
      y: rounded(region.y),
      width: rounded(Math.min(region.width, 1 - region.x)),
      height: rounded(Math.min(region.height, 1 - region.y)),
    };
    this.#draw();
  }

  /** Puts a box in the middle where there is none yet, and gives it the keyboard. */
  select() {
    if (!this.#region) this.#change(START);
    this.#box.focus();
  }

  #change(region) {
    this.show(region);
    this.#onChange(this.#region);
  }

  #point(event) {
    const frame = this.#stage.getBoundingClientRect();
    return {
      x: clamp((event.clientX - frame.left) / frame.width, 0, 1),
      y: clamp((event.clientY - frame.top) / frame.height, 0, 1),
    };
  }

  // A finger on the photo scrolls the page; on the box it moves the box.
  #start(event) {
    const inBox = event.target.closest(".box");
    if (event.button !== 0 || !event.isPrimary || (event.pointerType === "touch" && !inBox)) return;
    event.preventDefault();
    const before = this.#region;
    const gesture = this.#gesture(event.target.dataset.corner, inBox, this.#point(event));
    const move = (moving) => this.#change(gesture(this.#point(moving)));
    const stop = (ending) => {
      this.#stage.removeEventListener("pointermove", move);
      this.#stage.removeEventListener("pointerup", stop);
      this.#stage.removeEventListener("pointercancel", stop);
      this.#finish(before, ending.type === "pointercancel");
    };
    this.#stage.setPointerCapture(event.pointerId);
    this.#stage.addEventListener("pointermove", move);
    this.#stage.addEventListener("pointerup", stop);
    this.#stage.addEventListener("pointercancel", stop);
  }

  #gesture(corner, inBox, start) {
    const region = this.#region;
    if (corner) return (point) => between(opposite(region, corner), point);
    if (inBox) return (point) => moved(region, point.x - start.x, point.y - start.y);
    return (point) => between(start, point);
  }

  #finish(before, isCancelled) {
    const region = this.#region;
    const isTooSmall = region && Math.min(region.width, region.height) < SMALLEST;
    if (isCancelled || isTooSmall) {
      this.#change(before);
    } else if (region && region !== before) {
      this.#box.focus({ focusVisible: false });
      this.#onCommit();
    }
  }

  #onKey(event) {
    const direction = ARROWS[event.key];
    if (direction) {
      const [dx, dy] = direction.map((sign) => sign * STEP);
      this.#change(event.shiftKey ? grown(this.#region, dx, dy) : moved(this.#region, dx, dy));
    } else if (event.key === "Enter") {
      this.#onCommit();
    } else if (event.key === "Escape" || event.key === "Delete") {
      this.#change(null);
      this.#onCommit();
    } else {
      return;
    }
    event.preventDefault();
  }

  #draw() {
    const region = this.#region;
    this.#shade(region);
    if (!region) {
      this.#box?.remove();
      this.#box = null;
      return;
    }
    this.#box ??= this.#newBox();
    for (const [side, value] of [["left", region.x], ["top", region.y], ["width", region.width], ["height", region.height]]) {
      this.#box.style[side] = `${value * 100}%`;
    }
    this.#box.setAttribute("aria-label", `${this.#stage.dataset.box}: ${this.#described(region)}`);
  }

  #described(region) {
    const percents = { left: region.x, top: region.y, width: region.width, height: region.height };
    return this.#stage.dataset.values.replace(/\{(\w+)\}/g, (_, side) => Math.round(percents[side] * 100));
  }

  #shade(region) {
    const svg = this.#stage.querySelector(".shade");
    const path = svg.querySelector("path") ?? svg.appendChild(document.createElementNS(svg.namespaceURI, "path"));
    path.setAttribute("fill-rule", "evenodd");
    const hole = region && `M0 0H1V1H0Z M${region.x} ${region.y}h${region.width}v${region.height}h${-region.width}Z`;
    path.setAttribute("d", hole ?? "");
  }

  #newBox() {
    const box = document.createElement("div");
    box.className = "box";
    box.tabIndex = 0;
    box.setAttribute("role", "application");
    box.setAttribute("aria-describedby", "region-keys");
    box.addEventListener("keydown", (event) => this.#onKey(event));
    for (const corner of CORNERS) {
      const handle = box.appendChild(document.createElement("span"));
      handle.className = "handle";
      handle.dataset.corner = corner;
    }
    return this.#stage.appendChild(box);
  }
}
