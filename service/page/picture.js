// The picture of the Explore view: one quantity for the current settings and for those that are pinned, with what theory says of it.
import { colors, DASHES, put, style, timeAxis } from "./canvas.js";
import { drawConditional, drawKernel } from "./charts.js";
import { show } from "./dom.js";
import { phaseBars, sayPhases } from "./phases.js";
import { curvesOf, nameOf, partOf, QUANTITIES } from "./quantities.js";
import { differences, sayAll } from "./settings.js";
import { band, MEANING, pointsOf } from "./traces.js";

// shown: [{ settings, parts, theory }], the current settings first; axes: { time, value }, each "log" or "linear". Gives the caption.
export function drawPicture(node, shown, quantity, axes) {
  const [current] = shown,
    part = current.parts[partOf(quantity)];
  if (!part) return "";
  if (QUANTITIES[quantity].kernel) drawKernel(node, part, quantity);
  else if (quantity === "conditional") drawConditional(node, part);
  else
    drawLines(
      node,
      shown.filter(({ parts }) => parts[partOf(quantity)]),
      quantity,
      axes,
    );
  return captionOf(shown, quantity);
}

function drawLines(node, shown, quantity, axes) {
  const names = curvesOf(quantity),
    what = differences(shown.map(({ settings }) => settings)),
    log = { time: axes.time === "log", value: axes.value === "log" };
  const lines = shown.flatMap((one, j) =>
    names.map((name, k) => {
      const points = pointsOf(one.parts[partOf(quantity)], name, log.time, log.value);
      return { one, name, points, j, k, text: `${[nameOf(name), what[j]].filter(Boolean).join(", ")} ± 1 s.e.` };
    }),
  );
  put(node, describe(lines, shown[0].theory), () => {
    const traces = lines.flatMap(({ points, j, k, text }) =>
      band(points, text, colorOf(j), DASHES[names.length > 1 ? k : j % 5], log.value),
    );
    const times = shown[0].parts[partOf(quantity)].time.filter((t) => t > 0),
      phases = phaseBars(shown[0].theory?.phases, times[0], times.at(-1));
    const x = {
      ...timeAxis,
      type: axes.time,
      ...(log.time ? {} : { dtick: undefined }),
      ...(phases.low ? { anchor: "y2" } : {}),
    };
    const y = {
      type: axes.value,
      exponentformat: "power",
      domain: [phases.low, 1],
      title: { text: QUANTITIES[quantity].symbol },
    };
    const uirevision = `${quantity} ${axes.time} ${axes.value}`;
    return [
      [...traces, ...phases.traces],
      { xaxis: x, yaxis: y, ...phases.axes, ...ends(lines, log.value), uirevision },
    ];
  });
}

const colorOf = (number) => colors()[number % 6];

// The limits t → ∞ as dotted lines, those of the current settings with their numbers.
function ends(lines, log) {
  const found = lines
    .map(({ one, name, j }) => ({ value: one.theory?.[`final_${name}`], j }))
    .filter(({ value }) => Number.isFinite(value) && (!log || value > 0));
  const shapes = found.map(({ value, j }) => ({
    type: "line",
    xref: "paper",
    x0: 0,
    x1: 1,
    y0: value,
    y1: value,
    line: { color: colorOf(j), width: 1, dash: "dot" },
  }));
  const annotations = found
    .filter(({ j }) => j === 0)
    .map(({ value, j }) => ({
      xref: "paper",
      x: 0,
      xanchor: "left",
      y: log ? Math.log10(value) : value,
      yanchor: "bottom",
      text: `t → ∞: ${show(value)}`,
      showarrow: false,
      font: { size: 11, color: colorOf(j) },
      bgcolor: style("--paper"),
    }));
  return { shapes, annotations };
}

function describe(lines, theory) {
  const parts = lines.map(({ text, points: { time, value } }) =>
    value.length
      ? `${text}: from ${show(value[0])} at time ${show(time[0])} to ${show(value.at(-1))} at time ${show(time.at(-1))}`
      : `${text}: no values to draw`,
  );
  return [...parts, sayPhases(theory?.phases)].filter(Boolean).join("; ");
}

function captionOf(shown, quantity) {
  const { label, about, kernel } = QUANTITIES[quantity],
    pinned = kernel || quantity === "conditional" ? shown.slice(0, 1) : shown;
  const problems = pinned.map(({ settings }) => sayAll(settings)).join("; and ");
  const rest = kernel ? "" : `${MEANING} Dotted in colour: t → ∞. Grey bars: time scales by theory.`;
  return `${label}${about ? `: ${about}` : ""}. Mean-field theory (n, d → ∞): ${problems}. ${rest}`.trim();
}
