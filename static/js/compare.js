// Two results of one source in step. Time is that of the source: a film in slow motion runs as fast as its sibling here.
// The state is in the address: #t=1.5&view=side&wipe=30.
(() => {
  const root = document.querySelector("[data-duo]");
  if (!root) return;
  const part = (name) => root.querySelector(`[data-${name}]`);
  const [a, b] = ["A", "B"].map((name) => root.querySelector(`[data-duo-video="${name}"]`));
  const stretch = (video) => Number(video.dataset.stretch) || 1;
  const seek = part("seek"), time = part("time"), wipe = part("wipe"), line = part("line"), play = part("play");
  const views = document.querySelectorAll("[data-view]");
  const state = new URLSearchParams(location.hash.slice(1));
  let playing = false, speed = 1, only = "";

  const length = () => Math.min(a.duration / stretch(a), b.duration / stretch(b)) || 0;
  const now = () => a.currentTime / stretch(a);

  function place(seconds) {
    const at = Math.max(0, Math.min(seconds, length() - 0.001));
    for (const video of [a, b]) video.currentTime = at * stretch(video);
  }
  function rates() {
    const fastest = Math.max(stretch(a), stretch(b));
    for (const video of [a, b]) video.playbackRate = (speed * stretch(video)) / (fastest > 4 ? fastest / 4 : 1);
  }
  function set(on) {
    playing = on;
    root.classList.toggle("playing", on);
    play.setAttribute("aria-label", on ? "Pause" : "Play");
    rates();
    for (const video of [a, b]) on ? video.play().catch(() => {}) : video.pause();
    if (on) requestAnimationFrame(tick);
    else { place(now()); remember(); }
  }
  function show() {
    const whole = length();
    seek.max = String(whole);
    seek.value = String(now());
    time.textContent = `${now().toFixed(2)} / ${whole.toFixed(2)} s`;
  }
  function tick() {
    if (!playing) return;
    const drift = b.currentTime / stretch(b) - now();
    if (Math.abs(drift) > 0.04 && Math.abs(drift) < length() / 2) b.currentTime = now() * stretch(b);
    show();
    requestAnimationFrame(tick);
  }
  function remember() {
    state.set("t", now().toFixed(3));
    history.replaceState(null, "", `#${state}`);
  }
  function cut() {
    const at = only === "A" ? 100 : only === "B" ? 0 : Number(wipe.value);
    const over = root.dataset.viewNow === "wipe";
    b.parentElement.style.clipPath = over ? `inset(0 0 0 ${at}%)` : "";
    line.style.left = `${at}%`;
    line.hidden = !over || only !== "";
  }
  function look(view) {
    root.dataset.viewNow = view;
    for (const button of views) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    state.set("view", view);
    cut();
    remember();
  }
  const step = (count) => { set(false); place(now() + count / Math.max(...[a, b].map((video) => Number(video.dataset.fps) * stretch(video)))); show(); remember(); };
  const full = () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.());

  part("transport").hidden = false;
  document.querySelector("[data-views]")?.removeAttribute("hidden");
  for (const button of views) button.addEventListener("click", () => look(button.dataset.view));
  play.addEventListener("click", () => set(!playing));
  for (const button of root.querySelectorAll("[data-step]")) button.addEventListener("click", () => step(Number(button.dataset.step)));
  part("full").addEventListener("click", full);
  part("speed").addEventListener("change", (event) => { speed = Number(event.target.value); rates(); });
  seek.addEventListener("input", () => { place(Number(seek.value)); show(); });
  seek.addEventListener("change", remember);
  wipe.addEventListener("input", () => { only = ""; state.set("wipe", wipe.value); cut(); });
  wipe.addEventListener("change", remember);
  for (const video of [a, b]) video.addEventListener("loadedmetadata", () => { show(); if (state.has("t")) place(Number(state.get("t"))); });
  a.addEventListener("seeked", show);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, textarea, input:not([type=range])")) return;
    const keys = {
      " ": () => set(!playing), ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: () => { place(0); show(); }, f: full,
      a: () => { only = only === "A" ? "" : "A"; cut(); }, b: () => { only = only === "B" ? "" : "B"; cut(); },
      s: () => look(root.dataset.viewNow === "wipe" ? "side" : "wipe"),
    };
    if (event.target.type === "range" && event.key.startsWith("Arrow")) return;
    if (event.target.closest("button, a") && event.key === " ") return;
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act) { event.preventDefault(); act(); }
  });
  // A bake-off is judged by keys as well.
  const votes = document.querySelector("[data-votes]");
  if (votes) {
    document.addEventListener("keydown", (event) => {
      const side = { 1: "a", 2: "b", 0: "tie" }[event.key];
      if (side && !event.ctrlKey && !event.metaKey && !event.altKey) votes.querySelector(`[value="${side}"]`).click();
    });
  }

  if (state.has("wipe")) wipe.value = state.get("wipe");
  if (state.get("view") === "side") look("side");
  cut();
  show();
})();
