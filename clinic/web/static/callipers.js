// Two points, and their distance as the server says: it knows the scale of the picture, this page does not.

const SVG = "http://www.w3.org/2000/svg";

function shape(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, String(value));
  }
  parent.append(element);
  return element;
}

export class Callipers {
  // ask(address, request) gives the server's answer, or nothing after it has told the person so.
  constructor(stage, token, ask) {
    this.stage = stage;
    this.token = token;
    this.ask = ask;
    this.stroke = Number(stage.drawing.dataset.stroke);
    this.start = null;
    this.cursor = null;
    this.count = stage.figure.querySelectorAll(".length").length;
  }

  begin() {
    const box = this.stage.drawing.viewBox.baseVal;
    this.stage.element.classList.add("measuring");
    this.stage.tap = (point) => this.add(point);
    this.at = [box.width / 2, box.height / 2];
  }

  end() {
    this.stage.element.classList.remove("measuring");
    this.stage.tap = null;
    this.start = null;
    this.cursor?.remove();
    this.cursor = null;
    this.first?.remove();
  }

  get active() {
    return this.stage.tap !== null;
  }

  // By keyboard: a cross that arrows move and Enter sets.
  nudge(dx, dy) {
    const box = this.stage.drawing.viewBox.baseVal;
    this.at = [Math.min(box.width, Math.max(0, this.at[0] + dx)), Math.min(box.height, Math.max(0, this.at[1] + dy))];
    this.cursor?.remove();
    this.cursor = this.cross(this.at, "crosshair", this.stage.own, 8);
  }

  set() {
    this.add([...this.at]);
  }

  cross([x, y], kind, parent, size = 4) {
    const arm = size * this.stroke;
    return shape("path", { class: kind, d: `M${x - arm} ${y}h${2 * arm}M${x} ${y - arm}v${2 * arm}` }, parent);
  }

  async add(point) {
    if (this.start === null) {
      this.start = point;
      this.first = this.cross(point, "crosshair", this.stage.own);
      return;
    }
    const start = this.start;
    this.start = null;
    this.first.remove();
    const answer = await this.ask(this.stage.figure.dataset.measure, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": this.token },
      body: JSON.stringify({ start, end: point }),
    });
    if (answer) {
      this.draw(start, point, await answer.json());
    }
  }

  draw(start, end, measured) {
    this.count += 1;
    const group = shape("g", { class: "mark mark-own", "data-calliper": measured.id ?? "" }, this.stage.own);
    const points = `${start.join(",")} ${end.join(",")}`;
    for (const kind of ["halo", "ink"]) {
      shape("polyline", { class: kind, points }, group);
      this.cross(start, kind, group);
      this.cross(end, kind, group);
    }
    const label = shape("text", { class: "label", x: measured.x, y: measured.y, "font-size": 10 * this.stroke }, group);
    label.textContent = `${this.count}: ${measured.text}`;
    const list = this.stage.figure.querySelector("[data-lengths]");
    const said = document.createElement("span");
    said.className = "length";
    said.dataset.calliper = measured.id ?? "";
    said.textContent = `${this.count}: ${measured.text} `;
    if (measured.id) {
      const remove = document.createElement("button");
      remove.type = "button";
      remove.dataset.remove = measured.id;
      remove.setAttribute("aria-label", `${list.dataset.removeWord}: ${this.count}`);
      remove.textContent = "×";
      said.append(remove);
    }
    list.append(said);
  }

  // What was measured by mistake goes, here and at the clinic, as long as the reading is open.
  async remove(id) {
    const address = this.stage.figure.dataset.measure.replace(/measure$/, `callipers/${id}/remove`);
    const answer = await this.ask(address, { method: "POST", headers: { "X-CSRF-Token": this.token } });
    if (answer) {
      for (const part of this.stage.figure.querySelectorAll(`[data-calliper="${id}"]`)) {
        part.remove();
      }
    }
  }
}
