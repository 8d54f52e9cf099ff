// The same request with curl and Python.

export function curlLines(request, origin) {
  return `curl -s '${origin}/v1/jobs' -H 'Content-Type: application/json' -H 'Prefer: wait=30' -d '${JSON.stringify(request).replaceAll("'", "'\\''")}'`;
}

export function pythonLines(request, origin) {
  const { kind, ...fields } = request;
  const lines = Object.entries({ kind, ...fields }).map(([name, value]) => `        ${name}=${python(value)},`);
  return [
    "from dlnflow import Client", "", `with Client("${origin}") as client:`, "    job = client.submit(", ...lines, "    )",
    "    result = job.result(bar=True)",
  ].join("\n");
}

function python(value) {
  if (value === null) return "None";
  if (value === true || value === false) return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([name, inner]) => `"${name}": ${python(inner)}`).join(", ")}}`;
  return JSON.stringify(value);
}
