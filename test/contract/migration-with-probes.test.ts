/**
 * Goal: a migration that is watched by the prober of real clusters (agents, logs, what is unknown) and
 * held to the default error budgets comes to its end; and afterwards the network enforces policies,
 * which `verify` sees. Method: the plan of a small cluster, run on its twin in virtual time.
 */
import { beforeAll, expect, it } from 'vitest';
import { planFor } from '../../src/cli/rehearsal-session.ts';
import { openProber } from '../../src/drivers/prober/open-prober.ts';
import { DEFAULT_BUDGETS } from '../../src/engine/probes/budgets.ts';
import { type RunResult, runPlan } from '../../src/engine/run-plan.ts';
import { RunControl } from '../../src/engine/run/run-control.ts';
import { verifyCluster } from '../../src/engine/verify/verify-cluster.ts';
import { closingPolicy } from '../../src/knowledge/probes/objects.ts';
import type { PathObservation } from '../../src/model/rehearsal.ts';
import type { RunEvent } from '../../src/model/run-event.ts';
import type { Verification } from '../../src/model/verification.ts';
import { createTwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { buildWorld } from '../../src/twin/scenario/build-world.ts';
import { smallCluster } from '../support/small-cluster.ts';

const events: RunEvent[] = [];
let result: RunResult;
let observed: readonly PathObservation[] = [];
let verified: Verification;

beforeAll(async () => {
  const input = smallCluster();
  const { world } = buildWorld(input, { seed: 1 });
  const { plan } = planFor(input);
  const twin = createTwinPorts(world);
  const { kubernetes, clock } = twin;
  const prober = openProber({
    kubernetes,
    clock,
    agentScript: '// an agent',
    newPodCidrs: plan.to.podCidrs,
  });
  const ports = { ...twin, prober };
  result = await world.kernel.drive(async () => {
    const ended = await runPlan(plan, ports, {
      budgets: DEFAULT_BUDGETS,
      control: new RunControl(),
      keepProbing: true,
      onEvent: (event) => events.push(event),
    });
    observed = await prober.observations();
    await prober.stop();
    return ended;
  });
  const again = openProber({ kubernetes, clock, agentScript: '// an agent', closedPod: true });
  verified = await world.kernel.drive(() =>
    verifyCluster({
      prober: again,
      kubernetes,
      clock,
      seconds: 5,
      closed: { policy: closingPolicy(), forbidden: () => again.forbidden() },
      signal: new AbortController().signal,
      say: () => undefined,
    }),
  );
});

it('comes to its end within the default budgets', () => {
  expect(events.filter(({ type }) => type === 'finding')).toEqual([]);
  expect(result).toMatchObject({ outcome: 'done' });
});

it('saw pods on both networks, and what moving them cost, step by step', () => {
  const classes = new Set(observed.map(({ from, to }) => `${from.class}>${to.class}`));
  expect(classes).toContain('pod-old>pod-old');
  expect(classes).toContain('pod-new>pod-new');
  const losses = events.filter((event) => event.type === 'probe' && event.ms !== undefined);
  expect(losses.length).toBeGreaterThan(0);
  const moved = losses.filter((event) => event.type === 'probe' && event.class === 'moving');
  expect(moved.length).toBeGreaterThan(0);
  for (const loss of moved) expect(loss).toHaveProperty('step');
});

it('leaves a network that enforces policies, and verify sees it', () => {
  expect(verified.failing).toEqual([]);
  expect(verified.unknown).toEqual([]);
  expect(verified.policies?.enforcementExpected).toBe(true);
  const outcomes = verified.policies?.connections.map(({ outcome, to }) => [to.class, outcome]);
  expect(outcomes?.length).toBe(5);
  // A host reaches pods of its own node whatever a policy says; these are pods, and none is let in.
  expect(new Set(outcomes?.map(String))).toEqual(new Set(['pod-new,denied']));
  expect(verified.verdict).toBe('clear');
});
