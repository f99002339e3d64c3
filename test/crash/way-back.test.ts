/**
 * Goal: going back survives what going there does: whoever takes a migration back is killed anywhere,
 * and the next one, who knows only the cluster, ends as if nobody had been killed.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { clusterBackups } from '../../src/engine/backups.ts';
import { beginningOf, migrate } from '../../src/engine/run/migration.ts';
import { reachedSteps } from '../../src/engine/run/reached-steps.ts';
import { RunControl } from '../../src/engine/run/run-control.ts';
import type { RunResult } from '../../src/engine/run-plan.ts';
import type { Plan } from '../../src/model/plan.ts';
import { rollbackPlan } from '../../src/planner/rollback-plan.ts';
import type { Ports } from '../../src/ports/index.ts';
import { createTwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { createProber } from '../../src/twin/ports/prober.ts';
import { buildWorld, type TwinWorld } from '../../src/twin/scenario/build-world.ts';
import { smallCase } from './cases.ts';
import { type Call, crashingPorts, type Kill } from './crashing-ports.ts';
import { differences, type EndState, endState } from './end-state.ts';
import { showKills, someKills } from './points.ts';

const MS_PER_DAY = 86_400_000;
const SEED = Number(process.env['REGAUGE_CRASH_SEED'] ?? Math.floor(Date.now() / MS_PER_DAY));
const POINTS = 6;
const SETTLE_MS = 60_000;

interface Back {
  readonly result: RunResult;
  readonly state: EndState;
  readonly calls: readonly Call[];
}

const { input, plan, newPool } = smallCase();

/** There as far as the step, then back, by executors of which each but the last is killed. */
async function backFrom(last: string, kills: readonly Kill[]): Promise<Back> {
  const { world } = buildWorld(input, { seed: 1 });
  const ports: Ports = { ...createTwinPorts(world), prober: createProber(world) };
  const end = plan.steps.findIndex(({ id }) => id === last);
  const part: Plan = { ...plan, steps: plan.steps.slice(0, end + 1) };
  const calls: Call[] = [];
  let killed = 0;
  const result = await world.kernel.drive(async () => {
    const there = await execute(world, ports, part, 'there');
    expect(there.outcome).toBe('done');
    for (const kill of [...kills, undefined]) {
      const executor = crashingPorts(
        ports,
        kill,
        (call) => void (killed === 0 && calls.push(call)),
        () => undefined,
      );
      const ended = await Promise.race([
        goBack(world, executor.ports, part, `back-${killed}`),
        executor.killed,
      ]);
      if (ended !== 'killed') {
        await ports.clock.sleep(SETTLE_MS);
        return ended;
      }
      killed += 1;
    }
    throw new Error('the last executor was killed too');
  });
  return { result, state: endState(world, newPool), calls };
}

/** As the command does: one that is under way is gone on with. */
async function goBack(
  world: TwinWorld,
  ports: Ports,
  there: Plan,
  holder: string,
): Promise<RunResult> {
  const { plan: kept } = await beginningOf(ports.kubernetes, undefined);
  if (kept.takesBack !== undefined) return execute(world, ports, kept, holder);
  const reached = await reachedSteps(there, ports, clusterBackups(ports.kubernetes, there.id));
  return execute(world, ports, rollbackPlan(there, reached), holder);
}

function execute(world: TwinWorld, ports: Ports, what: Plan, holder: string): Promise<RunResult> {
  const { kernel } = world;
  return migrate({
    plan: what,
    ports,
    wallTime: () => kernel.epochMs + kernel.now(),
    holder,
    control: new RunControl(),
    audit: { append: () => Promise.resolve() },
  });
}

describe.each(['move-nodes/wave-02/verify', 'clean-up/verify'])('going back from %s', (last) => {
  let undisturbed: Back;

  beforeAll(async () => {
    undisturbed = await backFrom(last, []);
  });

  it('ends well when nobody is killed', () => {
    expect(undisturbed.result.failed).toBeUndefined();
    expect(undisturbed.result.outcome).toBe('done');
  });

  it(`loses nothing at any of ${POINTS} points (seed ${SEED})`, async () => {
    for (const kill of someKills(undisturbed.calls, POINTS, SEED)) {
      const { result, state } = await backFrom(last, [kill]);
      const where = `seed ${SEED}, killed ${showKills([kill], undisturbed.calls)}`;
      expect([where, result.failed]).toEqual([where, undefined]);
      expect([where, differences(undisturbed.state, state)]).toEqual([where, []]);
    }
  });
});
