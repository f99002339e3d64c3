/**
 * The Cilium charts, out of the project's Go module: the module proxy is the one place that has every
 * release with a checksum. Only the chart's folder and the CRDs are kept.
 */
import { chmodSync, cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Cache } from '../cache.ts';
import { runGo } from '../go-tool.ts';
import { Skipped } from '../skipped.ts';
import type { RealChart } from './helm.ts';

const MODULE = 'github.com/cilium/cilium';
const CHART = 'install/kubernetes/cilium';
/** The agent creates them, so the chart has none. */
const CRDS = 'pkg/k8s/apis/cilium.io/client/crds';

/** One release of every minor, and its checksum as a go.sum has it. */
const MINORS: Readonly<Record<string, string>> = {
  '1.14.19': 'h1:EwDuGrnze8Z6nqrR4cmcqfIi/yQQgtbWl/h4nhhtnCc=',
  '1.15.19': 'h1:paLLN6chvDJiW9FB31c2KHdtFbkFB6QsVxgvLHN9XHs=',
  '1.16.5': 'h1:ecjhh98fl6Ki641+8Cdb0oynsy3toQ+oPLCSI3d+KLE=',
  '1.16.19': 'h1:t8UqCIzIeRuKOEZ9B5kj8usoVtjxMA1Z3dKVUMxozL0=',
  '1.17.8': 'h1:xP8+IETIWFig5OyVwdCzc0SGQXjJbBZ14KHq7TB4vF8=',
  '1.18.11': 'h1:8KV/ntPoZ6nRMW1l+AVbvkbvIHJhv2ZiBFJD5MEEthg=',
  '1.19.6': 'h1:2G0yzfral3u6v56dY3tx2pT4U1sbMXDSKTBlGBYgRGo=',
  '1.20.2': 'h1:dqiEGIcXc+gqCLYG/l7VCFJ8GHyb4HUrwbZOpkX5dL8=',
};

/** Both sides of what changed inside a minor: removed values that fail from 1.15.8 and 1.16.2 on. */
const EDGES: Readonly<Record<string, string>> = {
  '1.15.7': 'h1:7LwGfAW/fR/VFcm6zlESjE2Ut5vJWe+kdWq3RNJrNRc=',
  '1.15.8': 'h1:D5OTWI1hasi9YiIVAE3elUVXkFavON2rNwk1Mry3PZI=',
  '1.16.1': 'h1:7FiLrRJbO3d/RE423FUN0GxhrFDQBYRwr1veHN7uBys=',
  '1.16.2': 'h1:c/SMeMOp6VD6OuzNQ35dyqKFemT/T3jgSDnABFimhHA=',
};

export interface Charts {
  readonly minors: readonly RealChart[];
  readonly edges: readonly RealChart[];
}

/** Charts that cannot be had are named to `skip`; no chart at all skips the part. */
export function obtainCharts(cache: Cache, skip: (what: string, why: string) => void): Charts {
  const obtain = (pins: Readonly<Record<string, string>>): readonly RealChart[] =>
    Object.entries(pins).flatMap(([version, sum]) => {
      try {
        const release = obtainRelease(cache, version, sum);
        return [{ version, directory: join(release, 'chart'), crds: join(release, 'crds') }];
      } catch (error) {
        if (!(error instanceof Skipped)) throw error;
        skip(`chart ${version}`, error.message);
        return [];
      }
    });
  const minors = obtain(MINORS);
  if (minors.length === 0) throw new Skipped('no chart of Cilium can be had here');
  return { minors, edges: obtain(EDGES) };
}

function obtainRelease(cache: Cache, version: string, sum: string): string {
  return cache.entry(`cilium-${version}`, `fetching Cilium ${version}`, () => {
    const { failed, told, output } = runGo(
      ['mod', 'download', '-json', `${MODULE}@v${version}`],
      cache.fresh,
      // The checksum is compared here, so no other server need be asked for it.
      { env: { GONOSUMDB: MODULE, GOFLAGS: '-mod=mod' } },
    );
    if (failed) throw new Skipped(`the module proxy does not give it: ${errorIn(output) ?? told}`);
    // What `go mod download -json` prints.
    const module = JSON.parse(output) as { readonly Dir: string; readonly Sum: string };
    if (module.Sum !== sum) {
      throw new Error(`${MODULE} v${version} is not what was pinned: ${module.Sum}, not ${sum}`);
    }
    cpSync(join(module.Dir, CHART), join(cache.fresh, 'chart'), { recursive: true });
    cpSync(join(module.Dir, CRDS), join(cache.fresh, 'crds'), { recursive: true });
    makeWritable(cache.fresh);
  });
}

function errorIn(output: string): string | undefined {
  return /"Error": "([^"]*)"/.exec(output)?.[1]?.replaceAll('\\n', ' ').replaceAll('\\t', ' ');
}

/** The module cache is read-only; ours can be deleted by its owner. */
function makeWritable(directory: string): void {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) makeWritable(path);
    else chmodSync(path, 0o644);
  }
}
