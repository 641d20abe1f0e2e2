// The worst held-out frames: choose one of the strip, and it is shown large; the player goes there as well.
(() => {
  const root = document.querySelector("[data-worst]");
  if (!root) return;
  const part = (name) => root.querySelectorAll(`[data-worst-${name}]`);
  const choices = [...root.querySelectorAll("[data-worst-choice]")];
  const opacity = root.querySelector("[data-worst-opacity]");

  function show(chosen, jump) {
    for (const name of ["truth", "drawn", "error"]) for (const image of part(name)) image.src = chosen.dataset[name];
    part("words")[0].textContent = chosen.dataset.words;
    for (const choice of choices) choice.setAttribute("aria-pressed", String(choice === chosen));
    if (!jump) return;
    const event = new CustomEvent("inbetween:seek", { detail: Number(chosen.dataset.time) });
    event.still = true; // the page stays where it is: one looks here
    document.dispatchEvent(event);
  }

  for (const choice of choices) choice.addEventListener("click", () => show(choice, true));
  opacity.addEventListener("input", () => { for (const image of part("error")) image.style.opacity = String(opacity.value / 100); });
  opacity.closest("[hidden]")?.removeAttribute("hidden");

  // A click into the chart, or a step of the player, that lands on one of these frames shows it here.
  document.addEventListener("inbetween:seek", (event) => {
    const there = !event.still && choices.find((choice) => Math.abs(choice.dataset.time - event.detail) < 0.002);
    if (there) show(there, false);
  });
})();
