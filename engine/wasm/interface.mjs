/**
 * Writes the engine's interface as TypeScript, from what the AssemblyScript compiler knows of its sources: signatures of
 * `index.ts` and `host.ts`, places in classes named `...Words`, members of exported enums. So a wrong word, parameter or
 * number on the host's side is a compile error there.
 */
import { ElementKind } from "assemblyscript";

const WORD_BYTES = 8;
/** Types of `core/units.ts` by the ends of names. */
const UNITS = [
  ["Ns", "Nanos"],
  ["Us", "Micros"],
  ["Bytes", "Bytes"],
  ["bytes", "Bytes"],
];

const upperSnake = (name) => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toUpperCase();

/** @param fromHost what the host passes; what it gets are numbers where these are booleans */
function typeOf(type, name, fromHost) {
  const address = type.getClass()?.prototype.name;
  if (address !== undefined) return `Address<"${address}">`;
  if (fromHost && type.toString() === "bool") return "boolean";
  if (type.toString() === "void") return "void";
  if (type.toString() !== "f64") return "number";
  return UNITS.find(([end]) => name.endsWith(end))?.[1] ?? "number";
}

function signatures(program, file, fromHost) {
  return [...file.exports.values()]
    .filter((element) => element.kind === ElementKind.FunctionPrototype)
    .map((prototype) => {
      const { signature } = program.instancesByName.get(prototype.internalName);
      const names = prototype.functionTypeNode.parameters.map((parameter) => parameter.name.text);
      const parameters = signature.parameterTypes.map((type, i) => {
        return `${names[i]}: ${typeOf(type, names[i], fromHost)}`;
      });
      const returned = typeOf(signature.returnType, prototype.name, false);
      return `  ${prototype.name}(${parameters.join(", ")}): ${returned};`;
    });
}

/** Of what `index.ts` exports. @param program the compiler's, after it has compiled */
export const exportsOf = (program) => signatures(program, program.filesByName.get("index"), true);

export const addressType = `declare const of: unique symbol;
/** Of an object in the module's memory, by its class. */
export type Address<Of extends string> = number & { readonly [of]: Of };
`;

const record = (entries) => `{\n${entries.map(([name, value]) => `  ${name}: ${value},`).join("\n")}\n}`;

/** The compiler's class with its base's members, which are `f64` all. */
function words(prototype) {
  const resolved = prototype.program.instancesByName.get(prototype.internalName);
  const places = [...resolved.members.values()]
    .map((member) => member.instance)
    .filter((property) => property?.isField)
    .map((property) => {
      if (property.type.toString() !== "f64")
        throw new Error(`${prototype.name}.${property.name} is not f64`);
      return [property.name, property.memoryOffset / WORD_BYTES];
    });
  const name = upperSnake(prototype.name.replace(/Words$/, "Word"));
  return [
    `/** Places of the words of \`${prototype.name}\` (${prototype.file.internalName}.ts), f64 each. */`,
    `export const ${name} = ${record(places)} as const;`,
    `export const ${name}_COUNT = ${places.length};\n`,
  ];
}

function membersOf(element) {
  return [...element.members.values()].map((member) => [member.name, Number(member.constantIntegerValue)]);
}

/** Numbers without a gap: the members' names in their order. */
function enumeration(element) {
  const names = membersOf(element).map(([name, value], i) => {
    if (value !== i) throw new Error(`${element.name}.${name} is ${value}, not ${i}`);
    return `"${name}"`;
  });
  return [
    `/** \`${element.name}\` (${element.file.internalName}.ts): members by their numbers. */`,
    `export const ${upperSnake(element.name)}S = [${names.join(", ")}] as const;\n`,
  ];
}

/** What the engine takes the places in a CCP flow's block to be: elsewhere in the bridge, it is a compile error. */
function blockWords(element) {
  const members = membersOf(element);
  const names = members.map(([name]) => `"${name}"`).join(" | ");
  return [
    "/** Places in a CCP flow's block as the engine has them: a compile error if the bridge has them elsewhere. */",
    `export const BLOCK_WORD: Pick<typeof PRIMITIVE & typeof BLOCK, ${names}> = ${record(members)};\n`,
  ];
}

/** @param program the compiler's, after it has compiled */
export function interfaceOf(program) {
  const file = (name) => program.filesByName.get(name);
  const exported = [...program.filesByName.values()]
    .filter(({ internalName }) => !internalName.startsWith("~lib"))
    .flatMap(({ exports }) => [...(exports?.values() ?? [])]);
  const isWords = (element) => element.kind === ElementKind.ClassPrototype && element.name.endsWith("Words");
  const enums = exported.filter((element) => element.kind === ElementKind.Enum);
  return [
    'import type { PRIMITIVE } from "../../ccp-bridge/lang/scope.ts";',
    'import type { BLOCK } from "../../ccp-bridge/datapath/register-arena.ts";',
    'import type { WasmMemory, WasmTable } from "../../ccp-bridge/datapath/wasm-api.ts";',
    'import type { Bytes, Micros, Nanos } from "../../core/units.ts";\n',
    addressType,
    "/** What the host calls. */",
    "export interface EngineExports {",
    "  readonly memory: WasmMemory;",
    "  readonly table: WasmTable;",
    ...exportsOf(program),
    "}\n",
    "/** What the engine calls. */",
    "export type EngineHost = {",
    ...signatures(program, file("host"), false),
    "};\n",
    ...exported.filter(isWords).flatMap(words),
    ...enums.flatMap((element) =>
      element.name === "BlockWord" ? blockWords(element) : enumeration(element),
    ),
  ].join("\n");
}
