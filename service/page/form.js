// The form: one problem, the kinds of job to run for it, and the requests that this makes.
import { getJson, postJson, Refusal } from "./api.js";
import { byId, element } from "./dom.js";
import { firstWrong, judgeAll, makeField, objectField, placeError, resolve, showError, useSchemas } from "./fields.js";
import { sayCost } from "./forecast.js";

const KINDS = {
  dmft: "Mean-field theory (n, d → ∞)",
  simulation: "Finite networks",
  theory: "Closed forms: end, rate, time scales",
  comparison: "Comparison: theory and networks, with a verdict",
};
export const NOTHING = "Tick at least one kind of job to compute.";
const SHARED = ["horizon", "times", "seed"];

const form = byId("form");
const parts = { kinds: {} };
let presets = [];
let sweepable = false;

export async function buildForm(given) {
  presets = given;
  const description = await getJson("openapi.json");
  useSchemas(description.components.schemas);
  const body = description.paths["/v1/jobs"].post.requestBody.content["application/json"].schema;
  const schemas = Object.fromEntries(
    Object.entries(body.discriminator.mapping).map(([kind, $ref]) => [kind, resolve({ $ref })]),
  );
  parts.problem = makeField(schemas.dmft.properties.problem, "problem");
  byId("fields-problem").append(parts.problem.node);
  const shared = Object.fromEntries(SHARED.map((name) => [name, schemas.dmft.properties[name]]));
  parts.shared = objectField({ properties: shared, required: schemas.dmft.required }, "");
  byId("fields-shared").append(parts.shared.node);
  for (const kind of Object.keys(KINDS).filter((name) => name in schemas)) addKind(kind, schemas[kind]);
  sweepable = "sweep" in schemas;
  if (sweepable) addSweep();
  for (const [i, preset] of presets.entries()) byId("preset").append(element("option", { value: i }, preset.name));
  byId("preset").addEventListener("change", () => usePreset(byId("preset").value));
  usePreset(0);
  return Object.keys(schemas);
}

function addKind(kind, schema) {
  const field = objectField(schema, "", ["kind", "problem", ...SHARED]);
  const box = element("input", { type: "checkbox", checked: kind === "dmft" || kind === "theory", name: kind });
  const part = element("div", { className: "part" }, field.node);
  const sync = () => {
    part.hidden = !box.checked || !field.node.children.length;
  };
  box.addEventListener("change", sync);
  sync();
  byId("fields-kinds").append(element("label", { className: "choice" }, [box, KINDS[kind]]), part);
  parts.kinds[kind] = { box, field, sync };
}

function addSweep() {
  const box = element("input", { type: "checkbox", name: "sweep" });
  const paths = [
    "problem.initial_scale",
    "problem.aspect_ratio",
    "problem.noise_std",
    "problem.weight_decay",
    "problem.target.density",
  ];
  const axes = [0, 1].map((number) => {
    const path = element("select", { id: `axis-${number}` }, [
      number ? element("option", { value: "" }, "no second axis") : null,
      ...paths.map((p) => element("option", {}, p)),
    ]);
    const values = element("input", {
      id: `axis-${number}-values`,
      type: "text",
      value: number ? "" : "0.03, 0.1, 0.3, 1",
      placeholder: "0.5, 1, 2",
    });
    return { path, values };
  });
  const part = element(
    "div",
    { className: "part", hidden: true },
    axes.map(({ path, values }, i) =>
      element("div", { className: "field", dataset: { path: i ? "axes.second" : "axes" } }, [
        element("label", { htmlFor: path.id }, i ? "second axis" : "axis"),
        path,
        element("label", { htmlFor: values.id }, "its values"),
        values,
        element("p", { className: "error", role: "alert" }),
      ]),
    ),
  );
  box.addEventListener("change", () => {
    part.hidden = !box.checked;
  });
  byId("fields-kinds").append(
    element("label", { className: "choice" }, [box, "Sweep: the first kind above, on a grid"]),
    part,
  );
  parts.sweep = { box, axes, part };
}

function usePreset(number) {
  fillForm(presets[number].request);
  byId("preset-note").textContent = presets[number].note;
}

// Show a request of any kind in the form; a preset names no kind and leaves the boxes as they are. `others` are of the same problem.
export function fillForm(request, others = []) {
  const base = request.kind === "sweep" ? request.base : request;
  if (request.kind) {
    for (const { box, sync } of Object.values(parts.kinds)) {
      box.checked = false;
      sync();
    }
  }
  if (parts.sweep) {
    parts.sweep.box.checked = request.kind === "sweep";
    parts.sweep.part.hidden = !parts.sweep.box.checked;
    const asked = Object.entries(request.axes || {}).slice(0, 2);
    asked.forEach(([path, values], i) => {
      const { path: select, values: input } = parts.sweep.axes[i];
      if (![...select.options].some((o) => o.value === path)) select.append(element("option", {}, path));
      select.value = path;
      input.value = values.join(", ");
    });
    if (asked.length === 1) parts.sweep.axes[1].path.value = parts.sweep.axes[1].values.value = "";
  }
  parts.problem.write(base.problem);
  parts.shared.write(base);
  for (const one of [base, ...others]) if (one.kind in parts.kinds) fillKind(parts.kinds[one.kind], one);
  judgeAll(form);
  form.dispatchEvent(new Event("change"));
}

function fillKind({ box, field, sync }, request) {
  box.checked = true;
  field.write(request);
  sync();
}

// The requests that the form stands for, one for each kind that is ticked.
export function readForm() {
  const found = Object.keys(parts.kinds)
    .filter((kind) => parts.kinds[kind].box.checked)
    .map((kind) => {
      const shared = kind === "theory" ? {} : parts.shared.read();
      return { kind, problem: parts.problem.read(), ...shared, ...parts.kinds[kind].field.read() };
    });
  return parts.sweep?.box.checked && found.length ? [{ kind: "sweep", base: found[0], axes: readAxes() }] : found;
}

const usedAxes = () => parts.sweep.axes.filter(({ path, values }) => path.value && values.value.trim());
const wordsOf = ({ values }) => values.value.split(/[\s,;]+/).filter(Boolean);
const readAxes = () => Object.fromEntries(usedAxes().map((axis) => [axis.path.value, wordsOf(axis).map(Number)]));

// What among the values of a sweep is no number is said beside them.
function judgeAxes() {
  for (const axis of parts.sweep?.box.checked ? usedAxes() : []) {
    const wrong = wordsOf(axis).filter((word) => !Number.isFinite(Number(word)));
    if (wrong.length) showError(axis.values.closest(".field"), `not a number: ${wrong.join(", ")}`);
  }
}

// What the service says against a request, beside the field that it names.
export function showRefusal(refusal) {
  const text = [refusal.message.replace(`${refusal.field}: `, ""), refusal.hint].filter(Boolean).join(" ");
  const path = (refusal.field || "").replace(/^base\./, "");
  const field = path ? placeError(form, path, text) : null;
  byId("form-error").textContent = field ? "" : [refusal.field, text].filter(Boolean).join(": ");
  (field?.querySelector("[aria-invalid=true]") || byId("form-error")).scrollIntoView({ block: "nearest" });
}

// What is wrong by the fields' own ranges is shown, what the service said before is not; gives the first field that is wrong.
export function judge() {
  byId("form-error").textContent = "";
  judgeAll(form);
  judgeAxes();
  return firstWrong(form);
}

let estimateTimer = null,
  stopEstimate = null,
  canEstimate = true;

// The range of predicted seconds of all of the requests together; 0 to 0 where that cannot be known.
export async function predictedRange(requests) {
  const answers = await Promise.all(
    requests
      .filter(({ kind }) => kind !== "theory")
      .map((request) => postJson("v1/estimate", request).catch(() => ({ seconds_range: [0, 0] }))),
  );
  return [0, 1].map((end) => answers.reduce((sum, { seconds_range: range }) => sum + range[end], 0));
}

// Ask what the ticked jobs would cost, half a second after the last change.
export function estimateSoon() {
  clearTimeout(estimateTimer);
  stopEstimate?.abort();
  if (canEstimate && !byId("work").hidden) estimateTimer = setTimeout(estimate, 500);
}

async function estimate() {
  const place = byId("estimate");
  place.textContent = "";
  if (judge()) return;
  const ticked = readForm(),
    requests = ticked.filter((request) => request.kind !== "theory");
  if (!ticked.length) {
    place.textContent = NOTHING;
    return;
  }
  stopEstimate = new AbortController();
  try {
    const answers = await Promise.all(
      requests.map((request) => postJson("v1/estimate", request, { signal: stopEstimate.signal })),
    );
    place.textContent = answers.map((answer, i) => `${requests[i].kind}: ${sayCost(answer)}`).join("; ");
  } catch (error) {
    if (!(error instanceof Refusal)) return;
    if (error.status === 404 || error.status === 405) canEstimate = false;
    else showRefusal(error);
  }
}
