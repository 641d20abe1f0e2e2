// Motion to look into: a field of a moment (float16, dx, dy, miss; see the API's `flow`) as colour, arrows, speed, or where
// the way there and back does not meet; and its value under the pointer, or under a cross that the arrow keys move. Moment
// and layer are in the address: #motion=2&layer=arrows.
(() => {
  const root = document.querySelector("[data-motion]");
  if (!root || !("DecompressionStream" in window)) return;
  const part = (name) => root.querySelector(`[data-motion-${name}]`);
  const canvas = part("canvas"), picture = part("picture"), value = part("value"), rim = part("rim"), failed = part("failed");
  const choices = [...root.querySelectorAll("[data-motion-choice]")], layers = [...root.querySelectorAll("[data-layer]")];
  const pen = canvas.getContext("2d");
  const HEAT = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]]; // inferno
  const kept = new Map();
  let field = null, layer = "colour", cross = null, moment = null;

  function half(bits) {
    const power = (bits >> 10) & 31, rest = bits & 1023, sign = bits & 32768 ? -1 : 1;
    if (power === 31) return rest ? NaN : sign * Infinity;
    return sign * (power ? 2 ** (power - 15) * (1 + rest / 1024) : 2 ** -24 * rest);
  }

  function unpack(buffer) { // a NumPy file, version 1
    const bytes = new DataView(buffer);
    const start = 10 + bytes.getUint16(8, true);
    const words = new TextDecoder("latin1").decode(new Uint8Array(buffer, 10, start - 10));
    const [, height, width] = words.match(/\((\d+), (\d+), 3\)/).map(Number);
    const values = Float32Array.from(new Uint16Array(buffer.slice(start)), half);
    const speeds = Float32Array.from({ length: width * height }, (_, at) => Math.hypot(values[3 * at], values[3 * at + 1]));
    const full = Math.max(1, Float32Array.from(speeds).sort()[Math.floor(0.99 * (speeds.length - 1))]); // as in the engine's own pictures
    return { width, height, values, speeds, full };
  }

  async function load(address) {
    if (!kept.has(address)) {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(String(answer.status));
      const packed = answer.body.pipeThrough(new DecompressionStream("gzip"));
      kept.set(address, unpack(await new Response(packed).arrayBuffer()));
    }
    return kept.get(address);
  }

  const mix = (stops, share) => {
    const at = Math.min(0.9999, Math.max(0, share)) * (stops.length - 1), low = Math.floor(at);
    return stops[low].map((from, channel) => from + (stops[low + 1][channel] - from) * (at - low));
  };
  const RIM = [[255, 0, 0], [255, 255, 0], [0, 255, 0], [0, 255, 255], [0, 0, 255], [255, 0, 255], [255, 0, 0]];

  function colour(at) { // hue is direction, strength is speed, on white
    const [dx, dy] = [field.values[3 * at], field.values[3 * at + 1]];
    const turn = (Math.atan2(dy, dx) / (2 * Math.PI) + 1) % 1, share = Math.min(1, field.speeds[at] / field.full);
    return [...mix(RIM, turn).map((channel) => 255 + (channel - 255) * share), 255];
  }
  const speed = (at) => [...mix(HEAT, field.speeds[at] / field.full), 255];
  const hidden = (at) => [255, 62, 40, 235 * Math.min(1, Math.max(0, (field.values[3 * at + 2] - 0.5) / 2.5))];

  function spread(paint) { // one colour a point of the field, smoothly enlarged
    const small = new OffscreenCanvas(field.width, field.height), dots = new ImageData(field.width, field.height);
    for (let at = 0; at < field.speeds.length; at++) dots.data.set(paint(at), 4 * at);
    small.getContext("2d").putImageData(dots, 0, 0);
    pen.imageSmoothingEnabled = true;
    pen.drawImage(small, 0, 0, canvas.width, canvas.height);
  }

  function arrows() {
    const gap = 26 * devicePixelRatio, longest = gap * 0.95;
    pen.lineWidth = 1.6 * devicePixelRatio;
    pen.lineCap = "round";
    for (let y = gap / 2; y < canvas.height; y += gap) {
      for (let x = gap / 2; x < canvas.width; x += gap) {
        const at = spot(x / canvas.width, y / canvas.height), share = field.speeds[at] / field.full;
        const length = longest * Math.min(1.4, share), turn = Math.atan2(field.values[3 * at + 1], field.values[3 * at]);
        const [red, green, blue] = mix(RIM, (turn / (2 * Math.PI) + 1) % 1);
        for (const [color, width] of [["rgba(0,0,0,.65)", 3.4], [`rgb(${red},${green},${blue})`, 1.6]]) {
          pen.strokeStyle = color;
          pen.lineWidth = width * devicePixelRatio;
          pen.beginPath();
          if (length < 2) { pen.moveTo(x, y); pen.lineTo(x + 0.1, y); } else {
            const [tx, ty] = [x + length * Math.cos(turn), y + length * Math.sin(turn)], head = Math.min(length / 2, 6 * devicePixelRatio);
            pen.moveTo(x, y); pen.lineTo(tx, ty);
            for (const way of [2.6, -2.6]) { pen.moveTo(tx, ty); pen.lineTo(tx + head * Math.cos(turn + way), ty + head * Math.sin(turn + way)); }
          }
          pen.stroke();
        }
      }
    }
  }

  const spot = (x, y) => Math.min(field.height - 1, Math.floor(y * field.height)) * field.width + Math.min(field.width - 1, Math.floor(x * field.width));

  function draw() {
    if (!field) return;
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.height = Math.round((canvas.width * field.height) / field.width);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    root.dataset.layerNow = layer;
    if (layer === "colour") spread(colour);
    else if (layer === "speed") spread(speed);
    else if (layer === "hidden") spread(hidden);
    else arrows();
    if (cross) mark();
  }

  function mark() {
    const [x, y] = [cross.x * canvas.width, cross.y * canvas.height], arm = 12 * devicePixelRatio;
    for (const [color, width] of [["#000", 4], ["#fff", 1.5]]) {
      pen.strokeStyle = color;
      pen.lineWidth = width * devicePixelRatio;
      pen.beginPath();
      pen.moveTo(x - arm, y); pen.lineTo(x + arm, y); pen.moveTo(x, y - arm); pen.lineTo(x, y + arm);
      pen.stroke();
    }
  }

  const signed = (number) => `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(1)}`;
  function tell(x, y) {
    const at = spot(x, y), [dx, dy, miss] = field.values.subarray(3 * at, 3 * at + 3);
    const shown = `dx ${signed(dx)}  dy ${signed(dy)}  ${field.speeds[at].toFixed(1)} px`;
    value.textContent = miss > 1.5 ? `${shown}, ${value.dataset.hiddenWord}` : shown;
  }

  async function choose(choice, jump) {
    moment = choice;
    for (const one of choices) one.setAttribute("aria-pressed", String(one === choice));
    picture.src = choice.dataset.picture;
    if (jump) {
      const event = new CustomEvent("inbetween:seek", { detail: Number(choice.dataset.time) });
      event.still = true;
      document.dispatchEvent(event);
    }
    try {
      const found = await load(choice.dataset.field);
      if (moment !== choice) return;
      field = found;
      failed.hidden = true;
      rim.textContent = `${field.full.toFixed(1)} px`;
      draw();
      if (cross) tell(cross.x, cross.y);
      root.dataset.shown = choice.dataset.field;
    } catch { failed.hidden = false; }
  }

  const address = window.inbetweenAddress, usual = choices[Math.floor(choices.length / 2)];
  function remember() {
    const words = moment === usual || !moment ? [] : [["motion", String(choices.indexOf(moment))]];
    address.write(["motion", "layer"], layer === "colour" ? words : [...words, ["layer", layer]]);
  }
  function cover(name) {
    layer = layers.some((one) => one.dataset.layer === name) ? name : "colour";
    for (const one of layers) one.setAttribute("aria-pressed", String(one.dataset.layer === layer));
    draw();
  }
  const asked = () => choices[address.read().get("motion") ?? -1] || usual;
  for (const choice of choices) choice.addEventListener("click", () => { choose(choice, true); remember(); });
  for (const button of layers) button.addEventListener("click", () => { cover(button.dataset.layer); remember(); });
  window.addEventListener("hashchange", () => {
    if (!location.hash.includes("=")) return;
    cover(address.read().get("layer"));
    if (moment && asked() !== moment) choose(asked(), false);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!field) return;
    const box = canvas.getBoundingClientRect();
    tell(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)), Math.min(1, Math.max(0, (event.clientY - box.top) / box.height)));
  });
  canvas.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === "Escape") { cross = null; return draw(); }
    if (!field || !ways[event.key]) return;
    event.preventDefault();
    const step = event.shiftKey ? 0.1 : 0.01, [dx, dy] = ways[event.key], from = cross || { x: 0.5, y: 0.5 };
    cross = { x: Math.min(1, Math.max(0, from.x + dx * step)), y: Math.min(1, Math.max(0, from.y + dy * step)) };
    draw();
    tell(cross.x, cross.y);
  });
  canvas.addEventListener("focus", () => { if (field && canvas.matches(":focus-visible")) { cross ||= { x: 0.5, y: 0.5 }; draw(); tell(cross.x, cross.y); } });
  canvas.addEventListener("blur", () => { cross = null; draw(); });
  new ResizeObserver(draw).observe(canvas.parentElement);

  part("live").hidden = false;
  document.querySelector("[data-motion-plain]")?.removeAttribute("open");
  cover(address.read().get("layer"));
  const near = new IntersectionObserver((seen) => { // fetched when somebody comes by
    if (!seen.some((one) => one.isIntersecting)) return;
    near.disconnect();
    choose(asked(), false);
  }, { rootMargin: "300px" });
  near.observe(root);
})();
