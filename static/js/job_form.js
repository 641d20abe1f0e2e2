// New job: the slider, the number beside it and the timing chart say the same.
(() => {
  const form = document.querySelector("[data-job-form]");
  if (!form) return;
  const number = form.querySelector("[data-count-number]");
  const range = form.querySelector("[data-count-range]");
  const chart = form.querySelector("[data-count-chart]");
  const draw = () => window.inbetweenTicks(chart.querySelector("svg"), { gaps: Number(chart.dataset.countChart), between: Math.min(10, Math.max(1, Number(range.value))) });
  chart.hidden = false;
  range.addEventListener("input", () => { number.value = range.value; draw(); });
  number.addEventListener("input", () => { if (number.value >= 1 && number.value <= 10) { range.value = number.value; draw(); } });
  draw();
})();
