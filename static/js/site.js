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

  // Browsers lend their clipboard only to HTTPS and localhost; in a house's own network the old way still works.
  async function copied(field) {
    try {
      await navigator.clipboard.writeText(field.value);
      return true;
    } catch {
      field.focus();
      field.select();
      return document.execCommand("copy");
    }
  }

  for (const button of document.querySelectorAll("[data-copy]")) {
    const said = document.createElement("span"); // apart from the button, whose own words stay its name
    said.className = "visually-hidden";
    said.setAttribute("role", "status");
    button.after(said);
    button.hidden = false;
    button.addEventListener("click", async () => {
      const words = await copied(document.querySelector(button.dataset.copy)) ? gettext("Copied") : gettext("Marked: copy it with Ctrl+C");
      button.querySelector("span").textContent = said.textContent = words;
    });
  }

  // A fragment that turns out to be the sign-in page (the session has ended), or to be gone: load the page anew.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, pathInfo } = event.detail;
    const elsewhere = xhr.responseURL && new URL(xhr.responseURL).pathname !== new URL(pathInfo.requestPath, location.href).pathname;
    if (elsewhere || xhr.status === 404) { event.detail.shouldSwap = false; location.reload(); }
  });

  // What is fetched anew every few seconds takes the place of the keys with it. htmx gives it back to what has an id; here
  // to all else: the same link, button or field, counted among those that look alike.
  const FOCUSED = "a[href], button, input, select, textarea, summary, [tabindex]";
  const looks = (one) => [one.tagName, one.name, one.getAttribute("href"), one.textContent.trim()].join("|");
  const alike = (wanted) => [...document.querySelectorAll(FOCUSED)].filter((one) => looks(one) === wanted);
  let held = null;
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const now = document.activeElement;
    held = !now.id && detail.target.contains(now) ? { look: looks(now), at: alike(looks(now)).indexOf(now) } : null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    if (held && document.activeElement === document.body) alike(held.look)[held.at]?.focus({ preventScroll: true });
    held = null;
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

// A form whose choice acts at once; its button is for those without scripts.
(() => {
  for (const form of document.querySelectorAll("[data-auto]")) {
    form.querySelector("[data-auto-send]").hidden = true;
    form.addEventListener("change", () => form.requestSubmit());
  }
})();
