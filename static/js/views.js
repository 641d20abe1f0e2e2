// How two films are laid over each other, and how close one looks: side by side, a slider, onion skin, difference, one
// alone; zoom and pan of both together. `player.js` gives it its root and is told when something was changed.
window.inbetweenViews = (root, changed) => {
  const screens = root.querySelector("[data-screens]");
  const panes = [...screens.querySelectorAll("[data-pane]")];
  const films = panes.map((pane) => pane.querySelector("video"));
  const upper = panes.at(-1).closest("figure");
  const part = (name) => root.querySelector(`[data-${name}]`);
  const buttons = root.querySelectorAll("[data-view]");
  const dial = part("dial"), dialBox = part("dial-box"), dialWords = part("dial-words"), line = part("line"), zoomWords = part("zoom-words");
  const FIRST = { wipe: 50, onion: 50, difference: 20 };
  const FURTHEST = 12; // times
  const state = { view: "side", only: "", at: { ...FIRST }, zoom: 1, x: 0.5, y: 0.5 };
  const two = panes.length > 1;
  const fit = (value, low, high) => Math.min(high, Math.max(low, value));
  const gain = () => Math.round(2 ** (state.at.difference / 20) * 10) / 10; // 1 to 32 times
  const over = () => state.view !== "side" && !state.only && two;

  function paint() {
    root.dataset.viewNow = two ? state.view : "side";
    root.dataset.only = two ? state.only : "";
    const at = state.at[state.view];
    upper.style.clipPath = over() && state.view === "wipe" ? `inset(0 0 0 ${at}%)` : "";
    upper.style.opacity = over() && state.view === "onion" ? String(at / 100) : "";
    screens.style.filter = over() && state.view === "difference" ? `brightness(${gain()})` : "";
    if (line) { line.style.left = `${at}%`; line.hidden = !over() || state.view !== "wipe"; }
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.view === (state.only ? `only-${state.only}` : state.view)));
    if (dialBox) dial_();
    move();
  }

  function dial_() {
    dialBox.hidden = !over();
    if (!over()) return;
    const words = dialBox.dataset[state.view];
    dialWords.textContent = words;
    dial.setAttribute("aria-label", words);
    dial.value = String(state.at[state.view]);
    dial.setAttribute("aria-valuetext", state.view === "difference" ? `${gain()} ×` : `${Math.round(state.at[state.view])} %`);
  }

  // The point (x, y) of the picture, 0 to 1, lies in the middle of the pane, as far as the picture reaches.
  function move() {
    const edge = 0.5 / state.zoom;
    state.x = fit(state.x, edge, 1 - edge);
    state.y = fit(state.y, edge, 1 - edge);
    const shift = [state.x, state.y].map((middle) => `${(0.5 - middle * state.zoom) * 100}%`).join(",");
    for (const film of films) {
      film.style.transform = state.zoom === 1 ? "" : `translate(${shift}) scale(${state.zoom})`;
      film.style.imageRendering = state.zoom >= 4 ? "pixelated" : "";
    }
    root.classList.toggle("zoomed", state.zoom > 1);
    zoomWords.textContent = `${Math.round(state.zoom * 100)} %`;
  }

  function look(view) {
    const only = view.startsWith("only-") ? view.slice(5) : "";
    if (!two) return;
    state.only = only && state.only === only ? "" : only;
    if (!only) state.view = view;
    paint();
    changed();
  }

  function zoom(times, x = 0.5, y = 0.5) { // (x, y) of the pane stay where they are
    const before = state.zoom;
    state.zoom = fit(Math.abs(times - 1) < 0.04 ? 1 : times, 1, FURTHEST);
    state.x += (x - 0.5) * (1 / before - 1 / state.zoom);
    state.y += (y - 0.5) * (1 / before - 1 / state.zoom);
    move();
    changed();
  }

  function pan(dx, dy) {
    state.x += dx / state.zoom;
    state.y += dy / state.zoom;
    move();
    changed();
  }

  function turn(value) {
    state.at[state.view] = fit(value, 0, 100);
    paint();
    changed();
  }

  for (const button of buttons) button.addEventListener("click", () => look(button.dataset.view));
  dial?.addEventListener("input", () => turn(Number(dial.value)));
  for (const button of root.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => (button.dataset.zoom === "1" ? zoom(1) : zoom(state.zoom * Number(button.dataset.zoom))));
  }

  // The pointer moves the border, or the pictures when they are larger than their pane; a click without a way is "play".
  const place = (event) => {
    const box = (event.target.closest("[data-pane]") || panes[0]).getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height, width: box.width, height: box.height };
  };
  let held = null;
  screens.addEventListener("pointerdown", (event) => {
    if (event.button || !event.target.closest("[data-pane], [data-line]")) return;
    const at = place(event);
    const near = Math.abs(at.x - state.at.wipe / 100) * at.width < 28;
    const wipes = over() && state.view === "wipe" && (state.zoom === 1 || near);
    held = { ...at, clientX: event.clientX, clientY: event.clientY, wipes, moved: false };
    if (wipes && event.pointerType === "mouse" && !near) return;
    screens.setPointerCapture(event.pointerId);
  });
  screens.addEventListener("pointermove", (event) => {
    if (!held) return;
    const dx = event.clientX - held.clientX, dy = event.clientY - held.clientY;
    if (!held.moved && Math.hypot(dx, dy) < 4) return;
    if (!held.moved && event.pointerId !== undefined) screens.setPointerCapture(event.pointerId);
    held.moved = true;
    if (held.wipes) turn((held.x + dx / held.width) * 100);
    else if (state.zoom > 1) { pan(-dx / held.width, -dy / held.height); held.clientX = event.clientX; held.clientY = event.clientY; }
  });
  screens.addEventListener("pointerup", (event) => {
    if (held && !held.moved && event.pointerType !== "touch") root.dispatchEvent(new CustomEvent("inbetween:click"));
    else if (held && !held.moved && state.zoom === 1) root.dispatchEvent(new CustomEvent("inbetween:click"));
    held = null;
  });
  screens.addEventListener("pointercancel", () => { held = null; });
  screens.addEventListener("dblclick", (event) => { const at = place(event); zoom(state.zoom > 1 ? 1 : 3, at.x, at.y); });
  screens.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const at = place(event);
    zoom(state.zoom * 2 ** (-event.deltaY / 200), at.x, at.y);
  }, { passive: false });

  function shape() { // the panes have the form of the film, so that nothing jumps and nothing is barred
    const film = films.at(-1);
    const [width, height] = film.videoWidth ? [film.videoWidth, film.videoHeight] : [film.width, film.height];
    if (width && height) root.style.setProperty("--shape", String(width / height));
  }
  films.at(-1).addEventListener("loadedmetadata", shape);
  shape();

  const step = 0.12; // of the pane, for one press of an arrow
  return {
    keys: {
      s: () => look("side"), w: () => look("wipe"), o: () => look("onion"), d: () => look("difference"),
      a: () => look("only-a"), b: () => look("only-b"), l: () => look("only-b"), "+": () => zoom(state.zoom * 1.5), "=": () => zoom(state.zoom * 1.5),
      "-": () => zoom(state.zoom / 1.5), z: () => zoom(state.zoom > 1 ? 1 : 3), 0: () => zoom(1),
    },
    pan: (key) => {
      const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
      if (state.zoom === 1 || !ways[key]) return false;
      pan(...ways[key]);
      return true;
    },
    write: (words) => {
      if (state.view !== "side") words.set("view", state.view);
      if (state.only) words.set("only", state.only);
      if (state.view !== "side" && state.at[state.view] !== FIRST[state.view]) words.set("at", String(Math.round(state.at[state.view] * 10) / 10));
      if (state.zoom > 1) words.set("zoom", [state.zoom, state.x, state.y].map((value) => Math.round(value * 1000) / 1000).join(","));
    },
    read: (words, usual) => {
      const view = words.get("view") || usual;
      if (view in FIRST || view === "side") state.view = view;
      if (["a", "b"].includes(words.get("only"))) state.only = words.get("only");
      const at = Number(words.get("at") ?? NaN);
      if (view in FIRST && at >= 0 && at <= 100) state.at[view] = at;
      const [times, x, y] = (words.get("zoom") || "").split(",").map(Number);
      if (times >= 1 && x >= 0 && y >= 0) Object.assign(state, { zoom: fit(times, 1, FURTHEST), x, y });
      paint();
    },
  };
};
