// Training pages: the live charts of a run, and several runs in one. The figures come inside the status fragment that
// htmx fetches; Plotly.react with a constant uirevision keeps the reader's zoom.
(() => {
  const many = document.querySelector("[data-training-many]");
  const charts = document.querySelector("[data-training-charts]");
  if (!charts && !many) return;
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const config = { responsive: true, displaylogo: false, displayModeBar: false };

  function layout(x, y, more = {}) {
    const line = token("--line");
    const axis = { gridcolor: line, linecolor: line, zerolinecolor: line, automargin: true };
    return {
      uirevision: "keep", height: 300, margin: { l: 56, r: 12, t: 8, b: 44 }, autosize: true, hovermode: "x unified",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: token("--ink-2") },
      hoverlabel: { bgcolor: token("--surface"), bordercolor: line, font: { color: token("--ink") } },
      legend: { orientation: "h", y: 1, yanchor: "bottom", x: 0 },
      xaxis: { ...axis, title: { text: x, standoff: 8 }, ...more.xaxis }, yaxis: { ...axis, title: { text: y, standoff: 10 }, ...more.yaxis },
    };
  }

  const decibels = (value) => `${value.toFixed(2)} dB`;

  // What is learned is often a tenth of a decibel, a plain blend several below: it may lie outside, its figure is in the legend.
  function psnrRange(values, untrained, blend) {
    const near = untrained === null ? values : [...values, untrained];
    let low = Math.min(...near);
    let high = Math.max(...near);
    const span = Math.max(high - low, 0.2);
    if (blend !== null && blend > low - span) { low = Math.min(low, blend); high = Math.max(high, blend); }
    const room = Math.max(high - low, 0.2) * 0.15;
    return [low - room, high + room];
  }

  function psnr({ epochs, blend, untrained }) {
    const xs = epochs.map(([number]) => number);
    const ys = epochs.map(([, value]) => value);
    const level = (value, name, color, dash) => ({ x: xs, y: xs.map(() => value), name: `${name} ${decibels(value)}`, mode: "lines", line: { color: token(color), width: 1.5, dash }, hoverinfo: "skip" });
    const traces = [{ x: xs, y: ys, name: gettext("this run"), mode: "lines+markers", line: { color: token("--new"), width: 2 }, marker: { color: token("--new"), size: 6 }, hovertemplate: "%{y:.2f} dB" }];
    if (untrained !== null) traces.push(level(untrained, gettext("untrained"), "--ink-2", "dash"));
    if (blend !== null) traces.push(level(blend, gettext("blend"), "--ink-2", "dot"));
    return [traces, layout(gettext("epoch"), gettext("PSNR, dB"), { xaxis: { tickformat: "d", dtick: xs.length < 12 ? 1 : undefined }, yaxis: { range: psnrRange(ys, untrained, blend) } })];
  }

  // The mean of the twentieth of all points around each: single steps differ more by their samples than by what was learned.
  function smoothed(ys) {
    const reach = Math.max(2, Math.round(ys.length / 40));
    return ys.map((_, at) => {
      const around = ys.slice(Math.max(0, at - reach), at + reach + 1);
      return around.reduce((sum, y) => sum + y, 0) / around.length;
    });
  }

  const lossAxis = (ys) => layout(gettext("step"), gettext("loss"), { yaxis: { rangemode: Math.min(...ys) < 0 ? "normal" : "tozero" } });

  function loss({ curve }) {
    const xs = curve.map(([step]) => step);
    const ys = curve.map(([, value]) => value);
    const line = { x: xs, mode: "lines", hovertemplate: "%{y:.4f}" };
    return [[
      { ...line, y: ys, name: gettext("as measured"), line: { color: token("--new"), width: 1 }, opacity: 0.4 },
      { ...line, y: smoothed(ys), name: gettext("smoothed"), line: { color: token("--new"), width: 2 } },
    ], lossAxis(ys)];
  }

  function draw() {
    const figures = JSON.parse(document.getElementById(charts.dataset.trainingCharts).textContent);
    for (const [name, make, points] of [["psnr", psnr, figures.epochs], ["loss", loss, figures.curve]]) {
      const place = charts.querySelector(`[data-chart-of="${name}"]`);
      const none = charts.querySelector(`[data-none-of="${name}"]`);
      place.hidden = points.length === 0;
      none.hidden = points.length > 0;
      if (!figures.live) none.textContent = none.dataset.never;
      if (points.length) Plotly.react(place, ...make(figures), config);
    }
  }

  // Several runs in one chart.
  function drawMany() {
    const runs = JSON.parse(document.getElementById(many.dataset.trainingMany).textContent);
    const colors = ["--new", "--key", "--good", "--ink", "--ink-2", "--warn-ink"];
    const traces = (points, mode, shaped = (ys) => ys) => runs.map((run, at) => ({
      x: run[points].map(([x]) => x), y: shaped(run[points].map(([, y]) => y)), name: run.name, mode,
      line: { color: token(colors[at % colors.length]), width: 2, dash: at % 2 ? "dash" : "solid" },
      marker: { color: token(colors[at % colors.length]), size: 6 },
    }));
    Plotly.react(many.querySelector('[data-chart-of="psnr"]'), traces("epochs", "lines+markers"), layout(gettext("epoch"), gettext("PSNR, dB")), config);
    Plotly.react(many.querySelector('[data-chart-of="loss"]'), traces("curve", "lines", smoothed), lossAxis(runs.flatMap((run) => run.curve.map(([, y]) => y))), config);
  }
  if (many) {
    document.addEventListener("inbetween:theme", drawMany);
    drawMany();
    return;
  }

  // Pictures of a new epoch, unless an older one is being looked at.
  let known = document.querySelectorAll("#training-epochs tbody tr").length;
  document.addEventListener("htmx:afterSettle", () => {
    const now = document.querySelectorAll("#training-epochs tbody tr").length;
    const pick = document.getElementById("epoch");
    if (now === known || (pick && pick.selectedIndex < pick.options.length - 1)) return;
    known = now;
    htmx.ajax("GET", `${location.pathname}pictures/`, { target: "#training-pictures", swap: "outerHTML" });
  });

  // New epochs come on top of the list: whoever has scrolled in it keeps the rows that he reads.
  let reading = null;
  const scroller = () => document.getElementById("epochs-scroll");
  document.addEventListener("htmx:oobBeforeSwap", () => {
    const { scrollLeft, scrollTop, scrollHeight } = scroller();
    reading = { scrollLeft, scrollTop, scrollHeight };
  });
  document.addEventListener("htmx:oobAfterSwap", () => {
    const place = scroller();
    place.scrollLeft = reading.scrollLeft;
    if (reading.scrollTop > 0) place.scrollTop = reading.scrollTop + place.scrollHeight - reading.scrollHeight;
  });

  let drawn = "";
  const update = () => {
    const words = document.getElementById(charts.dataset.trainingCharts).textContent;
    if (words !== drawn) draw();
    drawn = words;
  };
  document.addEventListener("htmx:afterSettle", update);
  document.addEventListener("inbetween:theme", draw);
  update();
})();
