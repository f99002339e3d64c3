/**
 * The order of nodes: one canary worker, then workers in growing waves, then control planes one at
 * a time with etcd's leader last. Nodes with replicas of one volume are never in one wave.
 */
import type { PodObject } from '../model/kubernetes.ts';
import type { Situation } from './situation.ts';
import type { StorageFacts } from './storage.ts';

/** Of all workers, at most this share moves together, and never more than the count. */
export const LARGEST_SHARE = 0.1;
export const LARGEST_WAVE = 32;

export interface WaveOptions {
  readonly waveSize: number | undefined;
  readonly etcdLeader: string | undefined;
}

export function wavesOf(
  situation: Situation,
  storage: StorageFacts,
  options: WaveOptions,
): readonly (readonly string[])[] {
  const workers = canaryFirst(situation);
  const largest = largestWave(workers.length, options.waveSize, storage);
  const controlPlanes = situation.controlPlanes
    .map(({ name }) => name)
    .toSorted(
      (left, right) => Number(left === options.etcdLeader) - Number(right === options.etcdLeader),
    );
  return [...growing(workers, largest, storage), ...controlPlanes.map((name) => [name])];
}

/** The worker with the least to lose goes first: few pods, and none that holds a volume. */
function canaryFirst({ workers, podsByNode }: Situation): readonly string[] {
  const weights = new Map(workers.map(({ name }) => [name, weightOf(podsByNode.get(name) ?? [])]));
  const names = workers.map(({ name }) => name);
  const [canary] = names.toSorted(
    (left, right) =>
      (weights.get(left) ?? 0) - (weights.get(right) ?? 0) || (left < right ? -1 : 1),
  );
  return canary === undefined ? [] : [canary, ...names.filter((name) => name !== canary)];
}

const WEIGHT_OF_VOLUME = 20;

function weightOf(pods: readonly PodObject[]): number {
  return pods.reduce((sum, { spec }) => {
    if (spec.hostNetwork === true) return sum;
    const volumes = (spec.volumes ?? []).filter(
      (volume) => volume.persistentVolumeClaim !== undefined,
    );
    return sum + 1 + WEIGHT_OF_VOLUME * volumes.length;
  }, 0);
}

function largestWave(workers: number, wanted: number | undefined, storage: StorageFacts): number {
  if (wanted !== undefined) return Math.max(1, wanted);
  // Where replicas are not known, two nodes could hold the last two of a volume.
  if (storage.present && storage.volumesOf.size === 0) return 1;
  return Math.min(LARGEST_WAVE, Math.max(1, Math.ceil(workers * LARGEST_SHARE)));
}

function growing(
  workers: readonly string[],
  largest: number,
  storage: StorageFacts,
): readonly (readonly string[])[] {
  const waves: string[][] = [];
  let left = [...workers];
  while (left.length > 0) {
    const size = Math.min(largest, 2 ** Math.min(10, waves.length));
    const { wave, rest } = fill(left, size, storage);
    waves.push(wave);
    left = rest;
  }
  return waves;
}

/** The first nodes that share no volume with one another. */
function fill(
  nodes: readonly string[],
  size: number,
  { volumesOf }: StorageFacts,
): { readonly wave: string[]; readonly rest: string[] } {
  const wave: string[] = [];
  const rest: string[] = [];
  const inFlight = new Set<string>();
  for (const node of nodes) {
    const volumes = volumesOf.get(node) ?? new Set<string>();
    const clashes = [...volumes].some((volume) => inFlight.has(volume));
    if (wave.length >= size || clashes) {
      rest.push(node);
      continue;
    }
    wave.push(node);
    for (const volume of volumes) inFlight.add(volume);
  }
  return { wave, rest };
}
