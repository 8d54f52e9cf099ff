// The picture of the Explore view: one quantity for the current settings and for those that are pinned, with what theory says of it.
import { colors, DASHES, put, timeAxis } from "./canvas.js";
import { drawConditional, drawKernel } from "./charts.js";
import { show } from "./dom.js";
import { phaseBars, sayPhases } from "./phases.js";
import { curvesOf, nameOf, partOf, QUANTITIES } from "./quantities.js";
import { differences, sayTogether } from "./settings.js";
import { band, MEANING, pointsOf, sayPoints } from "./traces.js";

// shown: [{ settings, parts, theory, slot }], the current settings first, in slot 0: each keeps the colour of its slot;
// axes: { time, value }, each "log" or "linear". Gives the caption.
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
      return {
        slot: one.slot,
        one,
        name,
        points,
        k,
        text: `${[nameOf(name), what[j]].filter(Boolean).join(", ")} ± 1 s.e.`,
      };
    }),
  );
  put(node, describe(lines, shown[0].theory), () => {
    const traces = lines.flatMap(({ points, slot, k, text }) =>
      band(points, text, colorOf(slot), dashOf(slot, k, names), log.value),
    );
    const times = shown[0].parts[partOf(quantity)].time.filter((t) => t > 0),
      phases = phaseBars(shown[0].theory?.phases, times[0], shown[0].grows ? shown[0].settings.horizon : times.at(-1));
    const x = {
      ...timeAxis,
      ...STILL,
      type: axes.time,
      ...(log.time ? {} : { dtick: undefined }),
      ...wholeTime(shown[0], times, log.time),
      ...(phases.low ? { anchor: "y2" } : {}),
    };
    const y = {
      ...STILL,
      type: axes.value,
      exponentformat: "power",
      ...(log.value && isWide(lines) ? { dtick: 1 } : {}), // powers of ten alone
      domain: [phases.low, 1],
      title: { text: QUANTITIES[quantity].symbol },
    };
    const uirevision = `${quantity} ${axes.time} ${axes.value}`;
    const marks = ends(lines, log.value),
      margin = { l: 86, r: marks.annotations.length ? 66 : 15, t: 30, b: 50 };
    const below = phases.low ? { yaxis2: { ...phases.axes.yaxis2, ...STILL } } : {};
    return [
      [...traces, ...phases.traces],
      { xaxis: x, yaxis: y, ...below, ...marks, margin, showlegend: false, uirevision },
    ];
  });
}

const STILL = { automargin: false }; // the axes stay where they are while sliders move; there is room for all that is written

function isWide(lines) {
  const values = lines.flatMap(({ points }) => points.value);
  return values.length > 0 && Math.max(...values) > 100 * Math.min(...values);
}

// While curves grow, the axis holds all that is to come, so that they are seen to move.
function wholeTime({ grows, settings: { horizon } }, times, log) {
  if (!grows || !times.length) return { autorange: true };
  return { range: log ? [times[0], horizon].map(Math.log10) : [0, horizon], autorange: false };
}

const colorOf = (slot) => colors()[slot % 6];
const dashOf = (slot, k, names) => DASHES[names.length > 1 ? k : slot % 5];

// Whether the picture of a quantity is of the present settings alone, on axes of its own.
export const isAlone = (quantity) => Boolean(QUANTITIES[quantity].kernel) || quantity === "conditional";

// The lines of the picture as its key shows them: the colour and the dash of each settings' first curve, and the dash of each curve.
export function keyOf(slots, quantity) {
  const names = curvesOf(quantity);
  if (isAlone(quantity)) return { settings: [], curves: [] };
  return {
    settings: slots.map((slot) => ({ color: colorOf(slot), dash: dashOf(slot, 0, names) })),
    curves: names.length > 1 ? names.map((name, k) => ({ text: nameOf(name), dash: dashOf(0, k, names) })) : [],
  };
}

// The limits t → ∞ as dotted lines, those of the current settings with their numbers where the lines end.
function ends(lines, log) {
  const found = lines
    .map(({ one, name, slot }) => ({ value: one.theory?.[`final_${name}`], slot }))
    .filter(({ value }) => Number.isFinite(value) && (!log || value > 0));
  const shapes = found.map(({ value, slot }) => ({
    type: "line",
    xref: "paper",
    x0: 0,
    x1: 1,
    y0: value,
    y1: value,
    line: { color: colorOf(slot), width: 1, dash: "dot" },
  }));
  const annotations = found
    .filter(({ slot }) => slot === 0)
    .map(({ value, slot }) => ({
      xref: "paper",
      x: 1,
      xanchor: "left",
      y: log ? Math.log10(value) : value,
      yanchor: "middle",
      text: `→ ${show(value)}`,
      showarrow: false,
      font: { size: 11, color: colorOf(slot) },
    }));
  return { shapes, annotations };
}

function describe(lines, theory) {
  const parts = lines.map(({ text, points }) => `${text}: ${sayPoints(points)}`);
  return [...parts, sayPhases(theory?.phases)].filter(Boolean).join("; ");
}

function captionOf(shown, quantity) {
  const { label, about, kernel } = QUANTITIES[quantity],
    pinned = isAlone(quantity) ? shown.slice(0, 1) : shown;
  const problems = sayTogether(pinned.map(({ settings }) => settings));
  const rest = kernel ? "" : `${MEANING} Dotted in colour: t → ∞. Grey bars: time scales by theory.`;
  return `${label}${about ? `: ${about}` : ""}. Mean-field theory (n, d → ∞): ${problems}. ${rest}`.trim();
}
