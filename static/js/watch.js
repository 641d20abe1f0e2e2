// While a job runs: tell screen readers each new stage and every tenth, not every poll; and say so in the tab.
(() => {
  const say = document.querySelector("[data-say]");
  const title = document.title;
  let last = "";
  const report = () => {
    const status = document.getElementById("job-status");
    if (!status) return;
    const percent = Number(status.dataset.percent);
    const words = interpolate(gettext("%(stage)s, %(percent)s per cent"), { stage: status.dataset.stage, percent: Math.floor(percent / 10) * 10 }, true);
    document.title = percent ? `${percent} % · ${title}` : title;
    if (words !== last) say.textContent = last = words;
  };
  document.addEventListener("htmx:afterSettle", report);
  report();
})();

// The log is fetched anew as it grows: it stays at its end, or where somebody reads it.
(() => {
  const log = () => document.getElementById("job-log");
  let fresh = false;
  let place = null; // null: at the end
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "job-log") return;
    const { scrollTop, scrollHeight, clientHeight } = log();
    place = scrollHeight - scrollTop - clientHeight > 4 ? scrollTop : null;
    fresh = true;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (fresh && log()) log().scrollTop = place ?? log().scrollHeight;
    fresh = false;
  });
})();
