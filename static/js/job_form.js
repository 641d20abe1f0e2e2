// New job: what was chosen before the scripts had come (on a slow line, or kept by the browser) is predicted as well.
(() => {
  const form = document.querySelector("[data-job-form]");
  if (!form) return;
  const chosen = (field) => (field.matches("[type=checkbox], [type=radio]") ? field.checked !== field.defaultChecked
    : field.options ? [...field.options].some((option) => option.defaultSelected && !option.selected) : field.value !== field.defaultValue);
  let early = [...form.querySelectorAll("input:not([type=hidden]), select, textarea")].find(chosen);
  form.addEventListener("input", (event) => { early ??= event.target; });
  document.addEventListener("htmx:load", () => early?.dispatchEvent(new Event("input", { bubbles: true })), { once: true });
})();

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

// New job: only what fits the format and the mode can be chosen; the quality is said in words.
(() => {
  const form = document.querySelector("[data-job-form]");
  const told = document.getElementById("job-facts");
  if (!form || !told) return;
  const facts = JSON.parse(told.textContent);
  const { format, quality, crf, sound, duplicates, loop } = form.elements;
  const depth = form.elements.bit_depth;
  const mode = () => form.elements.mode.value; // of the radio buttons, or of the hidden field
  const option = (select, value) => select.querySelector(`option[value="${value}"]`);

  // What is hidden is not sent, but keeps its value until it fits again.
  const show = (name, fits) => {
    const part = form.querySelector(`[data-part="${name}"]`);
    if (!part) return;
    part.hidden = !fits;
    for (const field of part.querySelectorAll("input, select")) field.disabled = !fits;
  };
  const allow = (select, value, fits, instead) => {
    option(select, value).disabled = !fits;
    if (!fits && select.value === value) select.value = instead;
  };

  // In slow motion sound cannot be kept as it is, elsewhere there is nothing to stretch: both choices are remembered.
  const heard = { slow: "drop", other: "keep" };
  const pace = () => (mode() === "slow" ? "slow" : "other");
  const remember = () => { if (sound && (sound.value !== "keep" || pace() === "other") && (sound.value !== "stretch" || pace() === "slow")) heard[pace()] = sound.value; };

  const fitSound = () => {
    if (!sound) return;
    const slow = pace() === "slow";
    option(sound, "keep").disabled = slow;
    option(sound, "stretch").disabled = !slow;
    sound.value = heard[pace()];
  };
  const fitRepeats = () => {
    if (!duplicates) return;
    allow(duplicates, "drop", mode() === "smooth" && !loop.checked, "keep");
    loop.disabled = duplicates.value === "drop";
  };
  const between = (value, places, heights) => {
    const next = Math.max(1, places.findIndex((place) => place >= value));
    const part = (value - places[next - 1]) / (places[next] - places[next - 1]);
    return Math.round(heights[next - 1] + part * (heights[next] - heights[next - 1]));
  };
  const say = (chosen) => {
    const words = facts.words.filter(([least]) => quality.value >= least).pop()[1];
    const level = chosen.crf && crf.value !== "" ? crf.value : chosen.curve.length ? between(Number(quality.value), facts.qualities, chosen.curve) : null;
    const output = form.querySelector("[data-quality-word]");
    output.textContent = chosen.crf && crf.value !== "" ? gettext("Set by hand") : words;
    const small = document.createElement("small");
    small.textContent = chosen.crf && level !== null ? `CRF ${level}` : quality.value;
    output.append(small);
  };
  const fit = () => {
    const chosen = facts.formats[format.value];
    show("quality", chosen.quality);
    show("crf", chosen.crf !== null);
    show("encoder", chosen.nvenc);
    show("depth", chosen.depths.length > 1);
    show("sound", chosen.sound);
    for (const bits of [8, 10]) allow(depth, String(bits), chosen.depths.includes(bits), "auto");
    if (chosen.crf) {
      crf.max = chosen.crf[1];
      form.querySelector("[data-crf-range]").textContent = interpolate(gettext("%(best)s is best, %(smallest)s the smallest file."), { best: chosen.crf[0], smallest: chosen.crf[1] }, true);
    }
    fitSound();
    fitRepeats();
    say(chosen);
  };
  for (const kind of ["input", "change"]) form.addEventListener(kind, (event) => { if (event.target === sound) remember(); fit(); });
  remember();
  fit();
})();

// New job: once the form is sent, no more is asked for it, and what comes back is left alone. An answer that knows of the preset
// that was just kept would come to a page that does not show it yet. (htmx would log a request that is taken back as an error.)
(() => {
  const live = document.querySelector(".setup-live");
  if (!live) return;
  let leaving = false;
  window.addEventListener("submit", (event) => { leaving ||= !event.defaultPrevented; }); // else a question comes first
  window.addEventListener("pageshow", () => { leaving = false; });
  live.addEventListener("htmx:beforeRequest", (event) => { if (leaving) event.preventDefault(); });
  document.addEventListener("htmx:beforeSwap", (event) => { if (leaving) event.preventDefault(); });
})();
