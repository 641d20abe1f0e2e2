// Dashboard charts: <div data-dash="ID"> with the figure as JSON in ID; traces say their colour as meta.color.
(() => {
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const config = { responsive: true, displaylogo: false, displayModeBar: false };
  // Few bars are not made fat: none is wider than this.
  const WIDEST = 56;
  function gap(element, figure) {
    const slot = (element.clientWidth - 60) / figure.data[0].x.length;
    const beside = figure.layout.barmode === "stack" ? 1 : figure.data.length;
    return Math.max(0.25, 1 - (WIDEST * beside) / slot);
  }

  function draw(element) {
    const figure = JSON.parse(document.getElementById(element.dataset.dash).textContent);
    const line = token("--line"), ink = token("--ink"), quiet = token("--ink-2");
    for (const trace of figure.data) trace.marker = { color: token(trace.meta.color), cornerradius: 3 };
    const axis = { gridcolor: line, linecolor: line, zerolinecolor: line, automargin: true };
    const { xaxis, yaxis } = figure.layout;
    Plotly.react(element, figure.data, {
      ...figure.layout, bargap: gap(element, figure), paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true,
      margin: { l: 48, r: 8, t: 8, b: 40 }, hovermode: "x unified", legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: quiet },
      hoverlabel: { bgcolor: token("--surface"), bordercolor: line, font: { color: ink } },
      xaxis: { ...axis, ...xaxis, showgrid: false }, yaxis: { ...axis, ...yaxis },
    }, config);
  }
  const all = () => document.querySelectorAll("[data-dash]").forEach(draw);
  document.addEventListener("inbetween:theme", all);
  all();
})();
