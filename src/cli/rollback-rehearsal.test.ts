/** Which points of a plan are gone back from, and that a way back that fails is said to. */
import { describe, expect, it } from 'vitest';
import type { ClusterInput } from '../model/cluster-input.ts';
import type { Plan } from '../model/plan.ts';
import { rollbackRehearsal } from '../model/schema/rollback-rehearsal.ts';
import { readClusterSpec } from '../twin/scenario/read-spec.ts';
import { postMortemInput } from '../../test/support/post-mortem-input.ts';
import { planFor } from './rehearsal-session.ts';
import { pointsOf, rehearseRollbacks } from './rollback-rehearsal.ts';

const input = postMortemInput();
const { plan } = planFor(input);

/** The plan up to a step, so that there is one point to go back from at its end. */
function upTo(last: string): Plan {
  const end = plan.steps.findIndex(({ id }) => id === last);
  return { ...plan, steps: plan.steps.slice(0, end + 1) };
}

describe('pointsOf', () => {
  it('has the end of every wave and phase, and nothing before there is something to take back', () => {
    const points = pointsOf(plan, 'waves');
    expect(points).toContain('move-nodes/wave-03/verify');
    expect(points).toContain('finalise/verify');
    expect(points.at(-1)).toBe(plan.steps.at(-1)?.id);
    expect(points.some((id) => id.startsWith('prepare/'))).toBe(false);
  });

  it('has every step from there on', () => {
    const all = pointsOf(plan, 'steps');
    expect(all).toEqual(plan.steps.slice(-all.length).map(({ id }) => id));
    expect(all.length).toBeGreaterThan(pointsOf(plan, 'waves').length);
  });
});

describe('rehearseRollbacks', () => {
  it('tells what the way back costs, as its schema says', async () => {
    const document = await rehearseRollbacks({
      input,
      plan: upTo('move-nodes/wave-01/verify'),
      seed: 1,
      points: 'waves',
    });
    expect(rollbackRehearsal.parse(document)).toEqual(document);
    expect(document.outcome).toBe('clean');
    const [installed, moved] = document.points;
    expect(installed).toMatchObject({ after: 'install-secondary/verify', maxRestartsPerPod: 0 });
    expect(moved).toMatchObject({ outcome: 'back', maxRestartsPerPod: 2, podsStuck: 0 });
    expect(moved?.seconds).toBeGreaterThan(installed?.seconds ?? 0);
  });

  it('says where it does not come back: kube-proxy is gone and nobody brings it back', async () => {
    const small = smallCluster();
    const last = 'replace-kube-proxy/delete-kube-proxy';
    const made = planFor(small).plan;
    const unsaved = made.steps
      .slice(0, made.steps.findIndex(({ id }) => id === last) + 1)
      .filter(({ id }) => id !== TALOS_STEP)
      .map((step) => ({
        ...step,
        dependsOn: step.dependsOn.map((id) => (id === TALOS_STEP ? BEFORE_TALOS_STEP : id)),
        action: step.action.kind === 'back-up' ? { ...step.action, objects: [] } : step.action,
      }));
    const document = await rehearseRollbacks({
      input: small,
      plan: { ...made, steps: unsaved },
      seed: 1,
      points: 'waves',
    });
    expect(document.outcome).toBe('broken');
    expect(document.points.at(-1)).toMatchObject({ after: last, outcome: 'broken' });
    expect(document.points.at(-1)?.message).toMatch(/^roll-back\/verify: gate/);
    expect(document.points.slice(0, -1).map(({ outcome }) => outcome)).not.toContain('broken');
  });
});

const TALOS_STEP = 'replace-kube-proxy/talos-proxy-off';
const BEFORE_TALOS_STEP = 'replace-kube-proxy/remove-node-config';

function smallCluster(): ClusterInput {
  const spec = readClusterSpec(
    `
kind: ClusterSpec
name: small
versions: {talos: 1.10.2, kubernetes: 1.32.3}
network: {endpoint: 'https://10.0.1.61:6443'}
machine: {schedulableControlPlanes: true}
nodes: [{name: one, address: 10.0.1.61, role: control-plane}, {name: two, address: 10.0.1.62, role: worker}]
workloads: [{name: web, namespace: default, kind: Deployment, replicas: 2, image: 'nginx:1.27'}]
`,
    'small.yaml',
  );
  return postMortemInput(spec);
}
