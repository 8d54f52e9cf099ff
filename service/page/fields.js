// Form fields made of the interface's own description (OpenAPI), so that ranges and explanations are always those of the service.
import { send } from "./api.js";
import { element } from "./dom.js";

let schemas = {};
export function useSchemas(found) {
  schemas = found;
}

export function resolve(schema) {
  if (!schema.$ref) return schema;
  return { ...schemas[schema.$ref.split("/").pop()], ...without(schema, "$ref") };
}

const without = (object, key) => Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));

// A field is { node, read(), write(value) }; read gives undefined where a value is left out.
export function makeField(schema, path, required = true) {
  schema = resolve(schema);
  const variants = (schema.oneOf || schema.anyOf || []).map(resolve).filter((v) => !v.enum);
  if (variants.length === 1)
    return makeField({ ...without(without(schema, "anyOf"), "oneOf"), ...variants[0] }, path, required);
  if (variants.length > 1) {
    const real = variants.filter((v) => v.type !== "null");
    if (real.length === 1)
      return makeField(
        { ...without(schema, "anyOf"), ...real[0], description: schema.description || real[0].description },
        path,
        false,
      );
    return choiceField(schema, real, path);
  }
  if ("const" in schema)
    return { node: element("span", { hidden: true }), fixed: true, read: () => schema.const, write() {} };
  if (schema.properties) return objectField(schema, path);
  if (schema.type === "string") return textField(schema, path);
  if (schema.type !== "array") return numberField(schema, path, required);
  return resolve(schema.items).properties ? rowsField(schema, path) : listField(schema, path, required);
}

export function objectField(schema, path, except = []) {
  const node = element("div", { className: "object" });
  const fields = {};
  for (const [name, property] of Object.entries(schema.properties)) {
    if (except.includes(name)) continue;
    fields[name] = makeField(property, path ? `${path}.${name}` : name, (schema.required || []).includes(name));
    node.append(fields[name].node);
  }
  // A field that is given in place of others hides them.
  const replacing = Object.entries(schema.properties).filter(([name, property]) => property.replaces && fields[name]);
  const sync = () => {
    for (const [name, { replaces }] of replacing)
      for (const other of replaces) fields[other].node.hidden = fields[name].read() !== undefined;
  };
  if (replacing.length) node.addEventListener("change", sync);
  return {
    node,
    fields,
    read() {
      const found = {};
      for (const [name, field] of Object.entries(fields)) {
        const value = field.node.hidden && !field.fixed ? undefined : field.read();
        if (value !== undefined) found[name] = value;
      }
      return found;
    },
    write(value) {
      for (const [name, field] of Object.entries(fields)) field.write(value?.[name]);
      sync();
    },
  };
}

// Objects in a list, each in a part of its own, with buttons to add and to remove one; undefined where there is none.
function rowsField(schema, path) {
  let rows = [];
  const add = element("button", { type: "button", "aria-label": `add one to ${path.split(".").pop()}` }, "add one");
  const node = wrap(path, schema.description || "", add);
  const place = element("div", { className: "part" });
  node.append(place);
  const read = () => (rows.length ? rows.map((row) => row.read()) : undefined);
  const write = (values) => {
    rows = (values ?? []).map((value, i) => {
      const row = makeField(schema.items, `${path}.${i}`);
      if (value) row.write(value);
      return row;
    });
    place.replaceChildren(
      ...rows.map((row, i) => {
        const remove = element(
          "button",
          { type: "button", "aria-label": `remove ${path.split(".").pop()} ${i + 1}` },
          "remove",
        );
        remove.addEventListener("click", () => change(read().filter((_, other) => other !== i)));
        return element("fieldset", {}, [element("legend", {}, `${i + 1}`), row.node, remove]);
      }),
    );
    place.hidden = !rows.length;
  };
  const change = (values) => {
    write(values);
    node.dispatchEvent(new Event("change", { bubbles: true }));
  };
  add.addEventListener("click", () => change([...(read() ?? []), undefined]));
  write();
  return { node, read, write };
}

function choiceField(schema, variants, path) {
  const names = variants.map(
    (v) => v.properties?.kind?.const || (v.properties ? Object.keys(v.properties).join(" and ") : "one value"),
  );
  const parts = variants.map((v) => makeField({ ...v, description: v.properties ? v.description : "" }, path));
  const select = element(
    "select",
    {},
    names.map((name, i) => element("option", { value: i }, name)),
  );
  const place = element("div", { className: "part" });
  const note = element("small");
  const show = () => {
    place.replaceChildren(parts[select.value].node);
    note.textContent = (variants[select.value].description || "").replaceAll("`", "");
  };
  select.addEventListener("change", show);
  const label = schema.description || "";
  const node = wrap(path, label, select, note);
  node.append(place);
  select.value = 0;
  show();
  return {
    node,
    read: () => parts[select.value].read(),
    write(value) {
      value ??= { kind: names[0] }; // what holds where it is left out
      const index = variants.findIndex((v) => fits(v, value));
      if (index < 0) return;
      select.value = index;
      parts[index].write(value);
      show();
    },
  };
}

function fits(variant, value) {
  if (typeof value !== "object" || value === null)
    return typeof value === "string" ? variant.properties?.kind?.const === value : !variant.properties;
  if (variant.properties?.kind) return variant.properties.kind.const === value.kind;
  return Boolean(variant.properties) && Object.keys(value).every((name) => name in variant.properties);
}

function numberField(schema, path, required) {
  const input = element("input", { type: "number", step: schema.type === "integer" ? 1 : "any", inputMode: "decimal" });
  if (schema.minimum !== undefined) input.min = schema.minimum;
  if (schema.maximum !== undefined) input.max = schema.maximum;
  const node = wrap(path, [schema.description, range(schema)].filter(Boolean).join(" · "), input);
  const write = (value) => {
    input.value = value ?? schema.default ?? "";
  };
  write();
  input.addEventListener("input", () => showError(node, judge(input, schema, required)));
  return { node, write, read: () => (input.value === "" ? undefined : Number(input.value)) };
}

// A text; the id of a data set comes with a button that uploads one.
function textField(schema, path) {
  const input = element("input", { type: "text", spellcheck: false });
  const node = wrap(path, schema.description || "", input);
  if (path.endsWith("design.id")) {
    const file = element("input", {
      type: "file",
      accept: ".csv,.npz,.parquet",
      "aria-label": "Upload a data set (CSV, NPZ or Parquet)",
    });
    file.addEventListener("change", async () => {
      try {
        const kept = await (await send("POST", "v1/datasets", { file: file.files[0] })).json();
        input.value = kept.id;
        showError(node, "");
        node.querySelector("small").textContent =
          `${kept.rows} rows, ${kept.columns} columns; dimension is the number of columns`;
        input.dispatchEvent(new Event("input", { bubbles: true }));
      } catch (error) {
        showError(node, error.message);
      }
    });
    node.append(file);
  }
  return {
    node,
    read: () => input.value.trim() || undefined,
    write: (value) => {
      input.value = value ?? "";
    },
  };
}

function judge(input, schema, required) {
  if (input.validity.badInput) return "this is not a number";
  if (input.value === "") return required && schema.default === undefined ? "this is needed" : "";
  const value = Number(input.value);
  if (schema.minimum !== undefined && value < schema.minimum) return `at least ${schema.minimum}`;
  if (schema.exclusiveMinimum !== undefined && value <= schema.exclusiveMinimum)
    return `more than ${schema.exclusiveMinimum}`;
  if (schema.maximum !== undefined && value > schema.maximum) return `at most ${schema.maximum}`;
  return schema.type === "integer" && !Number.isInteger(value) ? "a whole number" : "";
}

function range(schema) {
  const low = schema.minimum ?? schema.exclusiveMinimum,
    high = schema.maximum;
  if (low === undefined && high === undefined) return "";
  const from = schema.exclusiveMinimum !== undefined ? `above ${low}` : `${low}`;
  return high === undefined ? (low === undefined ? "" : `from ${from}`) : `${from} to ${high}`;
}

function listField(schema, path, required) {
  const input = element("input", {
    type: "text",
    inputMode: "text",
    placeholder: required ? "0, 1" : "chosen by the service",
  });
  const node = wrap(path, [schema.description, "numbers with commas between them"].filter(Boolean).join(" · "), input);
  const write = (value) => {
    input.value = (value ?? []).join(", ");
  };
  input.addEventListener("input", () =>
    showError(node, items(input).some(Number.isNaN) ? "only numbers, with commas between them" : ""),
  );
  return {
    node,
    write,
    read: () => (input.value.trim() === "" ? undefined : items(input).map((x) => (Number.isNaN(x) ? "?" : x))),
  };
}

const items = (input) =>
  input.value
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);

function wrap(path, text, input, ...more) {
  const id = `field-${path.replaceAll(".", "-")}-${Math.random().toString(36).slice(2, 7)}`;
  Object.assign(input, { id });
  input.setAttribute("aria-describedby", `${id}-note ${id}-error`);
  const name = path.split(".").pop();
  return element("div", { className: "field", dataset: { path } }, [
    element("label", { htmlFor: id }, [element("span", { className: "name" }, name)]),
    input,
    element("small", { id: `${id}-note` }, text.replaceAll("`", "")),
    ...more,
    element("p", { id: `${id}-error`, className: "error", role: "alert" }),
  ]);
}

export function showError(node, text) {
  node.querySelector(":scope > .error").textContent = text;
  const inputs = [":scope > input", ":scope > select", ":scope > button"].map((kind) => node.querySelector(kind));
  inputs.find(Boolean).setAttribute("aria-invalid", text ? "true" : "false");
}

// Show beside every field what is wrong with it by its own range, and nothing else.
export function judgeAll(root) {
  for (const node of root.querySelectorAll(".field")) {
    showError(node, "");
    node.querySelector(":scope > input")?.dispatchEvent(new Event("input"));
  }
}

export const firstWrong = (root) =>
  [...root.querySelectorAll("[aria-invalid=true]")].find((input) => input.offsetParent);

// Put what the service refused beside its field, or beside the nearest one that contains it; says whether there was one.
export function placeError(root, path, text) {
  for (let at = path; at; at = at.includes(".") ? at.slice(0, at.lastIndexOf(".")) : "") {
    const node = [...root.querySelectorAll(".field")].find((n) => n.dataset.path === at && n.offsetParent !== null);
    if (node) {
      showError(node, text);
      return node;
    }
  }
  return null;
}
