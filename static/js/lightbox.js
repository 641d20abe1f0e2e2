// In-between pictures, large: click, arrows, Escape. Without this script the links open the pictures themselves.
(() => {
  const list = document.querySelector("[data-lightbox]");
  const dialog = document.querySelector("[data-lightbox-dialog]");
  if (!list || !dialog) return;
  const links = [...list.querySelectorAll("a")];
  const image = dialog.querySelector("[data-lightbox-img]");
  const caption = dialog.querySelector("[data-lightbox-caption]");
  let at = 0;

  function show(index) {
    at = (index + links.length) % links.length;
    image.src = links[at].href;
    image.alt = links[at].querySelector("img").alt;
    caption.textContent = links[at].dataset.caption;
  }

  links.forEach((link, index) => link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    show(index);
    dialog.showModal();
  }));
  for (const button of dialog.querySelectorAll("[data-go]")) button.addEventListener("click", () => show(at + Number(button.dataset.go)));
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => links[at].focus());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") show(at - 1);
    else if (event.key === "ArrowRight") show(at + 1);
  });
})();
