// New job: presets and suggestions fill in the form, and say which of them it is like now.
(() => {
  const form = document.querySelector("[data-job-form]");
  const told = document.getElementById("job-presets");
  if (!form || !told) return;
  const presets = JSON.parse(told.textContent);
  const links = [...form.querySelectorAll("[data-preset]")];
  const why = form.querySelector("[data-preset-why]");
  const usual = why.textContent;
  const text = (value) => (value === null || value === undefined ? "" : String(value));

  const read = (name) => {
    const field = form.elements[name];
    if (!field) return null;
    if (field.type === "checkbox") return field.checked;
    return name === "resolution" && field.value === "custom" ? form.elements.custom_resolution.value : field.value;
  };
  const put = (name, value) => {
    const field = form.elements[name];
    if (!field) return; // this source has no such setting
    if (field.type === "checkbox") { field.checked = Boolean(value); return; }
    const offered = !(field instanceof HTMLSelectElement) || [...field.options].some((option) => option.value === text(value));
    if (name === "resolution" && !offered) { field.value = "custom"; form.elements.custom_resolution.value = text(value); }
    else if (offered) field.value = text(value);
  };
  const alike = (wanted) => Object.entries(wanted).every(([name, value]) => {
    const now = read(name);
    return now === null || (typeof now === "boolean" ? now === Boolean(value) : now === text(value));
  });
  const mark = () => { for (const link of links) link.toggleAttribute("data-on", alike(presets[link.dataset.preset])); };
  const changed = (field) => { for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true })); };

  for (const link of links) {
    const say = () => { why.textContent = link.dataset.why || usual; };
    link.addEventListener("mouseenter", say);
    link.addEventListener("focus", say);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      for (const [name, value] of Object.entries(presets[link.dataset.preset])) put(name, value);
      if (form.elements.inbetween?.value) form.querySelector("[data-count-range]").value = form.elements.inbetween.value;
      changed(form.elements.inbetween);
      say();
      mark();
    });
  }
  form.addEventListener("input", mark);
  mark();

  // What a warning suggests, at one click.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-set]");
    if (!button) return;
    put(button.dataset.set, button.dataset.to);
    changed(form.elements[button.dataset.set]);
    form.querySelector("[type=submit], .go button").focus({ preventScroll: true }); // the suggestion is gone in a moment
  });
})();

// New job: the moment to try, found on the source itself where the browser can play it.
(() => {
  const part = document.querySelector("[data-trial]");
  if (!part) return;
  const [video, range] = ["video", "range"].map((name) => part.querySelector(`[data-trial-${name}]`));
  const field = document.getElementById("trial_start");
  const seconds = () => field.value.replace(",", ".").split(":").reduce((sum, one) => sum * 60 + Number(one), 0);
  const words = (value) => { const minutes = Math.floor(value / 60), rest = Math.round((value - minutes * 60) * 10) / 10; return `${minutes}:${rest < 10 ? "0" : ""}${rest}`; };
  const look = () => { if (Number.isFinite(seconds())) { range.value = String(seconds()); if (video.readyState) window.inbetweenSeek(video, seconds()); } };
  range.hidden = false;
  look();
  range.addEventListener("input", () => { field.value = words(Number(range.value)); look(); });
  field.addEventListener("input", look);
  part.addEventListener("toggle", () => {
    if (!part.open || video.src) return;
    video.addEventListener("loadedmetadata", () => { video.hidden = !video.videoWidth; look(); });
    video.preload = "metadata";
    video.src = video.dataset.src;
  });
  if (part.open) part.dispatchEvent(new Event("toggle"));
})();
