// The results that are shown: curves of several jobs over one another, and the parts that belong to one of them.
import { download, getJson, postJson, Refusal, save } from "./api.js";
import { toImage } from "./canvas.js";
import { drawConditional, drawCurves, drawFamily, drawKernel, drawSweep, NAMES } from "./charts.js";
import { button, byId, element, show, table } from "./dom.js";
import { sayLeft } from "./forecast.js";
import { remember } from "./pursuit.js";
import { nameOf } from "./quantities.js";
import { fillTheory } from "./theory.js";
import { MEANING } from "./traces.js";

const MOST = 6,
  MOST_OF_FAMILY = 24;
const shown = new Map(); // by id: { record, line, curves?, order?, kernels?, theory? }
const KERNELS = ["correlation", "response", "residual_correlation", "residual_response"];

export const isShown = (id) => shown.has(id);

export function setUp(actions) {
  for (const [name, text] of Object.entries(NAMES)) {
    const box = element("input", {
      type: "checkbox",
      value: name,
      checked: name !== "parameter_error",
      onchange: draw,
    });
    byId("names").append(element("label", {}, [box, ` ${text}`]));
  }
  byId("kernel").append(...KERNELS.map((name) => element("option", { value: name }, name.replaceAll("_", " "))));
  byId("kernel").addEventListener("change", draw);
  byId("sweep-name").addEventListener("change", draw);
  byId("sweep-at").addEventListener("input", lookAt);
  byId("family-name").append(...Object.entries(NAMES).map(([value, text]) => element("option", { value }, text)));
  byId("family-name").value = "test_loss";
  byId("family-name").addEventListener("change", draw);
  setUp.actions = actions;
}

export function clear() {
  shown.clear();
  draw();
}

export function remove(id) {
  shown.delete(id);
  draw();
}

// News of a job: its record, and its curves as they are known so far where there are any.
export function update(record, curve = null) {
  const known = shown.get(record.id) || { line: makeLine(record) };
  if (known.record?.status !== record.status) byId("said").textContent = `${record.kind} ${record.status}`;
  const began = record.started_at ?? known.began ?? (record.status === "running" ? new Date().toISOString() : null);
  shown.set(record.id, { ...known, record, began, curves: curve || known.curves });
  if (record.status === "running" && known.predicted === undefined) predict(record);
  while (shown.size > MOST) shown.delete(shown.keys().next().value);
  draw();
}

// What a job was predicted to take, which is compared with how it goes.
async function predict({ id, request }) {
  shown.get(id).predicted = null;
  const found = await postJson("v1/estimate", request).catch(() => null);
  if (found && shown.has(id)) shown.set(id, { ...shown.get(id), predicted: found.seconds });
}

// Fetch everything that a finished job has.
export async function load(record) {
  update(record);
  if (record.status !== "succeeded") return;
  const parts = Object.keys(record.links).filter((part) =>
    ["curves", "order-parameters", "kernels", "theory", "comparison", "children", "table", "diagnostics"].includes(
      part,
    ),
  );
  const found = Object.fromEntries(
    await Promise.all(
      parts.map(async (part) => [part, await getJson(`v1/jobs/${record.id}/${part}?format=json`).catch(() => null)]),
    ),
  );
  if (!shown.has(record.id)) return;
  const { "order-parameters": order, ...rest } = found;
  shown.set(record.id, { ...shown.get(record.id), ...rest, order });
  draw();
  if (rest.comparison)
    await Promise.all(Object.values(rest.comparison.jobs).map(async ({ id }) => load(await getJson(`v1/jobs/${id}`))));
  if (rest.table) await Promise.all([loadFamily(record.id, rest.table.rows), loadLimits(record)]);
}

// What theory says of the ends of a sweep's points, by a sweep of predictions over the same axes.
async function loadLimits({ id, request: { base, axes } }) {
  if (base.kind === "theory" || !Object.keys(axes).every((path) => path.startsWith("problem."))) return;
  try {
    const asked = await postJson(
      "v1/jobs",
      { kind: "sweep", base: { kind: "theory", problem: base.problem }, axes },
      { wait: 30 },
    );
    remember(asked);
    const limits = (await getJson(`v1/jobs/${asked.id}/table?format=json`)).rows;
    if (shown.has(id)) shown.set(id, { ...shown.get(id), limits });
    draw();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error; // there is no theory of these problems
  }
}

// The table at the time of the slider, logarithmic from the first time of a curve to the horizon; at its right end, the end.
async function lookAt() {
  const job = [...shown.values()].find(({ table: found }) => found),
    time = timeOf(job);
  byId("sweep-at-said").textContent = time ? `t = ${show(time)}` : "the end";
  const wanted = (lookAt.wanted = {});
  const at = time && (await getJson(`v1/jobs/${job.record.id}/table?format=json&at=${time}`));
  if (lookAt.wanted !== wanted || !shown.has(job.record.id)) return;
  shown.set(job.record.id, { ...shown.get(job.record.id), at });
  draw();
}

function resetTime() {
  byId("sweep-at").value = byId("sweep-at").max;
  byId("sweep-at-said").textContent = "the end";
}

function timeOf({
  record: {
    request: { base },
  },
}) {
  const share = byId("sweep-at").value / 1000,
    first = base.times?.find((t) => t > 0) ?? Math.min(0.01, base.horizon / 100);
  return share < 1 && base.horizon ? Number((first * (base.horizon / first) ** share).toPrecision(3)) : null;
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
  const done = rows
    .filter((row) => row.status === "succeeded" && typeof row.train_loss === "number")
    .slice(0, MOST_OF_FAMILY);
  const known = new Map((shown.get(id)?.family || []).map((member) => [member.row.id, member]));
  const family = await Promise.all(
    done.map(async (row) => known.get(row.id) || { row, curves: await getJson(`v1/jobs/${row.id}/curves`) }),
  );
  if (family.length && shown.has(id)) shown.set(id, { ...shown.get(id), family });
  draw();
}

let pending = null;
function draw() {
  pending ??= requestAnimationFrame(() => {
    pending = null;
    drawNow();
  });
}

function drawNow() {
  const jobs = [...shown.values()],
    withCurves = jobs.filter((job) => job.curves?.time?.length);
  const theories = jobs.filter((job) => job.theory),
    sweep = jobs.find((job) => job.table);
  byId("nothing").hidden = jobs.length > 0;
  jobs.forEach(fillLine);
  place(
    byId("shown"),
    jobs.map((job) => job.line.node),
  );
  toggle("curves-panel", withCurves.length > 0, () => drawPanel(withCurves, theories));
  toggle("theory-panel", theories.length > 0, () => fillTheory(byId("theory"), theories[0].theory));
  const order = jobs.find((job) => job.order)?.order,
    kernels = jobs.find((job) => job.kernels)?.kernels;
  toggle("conditional-panel", order, () => drawConditional(byId("conditional"), order));
  toggle("kernels-panel", kernels, () => drawKernel(byId("kernels"), kernels, byId("kernel").value));
  toggle("sweep-panel", sweep, () => drawTable(sweep));
}

// Nodes that are there already stay untouched, so that they keep the focus.
function place(parent, nodes) {
  if (nodes.length !== parent.children.length || nodes.some((node, i) => node !== parent.children[i]))
    parent.replaceChildren(...nodes);
}

function toggle(id, wanted, fill) {
  byId(id).hidden = !wanted;
  if (wanted) fill();
}

function makeLine({ id, kind }) {
  const { actions } = setUp,
    what = element("span"),
    bar = element("progress", { max: 1, "aria-label": `progress of ${kind}` });
  const cancel = button("Cancel", () => actions.cancel(id), `Cancel ${kind}`);
  const parts = [
    element("span", { className: "what" }, [what, element("small", {}, id)]),
    bar,
    cancel,
    button("Hide", () => remove(id), `Hide ${kind}`),
  ];
  return { node: element("li", { dataset: { id } }, parts), what, bar, cancel };
}

function fillLine({ line, record, began, predicted, diagnostics, comparison }) {
  const running = ["queued", "running"].includes(record.status),
    verdict = comparison && `${comparison.verdict}: ${comparison.explanation}`;
  const note = record.error
    ? `${record.error.code}: ${record.error.message}`
    : diagnostics?.outcome === "not_converged"
      ? `not converged: ${diagnostics.advice}`
      : verdict ||
        (running
          ? [record.message, sayLeft({ ...record, started_at: began }, predicted)].filter(Boolean).join(", ")
          : "");
  line.what.textContent = `${record.kind}, ${record.status}${note ? `: ${note}` : ""}`;
  line.bar.value = record.progress;
  line.bar.hidden = line.cancel.hidden = !running;
}

function drawPanel(jobs, theories) {
  const names = [...byId("names").querySelectorAll("input:checked")].map((box) => box.value);
  byId("summary").textContent = drawCurves(byId("curves"), jobs, theories, names);
  const { record, curves } = jobs[0],
    done = jobs.filter((job) => job.record.status === "succeeded");
  const columns = Object.fromEntries(
    ["time", ...names.flatMap((name) => [name, `${name}_stderr`])]
      .filter((name) => curves[name])
      .map((name) => [name, curves[name]]),
  );
  const least = jobs[0].diagnostics?.summary,
    said = least
      ? `: the smallest test loss is ${show(least.least_test_loss)} at t = ${show(least.least_test_loss_time)}`
      : "";
  byId("table").replaceChildren(element("p", {}, `${record.kind} ${record.id}${said}`), table(columns));
  const key = done.map(({ record: { id } }) => id).join() || "none";
  if (byId("downloads").dataset.of === key) return;
  byId("downloads").dataset.of = key;
  byId("downloads").replaceChildren(
    ...done.flatMap(({ record: { id, kind } }) =>
      ["csv", "npz"].map((format) =>
        button(
          `${kind} ${format.toUpperCase()}`,
          () => download(`v1/jobs/${id}/curves?format=${format}`, `${id}-curves.${format}`),
          `Download ${kind} curves as ${format.toUpperCase()}`,
        ),
      ),
    ),
    button("Plot SVG", () => saveSvg("curves", "curves.svg"), "Download the plot as SVG"),
  );
}

async function saveSvg(id, name) {
  save(await toImage(byId(id), "svg", id === "curves" ? MEANING : byId(id).getAttribute("aria-label")), name);
}

function drawTable({ record, table: found, at, family, limits }) {
  const axes = Object.keys(record.request.axes),
    isNumber = (name, rows) => rows.some((row) => typeof row[name] === "number");
  const names = Object.keys(found.rows[0] || {}),
    values = names.filter((name) => !axes.includes(name) && isNumber(name, found.rows) && !name.endsWith("_stderr"));
  const select = byId("sweep-name");
  if (select.dataset.of !== `${record.id} ${values.length}`) {
    select.replaceChildren(...values.map((name) => element("option", { value: name }, nameOf(name))));
    select.value = values.find((name) => /test_loss|parameter_error/.test(name)) || values[0];
    if (!select.dataset.of?.startsWith(record.id)) resetTime();
    select.dataset.of = `${record.id} ${values.length}`;
  }
  byId("sweep").hidden = !values.length;
  byId("sweep-at").disabled = !record.request.base.horizon;
  const name = select.value,
    ofTime = at && `${name}_at` in (at.rows[0] ?? {});
  if (values.length)
    drawSweep(byId("sweep"), axes, ofTime ? at.rows : found.rows, ofTime ? `${name}_at` : name, {
      name,
      limits: at ? null : limits,
      time: ofTime ? at.rows.find((row) => row.at)?.at : null,
    });
  byId("family-part").hidden = !family;
  if (family) drawFamily(byId("family"), axes, family, byId("family-name").value);
  const rows = (at ?? found).rows,
    all = Object.keys(rows[0] || {}),
    first = [...axes, "status", ...all.filter((column) => ofTime && column.includes("_at")), ...values];
  const filled = [...new Set([...first, ...all])].filter(
    (column) => all.includes(column) && rows.some((row) => row[column] !== null),
  );
  byId("sweep-table").replaceChildren(
    table(Object.fromEntries(filled.map((column) => [column, rows.map((row) => row[column])]))),
  );
  byId("sweep-downloads").replaceChildren(
    button(
      "Table CSV",
      () =>
        download(
          `v1/jobs/${record.id}/table?format=csv${at ? `&at=${timeOf({ record })}` : ""}`,
          `${record.id}-table.csv`,
        ),
      "Download the table as CSV",
    ),
    ...(values.length
      ? [button("Plot SVG", () => saveSvg("sweep", `${record.id}-sweep.svg`), "Download the sweep's plot as SVG")]
      : []),
    ...(family
      ? [button("Curves SVG", () => saveSvg("family", `${record.id}-curves.svg`), "Download the sweep's curves as SVG")]
      : []),
  );
}
