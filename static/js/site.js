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

// Word that a job is done: a note in the corner of every page, and one of the browser's own where that was allowed.
(() => {
  const corner = document.querySelector("[data-toasts]");
  if (!corner?.dataset.watch) return;
  const read = (key) => { try { return JSON.parse(sessionStorage.getItem(key)) || {}; } catch { return {}; } };
  const write = (key, value) => { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* private window */ } };
  const wanted = () => { try { return localStorage.getItem("notify") === "on" && window.Notification?.permission === "granted"; } catch { return false; } };
  const words = { succeeded: gettext("%(name)s is done."), failed: gettext("%(name)s did not work."), cancelled: gettext("%(name)s is cancelled.") };

  window.inbetweenToast = (text, link) => {
    const note = document.createElement("div");
    note.className = "toast-note";
    const line = document.createElement("p");
    line.append(text, " ");
    if (link) {
      const anchor = document.createElement("a");
      anchor.href = link.page;
      anchor.textContent = link.words;
      line.append(anchor);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn btn-bare btn-sm";
    close.setAttribute("aria-label", gettext("Close"));
    close.textContent = "×";
    close.addEventListener("click", () => note.remove());
    note.append(line, close);
    corner.append(note);
    setTimeout(() => { if (!note.contains(document.activeElement)) note.remove(); }, 12000);
  };

  function told(job) {
    const text = interpolate(words[job.status], { name: job.name }, true);
    if (location.pathname !== job.page) window.inbetweenToast(text, { page: job.page, words: gettext("Look at it") });
    if (wanted() && document.hidden) {
      const note = new Notification("Inbetween", { body: text, icon: "/static/img/favicon.svg", tag: job.id });
      note.onclick = () => { window.focus(); location.href = job.page; };
    }
  }

  async function look() {
    let again = 30000;
    try {
      const answer = await fetch(corner.dataset.watch, { headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected) return;
      const { jobs } = await answer.json();
      const live = read("live");
      const next = {};
      for (const job of jobs) {
        if (words[job.status]) { if (live[job.id]) told(job); } else next[job.id] = 1;
      }
      write("live", next);
      if (Object.keys(next).length) again = 4000;
    } catch { /* the server is away: asked again later */ }
    setTimeout(look, again);
  }
  setTimeout(look, 1500);
})();

// Browser notifications: asked for only by a click on the button that says so.
(() => {
  const button = document.querySelector("[data-notify]");
  if (!button || !("Notification" in window)) return;
  const on = () => { try { return localStorage.getItem("notify") === "on" && Notification.permission === "granted"; } catch { return false; } };
  const show = () => {
    button.setAttribute("aria-pressed", String(on()));
    button.querySelector("span").textContent = on() ? button.dataset.on : button.dataset.off;
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    const allowed = on() ? "" : await Notification.requestPermission();
    try { localStorage.setItem("notify", allowed === "granted" ? "on" : "off"); } catch { /* private window */ }
    if (allowed === "denied") window.inbetweenToast?.(gettext("The browser does not allow notifications for this site. Its settings, beside the address, can change that."));
    show();
  });
  show();
})();
