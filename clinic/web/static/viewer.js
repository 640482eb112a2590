// The viewer: which picture is shown, its layers, window, loop, and the keys.

import { Callipers } from "./callipers.js";
import { Stage } from "./stage.js";

const viewer = document.querySelector("[data-viewer]");
if (viewer) {
  start(viewer);
}

function start(root) {
  const pictures = root.querySelector("[data-pictures]");
  const figures = [...pictures.querySelectorAll("[data-picture]")];
  const stages = figures.map((figure) => new Stage(figure));
  const failed = root.querySelector("[data-failed]");
  const ask = async (address, request) => {
    const answer = await fetch(address, request).catch(() => null);
    failed.hidden = Boolean(answer?.ok);
    return answer?.ok ? answer : null;
  };
  const callipers = stages.map((stage) => new Callipers(stage, root.dataset.csrf, ask));
  for (const figure of root.querySelectorAll(".earlier [data-picture]")) {
    new Stage(figure);
  }
  let current = 0;
  let together = false;
  let playing = null;

  const button = (name) => root.querySelector(`[data-do="${name}"]`);
  const press = (name, on) => button(name)?.setAttribute("aria-pressed", String(on));
  const pressed = (name) => button(name)?.getAttribute("aria-pressed") === "true";

  function show(index) {
    if (index < 0 || index >= figures.length) {
      return;
    }
    stop();
    current = index;
    figures.forEach((figure, number) => {
      figure.hidden = !together && number !== index;
    });
    for (const lesion of pictures.querySelectorAll("[data-lesion]")) {
      lesion.hidden = !together && !lesion.contains(figures[index]);
    }
    for (const other of root.querySelectorAll("[data-show]")) {
      other.setAttribute("aria-pressed", String(other.dataset.show === figures[index].dataset.number));
    }
    const play = button("play");
    if (play) {
      play.hidden = !figures[index].dataset.loop;
    }
    stages[index].place();
  }

  function layer(name, on) {
    for (const part of root.querySelectorAll(`[data-layer="${name}"]`)) {
      part.toggleAttribute("hidden", !on);
      part.style.display = on ? "" : "none";
    }
  }

  function heat(on) {
    for (const picture of root.querySelectorAll("[data-heat]")) {
      if (on && !picture.getAttribute("src")) {
        picture.src = picture.dataset.src;
        picture.addEventListener("error", () => picture.remove());
      }
      picture.hidden = !on;
    }
  }

  function measure(on) {
    for (const one of callipers) {
      if (on) {
        one.begin();
      } else {
        one.end();
      }
    }
  }

  function adjust() {
    const value = (name) => root.querySelector(`[data-window="${name}"]`).value;
    const filter = `brightness(${value("brightness")}%) contrast(${value("contrast")}%)`;
    for (const picture of root.querySelectorAll("[data-tissue]")) {
      picture.style.filter = filter;
    }
  }

  async function play() {
    const figure = figures[current];
    const tissue = stages[current].tissue;
    const still = tissue.src;
    const run = { still, tissue, going: true };
    playing = run;
    press("play", true);
    const address = (frame) => figure.dataset.loop.replace(/0\.jpg$/, `${frame}.jpg`);
    const kept = [];
    for (let frame = 1; run.going; frame = (frame % Number(figure.dataset.frames)) + 1) {
      kept[frame] ??= await picture(address(frame));
      if (run.going && kept[frame]) {
        tissue.src = kept[frame].src;
      }
      await new Promise((resolve) => setTimeout(resolve, 1000 / Number(figure.dataset.fps)));
    }
  }

  async function picture(address) {
    if (!(await ask(address))) {
      stop();
      return null;
    }
    const image = new Image();
    image.src = address;
    await image.decode().catch(() => undefined);
    return image;
  }

  function stop() {
    if (playing) {
      playing.going = false;
      playing.tissue.src = playing.still;
      playing = null;
      press("play", false);
    }
  }

  const actions = {
    "zoom-in": () => stages[current].zoom(1.4),
    "zoom-out": () => stages[current].zoom(1 / 1.4),
    reset: () => {
      for (const name of ["brightness", "contrast"]) {
        root.querySelector(`[data-window="${name}"]`).value = 100;
      }
      adjust();
      stages.forEach((stage) => stage.reset());
    },
    measure: () => toggle("measure", measure),
    callipers: () => toggle("callipers", (on) => layer("callipers", on)),
    model: () => toggle("model", (on) => layer("model", on)),
    heat: () => toggle("heat", heat),
    play: () => (playing ? stop() : play()),
    together: () =>
      toggle("together", (on) => {
        together = on;
        pictures.classList.toggle("together", on);
        show(current);
      }),
  };

  function toggle(name, act) {
    if (!button(name)) {
      return;
    }
    const on = !pressed(name);
    press(name, on);
    act(on);
  }

  root.addEventListener("click", (event) => {
    const doing = event.target.closest("[data-do]");
    const showing = event.target.closest("[data-show]");
    const removing = event.target.closest("[data-remove]");
    if (removing) {
      callipers[figures.indexOf(removing.closest("[data-picture]"))]?.remove(removing.dataset.remove);
    } else if (doing) {
      actions[doing.dataset.do]();
    } else if (showing) {
      show(figures.findIndex((figure) => figure.dataset.number === showing.dataset.show));
    }
  });
  for (const slider of root.querySelectorAll("[data-window]")) {
    slider.addEventListener("input", adjust);
  }

  const keys = {
    "+": actions["zoom-in"],
    "=": actions["zoom-in"],
    "-": actions["zoom-out"],
    0: actions.reset,
    m: actions.measure,
    c: actions.callipers,
    o: actions.model,
    h: actions.heat,
    p: () => !button("play").hidden && actions.play(),
    g: actions.together,
    PageDown: () => show(current + 1),
    PageUp: () => show(current - 1),
  };
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  // Keys belong to the picture that has the focus, so that typing elsewhere is not disturbed.
  root.addEventListener("keydown", (event) => {
    if (!event.target.closest("[data-stage]") || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const arrow = arrows[event.key];
    const one = callipers[current];
    if (arrow && one.active) {
      const step = event.shiftKey ? 10 : 1;
      one.nudge(arrow[0] * step, arrow[1] * step);
    } else if (arrow) {
      stages[current].pan(-40 * arrow[0], -40 * arrow[1]);
    } else if (event.key === "Enter" && one.active) {
      one.set();
    } else if (keys[event.key]) {
      keys[event.key]();
    } else {
      return;
    }
    event.preventDefault();
  });

  show(0);
}
