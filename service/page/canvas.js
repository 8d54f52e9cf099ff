// Where charts are drawn: Plotly in the page's own colours, light or dark, each chart with a description in words.
/* global Plotly */

const LIGHT = ["#1f5f99", "#b3521a", "#2f7d4f", "#7b4ea3", "#a3324f", "#5c6670"];
const DARK = ["#7db8ee", "#ffb07a", "#8fd6a8", "#c9a6ea", "#f29cb1", "#b6c0ca"];
export const DASHES = ["solid", "dash", "dot", "dashdot", "longdash"];
const CONFIG = {
  displaylogo: false,
  responsive: true,
  showSendToCloud: false,
  modeBarButtonsToRemove: ["lasso2d", "select2d", "toImage"],
};

const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map(), // by chart: what draws it
  busy = new Map(); // by chart that is being drawn: whether it has to be drawn again
dark.addEventListener("change", () => [...drawn.keys()].forEach(redraw));

export const isDark = () => dark.matches;
export const colors = () => (dark.matches ? DARK : LIGHT);
export const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const fade = (color, alpha) =>
  `${color}${Math.round(255 * alpha)
    .toString(16)
    .padStart(2, "0")}`;

export const timeAxis = { type: "log", title: { text: "time t (dimensionless)" }, exponentformat: "power", dtick: 1 };
export const valueAxis = { type: "log", exponentformat: "power" };

function layout(extra) {
  const axis = { gridcolor: style("--grid"), linecolor: style("--line"), zeroline: false, automargin: true };
  const axes = Object.fromEntries(
    Object.entries(extra)
      .filter(([name]) => /^[xy]axis/.test(name))
      .map(([name, own]) => [name, { ...axis, ...own }]),
  );
  return {
    paper_bgcolor: style("--paper"),
    plot_bgcolor: style("--paper"),
    font: { color: style("--ink"), family: "system-ui, sans-serif", size: 13 },
    margin: { l: 60, r: 15, t: 60, b: 50 },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    hovermode: "closest",
    uirevision: "kept",
    ...extra,
    ...axes,
  };
}

// Draw what `draw` gives, traces and layout, now and whenever the colours change.
export function put(node, description, draw) {
  node.setAttribute("aria-label", description);
  drawn.set(node, draw);
  redraw(node);
}

// One drawing of a chart at a time: Plotly ends each in steps of its own, and a second one between them finds half of the first.
async function redraw(node) {
  if (busy.has(node)) return busy.set(node, true);
  busy.set(node, false);
  try {
    const [traces, look] = drawn.get(node)();
    await Plotly.react(node, traces, layout(look), CONFIG);
  } finally {
    const again = busy.get(node);
    busy.delete(node);
    if (again) redraw(node);
  }
}

// The chart as an image of its own, with a caption beneath it.
export async function toImage(node, format, caption = "") {
  const lines = caption.match(/.{1,130}(\s|$)/g) ?? [],
    below = 36 + 16 * lines.length;
  const note = {
    xref: "paper",
    yref: "paper",
    x: 0,
    y: 0,
    xanchor: "left",
    yanchor: "top",
    yshift: -66, // below the title of the axis
    align: "left",
    showarrow: false,
    text: lines.join("<br>"),
    font: { size: 11 },
  };
  const look = {
    ...node.layout,
    annotations: [...(node.layout.annotations ?? []), note],
    margin: { ...node.layout.margin, t: 60, b: 50 + below },
    showlegend: node.layout.showlegend === false ? true : node.layout.showlegend, // the page has a key of its own
  };
  const address = await Plotly.toImage(
    { data: node.data, layout: look },
    { format, width: 900, height: 560 + below, scale: format === "png" ? 2 : 1 },
  );
  return toBlob(address);
}

// What a data address holds; to fetch one is not allowed here.
function toBlob(address) {
  const [, type, encoding, content] = address.match(/^data:([^;,]+)[^,]*?(;base64)?,(.*)$/s);
  const bytes = encoding
    ? Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))
    : decodeURIComponent(content);
  return new Blob([bytes], { type });
}
