// The page's address holds jobs and request: it alone brings back the problem and, where there is one, the result.

export function writeAddress(ids, request) {
  const text = encodeURIComponent(JSON.stringify(request));
  history.replaceState(null, "", `#jobs=${ids.join(",")}&request=${text}`);
}

export function readAddress() {
  const found = new URLSearchParams(location.hash.slice(1));
  const ids = (found.get("jobs") || "").split(",").filter((id) => /^[\w-]{1,64}$/.test(id));
  try {
    return { ids, request: JSON.parse(found.get("request") || "null") };
  } catch {
    return { ids, request: null };
  }
}
