// While a job runs: finished parts play one after the other, and new ones are added as they come. Two players take turns:
// one shows a part, the other has the next one loaded.
(() => {
  const root = document.querySelector("[data-parts]");
  if (!root) return;
  const part = (name) => root.querySelector(`[data-part-${name}]`);
  const player = root.querySelector("[data-parts-player]");
  const seek = part("seek"), time = part("time"), play = part("play"), words = part("words");
  let [front, back] = root.querySelectorAll("video");
  const parts = []; // {number, start, end, file}
  let at = 0; // place in parts of what is shown
  let playing = false, asking = false, dragging = false, over = false;

  const ready = () => (parts.length ? parts.at(-1).end : 0);
  const now = () => (parts.length ? Math.min(parts[at].start + window.inbetweenMoment(front), parts[at].end) : 0);

  function span(seconds) {
    const whole = Math.floor(seconds + 1e-6);
    return whole < 60 ? interpolate(gettext("%(seconds)s s"), { seconds: seconds < 10 ? Math.floor(seconds * 10 + 1e-6) / 10 : whole }, true) : interpolate(gettext("%(minutes)s min %(seconds)s s"), { minutes: Math.floor(whole / 60), seconds: whole % 60 }, true);
  }

  function clock(seconds) {
    const tenths = Math.floor(seconds * 10 + 1e-6);
    return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
  }

  function load(video, place) {
    if (video.dataset.place === String(place)) return;
    video.dataset.place = place;
    video.src = parts[place].file;
  }

  // Shows part `place` from `offset` seconds into it.
  function show(place, offset) {
    if (front.dataset.place !== String(place)) {
      if (back.dataset.place === String(place)) swap();
      else load(front, place);
    }
    at = place;
    if (Math.abs(window.inbetweenMoment(front) - offset) > 0.001) window.inbetweenSeek(front, offset);
    if (place + 1 < parts.length) load(back, place + 1);
    if (playing) run();
    report();
  }

  function swap() {
    [front, back] = [back, front];
    front.classList.add("front");
    back.classList.remove("front");
    front.removeAttribute("aria-hidden");
    front.setAttribute("aria-label", gettext("What is finished so far"));
    back.setAttribute("aria-hidden", "true");
    back.pause();
  }

  const run = () => front.play().catch(() => {}); // interrupted by the next one: that plays
  const stopped = () => front.ended && at + 1 >= parts.length; // at the end of what is ready

  function set(on) {
    playing = on;
    player.classList.toggle("playing", on);
    play.setAttribute("aria-label", on ? gettext("Pause") : gettext("Play"));
    if (!on) { front.pause(); return report(); }
    if (stopped() && over) show(0, 0);
    else if (!stopped()) run();
    requestAnimationFrame(tick);
  }

  const toggle = () => set(!playing);

  function to(seconds) {
    if (!parts.length) return;
    const wanted = Math.min(Math.max(0, seconds), Math.max(0, ready() - 0.02));
    const place = parts.findIndex((one) => wanted < one.end);
    show(place, wanted - parts[place].start);
  }

  function report() {
    const length = ready();
    if (!dragging) { seek.max = String(length); seek.value = String(now()); }
    seek.setAttribute("aria-valuetext", interpolate(gettext("%(at)s of %(length)s seconds"), { at: now().toFixed(1), length: length.toFixed(1) }, true));
    time.textContent = `${clock(now())} / ${clock(length)}`;
    const more = playing && stopped() ? gettext("Waiting for the next part.") : gettext("The rest is added while you watch; the sound comes with the finished film.");
    tell(words, over ? interpolate(gettext("All %(length)s can be watched here."), { length: span(length) }, true) : interpolate(gettext("The first %(length)s are ready."), { length: span(length) }, true));
    tell(part("more"), over ? "" : more);
  }

  function tell(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function tick() {
    if (!playing) return;
    report();
    requestAnimationFrame(tick);
  }

  for (const video of [front, back]) {
    video.addEventListener("ended", () => {
      if (video !== front) return;
      if (at + 1 < parts.length) show(at + 1, 0);
      else if (over) set(false);
      report();
    });
    // It may have reached its end, and stopped, before it was taken back from there.
    video.addEventListener("seeked", () => { if (video === front && playing && video.paused && !video.ended) run(); });
    video.addEventListener("click", toggle);
    video.addEventListener("loadeddata", () => { if (video === front) { root.dataset.shown = "1"; report(); } });
  }

  function add(found) {
    if (!found.length) return;
    const first = !parts.length, waited = playing && stopped();
    parts.push(...found);
    if (first) {
      root.hidden = false;
      document.querySelector("[data-until-parts]")?.remove();
      part("say").textContent = interpolate(gettext("The first %(length)s are ready to be watched."), { length: span(ready()) }, true);
      show(0, 0);
    } else if (waited) show(at + 1, 0);
    else if (at + 1 < parts.length) load(back, at + 1);
    report();
  }

  // The status that is asked for anyway says how many parts there are.
  const more = () => Number(document.getElementById("job-status")?.dataset.partsMade ?? 0) > parts.length;

  async function ask() {
    if (asking || !(over || more())) return;
    asking = true;
    try {
      const answer = await fetch(`${root.dataset.parts}?after=${parts.length ? parts.at(-1).number : 0}`, { headers: { Accept: "application/json" } });
      if (answer.ok && !answer.redirected) add((await answer.json()).parts);
    } catch { /* the server is away: the page says so, and asks again */ } finally { asking = false; }
  }

  document.addEventListener("htmx:afterSettle", ask);
  ask();

  // The job has ended, and the page would be loaded anew: not under the eyes of somebody who watches.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.getResponseHeader("HX-Refresh") !== "true" || !playing) return;
    event.preventDefault();
    over = true;
    document.getElementById("job-status")?.remove();
    document.querySelector(".live > form")?.remove();
    part("done").hidden = false;
    part("say").textContent = gettext("The whole film is ready.");
    ask().then(report);
  });

  play.addEventListener("click", toggle);
  seek.addEventListener("input", () => { dragging = true; to(Number(seek.value)); });
  seek.addEventListener("change", () => { dragging = false; report(); });
  const full = () => (document.fullscreenElement ? document.exitFullscreen() : player.requestFullscreen?.());
  part("full").addEventListener("click", full);

  document.addEventListener("keydown", (event) => {
    const on = event.target;
    if (root.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    if (on.closest("input, select, textarea, summary, [contenteditable]")) return;
    if (event.key === " " && on.closest("button, a")) return;
    const acts = { " ": toggle, k: toggle, ArrowLeft: () => to(now() - 1), ArrowRight: () => to(now() + 1), Home: () => to(0), End: () => to(ready()), f: full };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  });
})();
