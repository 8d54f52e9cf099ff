// One curve as traces of a chart: ± one standard error as a band or as bars, and dotted grey where it is below its own error.
import { fade, style } from "./canvas.js";
import { show } from "./dom.js";

const SYMBOLS = ["circle", "square", "diamond", "cross", "x"];
export const MEANING =
  "Bands and bars: ± one standard error. Dotted grey: below its own error, drawn at value + error.";
export const symbolOf = (number) => SYMBOLS[number % SYMBOLS.length];

// The points of a curve that have a place on the axes, and whether each is at least its standard error.
export function pointsOf(curves, name, logTime = true, logValue = true) {
  const at = [...curves.time.keys()].filter(
    (i) => (!logTime || curves.time[i] > 0) && Number.isFinite(curves[name]?.[i]) && (!logValue || curves[name][i] > 0),
  );
  const take = (values, empty) => at.map((i) => values?.[i] ?? empty);
  const value = take(curves[name]),
    stderr = take(curves[`${name}_stderr`], 0);
  return { time: take(curves.time), value, stderr, seen: value.map((v, i) => Math.abs(v) >= stderr[i]) };
}

// The first and the last of the points in words, as they are drawn.
export function sayPoints({ time, value, stderr, seen }) {
  if (!time.length) return "no values to draw";
  const say = (i) =>
    `${seen[i] ? show(value[i]) : `below ${show(Math.abs(value[i]) + stderr[i])}`} at time ${show(time[i])}`;
  return `from ${say(0)} to ${say(time.length - 1)}`;
}

export function band(points, text, color, dash, log = true) {
  const { time, value, stderr, seen } = points,
    kept = value.map((v, i) => (seen[i] ? v : null));
  const edge = { x: time, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false, legendgroup: text };
  const low = (v, i) => (log ? Math.max(v - stderr[i], 1e-3 * v) : v - stderr[i]);
  return [
    { ...edge, y: kept.map((v, i) => (v === null ? null : low(v, i))) },
    {
      ...edge,
      y: kept.map((v, i) => (v === null ? null : v + stderr[i])),
      fill: "tonexty",
      fillcolor: fade(color, 0.25),
    },
    {
      x: time,
      y: kept,
      customdata: stderr,
      mode: "lines",
      name: text,
      legendgroup: text,
      line: { color, width: 2, dash },
      hovertemplate: "t = %{x:.3g}: %{y:.4g} ± %{customdata:.2g}",
    },
    ...unresolved(points, text),
  ];
}

export function bars(points, text, color, symbol) {
  const { time, value, stderr, seen } = points;
  return [
    {
      x: time,
      y: value.map((v, i) => (seen[i] ? v : null)),
      mode: "markers",
      name: text,
      legendgroup: text,
      marker: { color, size: 6, symbol },
      customdata: stderr,
      error_y: { type: "data", array: stderr, color, thickness: 1, width: 2 },
      hovertemplate: "t = %{x:.3g}: %{y:.4g} ± %{customdata:.2g}",
    },
    ...unresolved(points, text),
  ];
}

function unresolved({ time, value, stderr, seen }, text) {
  if (seen.every(Boolean)) return [];
  const y = value.map((v, i) => (seen[i] ? null : Math.abs(v) + stderr[i]));
  return [
    {
      x: time,
      y,
      mode: "lines",
      name: "below its own error",
      legendgroup: text,
      showlegend: false,
      line: { color: style("--faint"), width: 1.5, dash: "dot" },
      hovertemplate: "t = %{x:.3g}: < %{y:.2g}",
    },
  ];
}
