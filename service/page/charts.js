// Charts of jobs on log axes: curves over one another, weights by target, kernels, sweeps.
import { colors, DASHES, fade, isDark, put, style, timeAxis, valueAxis } from "./canvas.js";
import { show } from "./dom.js";
import { phaseBars } from "./phases.js";
import { nameOf, QUANTITIES } from "./quantities.js";
import { band, bars, pointsOf, sayPoints, symbolOf } from "./traces.js";

const SYMBOLS = {
  aspect_ratio: "δ",
  initial_scale: "a",
  noise_std: "σ",
  weight_decay: "λ",
  density: "ρ",
  depth: "L",
  batch_fraction: "b",
  step_size: "η",
  temperature: "τ",
};
const NAMES = { train_loss: "train loss", test_loss: "test loss", parameter_error: "parameter error" };

// jobs: [{ record, curves }]; theory adds its final values and time scales; names: which curves.
export function drawCurves(node, jobs, theories, names) {
  const description = describe(jobs, names);
  put(node, description, () => {
    const traces = jobs.flatMap(({ record, curves }, j) =>
      names.flatMap((name) => {
        const color = colors()[Object.keys(NAMES).indexOf(name)],
          points = pointsOf(curves, name),
          text = label(jobs, j, name);
        return record.kind === "simulation"
          ? bars(points, text, color, symbolOf(j))
          : band(points, text, color, DASHES[j % 5]);
      }),
    );
    const theory = theories[0]?.theory,
      times = jobs.flatMap(({ curves }) => curves.time.filter((t) => t > 0));
    const phases = phaseBars(theory?.phases, Math.min(...times), Math.max(...times));
    const axes = {
      xaxis: { ...timeAxis, ...wholeTime(jobs), ...(phases.low ? { anchor: "y2" } : {}) },
      yaxis: { ...valueAxis, domain: [phases.low, 1] },
      ...phases.axes,
    };
    return [[...traces, ...phases.traces], { ...axes, ...ends(theory, names) }];
  });
  return description;
}

// While curves grow, the axis holds all that is to come, so that they are seen to move.
function wholeTime(jobs) {
  if (!jobs.some(({ record }) => record.status === "running")) return { autorange: true };
  const ends = jobs
    .flatMap(({ record, curves }) => [curves.time.find((t) => t > 0), record.request.horizon])
    .filter((t) => t > 0);
  return { range: [Math.min(...ends), Math.max(...ends)].map(Math.log10), autorange: false };
}

function label(jobs, j, name) {
  const { kind, id, status } = jobs[j].record,
    whose = jobs.length > 1 ? `, ${kind} ${id.slice(0, 4)}` : "";
  return (
    NAMES[name] +
    whose +
    ({ running: ", so far", queued: ", so far", cancelled: ", so far (cancelled)", failed: ", so far (failed)" }[
      status
    ] ?? "") +
    " ± 1 s.e."
  );
}

// Theory in the plot: final values as lines, the rate as a note.
function ends(theory, names) {
  const shapes = [],
    annotations = [];
  if (!theory) return { shapes, annotations };
  for (const name of names) {
    const final = theory[`final_${name}`];
    if (!(final > 0)) continue;
    const color = colors()[Object.keys(NAMES).indexOf(name)];
    shapes.push({
      type: "line",
      xref: "paper",
      x0: 0,
      x1: 1,
      y0: final,
      y1: final,
      line: { color, width: 1, dash: "dot" },
    });
    annotations.push({
      xref: "paper",
      x: 0,
      xanchor: "left",
      y: Math.log10(final),
      yanchor: "bottom",
      text: `t → ∞: ${final.toPrecision(3)}`,
      showarrow: false,
      font: { size: 11, color },
    });
  }
  if (theory.convergence_rate > 0) {
    annotations.push({
      xref: "paper",
      yref: "paper",
      x: 1,
      y: 1,
      xanchor: "right",
      yanchor: "bottom",
      text: `γ = ${theory.convergence_rate.toPrecision(3)}`,
      showarrow: false,
    });
  }
  return { shapes, annotations };
}

function describe(jobs, names) {
  const parts = jobs.flatMap(({ record, curves }) =>
    names.map((name) => `${NAMES[name]} (${record.kind}) ${sayPoints(pointsOf(curves, name))}`),
  );
  return parts.length ? `Log-log plot. ${parts.join("; ")}.` : "no curves yet";
}

export function drawConditional(node, order) {
  const parts = order.conditional;
  const ends = parts.map((c) => `given ${c.given}, the mean ends at ${c.mean.at(-1).toPrecision(3)}`);
  put(node, `Weights over time. ${ends.join("; ")}.`, () => {
    const traces = parts.flatMap((c, i) => {
      const color = colors()[i % 6],
        kept = order.time.map((t, k) => k).filter((k) => order.time[k] > 0),
        x = kept.map((k) => order.time[k]);
      const row = (values) => kept.map((k) => values[k]);
      const range = (low, high, alpha) => [
        {
          x,
          y: row(c.quantiles[low]),
          mode: "lines",
          line: { width: 0 },
          hoverinfo: "skip",
          showlegend: false,
          legendgroup: c.given,
        },
        {
          x,
          y: row(c.quantiles[high]),
          mode: "lines",
          line: { width: 0 },
          fill: "tonexty",
          fillcolor: fade(color, alpha),
          hoverinfo: "skip",
          showlegend: false,
          legendgroup: c.given,
        },
      ];
      const text = `${c.given} (${(100 * c.probability).toPrecision(3)} %)`;
      const mean = {
        x,
        y: row(c.mean),
        mode: "lines",
        name: text,
        legendgroup: c.given,
        line: { color, width: 2, dash: DASHES[i % 5] },
        hovertemplate: "t = %{x:.3g}: %{y:.3g}",
      };
      return [...range(0, 4, 0.12), ...range(1, 3, 0.22), mean];
    });
    return [traces, { xaxis: timeAxis, yaxis: { title: { text: "w" } } }];
  });
}

const MIXED = 0.05;
const LEVELS = 40; // of a map; given, since Plotly finds its own only for new values

export function drawKernel(node, kernels, name) {
  const { symbol } = QUANTITIES[name],
    values = kernels[name].flat();
  const most = Math.max(...values.map(Math.abs)),
    [least, greatest] = [Math.min(...values), Math.max(...values)],
    isMixed = least < -MIXED * most && greatest > MIXED * most; // of both signs, which the colours then tell apart
  const [low, high] = isMixed ? [-most, most] : [least, greatest];
  const what = `Map of the kernel ${name.replaceAll("_", " ")}, ${symbol}(t, s)`;
  const description = `${what}, over two times up to ${kernels.time.at(-1)}; its largest magnitude is ${most.toPrecision(3)}.`;
  put(node, description, () => {
    const isCausal = name.endsWith("response"); // with no value before its cause
    const z = kernels[name].map((row, t) => row.map((v, s) => (isCausal && s > t ? null : v)));
    const trace = {
      type: "contour",
      x: kernels.time,
      y: kernels.time,
      z,
      colorscale: isMixed ? "RdBu" : "Cividis",
      zmin: low,
      zmax: high,
      autocontour: false,
      contours: { coloring: "fill", showlines: false, start: low, end: high, size: (high - low) / LEVELS || 1 },
      line: { smoothing: 1 },
      colorbar: { title: { text: symbol } },
      hovertemplate: "t = %{y:.3g}, s = %{x:.3g}: %{z:.4g}<extra></extra>",
    };
    return [[trace], { xaxis: { ...timeAxis, title: { text: "s" } }, yaxis: { ...timeAxis, title: { text: "t" } } }];
  });
}

const FEW = 9;

// A few values of a sweep are the ticks of their axis.
const ticksAt = (values) =>
  values.length <= FEW && values.every((v) => typeof v === "number")
    ? { tickvals: values, ticktext: values.map(show) }
    : {};

// One axis: values along it, with the limits of theory; two: a heat map. `column` of the rows holds the quantity `name`, at `time` or at
// the end.
export function drawSweep(node, axes, rows, column, { name, limits, time }) {
  const [first, second] = axes,
    ends = rows.map((row) => row[column]).filter((v) => typeof v === "number");
  const what = `${nameOf(name)} ${time ? `at t = ${show(time)}` : "at the end"}`,
    short = (axis) => SYMBOLS[axis.split(".").pop()] ?? axis;
  put(
    node,
    `${what} over ${axes.join(" and ")}: ${rows.length} points, from ${show(Math.min(...ends))} to ${show(Math.max(...ends))}.`,
    () => {
      const log = (values) =>
        values.every((v) => v > 0) && Math.max(...values) >= 10 * Math.min(...values) ? "log" : "linear";
      const label = (value) => (typeof value === "object" ? (value.kind ?? JSON.stringify(value)) : value);
      const x = [...new Set(rows.map((row) => label(row[first])))];
      if (!second) {
        const errors = {
          type: "data",
          array: rows.map((row) => row[`${name}_stderr${time ? "_at" : ""}`] ?? 0),
          thickness: 1,
          width: 3,
        };
        const trace = {
          x: rows.map((row) => label(row[first])),
          y: rows.map((row) => row[column]),
          error_y: errors,
          mode: "lines+markers",
          line: { color: colors()[0] },
          name: `${what} ± 1 s.e.`,
        };
        const theory = (limits ?? []).filter((row) => typeof row[`final_${name}`] === "number");
        const limit = {
          x: theory.map((row) => label(row[first])),
          y: theory.map((row) => row[`final_${name}`]),
          mode: "lines",
          line: { color: colors()[1], dash: "dot" },
          name: "theory, t → ∞",
        };
        return [
          theory.length ? [trace, limit] : [trace],
          {
            xaxis: { type: log(x), title: { text: short(first) }, ...ticksAt(x) },
            yaxis: { type: log(ends), title: { text: nameOf(name) } },
            showlegend: true,
          },
        ];
      }
      const y = [...new Set(rows.map((row) => label(row[second])))];
      const z = y.map((b) =>
        x.map((a) => rows.find((row) => label(row[first]) === a && label(row[second]) === b)?.[column] ?? null),
      );
      return [
        [{ type: "heatmap", x, y, z, colorscale: "Cividis", colorbar: { title: { text: what } } }],
        {
          xaxis: { type: log(x), title: { text: short(first) }, ...ticksAt(x) },
          yaxis: { type: log(y), title: { text: short(second) }, ...ticksAt(y) },
        },
      ];
    },
  );
}

// The curves of all points of a sweep over one another, from the first colour to the last along its first axis, with a dash for each value
// of a second one.
export function drawFamily(node, axes, members, name) {
  const [values, others] = [0, 1].map((k) => [...new Set(members.map(({ row }) => row[axes[k]]))]);
  put(
    node,
    `${NAMES[name]} over time for ${members.length} points of the sweep over ${axes.join(" and ")}, log axes.`,
    () => {
      const traces = members.map(({ row, curves }, j) => {
        const share = values.length > 1 ? values.indexOf(row[axes[0]]) / (values.length - 1) : 0;
        const color = `hsl(${Math.round(215 - 190 * share)} 65% ${isDark() ? 70 : 40}%)`,
          { time, value } = pointsOf(curves, name);
        const text = axes
          .map((axis) => `${SYMBOLS[axis.split(".").pop()] ?? axis.split(".").pop()} = ${show(row[axis])}`)
          .join(", ");
        return {
          x: time,
          y: value,
          mode: "lines",
          name: text,
          line: { color, width: 2, dash: DASHES[(axes.length > 1 ? others.indexOf(row[axes[1]]) : j) % 5] },
          hovertemplate: "t = %{x:.3g}: %{y:.4g}",
        };
      });
      return [traces, { xaxis: timeAxis, yaxis: { ...valueAxis, title: { text: NAMES[name] } } }];
    },
  );
}

export { NAMES };
