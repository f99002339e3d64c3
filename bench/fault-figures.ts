/**
 * A sweep of faults with two workers against rehearsals one after the other in one warm process: the
 * same cases, in the same run. What threads cost to start and to speak to is in it.
 */
import { rehearser } from '../src/cli/faults/sweep-worker.ts';
import { sweepNodesOf } from '../src/cli/faults/sweep.ts';
import { planFor, rehearse } from '../src/cli/rehearsal-session.ts';
import { FAULTS } from '../src/twin/faults/registry.ts';
import { postMortemInput } from '../test/support/post-mortem-input.ts';
import { timeProcess } from './process.ts';
import { type Figure, ratioFigure } from './table.ts';

const SCENARIO = 'scenarios/post-mortem';
const WARM_UP = 15;
/** Cases that are rehearsed in this process, evenly over those of the sweep. */
const IN_PROCESS = 60;
const LIMIT = 0.6;

export async function faultFigures(
  regauge: string,
  rehearsals: number,
): Promise<readonly Figure[]> {
  const input = postMortemInput();
  const { plan } = planFor(input);
  const faults = FAULTS.map(({ id }) => id);
  const one = rehearser(input, { plan, nodes: sweepNodesOf(input), faults, seed: 1 });
  for (let index = 0; index < WARM_UP; index += 1) await one(index);
  const apart = Math.max(1, Math.floor(rehearsals / IN_PROCESS));
  const alone = await meanOf(IN_PROCESS, (index) => one(index * apart));
  const plain = await meanOf(IN_PROCESS / 2, (index) => rehearse({ input, plan, seed: index + 1 }));
  const swept = timeProcess(
    [
      regauge,
      'rehearse',
      `${SCENARIO}/cluster.yaml`,
      `--target=${SCENARIO}/target.yaml`,
      '--cilium-version=1.16.5',
      '--faults',
      `--rehearsals=${rehearsals}`,
      '--workers=2',
      '--output=json',
    ],
    1,
    // 1: some case broke, which is another row's business.
    { status: [0, 1], stdout: /"kind": "FaultSweep"/ },
  );
  const note = ` (${(swept.milliseconds / 1000).toFixed(0)} s / ${rehearsals} × ${alone.toFixed(0)} ms; without faults one takes ${plain.toFixed(0)} ms)`;
  return [
    ratioFigure(
      `fault sweep, 7 nodes, ${rehearsals} rehearsals, 2 workers, against one after the other`,
      swept.milliseconds / (rehearsals * alone),
      LIMIT,
      note,
    ),
  ];
}

async function meanOf(times: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  for (let index = 0; index < times; index += 1) await work(index);
  return (performance.now() - startedAt) / times;
}
