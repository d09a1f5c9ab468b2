/** What `ccpark explain` knows of a name, and what it is asked for. */
import { isModulePath } from "../../../core/module-path.ts";

export interface Dimension {
  readonly name: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  /** names that the numbers stand for: one of them is given */
  readonly choices?: readonly string[];
  readonly definition: string;
}

/** One name and what there is to know about it. */
export interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly source?: string;
  readonly isDefault?: boolean;
  /** vectors: one row per dimension; scalars: one row */
  readonly dimensions?: readonly Dimension[];
  /** in the order of their numbers, from 0 */
  readonly choices?: readonly { readonly name: string; readonly definition: string }[];
  /** names that are one of its values, by which it is found, too */
  readonly values?: readonly string[];
  /** of a learner, with the default of `train` */
  readonly options?: readonly {
    readonly name: string;
    readonly values: string;
    readonly default: unknown;
    readonly definition: string;
  }[];
  /** for a reader, such as `history: 5 frames` */
  readonly facts?: readonly string[];
  /** for a program: only in JSON */
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface Selection {
  /** one of the topic, or a user's module; of a preset or grid also its members */
  readonly name?: string;
  /** members of all presets too */
  readonly expand: boolean;
}

export const modulesIn = (name: string | undefined): string[] =>
  name !== undefined && isModulePath(name) ? [name] : [];

export function range(low: number, high: number): string {
  const bound = (value: number): string =>
    Number.isFinite(value) ? String(Number(value.toPrecision(6))) : value > 0 ? "inf" : "-inf";
  return `${bound(low)} to ${bound(high)}`;
}
