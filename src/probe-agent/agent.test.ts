/** Two agents on the loopback, in processes of their own: paths are answered, and who stood still says so. */
import { afterEach, expect, it } from 'vitest';
import { ProbeLab } from '../../test/support/probe-lab.ts';
import type { ProbeLine } from '../model/probe.ts';

const labs: ProbeLab[] = [];
afterEach(async () => {
  await Promise.all(labs.splice(0).map((lab) => lab.stop()));
});

function started(): ProbeLab {
  const lab = new ProbeLab({ nodes: 2, inNamespaces: false });
  labs.push(lab);
  return lab;
}

function newest(lab: ProbeLab, index: number): ProbeLine | undefined {
  return lab.agent('pod', index).lines.at(-1);
}

/** Without those to a resolver, whose port is not everybody's to open. */
function pathsOf(line: ProbeLine | undefined): ProbeLine['paths'] {
  return (line?.paths ?? []).filter(({ method }) => method !== 'dns');
}

it('every path is answered, by datagrams, held connections, new ones and requests', async () => {
  const lab = started();
  await expect
    .poll(() => pathsOf(newest(lab, 0)).filter(({ sent, lost }) => sent > lost).length, {
      timeout: 30_000,
      interval: 200,
    })
    .toBe(11);
  const line = newest(lab, 0);
  const udp = pathsOf(line).find(({ kind, method }) => kind === 'pod' && method === 'udp');
  expect(udp).toMatchObject({ source: line?.address });
}, 60_000);

it('an agent that was stopped for seconds makes nobody lose anything', async () => {
  const lab = started();
  const isUp = (index: number): boolean => (newest(lab, index)?.upMs ?? 0) > 6_000;
  await expect.poll(() => isUp(0) && isUp(1), { timeout: 40_000, interval: 200 }).toBe(true);
  const held = (): ProbeLine['paths'][number] | undefined =>
    pathsOf(newest(lab, 0)).find(({ kind, method }) => kind === 'service' && method === 'tcp-held');
  const before = held()?.lost;
  const peer = lab.agent('pod', 1).process;
  const at = newest(lab, 1)?.upMs ?? 0;
  peer.kill('SIGSTOP');
  await expect
    .poll(() => held()?.failing !== undefined, { timeout: 20_000, interval: 100 })
    .toBe(true);
  peer.kill('SIGCONT');
  await expect
    .poll(() => (newest(lab, 1)?.upMs ?? 0) - at > 8_000 && held()?.failing === undefined, {
      timeout: 40_000,
      interval: 200,
    })
    .toBe(true);
  expect(newest(lab, 1)?.stoodMs).toBeGreaterThan(600);
  // The service is behind the agent that stood still: what waited for it is unknown.
  expect(held()?.unknown).toBeGreaterThan(0);
  expect(held()?.lost).toBe(before);
  for (const { lost, kind, method } of pathsOf(newest(lab, 1)))
    expect(`${kind} ${method} ${lost}`).toBe(`${kind} ${method} 0`);
}, 120_000);
