/**
 * A cluster whose Flannel and kube-proxy belong to Argo CD, which puts back what Git says: the plan
 * suspends that owner, and on the twin that makes the difference.
 */
import { describe, expect, it } from 'vitest';
import { planFor } from '../src/cli/rehearsal-session.ts';
import { memoryBackups } from '../src/engine/backups.ts';
import { runPlan } from '../src/engine/run-plan.ts';
import { undoRun } from '../src/engine/undo-run.ts';
import type { ClusterInput } from '../src/model/cluster-input.ts';
import type { KubeObject } from '../src/model/kubernetes.ts';
import type { Plan } from '../src/model/plan.ts';
import { createTwinPorts } from '../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../src/twin/scenario/build-world.ts';
import { readClusterSpec } from '../src/twin/scenario/read-spec.ts';
import { postMortemInput, postMortemSpec, scenario } from './support/post-mortem-input.ts';

const CONTROLLER_AND_APPLICATION = `
workloads:
  - {name: argocd-application-controller, namespace: argocd, kind: StatefulSet, replicas: 1, image: "quay.io/argoproj/argocd:v2.14.2"}
objects:
  - apiVersion: argoproj.io/v1alpha1
    kind: Application
    metadata: {name: net, namespace: argocd}
    spec: {syncPolicy: {automated: {selfHeal: true}}}
`;

function ownedByArgo(read: ClusterInput['objects'][number]): ClusterInput['objects'][number] {
  const { object } = read;
  if (object.kind !== 'DaemonSet' || !/^kube-(flannel|proxy)/.test(object.metadata.name))
    return read;
  const id = `net:apps/DaemonSet:kube-system/${object.metadata.name}`;
  const annotations = { 'argocd.argoproj.io/tracking-id': id };
  return { ...read, object: { ...object, metadata: { ...object.metadata, annotations } } };
}

function input(): ClusterInput {
  const spec = postMortemSpec();
  const more = readClusterSpec(
    `${scenario('cluster.yaml').split('\nworkloads:')[0] ?? ''}${CONTROLLER_AND_APPLICATION}`,
    'more.yaml',
  );
  const whole = postMortemInput({
    ...spec,
    workloads: [...spec.workloads, ...more.workloads],
    objects: [...spec.objects, ...more.objects],
  });
  return { ...whole, objects: whole.objects.map(ownedByArgo) };
}

function daemonSets(world: TwinWorld): readonly string[] {
  return world.store.list('DaemonSet').map(({ metadata }) => metadata.name);
}

function application(world: TwinWorld): KubeObject | undefined {
  return world.store.get<string>('Application', 'argocd', 'net');
}

/** Longer than any reconciler waits. */
const AFTERWARDS_MS = 900_000;

const cluster = input();
const { plan } = planFor(cluster);
const runs = (world: TwinWorld, subject: Plan, backups = memoryBackups()) =>
  world.kernel.drive(() => runPlan(subject, createTwinPorts(world), { backups }));

describe('a GitOps owner', () => {
  it('is suspended by the plan: what the plan deletes stays deleted', async () => {
    const { world } = buildWorld(cluster, { seed: 1 });
    expect((await runs(world, plan)).failed).toBeUndefined();
    world.kernel.runUntil(world.kernel.now() + AFTERWARDS_MS);
    expect(daemonSets(world).filter((name) => name.startsWith('kube-'))).toEqual([]);
    expect(application(world)?.metadata.annotations).toMatchObject({
      'argocd.argoproj.io/skip-reconcile': 'true',
      'regauge.dev/suspended-by': plan.id,
    });
  });

  it('that reconciles puts back what the same plan deletes when it does not suspend it', async () => {
    const { world } = buildWorld(cluster, { seed: 1 });
    const steps = plan.steps
      .filter(({ action }) => action.kind !== 'suspend-owner')
      .map((step) => ({
        ...step,
        dependsOn: step.dependsOn.filter((id) => !id.startsWith('prepare/suspend-')),
        gates: step.gates.filter(({ kind }) => kind !== 'owners-suspended'),
      }));
    await runs(world, { ...plan, steps });
    world.kernel.runUntil(world.kernel.now() + AFTERWARDS_MS);
    expect(world.kernel.occurrences.map(({ kind }) => kind)).toContain('gitops.reverted');
    expect(daemonSets(world)).toEqual(expect.arrayContaining(['kube-proxy', 'kube-flannel']));
  });

  it('let go on by somebody stops the plan before the next change, and says so', async () => {
    const { world } = buildWorld(cluster, { seed: 1 });
    const cut = plan.steps.findIndex(({ id }) => id === 'finalise/values');
    await runs(world, { ...plan, steps: plan.steps.slice(0, cut) });
    world.store.update<string>('Application', 'argocd', 'net', (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: {} },
    }));
    const done = new Set(plan.steps.slice(0, cut).map(({ id }) => id));
    const rest = plan.steps
      .slice(cut)
      .map((step) => ({ ...step, dependsOn: step.dependsOn.filter((id) => !done.has(id)) }));
    const result = await runs(world, { ...plan, steps: rest });
    expect(result.failed?.message).toMatch(/owners-suspended.*Application argocd\/net reconciles/);
  });

  it('goes on again when everything was taken back', async () => {
    const { world } = buildWorld(cluster, { seed: 1 });
    const ports = createTwinPorts(world);
    const backups = memoryBackups();
    const cut = plan.steps.findIndex(({ id }) => id === 'move-nodes/wave-01/verify');
    const part = { ...plan, steps: plan.steps.slice(0, cut + 1) };
    const there = await runs(world, part, backups);
    const back = await world.kernel.drive(() =>
      undoRun(plan, new Set(there.reached), ports, { backups }),
    );
    expect(back.failed).toBeUndefined();
    expect(application(world)?.metadata.annotations ?? {}).toEqual({});
  });
});
