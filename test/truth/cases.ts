/**
 * Measured cases: `data/runtime/<runtime>-<version>.json`, one file per runtime. A file holds what
 * differs from containerd 2.0.5 and names the cases that were the same apart from durations. Further
 * cases in their original form are read from the directory that REGAUGE_TRUTH names.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Json {
  readonly [key: string]: unknown;
}

export type FileSetup =
  | string
  | { readonly content: string; readonly mode?: string }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'dir'; readonly entries: Readonly<Record<string, string>> };

export type BinarySetup = string | { readonly script: string; readonly mode?: string };

export interface Step extends Json {
  readonly op: string;
  readonly label?: string;
}

export interface TruthCase {
  readonly id: string;
  readonly group: string;
  readonly description: string;
  readonly setup: {
    readonly files: Readonly<Record<string, FileSetup>>;
    readonly outside?: Readonly<Record<string, string>>;
    readonly binaries: Readonly<Record<string, BinarySetup>>;
    readonly runtimeFiles: Readonly<Record<string, string>>;
    readonly runtimeConfig: { readonly maxConfNum: number; readonly internalLoopback: boolean };
  };
  readonly observed: Json;
  readonly steps: readonly Step[];
}

export interface TruthFile {
  /** `containerd-2.0.5`. */
  readonly name: string;
  readonly kind: 'containerd' | 'cri-o';
  readonly version: string;
  /** The flannel plugin's, where it is not that of the measurements. */
  readonly flannel?: string;
  readonly cases: readonly TruthCase[];
}

interface Packed {
  readonly same: readonly string[];
  readonly cases: readonly TruthCase[];
}

const DATA = fileURLToPath(new URL('data/runtime/', import.meta.url));
const BASE = 'containerd-2.0.5';

export function truthFiles(): readonly TruthFile[] {
  const base = parsed<Packed>(join(DATA, `${BASE}.json`)).cases;
  const known = readdirSync(DATA).map((file) => {
    const { same, cases } = parsed<Packed>(join(DATA, file));
    return fileOf(file, [...base.filter(({ id }) => same.includes(id)), ...cases]);
  });
  return [...known, ...furtherFiles()];
}

function furtherFiles(): readonly TruthFile[] {
  const directory = process.env['REGAUGE_TRUTH'];
  if (directory === undefined) return [];
  const runtime = existsSync(join(directory, 'runtime')) ? join(directory, 'runtime') : directory;
  return readdirSync(runtime)
    .filter((file) => /^(containerd|crio)-.*\.json$/.test(file))
    .map((file) => fileOf(file, parsed<readonly TruthCase[]>(join(runtime, file))));
}

function fileOf(file: string, cases: readonly TruthCase[]): TruthFile {
  const name = file.replace(/\.json$/, '');
  const [kind = '', version = ''] = name.split(/-(.*)/s);
  return { name, kind: kind === 'crio' ? 'cri-o' : 'containerd', version, cases };
}

function parsed<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T; // our own measurements, checked by their use
}
