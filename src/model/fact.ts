/** A fact is known, with the place it was read, or unknown, with the reason. Never guessed. */
import type { Source } from '../base/source.ts';

export type Fact<T> = Known<T> | Unknown;

export interface Known<T> {
  readonly known: true;
  readonly value: T;
  readonly source: Source;
}

export interface Unknown {
  readonly known: false;
  /** What was not read, in a few words: `machine config of talos-cp-01`. */
  readonly missing: string;
  /** The command that would tell. */
  readonly command?: string;
}

export function known<T>(value: T, source: Source): Known<T> {
  return { known: true, value, source };
}

export function unknown(missing: string, command?: string): Unknown {
  return command === undefined ? { known: false, missing } : { known: false, missing, command };
}

export function valueOr<T>(fact: Fact<T>, fallback: T): T {
  return fact.known ? fact.value : fallback;
}
