// The same request with curl and Python, and the script that draws the picture of the Explore view.
import { curvesOf, partOf, QUANTITIES } from "./quantities.js";

export function curlLines(request, origin) {
  return `curl -s '${origin}/v1/jobs' -H 'Content-Type: application/json' -H 'Prefer: wait=30' -d '${JSON.stringify(request).replaceAll("'", "'\\''")}'`;
}

export function pythonLines(request, origin) {
  const { kind, ...fields } = request;
  const lines = Object.entries({ kind, ...fields }).map(([name, value]) => `        ${name}=${python(value)},`);
  return [
    "from dlnflow import Client",
    "",
    `with Client("${origin}") as client:`,
    "    job = client.submit(",
    ...lines,
    "    )",
    "    result = job.result(bar=True)",
  ].join("\n");
}

function python(value) {
  if (value === null) return "None";
  if (value === true || value === false) return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([name, inner]) => `"${name}": ${python(inner)}`)
      .join(", ")}}`;
  return JSON.stringify(value);
}

// requests: [label, request] each; the script draws the quantity of all of them into a file.
export function exploreScript(requests, quantity, axes, origin) {
  const entries = requests.map(([label, request]) => `    ${JSON.stringify(label)}: ${python(request)},`);
  return [
    `"""${QUANTITIES[quantity].label}, by dlnflow."""`,
    "",
    "from matplotlib.figure import Figure",
    "",
    "from dlnflow import Client",
    "",
    "REQUESTS = {",
    ...entries,
    "}",
    "",
    'figure = Figure(layout="constrained")',
    "ax = figure.subplots()",
    `with Client("${origin}") as client:`,
    "    results = {label: client.submit(request).result() for label, request in REQUESTS.items()}",
    ...drawLines(quantity, axes),
    `figure.savefig("dlnflow-${quantity}.svg")`,
    "",
  ].join("\n");
}

function drawLines(quantity, axes) {
  const first = "result = next(iter(results.values()))";
  if (QUANTITIES[quantity].kernel) {
    const time = "result.kernels.time";
    return [
      first,
      `ax.pcolormesh(${time}, ${time}, result.kernels.${quantity}, shading="gouraud")`,
      'ax.set(xscale="log", yscale="log", xlabel="s", ylabel="t")',
    ];
  }
  if (partOf(quantity) === "order-parameters" && quantity === "conditional") {
    return [
      first,
      "time = result.order_parameters.time",
      "for given in result.order_parameters.conditional:",
      "    (line,) = ax.plot(time, given.mean, label=given.given)",
      "    ax.fill_between(time, given.quantiles[0], given.quantiles[-1], color=line.get_color(), alpha=0.2)",
      'ax.set(xscale="log", xlabel="time", ylabel="w")',
      "ax.legend()",
    ];
  }
  const names = curvesOf(quantity)
    .map((name) => `"${name}"`)
    .join(", ");
  return [
    "for number, (label, result) in enumerate(results.items()):",
    `    for name, style in zip([${names}], ["-", "--"]):`,
    '        result.plot(ax, (name,), label=f"{name}, {label} ± 1 s.e.", color=f"C{number}", linestyle=style)',
    `ax.set(xscale="${axes.time}", yscale="${axes.value}")`,
    "ax.legend()",
  ];
}
