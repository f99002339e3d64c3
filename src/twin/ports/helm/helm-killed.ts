/**
 * A Helm that is killed at its work: the machine that ran it went down, or somebody's patience. What it
 * had written by then stays, and its record goes on saying that it is at it (`helm:pkg/action`: the
 * record is written before the first object, and set right after the last).
 */
import { RegaugeError } from '../../../base/errors.ts';
import type { Releases } from './helm-records.ts';

const fates = new WeakMap<Releases, { left: number }>();

/** The next run that writes to one of the releases is killed after so many objects, at the latest at its end. */
export function killNextHelm(releases: Releases, afterWrites: number): void {
  fates.set(releases, { left: afterWrites });
}

/** What one run meets: called before each object, and at the end. */
export interface Fate {
  beforeWrite(): void;
  atEnd(): void;
}

export class HelmKilled extends Error {}

export function fateOf(releases: Releases): Fate {
  const fate = fates.get(releases);
  fates.delete(releases);
  return {
    beforeWrite: () => {
      if (fate === undefined) return;
      if (fate.left === 0) throw new HelmKilled();
      fate.left -= 1;
    },
    atEnd: () => {
      if (fate !== undefined) throw new HelmKilled();
    },
  };
}

/** What whoever waited for it is told: nobody knows what it did. */
export function helmWasKilled(what: string): RegaugeError {
  return new RegaugeError('unreachable', `helm ${what} was ended before it had said how it went`);
}
