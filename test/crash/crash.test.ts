/**
 * Goal: an executor that is killed anywhere, also twice, loses nothing: the next one knows only the
 * cluster, ends as if nobody had been killed, and repeats nothing that must not come twice. Here some
 * points, others every day, and those that once went wrong; `npm run crash` goes through all of them.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { incidentCase, k3sCase, smallCase } from './cases.ts';
import { complaints, type CrashCase, type Crashed, runKilled } from './crash-runs.ts';
import type { Call, Kill } from './crashing-ports.ts';
import { showKills, someKills, twice } from './points.ts';

const MS_PER_DAY = 86_400_000;
/** Another slice every day; the same again with the seed that a failure prints. */
const SEED = Number(process.env['REGAUGE_CRASH_SEED'] ?? Math.floor(Date.now() / MS_PER_DAY));
const SMALL_POINTS = 8;
const SMALL_TWICE = 3;

async function whatIsWrong(
  crashCase: CrashCase,
  undisturbed: Crashed,
  kills: readonly Kill[],
): Promise<readonly string[]> {
  const found = complaints(undisturbed, await runKilled(crashCase, kills));
  const where = `seed ${SEED}, killed ${showKills(kills, undisturbed.calls)}`;
  return found.map((complaint) => `${where}: ${complaint}`);
}

/** The first call that this is true of, and any one that comes so many later. */
function numberOf({ calls }: Crashed, test: (call: Call) => boolean): number {
  const index = calls.findIndex(test);
  expect(index).toBeGreaterThanOrEqual(0);
  return index + 1;
}

describe('an executor that is killed', () => {
  const small = smallCase();
  let undisturbed: Crashed;

  beforeAll(async () => {
    undisturbed = await runKilled(small, []);
  });

  it('is compared with one that nobody killed and that ended well', () => {
    expect(complaints(undisturbed, undisturbed)).toEqual([]);
  });

  it(`loses nothing at any of ${SMALL_POINTS} points (seed ${SEED})`, async () => {
    for (const kill of someKills(undisturbed.calls, SMALL_POINTS, SEED))
      expect(await whatIsWrong(small, undisturbed, [kill])).toEqual([]);
  });

  it(`loses nothing when the next one is killed too (seed ${SEED})`, async () => {
    for (const kill of someKills(undisturbed.calls, SMALL_TWICE, SEED + 1)) {
      const kills = twice(kill, SEED, undisturbed.calls.length);
      expect(await whatIsWrong(small, undisturbed, kills)).toEqual([]);
    }
  });

  it('does not put the first values back when it was killed after the final ones', async () => {
    const upgrades = undisturbed.calls.flatMap(({ method }, index) =>
      method === 'upgradeOrInstall' ? [index + 1] : [],
    );
    expect(upgrades.length).toBeGreaterThan(2);
    const call = (upgrades[1] ?? 0) + 20;
    expect(await whatIsWrong(small, undisturbed, [{ call, when: 'before' }])).toEqual([]);
  });

  it('does not restart an agent again that has read the label and is on its way', async () => {
    const call = numberOf(
      undisturbed,
      ({ method, subject }) => method === 'delete' && subject.startsWith('Pod kube-system/cilium'),
    );
    expect(await whatIsWrong(small, undisturbed, [{ call, when: 'after' }])).toEqual([]);
  });

  it('leaves no second lease, plan or record behind when it was killed at the very beginning', async () => {
    for (const call of [3, 8, 10])
      expect(await whatIsWrong(small, undisturbed, [{ call, when: 'after' }])).toEqual([]);
  });
});

describe('an executor that is killed while nodes reboot', () => {
  const small = smallCase('reboot');
  let undisturbed: Crashed;

  beforeAll(async () => {
    undisturbed = await runKilled(small, []);
  });

  it('does not reboot a node twice, and leaves none cordoned', async () => {
    const call = numberOf(undisturbed, ({ method }) => method === 'reboot');
    for (const kill of [
      { call, when: 'before' },
      { call, when: 'after' },
      { call: call + 3, when: 'before' },
    ] as const)
      expect(await whatIsWrong(small, undisturbed, [kill])).toEqual([]);
  });
});

describe('an executor that is killed while the services of K3s restart', () => {
  it('tells and restarts them to the end, whether or not it heard that one was', async () => {
    const cluster = k3sCase();
    const undisturbed = await runKilled(cluster, []);
    const told = numberOf(undisturbed, ({ subject }) => subject.includes('config.yaml.d'));
    const call = numberOf(undisturbed, ({ method }) => method === 'restartService');
    for (const kill of [
      { call: told + 1, when: 'after' },
      { call, when: 'before' },
      { call, when: 'after' },
      { call: call + 3, when: 'before' },
    ] as const)
      expect(await whatIsWrong(cluster, undisturbed, [kill])).toEqual([]);
  });
});

describe('an executor that is killed on the seven nodes of the incident', () => {
  it(`loses nothing (seed ${SEED})`, async () => {
    const incident = incidentCase();
    const undisturbed = await runKilled(incident, []);
    for (const kill of someKills(undisturbed.calls, 1, SEED + 2))
      expect(await whatIsWrong(incident, undisturbed, [kill])).toEqual([]);
  });
});
