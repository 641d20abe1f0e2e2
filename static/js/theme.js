// Runs in <head>, before anything is painted: light, dark, or what the system says.
(() => {
  document.documentElement.dataset.js = ""; // what is only for pages without scripts is never painted
  const system = matchMedia("(prefers-color-scheme: dark)");
  // The account's choice holds wherever somebody is signed in; this browser remembers it for pages before that.
  const store = (choice) => { try { localStorage.setItem("theme", choice); } catch { /* private window */ } };
  const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const known = (kept) => (["light", "dark"].includes(kept) ? kept : "system"); // the administration keeps "auto" there
  let choice = document.documentElement.dataset.themeKept || known(stored());
  if (document.documentElement.dataset.themeKept) store(choice);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `time_zone=${zone}; path=/; max-age=31536000; SameSite=Lax`;
  const apply = () => {
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
    const button = document.querySelector("[data-theme-toggle]");
    if (!button) return;
    const label = () => { // the words have come by now: they are fetched with the scripts that wait for the page
      const theme = { system: gettext("as the system"), light: gettext("light"), dark: gettext("dark") }[choice];
      button.setAttribute("aria-label", interpolate(gettext("Theme: %(theme)s. Change"), { theme }, true));
      button.title = interpolate(gettext("Theme: %(theme)s"), { theme }, true);
      const field = document.querySelector(`[data-preferences] [name=theme][value=${choice}]`);
      if (field) field.checked = true;
    };
    const take = (chosen) => { choice = chosen; apply(); label(); };
    let saving = Promise.resolve(); // one after the other, so that the last click is what is kept
    const save = (theme) => {
      const body = new URLSearchParams({ theme, csrfmiddlewaretoken: document.querySelector("[name=csrfmiddlewaretoken]").value });
      saving = saving.then(() => fetch(button.dataset.save, { method: "POST", body, keepalive: true })).catch(() => { /* the server is away: it holds for this page */ });
    };
    button.hidden = false;
    label();
    button.addEventListener("click", () => {
      const order = ["system", "light", "dark"];
      take(order[(order.indexOf(choice) + 1) % 3]);
      store(choice);
      if (button.dataset.save) save(choice);
    });
    addEventListener("storage", ({ key, newValue }) => { if (key === "theme" && newValue) take(newValue); }); // in another tab
  });
})();
