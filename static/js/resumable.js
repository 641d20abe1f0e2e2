// Videos and zips arrive in pieces, by the tus protocol: they can be paused, go on by themselves when the line comes
// back, and after a reload when the same file is chosen again. upload.js hands the files over in an event.
(() => {
  const form = document.querySelector("[data-upload]");
  if (!form || !window.tus?.isSupported) return;
  const list = form.querySelector("[data-arriving]");
  const api = form.dataset.uploads, project = form.dataset.project;
  const errors = form.querySelector("[data-drop-errors]"), choose = form.querySelector("[data-drop-choose]");
  const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] || form.querySelector("[name=csrfmiddlewaretoken]").value; // another one after signing in anew
  const spoken = (more) => ({ "X-CSRFToken": token(), "Tus-Resumable": "1.0.0", ...more });
  const PIECE = 32 * 1024 * 1024; // bytes of one request: proxies and the server's disk see to their limits in between
  const WAITS = [1, 2, 4, 8, 15]; // seconds until it is tried again; then the last for ever
  const SILENT = 40; // seconds without a byte until the line counts as lost
  const WINDOW = 6000; // milliseconds over which the speed is measured
  const queue = [];
  let at = null, came = 0, total = 0, last = "";

  form.addEventListener("upload-files", (event) => {
    event.preventDefault(); // taken: upload.js need not send them as a form
    const idle = !at;
    for (const file of event.detail.files) add(file, event.detail.fps || "");
    form.querySelector("[data-drop-input]").value = ""; // so that the same file can be chosen again
    next();
    if (idle) at.row.pause.focus();
  });

  const size = (bytes) => bytes < 2 ** 20 ? `${Math.ceil(bytes / 2 ** 10)} kB` : bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MB` : `${(bytes / 2 ** 30).toFixed(2)} GB`;

  function span(seconds) {
    if (seconds < 90) return interpolate(gettext("%(seconds)s s"), { seconds: Math.ceil(seconds) }, true);
    return seconds < 5400 ? interpolate(gettext("%(minutes)s min"), { minutes: Math.round(seconds / 60) }, true) : interpolate(gettext("%(hours)s h"), { hours: (seconds / 3600).toFixed(1) }, true);
  }

  // -- One file ---------------------------------------------------------------------------------------------------------

  function add(file, fps) {
    total++;
    const one = { file, state: "waits", tries: 0, samples: [], row: row(file) };
    one.upload = new window.tus.Upload(file, {
      endpoint: api,
      chunkSize: PIECE,
      retryDelays: null, // it is tried again below, where it can be said
      removeFingerprintOnSuccess: true,
      onBeforeRequest: (request) => request.setHeader("X-CSRFToken", token()),
      metadata: { filename: file.name, project, modified: String(file.lastModified), ...(fps ? { fps } : {}) },
      fingerprint: async () => ["inbetween", project, file.name, file.size, file.lastModified, fps].join("|"),
      onProgress: (sent) => progress(one, sent),
      onSuccess: () => { if (one.state === "sends") { one.state = "settles"; settle(one); } },
      onError: (error) => broke(one, error),
    });
    one.row.pause.addEventListener("click", () => (one.state === "paused" ? resume(one) : pause(one)));
    one.row.stop.addEventListener("click", () => give_up(one));
    queue.push(one);
    say(one, queue.length > 1 || at ? gettext("Waits for its turn") : gettext("Starting…"));
  }

  function next() {
    if (at || !queue.length) return;
    at = queue.shift();
    form.setAttribute("aria-busy", "true");
    if (at.state === "again") resume(at);
    else begin(at);
  }

  // What an earlier visit began: in this browser's memory, else in the server's list, where all of the file agrees.
  async function begin(one) {
    one.state = "sends";
    one.row.pause.hidden = false;
    const known = await one.upload.findPreviousUploads();
    const listed = document.querySelector(`[data-unfinished][data-size="${one.file.size}"][data-modified="${one.file.lastModified}"]`);
    if (known.length) one.upload.resumeFromPreviousUpload(known[0]);
    else if (listed?.dataset.unfinished === one.file.name) one.upload.url = listed.dataset.address;
    listed?.setAttribute("hidden", "");
    send(one);
  }

  function send(one) {
    clearTimeout(one.timer);
    one.waiting = false;
    if (one.state !== "sends") return;
    one.samples = [];
    watch(one);
    one.upload.start();
  }

  function watch(one) {
    clearInterval(one.watcher);
    one.heard = performance.now();
    one.watcher = setInterval(() => {
      if (one.state === "sends" && !one.whole && performance.now() - one.heard > SILENT * 1000) lost(one);
    }, 1000);
  }

  function progress(one, sent) {
    if (one.state !== "sends") return;
    const now = performance.now();
    one.heard = now;
    one.tries = 0;
    one.samples.push([now, sent]);
    while (one.samples.length > 2 && now - one.samples[0][0] > WINDOW) one.samples.shift();
    const [since, before] = one.samples[0];
    const speed = (sent - before) / Math.max((now - since) / 1000, 0.001);
    one.whole = sent >= one.file.size;
    one.row.bar.value = (100 * sent) / one.file.size;
    if (one.whole) { looking(one); return; }
    const words = { sent: size(sent), total: size(one.file.size), speed: size(speed), left: span((one.file.size - sent) / speed) };
    const known = speed > 0 && now - since > 500;
    say(one, interpolate(known ? gettext("%(sent)s of %(total)s, %(speed)s/s, about %(left)s left") : gettext("%(sent)s of %(total)s"), words, true));
  }

  function looking(one) {
    say(one, gettext("Uploaded. Looking into it…"));
    one.row.bar.removeAttribute("value");
    one.row.pause.hidden = true;
  }

  function pause(one) {
    one.state = "paused";
    one.upload.abort();
    clearInterval(one.watcher);
    clearTimeout(one.timer);
    press(one, gettext("Go on"));
    say(one, interpolate(gettext("Paused at %(sent)s of %(total)s"), { sent: size((one.row.bar.value / 100) * one.file.size), total: size(one.file.size) }, true));
  }

  function resume(one) {
    if (at && at !== one) {
      one.state = "again";
      queue.push(one);
      say(one, gettext("Waits for its turn"));
      return;
    }
    at = one;
    press(one, gettext("Pause"));
    say(one, gettext("Going on…"));
    one.state = "sends";
    send(one);
  }

  // -- When something goes wrong ----------------------------------------------------------------------------------------

  function broke(one, error) {
    if (one.state !== "sends" || one.waiting) return;
    const answer = error.originalResponse;
    const status = answer ? answer.getStatus() : 0;
    if (!status || [409, 423, 429, 460, 500, 502, 503, 504].includes(status)) { again(one, status); return; }
    refused(one, words_of(answer.getBody(), status), status);
  }

  function lost(one) {
    one.upload.abort();
    again(one, 0);
  }

  // Tries again by itself, for as long as it takes: the line may be away for a night.
  function again(one, status) {
    const seconds = WAITS[Math.min(one.tries++, WAITS.length - 1)];
    clearInterval(one.watcher);
    one.whole = false;
    const why = status === 423 ? gettext("The server still holds the earlier connection.") : status ? gettext("The server is not ready.") : gettext("The connection is lost.");
    say(one, `${why} ${gettext("It goes on by itself as soon as possible; what has arrived is kept.")}`, "lost");
    clearTimeout(one.timer);
    one.waiting = true;
    one.timer = setTimeout(() => send(one), seconds * 1000);
  }

  window.addEventListener("offline", () => { if (at?.state === "sends" && !at.whole && !at.waiting) lost(at); });
  window.addEventListener("online", () => { if (at?.waiting) send(at); }); // not beside a try that is under way

  function words_of(body, status) {
    if (status === 401) return gettext("Your session has ended. Sign in in another tab, then try again: what has arrived is kept.");
    try { return JSON.parse(body).detail; } catch { /* not from the portal itself */ }
    return status === 413 ? gettext("The server in front of the portal takes no pieces of this size. Tell the administrator.") : interpolate(gettext("The server could not take it (answer %(status)s)."), { status }, true);
  }

  // -- When everything is here ------------------------------------------------------------------------------------------

  // The file is whole. What has it become? Looking into it may have been interrupted, then an empty piece repeats it.
  async function settle(one) {
    looking(one);
    clearInterval(one.watcher);
    try {
      const told = await (await fetch(one.upload.url, { headers: { Accept: "application/json" } })).json();
      if (told.status === "done") return done(one, told.source);
      if (told.status === "refused") return refused(one, told.error, 400);
      const headers = spoken({ "Upload-Offset": String(one.file.size), "Content-Type": "application/offset+octet-stream" });
      const answer = await fetch(one.upload.url, { method: "PATCH", headers });
      if (!answer.ok && ![409, 410, 423].includes(answer.status)) return refused(one, words_of(await answer.text(), answer.status), answer.status);
    } catch { /* the line is away: asked again */ }
    setTimeout(() => settle(one), 1500);
  }

  function done(one, source) {
    came++;
    last = source;
    say(one, gettext("Done"));
    one.row.bar.value = 100;
    for (const button of [one.row.pause, one.row.stop]) button.hidden = true;
    over(one);
  }

  // No video, or no room. What may be taken another time is kept by the server, and can be tried again.
  function refused(one, words, status) {
    const kept = [401, 403, 507].includes(status) && one.upload.url;
    clearInterval(one.watcher);
    one.whole = false;
    const alone = !kept && total === 1;
    const said = element("p", "errors", alone ? `${one.file.name}: ${words}` : words);
    if (!alone) said.setAttribute("role", "alert"); // `errors` is one itself
    (alone ? errors : one.row.bar.parentElement).append(said); // beside the file it is about, while its row is there
    one.row.bar.hidden = true;
    say(one, kept ? gettext("What has arrived is kept.") : gettext("Refused"), "refused");
    one.row.pause.hidden = !kept;
    one.state = kept ? "paused" : "refused";
    if (kept) {
      press(one, gettext("Try again"));
      one.row.pause.addEventListener("click", () => { said.remove(); one.row.bar.hidden = false; }, { once: true, capture: true });
    } else {
      forget(one, alone); // of several the page says it once more when all are through
      if (alone) { put_away(one); choose.focus(); }
    }
    over(one);
  }

  function put_away(one) {
    one.row.element.remove();
    list.hidden = !list.childElementCount;
    total--;
  }

  // The reason was seen: neither browser nor server need remember it. (Of several, the page shows it once more.)
  async function forget(one, also_server) {
    for (const known of await one.upload.findPreviousUploads()) await window.tus.defaultOptions.urlStorage.removeUpload(known.urlStorageKey);
    if (also_server && one.upload.url) remove(one.upload.url);
  }

  async function remove(address) {
    for (let tries = 0; tries < 5; tries++) {
      const answer = await fetch(address, { method: "DELETE", headers: spoken() }).catch(() => null);
      if (answer && answer.status !== 423) return; // the server may still read what was on its way
      await new Promise((rested) => setTimeout(rested, 1000));
    }
  }

  async function give_up(one) {
    const place = queue.indexOf(one), begun = one.state !== "refused" && one.upload.url;
    if (place >= 0) queue.splice(place, 1);
    one.state = "stopped";
    clearInterval(one.watcher);
    clearTimeout(one.timer);
    put_away(one);
    (list.querySelector("button:not([hidden])") || choose).focus();
    await one.upload.abort();
    await forget(one, false);
    if (begun) await remove(one.upload.url);
    over(one);
  }

  function over(one) {
    if (at === one) at = null;
    if (at || queue.length) { next(); return; }
    form.removeAttribute("aria-busy");
    if (!came) return;
    if (came === 1 && total === 1) window.location.assign(form.dataset.next.replace("00000000-0000-0000-0000-000000000000", last));
    else window.location.reload(); // with what was refused, and why
  }

  window.addEventListener("beforeunload", (event) => { if (at?.state === "sends" && !at.whole) event.preventDefault(); });

  // -- What is seen -----------------------------------------------------------------------------------------------------

  function row(file) {
    const item = document.createElement("li");
    item.className = "arriving";
    const thumb = document.createElement("div");
    thumb.className = "arriving-thumb";
    thumb.append(picture(file));
    const middle = document.createElement("div");
    middle.className = "arriving-words";
    const name = element("p", "arriving-name", file.name);
    const bar = element("progress", "thick");
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", interpolate(gettext("Upload of %(name)s"), { name: file.name }, true));
    const words = element("p", "quiet small num");
    middle.append(name, bar, words);
    const acts = element("div", "arriving-acts");
    const pause = button(gettext("Pause"), "btn-plain"), stop = button(gettext("Remove"), "btn-bare");
    for (const one of [pause, stop]) one.append(element("span", "visually-hidden", ` ${file.name}`));
    pause.hidden = true;
    acts.append(pause, stop);
    item.append(thumb, middle, acts);
    list.append(item);
    list.hidden = false;
    return { element: item, bar, words, pause, stop };
  }

  // The film's own first picture, before a byte is sent; a sign where browsers cannot show it.
  function picture(file) {
    const film = document.createElement("video");
    film.muted = film.playsInline = true;
    film.preload = "metadata";
    film.setAttribute("aria-hidden", "true");
    film.tabIndex = -1;
    film.addEventListener("loadedmetadata", () => { film.currentTime = Math.min(1, film.duration / 3 || 0); });
    film.addEventListener("error", () => { URL.revokeObjectURL(film.src); film.replaceWith(form.querySelector("[data-film]").content.cloneNode(true)); });
    film.src = URL.createObjectURL(file);
    return film;
  }

  function say(one, words, css = "") {
    one.row.words.textContent = words;
    one.row.element.dataset.state = css;
  }

  const press = (one, words) => { one.row.pause.firstChild.textContent = words; };

  function element(tag, css, text = "") {
    const made = document.createElement(tag);
    made.className = css;
    made.textContent = text;
    return made;
  }

  function button(text, css) {
    const made = element("button", `btn btn-sm ${css}`, text);
    made.type = "button";
    return made;
  }
})();
