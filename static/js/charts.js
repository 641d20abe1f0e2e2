// Plotly charts: the figure comes as JSON from the server, colours from our CSS variables (so they follow the theme).
// They, and Plotly itself, are fetched when a chart comes into view. Any page: <div data-chart="ID"> with {{ figure|json_script:"ID" }}; traces say their colour as meta.color ("--new").
(() => {
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function rgba(color, alpha) {
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = color;
    const hex = probe.fillStyle;
    return `rgba(${[1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(",")},${alpha})`;
  }

  function dress(figure) {
    const ink = token("--ink"), quiet = token("--ink-2"), line = token("--line");
    for (const trace of figure.data) {
      const color = token(trace.meta?.color || "--new");
      trace.line = { ...trace.line, color };
      trace.marker = { ...trace.marker, color };
      if (trace.fill && trace.fill !== "none") trace.fillcolor = rgba(color, 0.14);
    }
    const layout = figure.layout;
    Object.assign(layout, { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true });
    layout.font = { family: getComputedStyle(document.body).fontFamily, size: 13, color: quiet };
    layout.hoverlabel = { bgcolor: token("--surface"), bordercolor: line, font: { color: ink } };
    for (const key of Object.keys(layout).filter((name) => /^[xy]axis/.test(name))) {
      Object.assign(layout[key], { gridcolor: line, linecolor: line, zerolinecolor: line, tickcolor: line });
    }
    for (const shape of layout.shapes || []) shape.line.color = shape.name === "now" ? token("--key") : quiet;
    return figure;
  }

  function draw(element) {
    const figure = JSON.parse(document.getElementById(element.dataset.chart).textContent);
    const cuts = figure.layout.shapes || [];
    const config = { responsive: true, displaylogo: false, displayModeBar: false };
    let now = 0, waiting = false;
    const shapes = () => [...cuts, { name: "now", type: "line", xref: "x", yref: "paper", x0: now, x1: now, y0: 0, y1: 1, line: { width: 1.5, color: token("--key") } }];
    figure.layout.shapes = shapes();
    dress(figure);
    Plotly.newPlot(element, figure.data, figure.layout, config).then(() => {
      element.on("plotly_click", (event) => document.dispatchEvent(new CustomEvent("inbetween:seek", { detail: event.points[0].x })));
    });
    document.addEventListener("inbetween:theme", () => { figure.layout.shapes = shapes(); dress(figure); Plotly.react(element, figure.data, figure.layout, config); });
    document.addEventListener("inbetween:time", (event) => {
      now = event.detail;
      if (waiting) return;
      waiting = true;
      setTimeout(() => { waiting = false; Plotly.relayout(element, { shapes: shapes() }); }, 200);
    });
  }

  // Plotly is large: it is fetched once, for the first chart that somebody is about to see.
  const address = document.currentScript?.dataset.plotly;
  let plotly = null;
  const fetched = () => (plotly ||= window.Plotly ? Promise.resolve() : new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", done);
    script.addEventListener("error", failed);
    document.head.append(script);
  }));
  const near = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      fetched().then(() => draw(target), () => { plotly = null; near.observe(target); });
    }
  }, { rootMargin: "200px" });
  for (const element of document.querySelectorAll("[data-chart]")) near.observe(element);
})();
