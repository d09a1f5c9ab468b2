/**
 * Scenario objects by the schema that the server itself checks by, with extreme and wrong values among legal ones: bounds and
 * what lies beyond them, huge and tiny numbers, texts for numbers, lists for objects, unknown keys, draws.
 */
import fc from "fast-check";
import * as z from "zod";
import { SCENARIO_SCHEMA } from "../../../scenarios/schema.ts";
import { mended } from "./mended.ts";

type Json = Readonly<Record<string, unknown>>;

/** One value in so many is of another type altogether: an object has some forty. */
const WRONG_ONE_IN = 300;
/** One number in so many is drawn. */
const DRAWN_ONE_IN = 50;
/** One object in so many has a key that the schema does not know. */
const STRANGE_KEY_ONE_IN = 120;
/** Of the properties that need not be there. */
const PRESENT_ONE_IN = 4;
/** The deepest place where optional properties still come up. */
const MAX_DEPTH = 7;

const WRONG: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, "", "24Mbps", [], {}, -1, 0, -0, 1e308, -1e308, 5e-324, "__proto__"),
  fc.constantFrom<unknown>(
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    2 ** 53,
    "x".repeat(5_000),
  ),
  fc.string(),
  fc.array(fc.double(), { maxLength: 5 }),
);

const NAMES = [
  "cubic",
  "reno",
  "vegas",
  "bbr",
  "test",
  "cubik",
  "native-cubic",
  "vegas:alpha=3",
  "forward",
  "hop",
];

/** What most scenarios are made of. */
const MODERATE = [0.001, 2_000] as const;

function logUniform(low: number, high: number): fc.Arbitrary<number> {
  const from = Math.max(low, high * 1e-9, 1e-9);
  return fc
    .double({ min: 0, max: 1, noNaN: true })
    .map((at) => (high > from ? from * (high / from) ** at : high));
}

function between(low: number, high: number): fc.Arbitrary<number> {
  return fc.oneof(
    {
      weight: 30,
      arbitrary: logUniform(Math.max(low, MODERATE[0]), Math.max(low, Math.min(high, MODERATE[1]))),
    },
    { weight: 3, arbitrary: logUniform(low, high) },
    { weight: 1, arbitrary: fc.constantFrom(low, high) },
  );
}

function boundsOf(schema: Json): readonly [number, number] {
  const low = Number(schema["minimum"] ?? schema["exclusiveMinimum"] ?? -1e6);
  const { exclusiveMaximum } = schema;
  const high =
    exclusiveMaximum === undefined ? Number(schema["maximum"] ?? 1e6) : Number(exclusiveMaximum) * 0.999;
  return [low, high];
}

function numbers(schema: Json): fc.Arbitrary<unknown> {
  const [low, high] = boundsOf(schema);
  const whole = schema["type"] === "integer";
  const inside = between(low, Math.min(high, 1e15)).map((value) =>
    whole ? Math.min(high, Math.max(low, Math.round(value))) : value,
  );
  const beyond = fc.constantFrom(low - 1, low / 2, high * 2, high + 1, low + 1e-12, 0.5, 1e-12, 1e-300);
  return fc.oneof({ weight: 60, arbitrary: inside }, { weight: 1, arbitrary: beyond });
}

function ofType(schema: Json, depth: number): fc.Arbitrary<unknown> {
  if ("const" in schema) return fc.constant(schema["const"]);
  if (Array.isArray(schema["enum"])) return fc.constantFrom(...(schema["enum"] as unknown[]));
  const options = (schema["anyOf"] ?? schema["oneOf"]) as Json[] | undefined;
  if (options !== undefined) {
    return fc.oneof(...options.map((option) => anything(option, depth)));
  }
  switch (schema["type"]) {
    case "number":
    case "integer":
      return numbers(schema);
    case "string":
      return fc.oneof(
        { weight: 30, arbitrary: fc.constantFrom(...NAMES) },
        { weight: 1, arbitrary: fc.string() },
      );
    case "boolean":
      return fc.boolean();
    case "array":
      return fc.oneof(
        { weight: 12, arbitrary: arrays(schema, depth, 3) },
        { weight: 1, arbitrary: arrays(schema, depth, 60) },
      );
    case "object":
      return objects(schema, depth);
    default:
      // what JSON Schema cannot say: the opportunities of a trace
      return fc.array(fc.nat(5_000), { minLength: 1, maxLength: 50 });
  }
}

function anything(schema: Json, depth: number): fc.Arbitrary<unknown> {
  const isNumber = schema["type"] === "number" || schema["type"] === "integer";
  return fc.oneof(
    { weight: WRONG_ONE_IN, arbitrary: ofType(schema, depth) },
    { weight: isNumber ? WRONG_ONE_IN / DRAWN_ONE_IN : 1, arbitrary: draws(schema) },
    { weight: 1, arbitrary: WRONG },
  );
}

function arrays(schema: Json, depth: number, maxLength: number): fc.Arbitrary<unknown> {
  const minLength = Number(schema["minItems"] ?? 0);
  const entry = anything(schema["items"] as Json, depth + 1);
  return fc.oneof(
    { weight: 30, arbitrary: fc.array(entry, { minLength, maxLength }) },
    { weight: 1, arbitrary: fc.array(entry, { maxLength }) },
  );
}

function objects(schema: Json, depth: number): fc.Arbitrary<unknown> {
  const properties = (schema["properties"] ?? {}) as Record<string, Json>;
  const needed = new Set((schema["required"] as string[] | undefined) ?? []);
  const arbitraries = Object.entries(properties).map(([key, value]) => {
    const there = anything(value, depth + 1);
    if (needed.has(key)) return there;
    if (depth > MAX_DEPTH) return fc.constant(undefined);
    return fc.oneof(
      { weight: PRESENT_ONE_IN - 1, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: there },
    );
  });
  const keys = Object.keys(properties);
  const known = fc
    .tuple(...arbitraries)
    .map((values) =>
      Object.fromEntries(values.flatMap((value, i) => (value === undefined ? [] : [[keys[i]!, value]]))),
    );
  const further = schema["additionalProperties"];
  const named =
    further !== null && typeof further === "object"
      ? fc
          .dictionary(fc.constantFrom("hop", "a", "forward", "x"), anything(further as Json, depth + 1), {
            maxKeys: 2,
          })
          .chain((named) => known.map((object) => ({ ...object, ...named })))
      : known;
  return fc.oneof(
    { weight: STRANGE_KEY_ONE_IN, arbitrary: named },
    {
      weight: 1,
      arbitrary: fc
        .tuple(named, fc.string(), WRONG)
        .map(([object, key, value]) => ({ ...object, [key]: value })),
    },
  );
}

function draws(schema: Json): fc.Arbitrary<unknown> {
  const [low, high] = boundsOf(schema);
  const inside = between(Math.max(low, 1e-6), Math.min(high, 1e6));
  const numbersOf = fc.tuple(inside, inside).map(([a, b]) => (a < b ? [a, b] : [b, a]));
  return fc.oneof(
    { weight: 4, arbitrary: numbersOf.map((uniform) => ({ uniform })) },
    { weight: 4, arbitrary: numbersOf.map((logUniform) => ({ logUniform })) },
    fc.tuple(fc.nat(100), fc.nat(100)).map(([low, more]) => ({ integer: [low, low + more] })),
    fc
      .array(fc.oneof(fc.double(), fc.nat(1000), fc.constantFrom(...NAMES)), { maxLength: 5 })
      .map((choice) => ({ choice })),
    fc.constantFrom<unknown>({ uniform: [2, 1] }, { choice: [] }, { uniform: 1 }, { integer: [0.5, 2] }),
  );
}

const SCHEMA = z.toJSONSchema(SCENARIO_SCHEMA, { io: "input", unrepresentable: "any" });

/** Most are mended where fields contradict each other, or hardly one would run. */
export const scenarioObjects: fc.Arbitrary<unknown> = fc
  .tuple(objects(SCHEMA as Json, 0), fc.nat(9))
  .map(([object, chance]) => (chance === 0 ? object : mended(object)));

/** The object of a case. */
export function scenarioObject(seed: number, index: number): unknown {
  return fc.sample(scenarioObjects, { seed: (seed * 1_000_003 + index) | 0, numRuns: 1 })[0];
}
