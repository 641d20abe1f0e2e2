// Landing page: drag through the moments between two frames. The chart below is an animator's timing chart.
(() => {
  const root = document.querySelector("[data-scrub]");
  if (!root) return;
  const pictures = [...root.querySelectorAll("img")];
  const range = root.querySelector("[data-scrub-range]");
  const tag = root.querySelector("[data-scrub-tag]");
  const last = pictures.length - 1;
  const show = () => {
    const at = Number(range.value);
    pictures.forEach((picture, index) => { picture.hidden = index !== at; });
    const words = at === 0 ? gettext("first frame, as filmed") : at === last ? gettext("next frame, as filmed") : interpolate(gettext("drawn: %(at)s of %(count)s"), { at, count: last - 1 }, true);
    tag.textContent = words;
    range.setAttribute("aria-valuetext", words);
    root.dataset.at = at === 0 || at === last ? "source" : "new";
  };
  window.inbetweenTicks(root.querySelector(".ticks"), { gaps: 1, between: last - 1, inset: 11 });
  range.addEventListener("input", show);
  // The other moments are fetched when somebody is about to drag: a first visit stays light.
  const fetchAll = () => pictures.forEach((picture) => { picture.loading = "eager"; });
  for (const kind of ["pointerenter", "focus", "touchstart"]) root.addEventListener(kind, fetchAll, { once: true, capture: true, passive: true });
  show();
})();
