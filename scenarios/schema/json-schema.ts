/**
 * The scenario schema as JSON Schema, for programs that write scenarios: as a template, so that a distribution may stand for
 * any value and what has a default may be left out. What holds between fields is not in it: the server checks that.
 */
import * as z from "zod";
import { SCENARIO_SCHEMA } from "../schema.ts";

type Json = { readonly [key: string]: unknown };

const range = (item: string): Json => ({
  type: "array",
  items: { type: item },
  minItems: 2,
  maxItems: 2,
});

/** A value that a seed draws. */
const DRAW: Json = {
  oneOf: [
    { properties: { uniform: range("number") }, required: ["uniform"] },
    { properties: { logUniform: range("number") }, required: ["logUniform"] },
    { properties: { integer: range("integer") }, required: ["integer"] },
    {
      properties: {
        choice: { type: "array", minItems: 1 },
        weights: { type: "array", items: { type: "number", minimum: 0 } },
      },
      required: ["choice"],
    },
  ].map((each) => ({ type: "object", additionalProperties: false, ...each })),
};

/** Shorthand of templates, by the field beside which it stands. */
const SHORTHAND: Readonly<Record<string, Json>> = {
  queue: {
    bdp: { type: "number", exclusiveMinimum: 0, description: "bandwidth-delay products of the link" },
    ms: { type: "number", exclusiveMinimum: 0, description: "time that a full queue takes to drain, ms" },
  },
  "": {
    rttMs: { type: "number", exclusiveMinimum: 0, description: "instead of propagationDelayMs" },
    extends: { type: "string", description: "name of a preset whose fields hold where none is given" },
  },
};

const isObject = (value: unknown): value is Json =>
  value !== null && typeof value === "object" && !Array.isArray(value);

function drawable(schema: unknown, name: string): unknown {
  if (isObject(schema) && "const" in schema) return schema;
  return { anyOf: [templated(schema, name), { $ref: "#/$defs/draw" }] };
}

/** @param name of the field that the schema is of; "": the scenario itself */
function templated(schema: unknown, name: string): unknown {
  if (Array.isArray(schema)) return schema.map((each) => templated(each, name));
  if (!isObject(schema)) return schema;
  const { required, properties, items, additionalProperties, ...rest } = schema;
  const own: Record<string, unknown> = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [
      key,
      ["anyOf", "oneOf", "allOf"].includes(key) ? templated(value, name) : value,
    ]),
  );
  if (isObject(properties)) {
    const fields = { ...properties, ...SHORTHAND[name] };
    own["properties"] = Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, drawable(value, key)]),
    );
  }
  if (items !== undefined) own["items"] = drawable(items, "entry");
  if (additionalProperties !== undefined) {
    own["additionalProperties"] = isObject(additionalProperties)
      ? drawable(additionalProperties, "entry")
      : additionalProperties;
  }
  // a `kind` tells objects apart; the rest has defaults or comes from the preset that is extended
  if (Array.isArray(required) && required.includes("kind")) own["required"] = ["kind"];
  return own;
}

/** JSON Schema (2020-12). */
export function scenarioJsonSchema(): Json {
  const plain = z.toJSONSchema(SCENARIO_SCHEMA, { io: "input", unrepresentable: "any" });
  return { ...(templated(plain, "") as Json), title: "Scenario", $defs: { draw: DRAW } };
}
