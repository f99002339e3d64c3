/**
 * Loads a bundle that the build wrote, with the code V8 compiled when the build tried it out: that
 * spares most of a start. A cache of another Node, platform or set of V8 flags is not taken, and
 * the bundle is compiled as usual. Bundles are CommonJS in a function, and need built-ins only.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';

export interface Bundle {
  readonly script: Script;
  readonly exports: unknown;
}

type BundleFunction = (
  exports: unknown,
  require: (id: string) => unknown,
  module: { exports: unknown },
) => void;

const loaded = new Map<string, Bundle>();

/** What the bundle exports; a bundle is run once. `name` is its file in the folder, as `app.js`. */
export function loadBundle(folder: string, name: string): unknown {
  return bundleOf(folder, name).exports;
}

/** All bundles that were loaded, by file. */
export function loadedBundles(): ReadonlyMap<string, Bundle> {
  return loaded;
}

/** Where the compiled code of a bundle lies; V8 itself checks its version and flags besides. */
export function codeCachePath(bundle: string): string {
  return bundle.replace(/js$/, `${process.version}-${process.platform}-${process.arch}.cache`);
}

function bundleOf(folder: string, name: string): Bundle {
  const file = join(folder, name);
  const known = loaded.get(file);
  if (known !== undefined) return known;
  // The build writes ASCII, which is read fastest as Latin 1.
  const source = readFileSync(file, 'latin1');
  const cachedData = readIfThere(codeCachePath(file));
  const script = new Script(
    source,
    cachedData === undefined ? { filename: file } : { filename: file, cachedData },
  );
  const run = script.runInThisContext() as BundleFunction; // as scripts/build.mjs wraps them
  const module = { exports: {} };
  run(module.exports, (id) => required(folder, id), module);
  const bundle = { script, exports: module.exports };
  loaded.set(file, bundle);
  return bundle;
}

function required(folder: string, id: string): unknown {
  if (id.endsWith('.json')) return JSON.parse(readFileSync(join(folder, id), 'latin1'));
  if (id.startsWith('./')) return loadBundle(folder, id.slice(2));
  const builtin: unknown = process.getBuiltinModule(id);
  if (builtin !== undefined) return builtin;
  // Libraries try optional packages, and know this code.
  throw Object.assign(new Error(`Cannot find module '${id}'`), { code: 'MODULE_NOT_FOUND' });
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
