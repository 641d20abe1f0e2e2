// Swagger UI has a dark form of its own: it follows the theme of the portal.
(() => {
  const follow = () => document.documentElement.classList.toggle("dark-mode", document.documentElement.dataset.bsTheme === "dark");
  document.addEventListener("inbetween:theme", follow);
  follow();
})();

// What Swagger UI leaves out for those who do not see the page or have no mouse, added to whatever it draws.
document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("swagger-ui");
  const words = place.dataset;
  const nameOf = (field) => {
    if (field.matches(".examples-select-element")) return words.example;
    const row = field.closest("[data-param-name], [data-property-name]");
    return row?.dataset.paramName || row?.dataset.propertyName || (field.matches("textarea") ? words.body : words.value);
  };
  const named = (field) => field.labels?.length || field.title || ["aria-label", "aria-labelledby"].some((name) => field.getAttribute(name));
  const level = (heading, value) => { heading.setAttribute("role", "heading"); heading.setAttribute("aria-level", value); };
  const mend = () => {
    for (const field of place.querySelectorAll("input:not([type=hidden]), select, textarea")) if (!named(field)) field.setAttribute("aria-label", nameOf(field));
    // A link within the button that opens a call: the button does the same.
    for (const link of place.querySelectorAll(".opblock-summary-control a[href]")) link.removeAttribute("href");
    for (const block of place.querySelectorAll(".microlight:not([tabindex])")) block.tabIndex = 0;
    for (const title of place.querySelectorAll(".info h2.title:not([aria-level])")) level(title, "1");
    for (const tag of place.querySelectorAll("h3.opblock-tag:not([aria-level])")) level(tag, "2");
    for (const part of place.querySelectorAll("h4:not([aria-level])")) level(part, "3");
    for (const table of place.querySelectorAll(".responses-table[role=region]:not([aria-label])")) table.setAttribute("aria-label", table.id);
    const about = place.querySelector(".information-container:not([role])");
    if (about) { about.setAttribute("role", "region"); about.setAttribute("aria-label", document.title); }
  };
  let waiting = false;
  new MutationObserver(() => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; mend(); });
  }).observe(place, { childList: true, subtree: true });
});
