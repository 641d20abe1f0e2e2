// Word that something is over, a job, a trial, a bake-off or training: a note in the corner of every page, and one of the
// browser's own where that was allowed.
(() => {
  const corner = document.querySelector("[data-toasts]");
  if (!corner?.dataset.watch) return;
  const read = (key) => { try { return JSON.parse(sessionStorage.getItem(key)) || {}; } catch { return {}; } };
  const write = (key, value) => { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* private window */ } };
  const wanted = () => { try { return localStorage.getItem("notify") === "on" && window.Notification?.permission === "granted"; } catch { return false; } };

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

  function told({ id, text, page }) {
    if (location.pathname !== page) window.inbetweenToast(text, { page, words: gettext("Look at it") });
    if (wanted() && document.hidden) {
      const note = new Notification("Inbetween", { body: text, icon: "/static/img/favicon.svg", tag: id });
      note.onclick = () => { window.focus(); location.href = page; };
    }
  }

  async function look() {
    let again = 30000;
    try {
      const answer = await fetch(corner.dataset.watch, { headers: { Accept: "application/json" } });
      if (answer.status >= 502) throw new Error(String(answer.status)); // said by what stands before the server
      document.dispatchEvent(new CustomEvent("inbetween:found"));
      if (!answer.ok || answer.redirected) return; // nobody is signed in any more
      const { notices } = await answer.json();
      const live = read("live");
      for (const one of notices) if (!one.live && live[one.id]) told(one);
      const next = Object.fromEntries(notices.filter((one) => one.live).map((one) => [one.id, 1]));
      write("live", next);
      if (Object.keys(next).length) again = 4000;
    } catch {
      document.dispatchEvent(new CustomEvent("inbetween:lost"));
      again = 4000;
    }
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
