// Small things on every page: menu, asking before deleting, copying, and the timing-chart drawing.
(() => {
  const toggle = document.querySelector("[data-nav-toggle]");
  toggle?.addEventListener("click", () => {
    const open = document.getElementById("nav").classList.toggle("open");
    toggle.setAttribute("aria-expanded", String(open));
  });

  document.addEventListener("submit", (event) => {
    const words = event.target.dataset.confirm;
    if (words && !window.confirm(words)) event.preventDefault();
  });

  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).value);
      button.querySelector("span").textContent = "Copied";
    });
  }

  // A fragment that turns out to be the sign-in page (the session has ended), or to be gone: load the page anew.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, pathInfo } = event.detail;
    const elsewhere = xhr.responseURL && new URL(xhr.responseURL).pathname !== new URL(pathInfo.requestPath, location.href).pathname;
    if (elsewhere || xhr.status === 404) { event.detail.shouldSwap = false; location.reload(); }
  });

  // Ink ticks are frames that exist, blue ones are drawn between them.
  window.inbetweenTicks = (svg, { gaps, between, inset = 4 }) => {
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const steps = gaps * (between + 1);
    const line = (x, top, css) => `<path class="${css}" vector-effect="non-scaling-stroke" d="M${x.toFixed(2)} ${height - 2}V${top}"/>`;
    let marks = `<path class="base" vector-effect="non-scaling-stroke" stroke-width="1" d="M0 ${height - 2}H${width}"/>`;
    for (let step = 0; step <= steps; step++) {
      const x = inset + (step / steps) * (width - 2 * inset);
      const source = step % (between + 1) === 0;
      marks += line(x, source ? 4 : height * 0.42, source ? "src" : "mid");
    }
    svg.innerHTML = marks;
  };
})();
