// Runs in <head>, before anything is painted: light, dark, or what the system says.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("theme") || "system"; } catch { return "system"; } };
  const apply = () => {
    const choice = stored();
    const dark = choice === "dark" || (choice === "system" && system.matches);
    document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
    document.documentElement.dataset.themeChoice = choice;
    document.dispatchEvent(new CustomEvent("inbetween:theme"));
  };
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-toggle]");
    if (!button) return;
    const label = () => { button.setAttribute("aria-label", `Theme: ${stored()}. Change`); button.title = `Theme: ${stored()}`; };
    button.hidden = false;
    label();
    button.addEventListener("click", () => {
      const order = ["system", "light", "dark"];
      const next = order[(order.indexOf(stored()) + 1) % 3];
      try { localStorage.setItem("theme", next); } catch { /* private window: the choice lasts for this page */ }
      apply();
      label();
    });
  });
})();
