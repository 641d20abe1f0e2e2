// Films play as one. One of them leads (of two results the finer one); the other shows the frame that belongs to the same
// moment of the source. Frames are counted, not seconds. All of it is in the address, so that a link shows the same:
// #f=34&view=wipe&at=40&zoom=3,0.5,0.4&a=10&b=50&speed=0.5&with=JOB.
(() => {
  const root = document.querySelector("[data-player]");
  if (!root) return;
  const part = (name) => root.querySelector(`[data-${name}]`);
  const films = [...root.querySelectorAll("[data-pane] video")];
  const stretch = (film) => Number(film.dataset.stretch) || 1; // how many times as long as the source
  const rate = (film) => Number(film.dataset.fps) || 25;
  const fine = (film) => rate(film) * stretch(film); // frames for a second of the source
  const lead = films.find((film) => "result" in film.dataset) || films.reduce((one, two) => (fine(two) > fine(one) ? two : one));
  const other = films.find((film) => film !== lead);
  const fps = rate(lead);
  const filmPace = "filmPace" in root.dataset; // two results run as fast as each other, whatever their stretch
  const seek = part("seek"), time = part("time"), place = part("frame"), play = part("play"), speed = part("speed"), marks = part("marks");
  const SPEEDS = [...speed.options].map((option) => Number(option.value));
  const SLOWEST = 0.0625, FASTEST = 16; // what browsers play; slower, the other film is moved by seeking
  let loop = true, dragging = false, from = null, till = null, waiting = 0, ready = false;

  const duration = () => (Number.isFinite(lead.duration) ? lead.duration : 0);
  const drawn = Number(lead.dataset.frames) || Infinity; // the sound may be longer than the pictures
  const count = () => Math.max(1, Math.min(drawn, Math.round(duration() * fps)));
  const frame = () => Math.min(count() - 1, Math.floor(window.inbetweenMoment(lead) * fps + 0.01));
  const pace = () => lead.playbackRate / stretch(lead); // seconds of the source a second

  function target() { // when the other film shows the frame of this moment
    const moment = window.inbetweenMoment(lead) / stretch(lead);
    const end = Math.max(0, (other.duration || 0) - 0.001);
    if (!lead.paused || other.dataset.vfr) return Math.min(moment * stretch(other), end);
    return Math.min((Math.floor(moment * fine(other) + 0.01) + 0.5) / rate(other), end); // its middle: rounding never shows the next
  }

  function follow(force) {
    if (!other || other.readyState < 1) return;
    const due = target(), off = due - window.inbetweenMoment(other);
    if (other.seeking && !force) return;
    if (force ? Math.abs(off) > 0.001 : Math.abs(off) > 0.2 * stretch(other)) window.inbetweenSeek(other, due);
    else if (!other.paused) other.playbackRate = limit(pace() * stretch(other) * Math.min(1.3, Math.max(0.7, 1 + (3 * off) / stretch(other)))); // catch up unseen
  }
  const limit = (value) => Math.min(FASTEST, Math.max(SLOWEST, value));

  function runOther() {
    if (!other) return;
    if (lead.paused || pace() * stretch(other) < SLOWEST) other.pause();
    else { other.playbackRate = limit(pace() * stretch(other)); other.play().catch(() => {}); }
  }

  function clock(seconds) {
    const hundredths = Math.floor(seconds * 100 + 1e-6);
    return `${Math.floor(hundredths / 6000)}:${((hundredths % 6000) / 100).toFixed(2).padStart(5, "0")}`;
  }

  function show() {
    const now = window.inbetweenMoment(lead), at = frame();
    seek.max = String(count() - 1);
    if (!dragging) seek.value = String(at);
    time.textContent = `${clock(now)} / ${clock(duration())}`;
    place.textContent = `${at + 1} / ${count()}`;
    const between = Number(root.dataset.between) || 0; // 0: nobody knows which frames were drawn
    if (between) place.dataset.kind = at % (between + 1) && at < count() - between ? "new" : "source";
    seek.setAttribute("aria-valuetext", interpolate(gettext("frame %(at)s of %(count)s, %(seconds)s seconds"), { at: at + 1, count: count(), seconds: now.toFixed(2) }, true));
    document.dispatchEvent(new CustomEvent("inbetween:time", { detail: now }));
  }

  function to(number) {
    const asked = Math.min(Math.max(0, number), count() - 1);
    window.inbetweenSeek(lead, Math.min((asked + 0.5) / fps, Math.max(0, duration() - 0.001))); // the middle of a frame
    follow(true);
    show();
    remember();
  }

  function step(frames) {
    lead.pause();
    to(frame() + frames);
  }

  const start = () => from ?? 0;
  const end = () => till ?? count() - 1;

  function toggle() {
    if (!lead.paused) return lead.pause();
    if (lead.ended || frame() >= end() || frame() < start()) to(start());
    return run();
  }
  const run = () => lead.play().catch(() => {}); // a pause may come before it has begun

  function tick() {
    if (lead.paused) return;
    if (loop && till !== null && frame() > till) to(start());
    else { follow(false); show(); }
    requestAnimationFrame(tick);
  }

  // A range to loop: from one mark to the other.
  function mark(which) {
    const at = frame();
    if (which === "a") { from = from === at ? null : at; if (till !== null && from !== null && till <= from) till = null; }
    else if (which === "b") { till = till === at ? null : at; if (from !== null && till !== null && till <= from) from = null; }
    else from = till = null;
    if (from !== null || till !== null) setLoop(true);
    paintMarks();
    remember();
  }
  function paintMarks() {
    const last = Math.max(1, count() - 1), on = from !== null || till !== null;
    marks.hidden = !on;
    marks.style.left = `${(100 * start()) / last}%`;
    marks.style.width = `${(100 * (end() - start())) / last}%`;
    part("mark-a").setAttribute("aria-pressed", String(from !== null));
    part("mark-b").setAttribute("aria-pressed", String(till !== null));
  }
  function setLoop(on) { loop = on; part("loop").setAttribute("aria-pressed", String(on)); }

  function setSpeed(value) {
    speed.value = String(value);
    lead.playbackRate = limit(filmPace ? value * stretch(lead) : value);
    remember();
  }
  const faster = (way) => setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(Number(speed.value)) + way))]);

  const views = window.inbetweenViews(root, remember);

  // The address says what is shown.
  function remember() {
    if (!ready) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const words = new URLSearchParams();
      if (frame()) words.set("f", String(frame()));
      views.write(words);
      if (from !== null) words.set("a", String(from));
      if (till !== null) words.set("b", String(till));
      if (!loop) words.set("loop", "0");
      if (speed.value !== "1") words.set("speed", speed.value);
      if (against?.value) words.set("with", against.value);
      window.inbetweenAddress.write(["f", "view", "only", "at", "zoom", "a", "b", "loop", "speed", "with"], words);
    }, 120);
  }
  const against = part("against");
  const given = (words, name) => (/^\d+$/.test(words.get(name) || "") ? Math.min(Number(words.get(name)), count() - 1) : null);
  function recall() {
    const words = window.inbetweenAddress.read();
    views.read(words, root.dataset.usual || "side");
    if (SPEEDS.includes(Number(words.get("speed")))) speed.value = words.get("speed");
    setSpeed(Number(speed.value));
    setLoop(words.get("loop") !== "0");
    [from, till] = [given(words, "a"), given(words, "b")];
    if (against && [...against.options].some((option) => option.value === words.get("with"))) against.value = words.get("with");
    compareWith();
    const at = given(words, "f");
    ready = true;
    to(at ?? frame()); // the poster is of another moment
    paintMarks();
  }

  // What the result is laid beside: its source, or what another job made of it.
  function compareWith() {
    const chosen = against?.selectedOptions[0];
    if (!chosen || !other || other.dataset.shown === chosen.dataset.src) return;
    other.dataset.shown = chosen.dataset.src;
    if (other.getAttribute("src") !== chosen.dataset.src) {
      other.removeAttribute("poster");
      other.src = chosen.dataset.src;
    }
    for (const key of ["fps", "stretch", "vfr"]) other.dataset[key] = chosen.dataset[key] || "";
    part("against-words").textContent = chosen.dataset.words;
    part("against-link").hidden = !chosen.value;
    part("against-link").href = chosen.dataset.page || "";
    remember();
  }
  against?.addEventListener("change", compareWith);

  lead.addEventListener("play", () => { root.classList.add("playing"); play.setAttribute("aria-label", play.dataset.pauseWord); follow(true); runOther(); tick(); });
  lead.addEventListener("pause", () => { root.classList.remove("playing"); play.setAttribute("aria-label", play.dataset.playWord); runOther(); follow(true); show(); remember(); });
  lead.addEventListener("ended", () => { if (loop) { to(start()); run(); } });
  lead.addEventListener("ratechange", runOther);
  lead.addEventListener("waiting", () => other?.pause());
  lead.addEventListener("playing", runOther);
  lead.addEventListener("seeked", () => { follow(true); show(); });
  other?.addEventListener("loadedmetadata", () => { follow(true); runOther(); });
  root.addEventListener("inbetween:click", toggle);

  play.addEventListener("click", toggle);
  for (const button of root.querySelectorAll("[data-step]")) button.addEventListener("click", () => step(Number(button.dataset.step)));
  seek.addEventListener("input", () => { dragging = true; to(Number(seek.value)); });
  seek.addEventListener("change", () => { dragging = false; });
  speed.addEventListener("change", () => setSpeed(Number(speed.value)));
  part("loop").addEventListener("click", () => { setLoop(!loop); remember(); });
  for (const which of ["a", "b"]) part(`mark-${which}`).addEventListener("click", () => mark(which));
  const mute = part("mute");
  const setMuted = (on) => { lead.muted = on; mute?.setAttribute("aria-pressed", String(on)); };
  mute?.addEventListener("click", () => setMuted(!lead.muted));
  setMuted(!mute);
  const full = () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.());
  part("full").addEventListener("click", full);

  // Charts, tables and strips lead here.
  document.addEventListener("inbetween:seek", (event) => {
    lead.pause();
    to(Math.floor(event.detail * fps + 0.01));
    if (!event.still) root.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  });
  for (const button of document.querySelectorAll("[data-seek-to]")) {
    button.addEventListener("click", () => document.dispatchEvent(new CustomEvent("inbetween:seek", { detail: Number(button.dataset.seekTo) })));
  }
  for (const button of document.querySelectorAll("[data-take]")) { // the moment shown goes into a field
    button.hidden = false;
    button.addEventListener("click", () => { document.querySelector(button.dataset.take).value = clock(frame() / fps); });
  }

  const second = Math.round(fps);
  const acts = {
    ...views.keys, " ": toggle, k: toggle, ArrowLeft: () => step(-1), ArrowRight: () => step(1), ",": () => step(-1), ".": () => step(1),
    Home: () => to(start()), End: () => to(end()), "[": () => mark("a"), "]": () => mark("b"), "\\": () => mark(""), "<": () => faster(-1), ">": () => faster(1),
    r: () => part("loop").click(), f: full, m: () => mute && setMuted(!lead.muted),
  };
  // A bake-off is judged by keys as well.
  const votes = document.querySelector("[data-votes]");
  for (const [key, side] of votes ? [["1", "a"], ["2", "b"], ["0", "tie"]] : []) acts[key] = () => votes.querySelector(`[value="${side}"]`).click();

  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (at.closest("select, textarea, input:not([type=range]), img-comparison-slider, [contenteditable], [data-own-keys]")) return;
    if (at.type === "range" && (/^(Arrow|Home|End|Page)/.test(event.key) || at !== seek)) return;
    if (event.key === " " && at.closest("button, a, summary")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = event.shiftKey && event.key.startsWith("Arrow")
      ? () => views.pan(event.key) || step({ ArrowLeft: -second, ArrowRight: second }[event.key] || 0)
      : acts[key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  for (const film of films) film.removeAttribute("controls"); // they are for pages without this script
  for (const hidden of root.querySelectorAll("[data-scripted]")) hidden.hidden = false;
  views.read(window.inbetweenAddress.read(), root.dataset.usual || "side");
  const begin = () => { show(); if (!ready) recall(); };
  if (lead.readyState >= 1) begin();
  else lead.addEventListener("loadedmetadata", begin, { once: true });
  window.addEventListener("hashchange", () => { if (location.hash.includes("=")) recall(); });
})();

// Comparison: what lies on the left of the handle, and where the handle is; #left=frame0&border=30 in the address.
(() => {
  const root = document.querySelector("[data-compare]");
  if (!root) return;
  const layers = root.querySelector("[data-show]");
  const words = root.querySelector("[data-left-words]");
  const sayings = { blend: gettext("the two neighbouring frames laid over each other, half and half"), frame0: gettext("the source frame before"), frame1: gettext("the source frame after") };
  const slider = root.querySelector("img-comparison-slider");
  const address = window.inbetweenAddress;
  let left = "blend", waiting = 0;
  function show(name) {
    if (!sayings[name]) return;
    layers.dataset.show = left = name;
    words.textContent = sayings[name];
    for (const button of root.querySelectorAll("[data-left]")) button.setAttribute("aria-pressed", String(button.dataset.left === name));
  }
  function remember() {
    const border = Math.round(slider.value);
    address.write(["left", "border"], [...(left === "blend" ? [] : [["left", left]]), ...(border === 50 ? [] : [["border", String(border)]])]);
  }
  function recall() {
    const border = Number(address.read().get("border") ?? 50);
    show(address.read().get("left") || "blend");
    if (border >= 0 && border <= 100) slider.value = border;
  }
  for (const button of root.querySelectorAll("[data-left]")) button.addEventListener("click", () => { show(button.dataset.left); remember(); });
  slider.addEventListener("slide", () => { clearTimeout(waiting); waiting = setTimeout(remember, 120); });
  window.addEventListener("hashchange", () => { if (location.hash.includes("=")) recall(); });
  customElements.whenDefined("img-comparison-slider").then(recall);
})();
