// All jobs of the service, newest first, with filters; each can be shown, run again or cancelled.
import { getJson } from "./api.js";
import { button, byId, element } from "./dom.js";

let actions = {}, next = null;

export function setUpList(given, kinds) {
  actions = given;
  byId("filter-kind").append(...kinds.map((kind) => element("option", {}, kind)));
  for (const id of ["filter-status", "filter-kind"]) byId(id).addEventListener("change", refresh);
  byId("reload").addEventListener("click", refresh);
  byId("more").addEventListener("click", () => add(next));
}

export async function refresh() {
  const query = new URLSearchParams({ limit: 20 });
  for (const name of ["status", "kind"]) if (byId(`filter-${name}`).value) query.set(name, byId(`filter-${name}`).value);
  await add(`v1/jobs?${query}`, true);
}

async function add(address, afresh = false) {
  const page = await getJson(address);
  const lines = page.jobs.map(line);
  if (afresh) byId("jobs").replaceChildren(...(lines.length ? lines : [element("li", {}, "No jobs yet.")]));
  else byId("jobs").append(...lines);
  next = page.next;
  byId("more").hidden = !next;
}

function line(record) {
  const running = ["queued", "running"].includes(record.status), name = `${record.kind} ${record.id.slice(0, 8)}`;
  return element("li", {}, [
    element("span", { className: "what" }, [`${record.kind}, ${record.status}: `, say(record.request), element("small", {}, `${record.created_at.slice(0, 19).replace("T", " ")} UTC`)]),
    button("Show", () => actions.show(record.id), `Show ${name}`),
    button("Overlay", () => actions.overlay(record.id), `Overlay ${name}`),
    running ? button("Cancel", () => actions.cancel(record.id), `Cancel ${name}`) : button("Run again", () => actions.again(record.request), `Run ${name} again`),
  ]);
}

function say(request) {
  const problem = request.problem || request.base?.problem;
  if (!problem) return "";
  const scale = typeof problem.initial_scale === "object" ? "mixed" : problem.initial_scale;
  const weights = problem.groups ? `${problem.groups.length} groups` : `${problem.target.kind.replace("_", "–")}, a = ${scale}`;
  const end = request.horizon ? `, to t = ${request.horizon}` : "";
  const axes = request.axes ? `, over ${Object.keys(request.axes).join(", ")}` : "";
  return `δ = ${problem.aspect_ratio}, ${weights}, σ = ${problem.noise_std}, λ = ${problem.weight_decay}${end}${axes}`;
}
