// The results that are shown: curves of several jobs over one another, and the parts that belong to one of them.
import { download, getJson, save } from "./api.js";
import { drawConditional, drawCurves, drawFamily, drawKernel, drawSweep, NAMES, toSvg } from "./charts.js";
import { button, byId, element, show, table } from "./dom.js";

const MOST = 6, MOST_OF_FAMILY = 24;
const shown = new Map(); // by id: { record, line, curves?, order?, kernels?, theory? }
const KERNELS = ["correlation", "response", "residual_correlation", "residual_response"];

export const isShown = (id) => shown.has(id);

export function setUp(actions) {
  for (const [name, text] of Object.entries(NAMES)) {
    const box = element("input", { type: "checkbox", value: name, checked: name !== "parameter_error", onchange: draw });
    byId("names").append(element("label", {}, [box, ` ${text}`]));
  }
  byId("kernel").append(...KERNELS.map((name) => element("option", { value: name }, name.replaceAll("_", " "))));
  byId("kernel").addEventListener("change", draw);
  byId("sweep-name").addEventListener("change", draw);
  byId("family-name").append(...Object.entries(NAMES).map(([value, text]) => element("option", { value }, text)));
  byId("family-name").value = "test_loss";
  byId("family-name").addEventListener("change", draw);
  setUp.actions = actions;
}

export function clear() { shown.clear(); draw(); }

export function remove(id) { shown.delete(id); draw(); }

// News of a job: its record, and its curves as they are known so far where there are any.
export function update(record, curve = null) {
  const known = shown.get(record.id) || { line: makeLine(record) };
  if (known.record?.status !== record.status) byId("said").textContent = `${record.kind} ${record.status}`;
  shown.set(record.id, { ...known, record, curves: curve || known.curves });
  while (shown.size > MOST) shown.delete(shown.keys().next().value);
  draw();
}

// Fetch everything that a finished job has.
export async function load(record) {
  update(record);
  if (record.status !== "succeeded") return;
  const parts = Object.keys(record.links).filter((part) => ["curves", "order-parameters", "kernels", "theory", "comparison", "children", "table", "diagnostics"].includes(part));
  const found = Object.fromEntries(await Promise.all(parts.map(async (part) => [part, await getJson(`v1/jobs/${record.id}/${part}?format=json`).catch(() => null)])));
  if (!shown.has(record.id)) return;
  const { "order-parameters": order, ...rest } = found;
  shown.set(record.id, { ...shown.get(record.id), ...rest, order });
  draw();
  if (rest.comparison) await Promise.all(Object.values(rest.comparison.jobs).map(async ({ id }) => load(await getJson(`v1/jobs/${id}`))));
  if (rest.table) await loadFamily(record.id, rest.table.rows);
}

// The table of a sweep that still runs, at most every two seconds.
export async function loadTable(record) {
  const known = shown.get(record.id);
  if (record.kind !== "sweep" || record.status !== "running" || Date.now() < (known?.looked || 0) + 2000) return;
  shown.set(record.id, { ...known, looked: Date.now() });
  const table = await getJson(`v1/jobs/${record.id}/table?format=json`);
  if (shown.has(record.id)) shown.set(record.id, { ...shown.get(record.id), table });
  draw();
  await loadFamily(record.id, table.rows);
}

async function loadFamily(id, rows) {
  const done = rows.filter((row) => row.status === "succeeded" && typeof row.train_loss === "number").slice(0, MOST_OF_FAMILY);
  const known = new Map((shown.get(id)?.family || []).map((member) => [member.row.id, member]));
  const family = await Promise.all(done.map(async (row) => known.get(row.id) || { row, curves: await getJson(`v1/jobs/${row.id}/curves`) }));
  if (family.length && shown.has(id)) shown.set(id, { ...shown.get(id), family });
  draw();
}

let pending = null;
function draw() { pending ??= requestAnimationFrame(() => { pending = null; drawNow(); }); }

function drawNow() {
  const jobs = [...shown.values()], withCurves = jobs.filter((job) => job.curves?.time?.length);
  const theories = jobs.filter((job) => job.theory), sweep = jobs.find((job) => job.table);
  byId("nothing").hidden = jobs.length > 0;
  jobs.forEach(fillLine);
  place(byId("shown"), jobs.map((job) => job.line.node));
  toggle("curves-panel", withCurves.length > 0, () => drawPanel(withCurves, theories));
  toggle("theory-panel", theories.length > 0, () => drawTheory(theories[0].theory));
  const order = jobs.find((job) => job.order)?.order, kernels = jobs.find((job) => job.kernels)?.kernels;
  toggle("conditional-panel", order, () => drawConditional(byId("conditional"), order));
  toggle("kernels-panel", kernels, () => drawKernel(byId("kernels"), kernels, byId("kernel").value));
  toggle("sweep-panel", sweep, () => drawTable(sweep));
}

// Nodes that are there already stay untouched, so that they keep the focus.
function place(parent, nodes) {
  if (nodes.length !== parent.children.length || nodes.some((node, i) => node !== parent.children[i])) parent.replaceChildren(...nodes);
}

function toggle(id, wanted, fill) {
  byId(id).hidden = !wanted;
  if (wanted) fill();
}

function makeLine({ id, kind }) {
  const { actions } = setUp, what = element("span"), bar = element("progress", { max: 1, "aria-label": `progress of ${kind}` });
  const cancel = button("Cancel", () => actions.cancel(id), `Cancel ${kind}`);
  const parts = [element("span", { className: "what" }, [what, element("small", {}, id)]), bar, cancel, button("Hide", () => remove(id), `Hide ${kind}`)];
  return { node: element("li", { dataset: { id } }, parts), what, bar, cancel };
}

function fillLine({ line, record, diagnostics, comparison }) {
  const running = ["queued", "running"].includes(record.status), verdict = comparison && `${comparison.verdict}. ${comparison.explanation}`;
  const note = record.error ? `${record.error.code}: ${record.error.message}` : diagnostics?.outcome === "not_converged" ? `not converged: ${diagnostics.advice}` : verdict || (running ? record.message : "");
  line.what.textContent = `${record.kind}, ${record.status}${note ? `: ${note}` : ""}`;
  line.bar.value = record.progress;
  line.bar.hidden = line.cancel.hidden = !running;
}

function drawPanel(jobs, theories) {
  const names = [...byId("names").querySelectorAll("input:checked")].map((box) => box.value);
  byId("summary").textContent = drawCurves(byId("curves"), jobs, theories, names);
  const { record, curves } = jobs[0], done = jobs.filter((job) => job.record.status === "succeeded");
  const columns = Object.fromEntries(["time", ...names.flatMap((name) => [name, `${name}_stderr`])].filter((name) => curves[name]).map((name) => [name, curves[name]]));
  const least = jobs[0].diagnostics?.summary, said = least ? `: the smallest test loss is ${show(least.least_test_loss)} at t = ${show(least.least_test_loss_time)}` : "";
  byId("table").replaceChildren(element("p", {}, `${record.kind} ${record.id}${said}`), table(columns));
  const key = done.map(({ record: { id } }) => id).join() || "none";
  if (byId("downloads").dataset.of === key) return;
  byId("downloads").dataset.of = key;
  byId("downloads").replaceChildren(
    ...done.flatMap(({ record: { id, kind } }) => ["csv", "npz"].map((format) => button(`${kind} ${format.toUpperCase()}`, () => download(`v1/jobs/${id}/curves?format=${format}`, `${id}-curves.${format}`), `Download ${kind} curves as ${format.toUpperCase()}`))),
    button("Plot SVG", saveSvg, "Download the plot as SVG"),
  );
}

async function saveSvg() {
  const address = await toSvg(byId("curves"));
  save(new Blob([decodeURIComponent(address.slice(address.indexOf(",") + 1))], { type: "image/svg+xml" }), "curves.svg");
}

function drawTheory(theory) {
  const rows = [["regime", theory.regime], ["", theory.regime_why], ["convergence_rate γ", theory.convergence_rate]];
  for (const [name, value] of Object.entries(theory)) if (name.startsWith("final_")) rows.push([name, value]);
  for (const [name, scale] of Object.entries(theory.time_scales || {}).filter(([, scale]) => scale?.value !== null)) rows.push([`time scale ${name}`, typeof scale === "object" ? scale?.value : scale]);
  byId("theory").replaceChildren(...rows.filter(([, value]) => value !== undefined).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, show(value))]));
}

function drawTable({ record, table: found, family }) {
  const rows = found.rows, axes = Object.keys(record.request.axes);
  const names = Object.keys(rows[0] || {}), values = names.filter((name) => !axes.includes(name) && rows.some((row) => typeof row[name] === "number") && !name.endsWith("_stderr"));
  const select = byId("sweep-name");
  if (select.dataset.of !== `${record.id} ${values.length}`) {
    select.replaceChildren(...values.map((name) => element("option", {}, name)));
    select.value = values.find((name) => /test_loss|parameter_error/.test(name)) || values[0];
    select.dataset.of = `${record.id} ${values.length}`;
  }
  byId("sweep").hidden = !values.length;
  if (values.length) drawSweep(byId("sweep"), axes, rows, select.value);
  byId("family-part").hidden = !family;
  if (family) drawFamily(byId("family"), axes, family, byId("family-name").value);
  byId("sweep-table").replaceChildren(table(Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])]))));
  byId("sweep-downloads").replaceChildren(button("Table CSV", () => download(`v1/jobs/${record.id}/table?format=csv`, `${record.id}-table.csv`), "Download the table as CSV"));
}
