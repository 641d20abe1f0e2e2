/* Django's administration: the signs beside its filter boxes have a name, so they need a role to be read by it. */
addEventListener("load", () => {
  for (const sign of document.querySelectorAll(".help-tooltip[aria-label]:not([role])")) sign.setAttribute("role", "img");
});
