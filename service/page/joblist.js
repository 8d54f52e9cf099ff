// The jobs of the service, newest first, in rows that tell them apart; the children of a job are folded into its row.
import { getJson } from "./api.js";
import { button, byId, element, show } from "./dom.js";
import { finished } from "./events.js";
import { noteOf, setNote } from "./notes.js";
import { isExplored } from "./pursuit.js";

const ENOUGH = 15; // rows that a look brings, as long as there are more
const PARENTS = ["sweep", "comparison"];

let actions = {},
  next = null,
  looks = 0; // how often the list was read anew: what an older look still brings is dropped
const records = new Map(),
  folded = new Map(); // by id: records in the order of the list; children's ids to their parent's

export function setUpList(given, kinds) {
  actions = given;
  byId("filter-kind").append(...kinds.map((kind) => element("option", {}, kind)));
  for (const id of ["filter-status", "filter-kind"]) byId(id).addEventListener("change", refresh);
  for (const id of ["search", "show-explored"]) byId(id).addEventListener("input", draw);
  byId("reload").addEventListener("click", refresh);
  byId("more").addEventListener("click", () => add(next));
}

export async function refresh() {
  const query = new URLSearchParams({ limit: 50 });
  for (const name of ["status", "kind"])
    if (byId(`filter-${name}`).value) query.set(name, byId(`filter-${name}`).value);
  await add(`v1/jobs?${query}`, true);
}

async function add(address, afresh = false) {
  const look = afresh ? ++looks : looks,
    page = await getJson(address);
  const jobs = await Promise.all(page.jobs.map(withChildren));
  if (look !== looks) return;
  if (afresh) records.clear();
  for (const record of jobs) {
    records.set(record.id, record);
    for (const child of record.children) folded.set(child.id, record.id);
  }
  next = page.next;
  if (next && rows().length < ENOUGH) return add(next);
  draw();
}

async function withChildren(record) {
  const found = PARENTS.includes(record.kind) && (await getJson(`v1/jobs/${record.id}/children`).catch(() => null));
  return { ...record, children: found ? found.children : [] };
}

function rows() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean),
    all = byId("show-explored").checked;
  const isListed = ({ id }) => (all || !isExplored(id)) && !records.has(folded.get(id));
  const text = (record) =>
    `${record.id} ${record.kind} ${record.status} ${say(record.request)} ${noteOf(record.id)}`.toLowerCase();
  return [...records.values()].filter(
    (record) => isListed(record) && words.every((word) => text(record).includes(word)),
  );
}

function draw() {
  const lines = rows().map(line);
  byId("jobs").replaceChildren(
    ...(lines.length
      ? lines
      : [element("li", {}, records.size && byId("search").value ? "No job has these words." : "No jobs yet.")]),
  );
  byId("more").hidden = !next;
}

function line(record) {
  const name = `${record.kind} ${record.id.slice(0, 8)}`;
  const note = element("input", {
    type: "text",
    value: noteOf(record.id),
    placeholder: "name, note, #tag",
    "aria-label": `Note on ${name}`,
    className: "note",
  });
  note.addEventListener("change", () => setNote(record.id, note.value));
  return element("li", {}, [
    element("span", { className: "what" }, [
      element(
        "b",
        {},
        `${record.kind}${record.request.base ? ` of ${record.request.base.kind}` : ""}, ${record.status}`,
      ),
      ": ",
      say(record.request),
      element("small", {}, `${record.id.slice(0, 8)} · ${localTime(record.created_at)}${took(record)}`),
      record.children.length ? folder(record.children) : null,
    ]),
    note,
    button("Show", () => actions.show(record.id), `Show ${name}`),
    button("Overlay", () => actions.overlay(record.id), `Overlay ${name}`),
    finished(record)
      ? button("Run again", () => actions.again(record.request), `Run ${name} again`)
      : button("Cancel", () => actions.cancel(record.id), `Cancel ${name}`),
    finished(record) ? deletion(record.id, name) : null,
  ]);
}

// A button that deletes a job when it is pressed twice.
function deletion(id, name) {
  const node = button("Delete", () => {
    if (node.dataset.sure) return actions.remove(id);
    node.dataset.sure = "yes";
    node.textContent = "Really delete";
    node.setAttribute("aria-label", `Really delete ${name} and its result`);
  });
  const calm = () => {
    delete node.dataset.sure;
    node.textContent = "Delete";
    node.setAttribute("aria-label", `Delete ${name}`);
  };
  node.addEventListener("blur", calm);
  calm();
  return node;
}

// The children of a job, made when somebody looks.
function folder(children) {
  const node = element("details", {}, element("summary", {}, `${children.length} jobs`));
  node.addEventListener("toggle", () => {
    if (node.children.length > 1) return;
    const items = children.map(({ id, values, status }) =>
      element("li", {}, [
        `${sayValues(values)}: ${status} `,
        button("Show", () => actions.show(id), `Show ${sayValues(values)}`),
      ]),
    );
    node.append(element("ul", {}, items));
  });
  return node;
}

const localTime = (stamp) => new Date(stamp).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
const sayValues = (values) =>
  Object.entries(values)
    .map(([name, value]) => `${name.split(".").pop()} = ${show(value)}`)
    .join(", ");

function took({ started_at: start, finished_at: end }) {
  return start && end ? ` · ${((new Date(end) - new Date(start)) / 1000).toPrecision(2)} s` : "";
}

const SYMBOLS = {
  accuracy: "accuracy",
  dimension: "d",
  replicas: "networks",
  standard_error: "standard error",
  truncation: "M",
  seed: "seed",
};

function say(request) {
  const base = request.base ?? request,
    { problem } = base;
  if (!problem) return "";
  const scale = typeof problem.initial_scale === "object" ? "mixed" : problem.initial_scale;
  const { kind, ...law } = problem.target ?? {};
  const target =
    kind &&
    `${kind.replaceAll("_", "–")}(${Object.values(law)
      .map((value) => (Array.isArray(value) ? `${value.length} values` : value))
      .join(", ")})`;
  const weights = problem.groups ? [`${problem.groups.length} groups`] : [target, `a = ${scale}`];
  const { kind: how, ...steps } = base.dynamics ?? {};
  const descent =
    how && how !== "gradient_flow"
      ? [
          `${how.replaceAll("_", " ")}(${Object.entries(steps)
            .map(([name, value]) => `${name} ${show(value)}`)
            .join(", ")})`,
        ]
      : [];
  const own = Object.keys(SYMBOLS)
    .filter((name) => base[name] !== undefined && base[name] !== null && base[name] !== 0)
    .map((name) => `${SYMBOLS[name]} ${base[name]}`);
  const axes = Object.entries(request.axes ?? {}).map(
    ([path, values]) => `${path.split(".").pop()} over ${values.length} values`,
  );
  const depth = problem.depth ? [`L = ${problem.depth}`] : [];
  return [
    `δ = ${problem.aspect_ratio}`,
    ...weights,
    `σ = ${problem.noise_std}`,
    `λ = ${problem.weight_decay}`,
    ...depth,
    ...(base.horizon ? [`to t = ${base.horizon}`] : []),
    ...(base.times ? [`at ${base.times.length} times`] : []),
    ...descent,
    ...own,
    ...axes,
  ].join(", ");
}
