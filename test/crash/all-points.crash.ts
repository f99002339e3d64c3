/**
 * Goal: every point, once and then once more. A share of them when several of these run side by side
 * (`npm run crash`); prints what is wrong with the kills that show it.
 */
import { describe, expect, it } from 'vitest';
import { hundredNodesCase, incidentCase, k3sCase, smallCase } from './cases.ts';
import { complaints, type CrashCase, runKilled } from './crash-runs.ts';
import type { Kill } from './crashing-ports.ts';
import { allKills, showKills, someKills, twice } from './points.ts';

const [SHARE = 0, SHARES = 1] = (process.env['REGAUGE_CRASH_SHARE'] ?? '0/1')
  .split('/')
  .map(Number);
const SEED = Number(process.env['REGAUGE_CRASH_SEED'] ?? 1);
/** One point out of so many; 1 for all. */
const EVERY = Number(process.env['REGAUGE_CRASH_EVERY'] ?? 1);
const SHOWN = 20;

interface Cluster {
  readonly name: string;
  readonly make: () => CrashCase;
  /** So many points that are drawn, instead of all. */
  readonly sample?: number;
}

const CLUSTERS: readonly Cluster[] = [
  { name: 'three nodes', make: () => smallCase() },
  { name: 'three nodes, rebooted', make: () => smallCase('reboot') },
  { name: 'three nodes, in place', make: () => smallCase('sandbox-restart') },
  { name: 'the seven nodes of the incident', make: () => incidentCase() },
  { name: 'K3s', make: k3sCase, sample: 400 },
  { name: 'a hundred nodes', make: hundredNodesCase, sample: 40 },
];

describe.each(CLUSTERS)('killed anywhere on $name', ({ make, sample }) => {
  it('loses nothing', async () => {
    const crashCase = make();
    const undisturbed = await runKilled(crashCase, []);
    const { calls } = undisturbed;
    const all = sample === undefined ? allKills(calls) : someKills(calls, sample, SEED);
    const mine = all.filter((_kill, index) => index % (SHARES * EVERY) === SHARE * EVERY);
    const wrong: string[] = [];
    const run = async (kills: readonly Kill[]): Promise<void> => {
      const found = complaints(undisturbed, await runKilled(crashCase, kills));
      wrong.push(...found.map((complaint) => `${showKills(kills, calls)}: ${complaint}`));
    };
    for (const kill of mine) {
      await run([kill]);
      await run(twice(kill, SEED, calls.length));
    }
    expect(wrong.slice(0, SHOWN)).toEqual([]);
    process.stdout.write(
      `${mine.length} points of ${all.length}, each once and twice: nothing lost\n`,
    );
  });
});
