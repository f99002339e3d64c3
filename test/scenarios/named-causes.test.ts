/**
 * Goal: each failure's chain ends in a named cause. What somebody did (a client, helm, Talos) may
 * stand behind a cause, and never instead of one.
 */
import { expect, it } from 'vitest';
import { replay } from './replay.ts';

it('as it was done, every failure leads to hazards and to nothing else', async () => {
  const { rehearsal } = await replay();
  const named = new Set(
    rehearsal.causes.filter(({ covers }) => covers.length > 0).map(({ id }) => id),
  );
  const unnamed = rehearsal.failures.filter(
    ({ rootCauses }) => rootCauses.length === 0 || rootCauses.some((cause) => !named.has(cause)),
  );
  expect(rehearsal.failures.length).toBeGreaterThan(100);
  expect(unnamed).toEqual([]);
});

it('pods that are stuck lead to the conf nobody wrote, to Flannel removed early, and to the upgrade', async () => {
  const { rehearsal } = await replay();
  const modes = new Map(rehearsal.causes.map(({ id, covers }) => [id, covers]));
  const stuck = rehearsal.failures.filter(
    ({ symptom, message }) =>
      symptom === 'pod-container-creating' && message.includes('subnet.env'),
  );
  expect(stuck.length).toBeGreaterThan(40);
  for (const { rootCauses } of stuck) {
    const covered = rootCauses.flatMap((cause) => modes.get(cause) ?? []);
    expect(covered).toEqual(expect.arrayContaining(['FM-01', 'FM-53', 'FM-62']));
  }
});
