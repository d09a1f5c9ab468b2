/** Lists of names on the command line: commas part them, unless a path that is there has some. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAlgorithms, parseList } from "../../cli/options.ts";
import { makeFolders } from "./run-cli.ts";

const folder = makeFolders()();
const at = (name: string): string => join(folder, name);
mkdirSync(at("d,e"));
for (const name of ["a,b.yaml", "c.yaml", "d,e/x,y.js", "n,m.onnx"]) writeFileSync(at(name), "");

describe("a list", () => {
  it.each([
    ["a , b", ["a", "b"]],
    [`${at("a,b.yaml")},park-paper`, [at("a,b.yaml"), "park-paper"]],
    [`park-paper, ${at("a,b.yaml")} ,${at("c.yaml")}`, ["park-paper", at("a,b.yaml"), at("c.yaml")]],
    [`${at("no,where.yaml")}`, [at("no"), "where.yaml"]],
  ])("%s", (text, names) => {
    expect(parseList(text)).toEqual(names);
  });

  it("says what it has twice, and leaves nothing out in silence", () => {
    expect(() => parseAlgorithms("cubic,bbr,cubic")).toThrow("got `cubic` twice, expected each once.");
    expect(() => parseList("park-paper,park-paper")).toThrow("got `park-paper` twice");
    expect(parseAlgorithms("all,cubic"), "one of all").toEqual(["cubic", "vegas", "bbr", "reno"]);
    expect(parseAlgorithms("vegas,vegas:alpha=3")).toEqual(["vegas", "vegas:alpha=3"]);
  });

  it("of contenders keeps parameters and paths", () => {
    const text = `cubic,vegas:alpha=2,beta=4,onnx:${at("n,m.onnx")},${at("d,e/x,y.js")}:k=1,j=2,agent:${at("d,e")}`;
    expect(parseAlgorithms(text)).toEqual([
      "cubic",
      "vegas:alpha=2,beta=4",
      `onnx:${at("n,m.onnx")}`,
      `${at("d,e/x,y.js")}:k=1,j=2`,
      `agent:${at("d,e")}`,
    ]);
  });
});
