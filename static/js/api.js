// Swagger UI has a dark form of its own: it follows the theme of the portal.
(() => {
  const follow = () => document.documentElement.classList.toggle("dark-mode", document.documentElement.dataset.bsTheme === "dark");
  document.addEventListener("inbetween:theme", follow);
  follow();
})();
