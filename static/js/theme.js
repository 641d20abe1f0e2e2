// Runs in <head>, before anything is painted: light, dark, or what the system says.
(() => {
  document.documentElement.dataset.js = ""; // what is only for pages without scripts is never painted
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = document.documentElement.dataset.themeKept || "system"; // chosen on the account page; here it may differ
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `time_zone=${zone}; path=/; max-age=31536000; SameSite=Lax`;
  const stored = () => { try { return localStorage.getItem("theme") || kept; } catch { return kept; } };
  const apply = () => {
    const choice = stored();
    const dark = choice === "dark" || (choice === "system" && system.matches);
    document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
    document.documentElement.dataset.themeChoice = choice;
    document.dispatchEvent(new CustomEvent("inbetween:theme"));
  };
  apply();
  // The form of a film, as soon as its player is in the page: style attributes are forbidden here, and a script that
  // waits for the whole page would come after the first painting, when everything below would jump.
  const forms = new MutationObserver(() => {
    for (const player of document.querySelectorAll("[data-player]:not([style])")) {
      const film = [...player.querySelectorAll("video[width][height]")].at(-1);
      if (film && film.width && film.height) player.style.setProperty("--shape", String(film.width / film.height));
    }
  });
  forms.observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("DOMContentLoaded", () => forms.disconnect());
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector("[data-preferences]")?.addEventListener("submit", (event) => {
      try { localStorage.setItem("theme", event.target.elements.theme.value); } catch { /* private window */ }
    });
    const button = document.querySelector("[data-theme-toggle]");
    if (!button) return;
    const label = () => { // the words have come by now: they are fetched with the scripts that wait for the page
      const theme = { system: gettext("as the system"), light: gettext("light"), dark: gettext("dark") }[stored()];
      button.setAttribute("aria-label", interpolate(gettext("Theme: %(theme)s. Change"), { theme }, true));
      button.title = interpolate(gettext("Theme: %(theme)s"), { theme }, true);
    };
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
