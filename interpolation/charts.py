"""The figures of a job as a Plotly figure (JSON). Colours are names of CSS variables; the page fills them in."""

from __future__ import annotations

import json
from typing import Any

import plotly.graph_objects as go
from django.utils.translation import gettext as _
from plotly.subplots import make_subplots

ROW_HEIGHT = 170  # px


def figures_chart(metrics: dict[str, Any]) -> dict[str, Any] | None:
    """Held-out PSNR and SSIM and motion over the result's time (seconds), cuts as lines; None without anything to draw.

    Every trace carries `meta.color`, the CSS variable it is drawn in.
    """
    samples = (metrics.get("held_out") or {}).get("samples") or []
    motion = metrics.get("motion") or []
    rows = _rows(samples, motion)
    if not rows:
        return None
    figure = make_subplots(rows=len(rows), cols=1, shared_xaxes=True, vertical_spacing=0.14 / len(rows))
    for number, (title, traces) in enumerate(rows, start=1):
        for trace in traces:
            figure.add_trace(trace, row=number, col=1)
        figure.update_yaxes(title_text=title, row=number, col=1, fixedrange=True, automargin=True)
    figure.update_xaxes(title_text=_("seconds of the result"), row=len(rows), col=1)
    cuts = metrics.get("cuts") or []
    for time in cuts:
        figure.add_vline(x=time, line={"width": 1, "dash": "dot"}, name="cut")
    if cuts:  # a trace without points, for the legend
        line = {"width": 1, "dash": "dot"}
        figure.add_scatter(x=[None], y=[None], name=_("cut"), meta={"color": "--ink-2"}, mode="lines", line=line)
    figure.update_layout(
        template="none", height=ROW_HEIGHT * len(rows) + 70, margin={"l": 60, "r": 16, "t": 36, "b": 48}
    )
    figure.update_layout(hovermode="x unified", legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0})
    plain: dict[str, Any] = json.loads(figure.to_json())
    return plain


def _rows(samples: list[dict[str, Any]], motion: list[dict[str, Any]]) -> list[tuple[str, list[go.Scatter]]]:
    rows: list[tuple[str, list[go.Scatter]]] = []
    if len(samples) > 1:
        psnr = [
            _line(samples, "psnr", _("drawn"), "--new", "%{y:.1f} dB"),
            _line(samples, "blend_psnr", _("plain blend"), "--ink-2", "%{y:.1f} dB", dash="dash"),
        ]
        rows.append((_("PSNR, dB"), psnr))
        rows.append(("SSIM", [_line(samples, "ssim", "SSIM", "--new", "%{y:.3f}", legend=False)]))
    if len(motion) > 1:
        rows.append(
            (_("motion, px"), [_line(motion, "px", _("motion"), "--ink", "%{y:.1f} px", fill="tozeroy", legend=False)])
        )
    return rows


def _line(
    points: list[dict[str, Any]],
    key: str,
    name: str,
    color: str,
    hover: str,
    *,
    dash: str = "solid",
    fill: str = "none",
    legend: bool = True,
) -> go.Scatter:
    return go.Scatter(
        x=[point["time"] for point in points],
        y=[point.get(key) for point in points],
        name=name,
        meta={"color": color},
        mode="lines+markers" if len(points) <= 30 else "lines",
        line={"width": 2, "dash": dash},
        marker={"size": 6},
        fill=fill,
        showlegend=legend,
        hovertemplate=hover,
    )
