// One picture on its stage: zoom, pan and pinch, by mouse, finger and keyboard.

const LARGEST = 12;

export class Stage {
  constructor(figure) {
    this.figure = figure;
    this.element = figure.querySelector("[data-stage]");
    this.layers = figure.querySelector("[data-layers]");
    this.drawing = figure.querySelector("[data-drawing]");
    this.tissue = figure.querySelector("[data-tissue]");
    this.own = figure.querySelector("[data-own]");
    this.tap = null; // what a tap does besides nothing: set while measuring
    this.pointers = new Map();
    this.moved = false;
    this.reset();
    this.watch(figure.querySelector("[data-missing]"));
    const box = this.drawing.viewBox.baseVal;
    this.layers.style.setProperty("--shape", String(box.width / box.height));
    this.element.addEventListener("pointerdown", (event) => this.down(event));
    this.element.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      this.element.addEventListener(name, (event) => this.up(event));
    }
    this.element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.element.addEventListener("dblclick", () => !this.tap && this.reset());
  }

  // Black is a picture as well: one that is not there must not be taken for one.
  watch(missing) {
    const look = () => {
      missing.hidden = !(this.tissue.complete && this.tissue.naturalWidth === 0);
    };
    this.tissue.addEventListener("load", look);
    this.tissue.addEventListener("error", look);
    look();
  }

  reset() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.place();
  }

  place() {
    // A picture never leaves its stage altogether.
    const width = this.element.clientWidth;
    const height = this.element.clientHeight;
    const limit = (value, size) => Math.min(size * 0.8, Math.max(value, size * 0.2 - size * this.scale));
    if (width && height) {
      this.x = this.scale === 1 ? 0 : limit(this.x, width);
      this.y = this.scale === 1 ? 0 : limit(this.y, height);
    }
    this.layers.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
  }

  // Zoom so that the point of the stage under (x, y) stays where it is.
  zoom(factor, x = this.element.clientWidth / 2, y = this.element.clientHeight / 2) {
    const left = this.layers.offsetLeft;
    const top = this.layers.offsetTop;
    const scale = Math.min(LARGEST, Math.max(1, this.scale * factor));
    const ratio = scale / this.scale;
    this.x = x - left - (x - left - this.x) * ratio;
    this.y = y - top - (y - top - this.y) * ratio;
    this.scale = scale;
    this.place();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.place();
  }

  // A point of the page in pixels of the picture.
  pixel(event) {
    const matrix = this.drawing.getScreenCTM();
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    const box = this.drawing.viewBox.baseVal;
    return [Math.min(box.width, Math.max(0, point.x)), Math.min(box.height, Math.max(0, point.y))];
  }

  down(event) {
    this.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event);
    this.moved = this.pointers.size > 1;
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      return;
    }
    if (this.pointers.size === 2) {
      this.pinch(event);
    } else if (Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) > 2 || this.moved) {
      this.moved = true;
      if (!this.tap) {
        this.pan(event.clientX - before.clientX, event.clientY - before.clientY);
      }
    } else {
      return;
    }
    this.pointers.set(event.pointerId, event);
  }

  pinch(event) {
    const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, pointer]) => pointer);
    const before = this.pointers.get(event.pointerId);
    const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const frame = this.element.getBoundingClientRect();
    const x = (event.clientX + other.clientX) / 2 - frame.left;
    const y = (event.clientY + other.clientY) / 2 - frame.top;
    this.pan((event.clientX - before.clientX) / 2, (event.clientY - before.clientY) / 2);
    this.zoom(apart(event) / Math.max(1, apart(before)), x, y);
  }

  up(event) {
    const known = this.pointers.delete(event.pointerId);
    if (known && event.type === "pointerup" && !this.moved && this.tap && this.pointers.size === 0) {
      this.tap(this.pixel(event));
    }
  }

  wheel(event) {
    event.preventDefault();
    const frame = this.element.getBoundingClientRect();
    this.zoom(Math.exp(-event.deltaY / 400), event.clientX - frame.left, event.clientY - frame.top);
  }
}
