// Submits a job of each kind with a client made of the interface's description, and prints what it read; the argument is the address.
import createClient from "openapi-fetch";
import type { components, paths } from "./made.d.ts";

declare const process: { argv: string[] };
const client = createClient<paths>({ baseUrl: process.argv[2] });
type Schemas = components["schemas"];

const problem: Schemas["Problem"] = {
  aspect_ratio: 0.5, target: { kind: "bernoulli_gauss", density: 0.2, std: 1 }, noise_std: 0.1, initial_scale: 0.5, weight_decay: 0,
};
const groups: Schemas["Group"][] = [
  { weight: 0.25, variance: 2, target: { kind: "uniform", low: -1, high: 1 }, initial_scale: { u: 0.5, v: 0.4 } },
  { weight: 0.75, variance: 1, target: { kind: "bernoulli_gauss", density: 0.2, std: 1 }, initial_scale: 0.3 },
];
const population: Schemas["Problem"] = { aspect_ratio: 0.5, groups, noise_std: 0, weight_decay: 0 };
const dmft: Schemas["DmftRequest"] = { kind: "dmft", problem, horizon: 1, accuracy: 0.1, seed: 1 };
const simulation: Schemas["SimulationRequest"] = {
  kind: "simulation", problem: population, horizon: 1, dimension: 60, replicas: 4, seed: 1, design: { kind: "rademacher" },
};
const deep: Schemas["SimulationRequest"] = {
  ...simulation, problem: { ...population, depth: 3 }, dynamics: {
    kind: "gradient_descent", step_size: { kind: "cosine", start: 0.2, end: 0.05, steps: 20 }, batch_fraction: 0.5, momentum: 0.9, label_noise_std: 0.1,
  },
};
const theory: Schemas["TheoryRequest"] = { kind: "theory", problem };
const comparison: Schemas["ComparisonRequest"] = { kind: "comparison", problem, horizon: 1, accuracy: 0.1, dimension: 60, replicas: 4, seed: 1 };
const sweep: Schemas["SweepRequest"] = { kind: "sweep", base: dmft, axes: { "problem.initial_scale": [0.3, 1] } };

async function finished(body: typeof dmft | typeof simulation | typeof theory | typeof comparison | typeof sweep): Promise<string> {
  const { data, error } = await client.POST("/v1/jobs", { body, params: { header: { prefer: "wait=30" } } });
  if (!data) throw new Error(error.detail);
  let job: Schemas["Job"] = data;
  while (job.status === "queued" || job.status === "running") {
    const answer = await client.GET("/v1/jobs/{job_id}", { params: { path: { job_id: job.id }, header: { prefer: "wait=30" } } });
    if (!answer.data) throw new Error(answer.error.detail);
    job = answer.data;
  }
  if (job.status !== "succeeded") throw new Error(JSON.stringify(job));
  return job.id;
}

const of = (job_id: string) => ({ params: { path: { job_id } } });
// JSON, which is what comes where no other format is asked for; those are all texts or bytes.
function got<T>({ data }: { data?: T }): Exclude<T, string> {
  if (data === undefined || typeof data === "string") throw new Error("no JSON");
  return data as Exclude<T, string>;
}

const ids = {
  dmft: await finished(dmft), simulation: await finished(simulation), theory: await finished(theory),
  comparison: await finished(comparison), sweep: await finished(sweep),
};
const test_loss: number[] = got(await client.GET("/v1/jobs/{job_id}/curves", of(ids.dmft))).test_loss;
const overlap: number[] = got(await client.GET("/v1/jobs/{job_id}/order-parameters", of(ids.simulation))).overlap;
const kernel: number = got(await client.GET("/v1/jobs/{job_id}/kernels", of(ids.dmft))).correlation[0][0];
const scale: string = got(await client.GET("/v1/jobs/{job_id}/theory", of(ids.theory))).time_scales.search.formula;
const verdict: "agree" | "deviate" | "inconclusive" = got(await client.GET("/v1/jobs/{job_id}/comparison", of(ids.comparison))).verdict;
const total: number = got(await client.GET("/v1/jobs/{job_id}/children", of(ids.sweep))).total;
const columns: string[] = got(await client.GET("/v1/jobs/{job_id}/table", of(ids.sweep))).columns;
const outcome: string = got(await client.GET("/v1/jobs/{job_id}/diagnostics", of(ids.sweep))).outcome;
const seconds: number = got(await client.POST("/v1/estimate", { body: deep })).seconds;
const listed: number = got(await client.GET("/v1/jobs", { params: { query: { limit: 5 } } })).jobs.length;
const kept = got(await client.GET("/v1/jobs/{job_id}", of(ids.simulation))).request;
if (kept.kind !== "simulation") throw new Error(kept.kind);
const first = kept.problem.groups![0];
const request = [kept.kind, first.target.kind, typeof first.initial_scale === "object" && "u" in first.initial_scale ? "pair" : "other"];
const weights: number[] = kept.problem.groups!.map((group) => group.weight);
console.log(JSON.stringify({ ids, request, weights, seconds, test_loss, overlap, kernel, scale, verdict, total, columns, outcome, listed }));
