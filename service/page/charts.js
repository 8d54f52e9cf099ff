// Charts on log axes, drawn with Plotly in the page's own colours, each with a description in words.
/* global Plotly */
import { show } from "./dom.js";

const NAMES = { train_loss: "train loss", test_loss: "test loss", parameter_error: "parameter error" };
const LIGHT = ["#1f5f99", "#b3521a", "#2f7d4f", "#7b4ea3", "#a3324f", "#5c6670"];
const DARK = ["#7db8ee", "#ffb07a", "#8fd6a8", "#c9a6ea", "#f29cb1", "#b6c0ca"];
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash"];
const SYMBOLS = ["circle", "square", "diamond", "cross", "x"];
const CONFIG = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["lasso2d", "select2d"] };

const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map();
dark.addEventListener("change", () => drawn.forEach((draw) => draw()));

const colors = () => (dark.matches ? DARK : LIGHT);
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const fade = (color, alpha) => `${color}${Math.round(255 * alpha).toString(16).padStart(2, "0")}`;

function layout(extra) {
  const axis = { gridcolor: style("--grid"), linecolor: style("--line"), zeroline: false, automargin: true };
  return {
    paper_bgcolor: style("--paper"), plot_bgcolor: style("--paper"), font: { color: style("--ink"), family: "system-ui, sans-serif", size: 13 },
    margin: { l: 60, r: 15, t: 60, b: 50 }, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, hovermode: "closest", uirevision: "kept", ...extra,
    xaxis: { ...axis, ...extra.xaxis }, yaxis: { ...axis, ...extra.yaxis },
  };
}

const timeAxis = { type: "log", title: { text: "time" }, exponentformat: "power", dtick: 1 };
const valueAxis = { type: "log", exponentformat: "power" };

function put(node, description, draw) {
  node.setAttribute("aria-label", description);
  const act = () => { const [traces, look] = draw(); return Plotly.react(node, traces, layout(look), CONFIG); };
  drawn.set(node, act);
  return act();
}

// jobs: [{ record, curves }]; theory adds its final values and time scales; names: which curves.
export function drawCurves(node, jobs, theories, names) {
  const description = describe(jobs, names);
  put(node, description, () => {
    const traces = jobs.flatMap(({ record, curves }, j) => names.flatMap((name) => {
      const color = colors()[Object.keys(NAMES).indexOf(name)];
      return record.kind === "simulation" ? [points(curves, name, color, label(jobs, j, name), j)] : band(curves, name, color, label(jobs, j, name), j);
    }));
    return [traces, { xaxis: { ...timeAxis, ...wholeTime(jobs) }, yaxis: valueAxis, ...marks(theories, names, jobs) }];
  });
  return description;
}

// While curves grow, the axis holds all that is to come, so that they are seen to move.
function wholeTime(jobs) {
  if (!jobs.some(({ record }) => record.status === "running")) return { autorange: true };
  const ends = jobs.flatMap(({ record, curves }) => [curves.time.find((t) => t > 0), record.request.horizon]).filter((t) => t > 0);
  return { range: [Math.min(...ends), Math.max(...ends)].map(Math.log10), autorange: false };
}

function label(jobs, j, name) {
  const { kind, id, status } = jobs[j].record, whose = jobs.length > 1 ? `, ${kind} ${id.slice(0, 4)}` : "";
  return NAMES[name] + whose + (status === "running" ? ", so far" : "");
}

function positive(curves, name) {
  const at = [...curves.time.keys()].filter((i) => curves.time[i] > 0 && curves[name]?.[i] > 0);
  const take = (values, empty) => at.map((i) => values?.[i] ?? empty);
  return { time: take(curves.time), value: take(curves[name]), stderr: take(curves[`${name}_stderr`], 0) };
}

function band(curves, name, color, text, j) {
  const { time, value, stderr } = positive(curves, name);
  const edge = { x: time, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false, legendgroup: text };
  return [
    { ...edge, y: value.map((v, i) => Math.max(v - 2 * stderr[i], 1e-3 * v)) },
    { ...edge, y: value.map((v, i) => v + 2 * stderr[i]), fill: "tonexty", fillcolor: fade(color, 0.25) },
    {
      x: time, y: value, customdata: stderr.map((s) => 2 * s), mode: "lines", name: text, legendgroup: text, line: { color, width: 2, dash: DASHES[j % 5] },
      hovertemplate: "t = %{x:.3g}: %{y:.4g} ± %{customdata:.2g}",
    },
  ];
}

function points(curves, name, color, text, j) {
  const { time, value, stderr } = positive(curves, name);
  return {
    x: time, y: value, mode: "markers", name: text, marker: { color, size: 6, symbol: SYMBOLS[j % 5] },
    error_y: { type: "data", array: stderr.map((s) => 2 * s), color, thickness: 1, width: 2 }, hovertemplate: "t = %{x:.3g}: %{y:.4g}",
  };
}

// Theory in the plot: final values as lines, time scales as marks on the time axis.
function marks(theories, names, jobs) {
  const theory = theories[0]?.theory, shapes = [], annotations = [];
  if (!theory) return { shapes, annotations };
  const last = Math.max(0.1, ...jobs.map(({ curves }) => curves.time.at(-1) || 0)), first = Math.min(0.01, last / 100);
  for (const name of names) {
    const final = theory[`final_${name}`];
    if (!(final > 0)) continue;
    const color = colors()[Object.keys(NAMES).indexOf(name)];
    shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: final, y1: final, line: { color, width: 1, dash: "dot" } });
    annotations.push({ xref: "paper", x: 0, xanchor: "left", y: Math.log10(final), yanchor: "bottom", text: `t → ∞: ${final.toPrecision(3)}`, showarrow: false, font: { size: 11, color } });
  }
  let level = 0;
  for (const [name, scale] of Object.entries(theory.time_scales || {})) {
    const value = typeof scale === "object" ? scale?.value : scale;
    if (!(value >= first && value <= last)) continue;
    shapes.push({ type: "line", yref: "paper", x0: value, x1: value, y0: 0, y1: 1, line: { color: style("--faint"), width: 1, dash: "dashdot" } });
    annotations.push({ x: Math.log10(value), yref: "paper", y: 1 - 0.07 * level++, xanchor: "left", text: ` ${name.replaceAll("_", " ")}`, showarrow: false, font: { size: 11, color: style("--faint") } });
  }
  if (theory.convergence_rate > 0) {
    annotations.push({ xref: "paper", yref: "paper", x: 1, y: 0, xanchor: "right", yanchor: "top", yshift: -24, text: `γ = ${theory.convergence_rate.toPrecision(3)}`, showarrow: false });
  }
  return { shapes, annotations };
}

function describe(jobs, names) {
  const parts = jobs.flatMap(({ record, curves }) => names.map((name) => {
    const { time, value } = positive(curves, name);
    if (!time.length) return `${NAMES[name]} (${record.kind}): no values yet`;
    return `${NAMES[name]} (${record.kind}) from ${show(value[0])} at time ${show(time[0])} to ${show(value.at(-1))} at time ${show(time.at(-1))}`;
  }));
  return parts.length ? `Log-log plot. ${parts.join("; ")}.` : "no curves yet";
}

export function drawConditional(node, order) {
  const parts = order.conditional;
  const ends = parts.map((c) => `given ${c.given}, the mean ends at ${c.mean.at(-1).toPrecision(3)}`);
  put(node, `Weights over time. ${ends.join("; ")}.`, () => {
    const traces = parts.flatMap((c, i) => {
      const color = colors()[i % 6], kept = order.time.map((t, k) => k).filter((k) => order.time[k] > 0), x = kept.map((k) => order.time[k]);
      const row = (values) => kept.map((k) => values[k]);
      const range = (low, high, alpha) => [
        { x, y: row(c.quantiles[low]), mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false, legendgroup: c.given },
        { x, y: row(c.quantiles[high]), mode: "lines", line: { width: 0 }, fill: "tonexty", fillcolor: fade(color, alpha), hoverinfo: "skip", showlegend: false, legendgroup: c.given },
      ];
      const text = `${c.given} (${(100 * c.probability).toPrecision(3)} %)`;
      const mean = { x, y: row(c.mean), mode: "lines", name: text, legendgroup: c.given, line: { color, width: 2, dash: DASHES[i % 5] }, hovertemplate: "t = %{x:.3g}: %{y:.3g}" };
      return [...range(0, 4, 0.12), ...range(1, 3, 0.22), mean];
    });
    return [traces, { xaxis: timeAxis, yaxis: { title: { text: "w" } } }];
  });
}

export function drawKernel(node, kernels, name) {
  const matrix = kernels[name], most = Math.max(...matrix.flat().map(Math.abs));
  put(node, `Heat map of the kernel ${name.replaceAll("_", " ")} over two times up to ${kernels.time.at(-1)}; its largest magnitude is ${most.toPrecision(3)}.`, () => {
    const signed = matrix.flat().some((v) => v < 0);
    const trace = {
      type: "heatmap", x: kernels.time, y: kernels.time, z: matrix, colorscale: signed ? "RdBu" : "Cividis", zmid: signed ? 0 : undefined,
      hovertemplate: "t = %{y:.3g}, s = %{x:.3g}: %{z:.4g}<extra></extra>",
    };
    return [[trace], { xaxis: { ...timeAxis, title: { text: "s" } }, yaxis: { ...timeAxis, title: { text: "t" } } }];
  });
}

// One axis: a family of values along it; two: a heat map.
export function drawSweep(node, axes, rows, name) {
  const [first, second] = axes, ends = rows.map((row) => row[name]).filter((v) => typeof v === "number");
  put(node, `${name} over ${axes.join(" and ")}: ${rows.length} points, from ${Math.min(...ends).toPrecision(3)} to ${Math.max(...ends).toPrecision(3)}.`, () => {
    const log = (values) => (values.every((v) => v > 0) && Math.max(...values) >= 10 * Math.min(...values) ? "log" : "linear");
    const x = [...new Set(rows.map((row) => row[first]))];
    if (!second) {
      const errors = { type: "data", array: rows.map((row) => 2 * (row[`${name}_stderr`] ?? 0)), thickness: 1, width: 3 };
      const trace = { x: rows.map((row) => row[first]), y: rows.map((row) => row[name]), error_y: errors, mode: "lines+markers", line: { color: colors()[0] }, name };
      return [[trace], { xaxis: { type: log(x), title: { text: first } }, yaxis: { type: log(ends), title: { text: name } } }];
    }
    const y = [...new Set(rows.map((row) => row[second]))];
    const z = y.map((b) => x.map((a) => rows.find((row) => row[first] === a && row[second] === b)?.[name] ?? null));
    return [[{ type: "heatmap", x, y, z, colorscale: "Cividis", colorbar: { title: { text: name } } }], { xaxis: { type: log(x), title: { text: first } }, yaxis: { type: log(y), title: { text: second } } }];
  });
}

// The curves of all points of a sweep over one another, from the first colour to the last along its first axis.
export function drawFamily(node, axes, members, name) {
  const values = [...new Set(members.map(({ row }) => row[axes[0]]))];
  put(node, `${NAMES[name]} over time for ${members.length} points of the sweep over ${axes.join(" and ")}, log axes.`, () => {
    const traces = members.map(({ row, curves }, j) => {
      const share = values.length > 1 ? values.indexOf(row[axes[0]]) / (values.length - 1) : 0;
      const color = `hsl(${Math.round(215 - 190 * share)} 65% ${dark.matches ? 70 : 40}%)`, { time, value } = positive(curves, name);
      const text = axes.map((axis) => `${axis.split(".").pop()} = ${show(row[axis])}`).join(", ");
      return { x: time, y: value, mode: "lines", name: text, line: { color, width: 2, dash: DASHES[j % 5] }, hovertemplate: "t = %{x:.3g}: %{y:.4g}" };
    });
    return [traces, { xaxis: timeAxis, yaxis: { ...valueAxis, title: { text: NAMES[name] } } }];
  });
}

export const toSvg = (node) => Plotly.toImage(node, { format: "svg", width: 900, height: 560 });
export { NAMES };
