// Result and source play as one. The result leads; the source follows at the same moment of the film (time / stretch).
(() => {
  const root = document.querySelector("[data-player]");
  if (!root) return;
  const result = root.querySelector("[data-result]");
  const source = root.querySelector("[data-source]");
  const part = (name) => root.querySelector(`[data-${name}]`);
  const seek = part("seek"), time = part("time"), play = part("play"), speed = part("speed");
  const stretch = Number(root.dataset.stretch) || 1;
  const fps = Number(root.dataset.fps) || 25;
  const SLOWEST = 0.0625; // browsers refuse to play slower: then the source is moved by seeking
  let loop = true, dragging = false;

  const sourceTime = () => result.currentTime / stretch;
  const pace = () => result.playbackRate / stretch;
  const duration = () => (Number.isFinite(result.duration) ? result.duration : 0);
  const lastFrame = () => Math.max(0, duration() - 0.5 / fps);

  function follow(force) {
    if (!source || source.readyState < 1) return;
    const target = Math.min(sourceTime(), Math.max(0, (source.duration || 0) - 0.001));
    const off = target - source.currentTime;
    if (source.seeking) return;
    if (force ? Math.abs(off) > 0.001 : Math.abs(off) > 0.2) source.currentTime = target;
    else if (!source.paused) source.playbackRate = Math.max(SLOWEST, pace() * Math.min(1.3, Math.max(0.7, 1 + 3 * off))); // catch up unseen
  }

  function runSource() {
    if (!source) return;
    if (result.paused || pace() < SLOWEST) source.pause();
    else { source.playbackRate = pace(); source.play().catch(() => {}); }
  }

  function clock(seconds) {
    const hundredths = Math.floor(seconds * 100 + 1e-6);
    const minutes = Math.floor(hundredths / 6000);
    const rest = (hundredths % 6000) / 100;
    return `${minutes}:${rest.toFixed(2).padStart(5, "0")}`;
  }

  function show() {
    const now = result.currentTime;
    if (!dragging) seek.value = duration() ? String(Math.round((1000 * now) / duration())) : "0";
    time.textContent = `${clock(now)} / ${clock(duration())}`;
    seek.setAttribute("aria-valuetext", `${now.toFixed(2)} seconds of ${duration().toFixed(2)}`);
    document.dispatchEvent(new CustomEvent("inbetween:time", { detail: now }));
  }

  function to(seconds) {
    result.currentTime = Math.min(Math.max(0, seconds), lastFrame());
    follow(true);
    show();
  }

  function step(frames) {
    result.pause();
    const frame = Math.round(result.currentTime * fps - 0.5) + frames;
    to((frame + 0.5) / fps); // the middle of a frame, so that rounding never shows its neighbour
  }

  function toggle() {
    if (!result.paused) return result.pause();
    if (result.ended || result.currentTime >= lastFrame()) to(0);
    return result.play();
  }

  function tick() {
    if (result.paused) return;
    follow(false);
    show();
    requestAnimationFrame(tick);
  }

  result.addEventListener("play", () => { root.classList.add("playing"); play.setAttribute("aria-label", "Pause"); follow(true); runSource(); tick(); });
  result.addEventListener("pause", () => { root.classList.remove("playing"); play.setAttribute("aria-label", "Play"); runSource(); follow(true); show(); });
  result.addEventListener("ended", () => { if (loop) { to(0); result.play(); } });
  result.addEventListener("ratechange", runSource);
  result.addEventListener("waiting", () => source?.pause());
  result.addEventListener("playing", runSource);
  result.addEventListener("loadedmetadata", show);
  result.addEventListener("seeked", () => { follow(true); show(); });
  result.addEventListener("click", toggle);
  source?.addEventListener("click", toggle);
  source?.addEventListener("loadedmetadata", () => follow(true));

  play.addEventListener("click", toggle);
  for (const button of root.querySelectorAll("[data-step]")) button.addEventListener("click", () => step(Number(button.dataset.step)));
  seek.addEventListener("input", () => { dragging = true; to((Number(seek.value) / 1000) * duration()); });
  seek.addEventListener("change", () => { dragging = false; });
  speed.addEventListener("change", () => { result.playbackRate = Number(speed.value); });
  part("loop").addEventListener("click", (event) => { loop = !loop; event.currentTarget.setAttribute("aria-pressed", String(loop)); });
  const mute = part("mute");
  const setMuted = (on) => { result.muted = on; mute?.setAttribute("aria-pressed", String(on)); };
  mute?.addEventListener("click", () => setMuted(!result.muted));
  setMuted(!mute);
  part("full").addEventListener("click", full);

  const alone = part("solo");
  const solo = () => alone?.setAttribute("aria-pressed", String(root.classList.toggle("solo")));
  alone?.addEventListener("click", solo);

  function full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else root.requestFullscreen?.();
  }

  document.addEventListener("inbetween:seek", (event) => {
    result.pause();
    to(event.detail + 0.5 / fps);
    root.scrollIntoView({ block: "nearest", behavior: "smooth" });
  });

  for (const button of document.querySelectorAll("[data-seek-to]")) {
    button.addEventListener("click", () => document.dispatchEvent(new CustomEvent("inbetween:seek", { detail: Number(button.dataset.seekTo) })));
  }

  for (const button of document.querySelectorAll("[data-take]")) { // the moment shown goes into a field
    button.hidden = false;
    button.addEventListener("click", () => { document.querySelector(button.dataset.take).value = clock(result.currentTime); });
  }

  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (at.closest("input, select, textarea, img-comparison-slider, summary, [contenteditable]")) return;
    if (event.key === " " && at.closest("button")) return;
    const acts = { " ": toggle, k: toggle, ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: () => to(0), End: () => to(lastFrame()), f: full, l: solo, m: () => mute && setMuted(!result.muted) };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  });

  for (const video of [result, source]) video?.removeAttribute("controls"); // they are for pages without this script
  part("transport").hidden = false;
  if (result.readyState >= 1) show();
})();

// Comparison: what lies on the left of the handle.
(() => {
  const root = document.querySelector("[data-compare]");
  if (!root) return;
  const layers = root.querySelector("[data-show]");
  const words = root.querySelector("[data-left-words]");
  const sayings = { blend: "the two neighbouring frames laid over each other, half and half", frame0: "the source frame before", frame1: "the source frame after" };
  for (const button of root.querySelectorAll("[data-left]")) {
    button.addEventListener("click", () => {
      layers.dataset.show = button.dataset.left;
      words.textContent = sayings[button.dataset.left];
      for (const other of root.querySelectorAll("[data-left]")) other.setAttribute("aria-pressed", String(other === button));
    });
  }
})();
