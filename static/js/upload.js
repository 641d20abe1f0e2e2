// Upload with drag and drop and a true progress bar. Without this script the plain form does the same.
(() => {
  const form = document.querySelector("[data-upload]");
  if (!form) return;
  const part = (name) => form.querySelector(`[data-drop-${name}]`);
  const input = part("input"), run = part("run"), say = part("say"), pair = part("pair"), errors = part("errors");
  const bar = part("bar"), words = part("words");
  const resize = form.querySelector("#resize_second"), together = part("together"), acts = part("acts");
  const ways = [...together.querySelectorAll("[name=together]")];
  let request = null, held = [], many = false; // held: what waits for a word, or for another try

  part("send").hidden = true;
  input.classList.add("visually-hidden");
  input.tabIndex = -1;
  part("choose").hidden = false;
  part("resize").hidden = true;
  together.hidden = true;
  form.dataset.ready = "";
  for (const way of ways) way.addEventListener("change", () => { part("resize").hidden = !isPairs(); });
  part("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => take([...input.files]));

  let depth = 0;
  const over = (on) => form.classList.toggle("over", on);
  const carriesFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  document.addEventListener("dragenter", (event) => { if (carriesFiles(event)) { depth++; over(true); } });
  document.addEventListener("dragleave", (event) => { if (carriesFiles(event) && --depth <= 0) { depth = 0; over(false); } });
  document.addEventListener("dragover", (event) => { if (carriesFiles(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth = 0;
    over(false);
    if (!request) filesOf(event.dataTransfer).then(take);
  });

  // What was dropped, with what lies in folders; hidden files of systems stay behind.
  async function filesOf(transfer) {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
    const found = [];
    for (const entry of entries) await walk(entry, found);
    return found;
  }

  async function walk(entry, found) {
    if (entry.name.startsWith(".") || /^(__MACOSX|thumbs\.db|desktop\.ini)$/i.test(entry.name)) return;
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      file.place = entry.fullPath.slice(1);
      found.push(file);
      return;
    }
    const reader = entry.createReader();
    const some = () => new Promise((done, failed) => reader.readEntries(done, failed));
    for (let entries = await some(); entries.length; entries = await some()) for (const inside of entries) await walk(inside, found);
  }

  const isPicture = (file) => /^image\/(png|jpeg|bmp|tiff|webp)$/.test(file.type) || /\.(png|jpe?g|bmp|tiff?|webp)$/i.test(file.name);
  const isZip = (file) => /zip/.test(file.type) || /\.zip$/i.test(file.name);
  const isPairs = () => ways.some((way) => way.checked && way.value === "pairs");
  const size = (bytes) => bytes < 2 ** 20 ? `${Math.ceil(bytes / 2 ** 10)} kB` : bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MB` : `${(bytes / 2 ** 30).toFixed(2)} GB`;

  function take(files) {
    fail([]);
    resize.checked = false;
    if (!files.length) return;
    const most = Number(form.dataset.max), mostFiles = Number(form.dataset.maxFiles);
    const large = files.find((file) => file.size > most);
    if (large) return fail([interpolate(gettext("%(name)s is %(size)s; the most that can be uploaded is %(most)s."), { name: large.name, size: size(large.size), most: size(most) }, true)]);
    const total = files.reduce((sum, file) => sum + file.size, 0);
    if (total > most && files.every(isPicture)) return fail([interpolate(gettext("Together these are %(size)s; the most that can be uploaded is %(most)s."), { size: size(total), most: size(most) }, true)]);
    if (files.length > mostFiles) return fail([interpolate(gettext("That is %(count)s files; at most %(most)s are taken at once. Pack the pictures into one zip and drop that."), { count: files.length, most: mostFiles }, true)]);
    const joined = held.length === 1 && files.length === 1 && isPicture(held[0]) && isPicture(files[0]) ? [...held, ...files] : files;
    const animation = joined.length === 1 && /webp/i.test(joined[0].type + joined[0].name); // may move: the server tells
    if (joined.length <= 2 && joined.every(isPicture) && !animation) return arrange(joined);
    if (joined.every(isPicture) && !animation) return gather(joined);
    if (joined.length === 1 && isZip(joined[0])) return gather(joined);
    arrange([]);
    const films = joined.filter((file) => !isPicture(file) || /webp/i.test(file.type + file.name)), pictures = joined.filter((file) => !films.includes(file));
    if (inPieces(films)) { if (pictures.length) take(pictures); return; }
    send(joined);
  }

  // Videos and zips go in pieces, where resumable.js is there to take them: it says so.
  const inPieces = (films, fps = "") => films.length > 0 && !form.dispatchEvent(new CustomEvent("upload-files", { cancelable: true, detail: { files: films, fps } }));

  // One or two pictures wait to be put in order, then go.
  function arrange(files) {
    const row = clear(files);
    if (!files.length) return;
    files.forEach((file, index) => row.append(thumb(file, interpolate(index ? gettext("Last: %(name)s") : gettext("First: %(name)s"), { name: file.name }, true))));
    if (files.length === 1) {
      row.append(element("p", "pair-gap quiet", gettext("And the second picture? Drop it here too, or choose it.")));
      acts.append(button(gettext("Choose the second picture"), "btn-primary", () => input.click()));
    } else {
      acts.append(button(gettext("Upload both"), "btn-primary", () => send(held)), button(gettext("Swap them"), "btn-plain", () => arrange([held[1], held[0]])));
    }
    acts.append(neverMind());
    acts.querySelector("button").focus();
  }

  // Many pictures, or a zip of them, wait for the word whether they are one sequence or pairs.
  function gather(files) {
    const row = clear(files);
    row.classList.add("many");
    many = true;
    together.hidden = false;
    if (!ways.some((way) => way.checked)) ways[0].checked = true;
    part("resize").hidden = !isPairs();
    together.querySelector("legend").textContent = isZip(files[0]) ? interpolate(gettext("What is in %(name)s?"), { name: files[0].name }, true) : interpolate(gettext("What are these %(count)s pictures?"), { count: files.length }, true);
    const shown = isZip(files[0]) ? [] : [...files].sort((a, b) => place(a).localeCompare(place(b), "en", { numeric: true })).slice(0, 6);
    for (const file of shown) row.append(thumb(file, file.name));
    if (files.length > shown.length && shown.length) row.append(element("p", "quiet small", interpolate(gettext("and %(count)s more"), { count: files.length - shown.length }, true)));
    pair.hidden = !shown.length;
    acts.append(button(isZip(files[0]) ? gettext("Upload the zip") : interpolate(gettext("Upload %(count)s pictures"), { count: files.length }, true), "btn-primary", () => { if (!zipInPieces()) send(held); }), neverMind());
    ways.find((way) => way.checked).focus();
  }

  // A zip of pictures that are one sequence; pairs are sorted out by the form.
  function zipInPieces() {
    if (!isZip(held[0]) || isPairs()) return false;
    const zip = held;
    if (!inPieces(zip, form.querySelector("[name=input_fps]").value.trim())) return false;
    arrange([]);
    return true;
  }

  // Puts away what was shown of an earlier choice; returns the row for the pictures of this one.
  function clear(files) {
    for (const image of pair.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    held = files;
    many = false;
    together.hidden = part("resize").hidden = true;
    acts.replaceChildren();
    acts.hidden = pair.hidden = !files.length;
    const row = element("div", "pair-row");
    pair.replaceChildren(...(files.length ? [row] : []));
    return row;
  }

  function thumb(file, words) {
    const figure = element("figure", ""), image = element("img", "");
    image.src = URL.createObjectURL(file);
    image.alt = "";
    image.addEventListener("error", () => image.classList.add("invisible")); // a kind that browsers do not show
    figure.append(image, element("figcaption", "small", words));
    return figure;
  }

  const neverMind = () => button(gettext("Never mind"), "btn-bare", () => { arrange([]); fail([]); part("choose").focus(); });
  const place = (file) => file.place || file.name;

  function send(files) {
    held = files;
    const data = new FormData();
    data.append("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    if (resize.checked) data.append("resize_second", "on");
    if (many) {
      const fields = isPairs() ? ["pair_frames"] : ["input_fps"];
      data.append("together", isPairs() ? "pairs" : "sequence");
      for (const name of fields) data.append(name, form.querySelector(`[name=${name}]`).value);
      if (files.some((file) => file.place)) data.append("paths", JSON.stringify(files.map(place)));
    }
    for (const file of files) data.append("footage", file, file.name);
    fail([]);
    show(files);
    const started = performance.now();
    request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => report(event, started));
    request.upload.addEventListener("load", () => { words.textContent = gettext("Uploaded. Looking into it…"); bar.removeAttribute("value"); });
    request.addEventListener("load", () => finished(request.status, request.response));
    request.addEventListener("error", () => broke(gettext("The connection was lost, so nothing was stored. Your choice is kept: try again.")));
    request.addEventListener("abort", () => { hide(); fail([gettext("The upload was stopped. Nothing was stored.")]); });
    request.send(data);
  }

  function report(event, started) {
    if (!event.lengthComputable) return;
    const seconds = (performance.now() - started) / 1000;
    const speed = event.loaded / Math.max(seconds, 0.2);
    const left = Math.ceil((event.total - event.loaded) / speed);
    bar.value = (100 * event.loaded) / event.total;
    const told = { sent: size(event.loaded), total: size(event.total), speed: size(speed), left };
    words.textContent = interpolate(left > 1 ? gettext("%(sent)s of %(total)s, %(speed)s/s, about %(left)s s left") : gettext("%(sent)s of %(total)s, %(speed)s/s"), told, true);
  }

  function finished(status, answer) {
    if (status === 201 && answer?.next) { window.location.assign(answer.next); return; }
    hide();
    if (answer?.errors) { // 422: refused once it was here; 413: too large, or no room, while it arrived
      fail(answer.errors);
      if (answer.offer_resize) offerResize();
      if (status === 400) offerAgain(); // broke off on its way
      return;
    }
    const sayings = { 413: gettext("The file is too large for this server."), 403: gettext("Your session has ended. Reload the page, sign in, and upload again."), 404: gettext("This project is gone.") };
    broke(sayings[status] || interpolate(gettext("The server could not take the upload (answer %(status)s). Nothing was stored. Try again."), { status }, true));
  }

  function offerResize() {
    errors.append(button(gettext("Resize the second to fit, and upload"), "btn-primary mt-2", () => { resize.checked = true; send(held); }));
    errors.querySelector("button").focus();
  }

  function broke(sentence) {
    hide();
    fail([sentence]);
    offerAgain();
  }

  function offerAgain() {
    errors.append(button(gettext("Try again"), "btn-plain mt-2", () => send(held)));
  }

  function show(files) {
    say.hidden = pair.hidden = acts.hidden = together.hidden = part("resize").hidden = true;
    run.hidden = false;
    form.setAttribute("aria-busy", "true");
    bar.value = 0;
    part("name").textContent = files.length > 2 ? interpolate(gettext("%(count)s pictures"), { count: files.length }, true) : files.length === 2 ? interpolate(gettext("%(first)s and %(second)s"), { first: files[0].name, second: files[1].name }, true) : files[0].name;
    words.textContent = gettext("Starting…");
    part("stop").focus();
  }

  function hide() {
    request = null;
    run.hidden = true;
    say.hidden = false;
    pair.hidden = !pair.querySelector("img");
    acts.hidden = !acts.childElementCount;
    together.hidden = !many;
    part("resize").hidden = !(many && isPairs());
    form.removeAttribute("aria-busy");
    input.value = "";
  }

  function fail(sentences) {
    errors.replaceChildren(...sentences.map((sentence) => element("p", "errors", sentence)));
  }

  part("stop").addEventListener("click", () => request?.abort());
  window.addEventListener("beforeunload", (event) => { if (request && bar.hasAttribute("value")) event.preventDefault(); });

  function element(tag, css, text = "") {
    const made = document.createElement(tag);
    made.className = css;
    made.textContent = text;
    return made;
  }

  function button(text, css, act) {
    const made = element("button", `btn ${css}`, text);
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  }

  if (input.files.length) take([...input.files]); // chosen before this script had come
})();
