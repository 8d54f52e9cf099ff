// Small helpers to make elements; text is always text, never HTML.

export function element(tag, properties = {}, children = []) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "role" || name.startsWith("aria-")) node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...[children].flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export const byId = (id) => document.getElementById(id);

export function button(text, action, label) {
  const node = element("button", { type: "button", onclick: action }, text);
  if (label) node.setAttribute("aria-label", label);
  return node;
}

// Columns by name; what is below its own error, ± one standard error in `…_stderr`, is `< x`.
export function table(columns) {
  const names = Object.keys(columns),
    errorOf = (name) => columns[name.includes("_at") ? name.replace("_at", "_stderr_at") : `${name}_stderr`];
  const cell = (name, i) => {
    const value = columns[name][i],
      error = errorOf(name)?.[i];
    return typeof value === "number" && Math.abs(value) < error
      ? `< ${show(Number((Math.abs(value) + error).toPrecision(2)))}`
      : show(value);
  };
  const rows = columns[names[0]].map((_, i) =>
    element(
      "tr",
      {},
      names.map((name) => element("td", {}, cell(name, i))),
    ),
  );
  return element("table", {}, [
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        names.map((name) => element("th", { scope: "col" }, name)),
      ),
    ),
    element("tbody", {}, rows),
  ]);
}

export function show(value) {
  if (typeof value !== "number")
    return value === null || value === undefined
      ? "–"
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value);
  if (Number.isInteger(value)) return String(value);
  const text = Math.abs(value) < 1e-3 ? value.toExponential(3) : value.toPrecision(4);
  return text.replace(/(\.\d*?)0+(e|$)/, "$1$2").replace(/\.(e|$)/, "$1");
}
