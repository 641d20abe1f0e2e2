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
