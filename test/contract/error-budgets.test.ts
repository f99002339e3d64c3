/** A spent error budget pauses a run at its next safe point, says why, and the run can go on from there. */
import { expect, it } from 'vitest';
import { planFor } from '../../src/cli/rehearsal-session.ts';
import { DEFAULT_BUDGETS, parseBudgets } from '../../src/engine/probes/budgets.ts';
import { runPlan, type RunResult } from '../../src/engine/run-plan.ts';
import { RunControl } from '../../src/engine/run/run-control.ts';
import type { RunEvent } from '../../src/model/run-event.ts';
import { createTwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { buildWorld } from '../../src/twin/scenario/build-world.ts';
import { smallCluster } from '../support/small-cluster.ts';

it('pauses when what a moved node may lose is spent, and goes on with a larger budget', async () => {
  const input = smallCluster();
  const { world } = buildWorld(input, { seed: 1 });
  const { plan } = planFor(input);
  const ports = createTwinPorts(world);
  const events: RunEvent[] = [];
  const run = (budgets: typeof DEFAULT_BUDGETS): Promise<RunResult> =>
    world.kernel.drive(() =>
      runPlan(plan, ports, {
        budgets,
        control: new RunControl(),
        onEvent: (event) => events.push(event),
      }),
    );
  const paused = await run(parseBudgets('moving=100ms'));
  expect(paused.outcome).toBe('paused');
  expect(paused.done.length).toBeLessThan(plan.steps.length);
  const [finding] = events.filter(({ type }) => type === 'finding');
  expect(finding?.message).toMatch(/^the error budget of moving is spent: .* 0\.1 s are allowed$/);
  const losses = events.filter((event) => event.type === 'probe' && event.class === 'moving');
  expect(losses[0]).toMatchObject({ step: expect.stringContaining('/'), ms: expect.any(Number) });
  expect(await run(DEFAULT_BUDGETS)).toMatchObject({ outcome: 'done' });
});
