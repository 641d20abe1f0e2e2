// Upload with drag and drop and a true progress bar. Without this script the plain form does the same.
(() => {
  const form = document.querySelector("[data-upload]");
  if (!form) return;
  const part = (name) => form.querySelector(`[data-drop-${name}]`);
  const input = part("input"), run = part("run"), say = part("say"), pair = part("pair"), errors = part("errors");
  const bar = part("bar"), words = part("words");
  const resize = form.querySelector("#resize_second");
  let request = null, held = [];

  part("send").hidden = true;
  input.classList.add("visually-hidden");
  input.tabIndex = -1;
  part("choose").hidden = false;
  part("resize").hidden = true;
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
    if (!request) take([...event.dataTransfer.files]);
  });

  const isPicture = (file) => /^image\/(png|jpeg|bmp|tiff)$/.test(file.type);
  const size = (bytes) => bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;

  function take(files) {
    fail([]);
    resize.checked = false;
    const most = Number(form.dataset.max);
    const large = files.find((file) => file.size > most);
    if (large) return fail([`${large.name} is ${size(large.size)}; the most that can be uploaded is ${size(most)}.`]);
    const together = held.length === 1 && files.length === 1 && isPicture(files[0]) ? [...held, ...files] : files;
    if (together.length > 0 && together.length <= 2 && together.every(isPicture)) return arrange(together);
    arrange([]);
    if (files.length) send(files);
  }

  // One or two pictures wait to be put in order, then go.
  function arrange(files) {
    for (const image of pair.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    held = files;
    pair.hidden = files.length === 0;
    pair.replaceChildren();
    if (!files.length) return;
    const row = element("div", "pair-row");
    files.forEach((file, index) => {
      const figure = element("figure", "");
      const image = element("img", "");
      image.src = URL.createObjectURL(file);
      image.alt = "";
      const caption = element("figcaption", "small", `${index ? "Last" : "First"}: ${file.name}`);
      figure.append(image, caption);
      row.append(figure);
    });
    const acts = element("div", "drop-acts");
    if (files.length === 1) {
      row.append(element("p", "pair-gap quiet", "And the second picture? Drop it here too, or choose it."));
      acts.append(button("Choose the second picture", "btn-primary", () => input.click()));
    } else {
      acts.append(button("Upload both", "btn-primary", () => send(held)), button("Swap them", "btn-plain", () => arrange([held[1], held[0]])));
    }
    acts.append(button("Never mind", "btn-bare", () => { arrange([]); fail([]); }));
    pair.append(row, acts);
    acts.querySelector("button").focus();
  }

  function send(files) {
    held = files;
    const data = new FormData();
    data.append("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    if (resize.checked) data.append("resize_second", "on");
    for (const file of files) data.append("footage", file, file.name);
    fail([]);
    show(files);
    const started = performance.now();
    request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => report(event, started));
    request.upload.addEventListener("load", () => { words.textContent = "Uploaded. Looking into it…"; bar.removeAttribute("value"); });
    request.addEventListener("load", () => finished(request.status, request.response));
    request.addEventListener("error", () => broke("The connection was lost, so nothing was stored. Your choice is kept: try again."));
    request.addEventListener("abort", () => { hide(); fail(["The upload was stopped. Nothing was stored."]); });
    request.send(data);
  }

  function report(event, started) {
    if (!event.lengthComputable) return;
    const seconds = (performance.now() - started) / 1000;
    const speed = event.loaded / Math.max(seconds, 0.2);
    const left = Math.ceil((event.total - event.loaded) / speed);
    bar.value = (100 * event.loaded) / event.total;
    words.textContent = `${size(event.loaded)} of ${size(event.total)}, ${size(speed)}/s${left > 1 ? `, about ${left} s left` : ""}`;
  }

  function finished(status, answer) {
    if (status === 201 && answer?.next) { window.location.assign(answer.next); return; }
    hide();
    if (answer?.errors) { // 422: refused once it was here; 413: too large, or no room, while it arrived
      fail(answer.errors);
      if (answer.offer_resize) offerResize();
      return;
    }
    const sayings = { 413: "The file is too large for this server.", 403: "Your session has ended. Reload the page, sign in, and upload again.", 404: "This project is gone." };
    broke(sayings[status] || `The server could not take the upload (answer ${status}). Nothing was stored. Try again.`);
  }

  function offerResize() {
    errors.append(button("Resize the second to fit, and upload", "btn-primary mt-2", () => { resize.checked = true; send(held); }));
    errors.querySelector("button").focus();
  }

  function broke(sentence) {
    hide();
    fail([sentence]);
    errors.append(button("Try again", "btn-plain mt-2", () => send(held)));
  }

  function show(files) {
    say.hidden = true;
    pair.hidden = true;
    run.hidden = false;
    form.setAttribute("aria-busy", "true");
    bar.value = 0;
    part("name").textContent = files.map((file) => file.name).join(" and ");
    words.textContent = "Starting…";
    part("stop").focus();
  }

  function hide() {
    request = null;
    run.hidden = true;
    say.hidden = false;
    pair.hidden = !pair.childElementCount;
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
})();
