/** Which specification versions a plugin answers, by its own version. */
import { VERSIONS_UNTIL_0_4, VERSIONS_UNTIL_1_0, VERSIONS_UNTIL_1_1 } from './skeleton.ts';

const FLANNEL = /^(\d+)\.(\d+)\.(\d+)(?:-flannel(\d+))?/;
const REFERENCE = /^(\d+)\.(\d+)/;

/** Reference plugins carry libcni ≥ 1.2 from 1.6.0 on (`plugins:go.mod` by tag). */
export const referenceVersions = remembered((version) => {
  const match = REFERENCE.exec(version);
  const isNew = match === null || isAtLeast([Number(match[1]), Number(match[2])], [1, 6]);
  return isNew ? VERSIONS_UNTIL_1_1 : VERSIONS_UNTIL_1_0;
});

/** The firewall plugin answers from 0.4.0 on. */
export const firewallVersions = remembered((version) => referenceVersions(version).slice(4));

/** The flannel plugin carries libcni ≥ 1.2 from 1.5.0 on (`flannel-cni:go.mod` by tag). */
export const flannelVersions = remembered((version) => {
  if (isReferenceFlannel(version)) return VERSIONS_UNTIL_0_4;
  const isNew = version === '' || flannelAtLeast(version, [1, 5, 0, 0]);
  return isNew ? VERSIONS_UNTIL_1_1 : VERSIONS_UNTIL_1_0;
});

/** Until 0.9.1 it was one of the reference plugins, on libcni 0.8 (`plugins:go.mod@v0.9.1`). */
export function isReferenceFlannel(version: string): boolean {
  return FLANNEL.test(version) && !flannelAtLeast(version, [1, 0, 0, 0]);
}

/** `1.7.1-flannel2` against `[1, 7, 1, 2]`; an unknown version counts as old. */
export function flannelAtLeast(version: string, floor: readonly number[]): boolean {
  const match = FLANNEL.exec(version);
  if (match === null) return false;
  return isAtLeast(
    [1, 2, 3, 4].map((index) => Number(match[index] ?? 0)),
    floor,
  );
}

function isAtLeast(numbers: readonly number[], floor: readonly number[]): boolean {
  for (const [index, least] of floor.entries()) {
    const number = numbers[index] ?? 0;
    if (number !== least) return number > least;
  }
  return true;
}

/** Every call of a plugin asks for the same few versions. */
function remembered<T>(make: (version: string) => T): (version: string) => T {
  const known = new Map<string, T>();
  return (version) => {
    const before = known.get(version);
    if (before !== undefined) return before;
    const made = make(version);
    known.set(version, made);
    return made;
  };
}
