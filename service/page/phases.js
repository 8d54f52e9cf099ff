// The time scales of theory as bars beneath a plot, one below the other in their order.
import { show } from "./dom.js";
import { style } from "./canvas.js";

const share = () => (innerWidth < 832 ? 0.085 : 0.05); // of the height of a plot, for one bar: plots in narrow windows are low

// Traces, axes and the lower end of the plot's own axis for the phases within [first, last]; none where there are none.
export function phaseBars(phases, first, last) {
  const shown = (phases ?? []).filter(({ start, end }) => start < last && end > first);
  if (!shown.length) return { traces: [], axes: {}, low: 0 };
  const height = share() * shown.length,
    names = shown.map(({ name }) => name.replaceAll("_", " "));
  const traces = shown.map(({ start, end }, i) => ({
    x: [Math.max(start, first), Math.min(end, last)],
    y: [i, i],
    yaxis: "y2",
    mode: "lines",
    showlegend: false,
    name: names[i],
    line: { color: style("--faint"), width: 7 },
    hovertemplate: `${names[i]}: t = ${show(start)} to ${show(end)}<extra></extra>`,
  }));
  const axis = {
    domain: [0, height],
    range: [shown.length - 0.4, -0.6],
    tickvals: names.map((_, i) => i),
    ticktext: names,
    tickfont: { size: 11 },
    showgrid: false,
    fixedrange: true,
  };
  return { traces, axes: { yaxis2: axis }, low: height + 0.04 };
}

export const sayPhases = (phases) =>
  (phases ?? [])
    .map(({ name, start, end }) => `${name.replaceAll("_", " ")} from t = ${show(start)} to ${show(end)}`)
    .join("; ");
