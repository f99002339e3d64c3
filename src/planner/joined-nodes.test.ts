/** Goal: a plan with a node more is the same plan, and knows the node wherever it knows one like it. */
import { describe, expect, it } from 'vitest';
import type { JoinedNode, Plan } from '../model/plan.ts';
import { plan as planSchema } from '../model/schema/plan.ts';
import { planWith } from './joined-nodes.ts';
import { rollbackPlan } from './rollback-plan.ts';
import { actionOf, ancestors, nodes, planned, step } from './testing.ts';

const PLAN = planned({ objects: nodes(3, 3, '192.168.7') });
const NEW: JoinedNode = { name: 'wrk-009', like: 'wrk-004', internalIps: ['192.168.7.10'] };
const WITH = planWith(PLAN, [NEW]);

/** Every step comes after those that it waits for, and is there once. */
function assertOrdered({ steps }: Plan): void {
  const seen = new Set<string>();
  for (const { id, dependsOn } of steps) {
    expect(dependsOn.filter((before) => !seen.has(before))).toEqual([]);
    expect(seen.has(id)).toBe(false);
    seen.add(id);
  }
}

function idsOf(plan: Plan, node: string): readonly string[] {
  return plan.steps.map(({ id }) => id).filter((id) => id.includes(`/${node}/`));
}

describe('a plan with a node that joined', () => {
  it('is a plan still, with id, hash and the order of what was there', () => {
    expect(planSchema.parse(WITH)).toEqual(WITH);
    expect([WITH.id, WITH.hash]).toEqual([PLAN.id, PLAN.hash]);
    const before = new Set(PLAN.steps.map(({ id }) => id));
    expect(WITH.steps.map(({ id }) => id).filter((id) => before.has(id))).toEqual([...before]);
    assertOrdered(WITH);
  });

  it('does with it what it does with the other one, and nothing else', () => {
    const own = idsOf(WITH, 'wrk-009').map((id) => id.replace('wrk-009', 'wrk-004'));
    expect(own).toEqual(idsOf(PLAN, 'wrk-004'));
    const text = JSON.stringify(WITH.steps.filter(({ id }) => id.includes('/wrk-009/')));
    expect(text.replaceAll(/"dependsOn":\[[^\]]*\]/g, '')).not.toContain('wrk-004');
  });

  it('moves it in a wave of its own behind all others, which the phase after that waits for', () => {
    expect(WITH.waves).toEqual([...PLAN.waves, ['wrk-009']]);
    expect(step(WITH, 'move-nodes/wave-07/hold').dependsOn).toEqual(['move-nodes/wave-06/verify']);
    expect(step(WITH, 'move-nodes/wave-07/verify').dependsOn).toEqual([
      'move-nodes/wrk-009/verify',
    ]);
    expect(ancestors(WITH, 'finalise/values')).toContain('move-nodes/wave-07/verify');
    expect(ancestors(WITH, 'replace-kube-proxy/values')).toContain(
      'replace-kube-proxy/wave-07/verify',
    );
  });

  it('has it in every list in which the other one is, but not in its wave', () => {
    expect(
      actionOf(WITH, 'prepare/pin-addresses-of-workers', 'patch-machine-config').nodes,
    ).toEqual(['wrk-003', 'wrk-004', 'wrk-005', 'wrk-009']);
    expect(
      actionOf(WITH, 'prepare/pin-addresses-of-control-planes', 'patch-machine-config').nodes,
    ).not.toContain('wrk-009');
    expect(actionOf(WITH, 'move-nodes/hold-others', 'cordon').nodes).toContain('wrk-009');
    expect(actionOf(WITH, 'clean-up/files-and-links', 'change-node-files').nodes).toContain(
      'wrk-009',
    );
    expect(step(WITH, 'move-nodes/wave-02/verify')).toBe(step(PLAN, 'move-nodes/wave-02/verify'));
    const addresses = step(WITH, 'install-secondary/verify').gates.find(
      ({ kind }) => kind === 'node-addresses-unchanged',
    );
    expect(addresses).toMatchObject({ expected: { 'wrk-009': ['192.168.7.10'] } });
  });

  it('does without a canary where the only one like it was that', () => {
    const small = planned({ objects: nodes(3, 1) });
    const more = planWith(small, [{ ...NEW, like: 'wrk-003' }]);
    assertOrdered(more);
    expect(idsOf(more, 'wrk-009')).not.toContain('move-nodes/wrk-009/canary');
    const gates = more.steps.filter(({ id }) => id.includes('/wrk-009/')).flatMap((s) => s.gates);
    expect(gates.map(({ kind }) => kind)).not.toContain('canaries-meet');
    expect(ancestors(more, 'move-nodes/wrk-009/restart-pods')).toContain(
      'move-nodes/wrk-009/restart-agent',
    );
  });

  it('takes in one after the other, and nobody twice', () => {
    const second: JoinedNode = { ...NEW, name: 'wrk-010' };
    const both = planWith(WITH, [NEW, second]);
    expect(both).toEqual(planWith(PLAN, [NEW, second]));
    expect(both.waves.slice(-2)).toEqual([['wrk-009'], ['wrk-010']]);
    expect(step(both, 'move-nodes/wave-08/hold').dependsOn).toEqual(['move-nodes/wave-07/verify']);
    assertOrdered(both);
    expect(planWith(WITH, [NEW])).toBe(WITH);
  });

  it('has a way back that brings it back too', () => {
    const back = rollbackPlan(WITH, new Set(WITH.steps.map(({ id }) => id)));
    expect(idsOf(back, 'wrk-009')).toContain('undo/move-nodes/wrk-009/label');
    expect(planSchema.parse(back)).toEqual(back);
    const late = planWith(rollbackPlan(PLAN, new Set(PLAN.steps.map(({ id }) => id))), [NEW]);
    assertOrdered(late);
    expect(idsOf(late, 'wrk-009')).toContain('undo/move-nodes/wrk-009/label');
    expect(actionOf(late, 'roll-back/leftovers', 'change-node-files').nodes).toContain('wrk-009');
  });
});
