/**
 * Goal: policies that nobody enforced are watched before they drop anything, stop a run that they would
 * hurt, and are enforced and seen to be in the end. Method: plans for small clusters with policies,
 * run on their twins.
 */
import { describe, expect, it } from 'vitest';
import { planFor } from '../src/cli/rehearsal-session.ts';
import { memoryBackups } from '../src/engine/backups.ts';
import { runPlan } from '../src/engine/run-plan.ts';
import { undoRun } from '../src/engine/undo-run.ts';
import { readInput } from '../src/intake/read-input.ts';
import type { ClusterInput } from '../src/model/cluster-input.ts';
import type { Plan } from '../src/model/plan.ts';
import type { RunEvent } from '../src/model/run-event.ts';
import { fabricOf } from '../src/twin/network/fabric.ts';
import { createTwinPorts } from '../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../src/twin/scenario/build-world.ts';
import { smallCluster } from './support/small-cluster.ts';

type Egress = readonly Readonly<Record<string, unknown>>[];

/** Nothing leaves `web` but what is named. */
function isolating(egress: Egress) {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'isolate', namespace: 'apps' },
    spec: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'], egress },
  };
}

const TO_DNS: Egress = [{ to: [{ namespaceSelector: {} }] }];

const TARGET = 'k8sServiceHost: localhost\nk8sServicePort: 7445\n';

function clusterWith(
  objects: readonly Readonly<Record<string, unknown>>[],
  target = TARGET,
): ClusterInput {
  const { helmValues } = readInput([{ path: 'target.yaml', text: target }], {
    ciliumVersion: '1.18.3',
    roles: { 'target.yaml': 'target' },
  });
  const workloads = [
    {
      kind: 'Deployment' as const,
      namespace: 'apps',
      name: 'web',
      image: 'web:1',
      replicas: 2,
      labels: { app: 'web' },
    },
  ];
  return { ...smallCluster({ workloads, objects: [...objects] }), helmValues };
}

function idsIn({ steps }: Plan): readonly string[] {
  return steps.map(({ id }) => id);
}

async function migrated(input: ClusterInput, before: (world: TwinWorld) => void = () => undefined) {
  const { plan } = planFor(input);
  const { world } = buildWorld(input, { seed: 1 });
  before(world);
  const ports = createTwinPorts(world);
  const backups = memoryBackups();
  const events: RunEvent[] = [];
  const run = (gateTimeoutSeconds = 300) =>
    world.kernel.drive(() =>
      runPlan(plan, ports, { backups, gateTimeoutSeconds, onEvent: (event) => events.push(event) }),
    );
  return { plan, world, ports, backups, events, run };
}

function config(world: TwinWorld): Readonly<Record<string, string>> {
  return world.store.get('ConfigMap', 'kube-system', 'cilium-config')?.data ?? {};
}

function reachesDns(world: TwinWorld): boolean {
  const pod = world.store.list('Pod', 'apps')[0];
  if (pod === undefined) throw new Error('no pod');
  return fabricOf(world).reach({ kind: 'pod', pod }, { kind: 'dns', question: 'internal' }).ok;
}

describe('policies that were dormant', () => {
  it('get a phase of their own, and clusters without policies none', () => {
    const ids = idsIn(planFor(clusterWith([isolating(TO_DNS)])).plan);
    const own = ids.filter((id) => id.startsWith('enforce-policies/'));
    expect(own).toEqual(
      ['audit', 'values', 'roll-out-operator', 'roll-out-agents', 'prove', 'verify'].map(
        (name) => `enforce-policies/${name}`,
      ),
    );
    expect(ids.indexOf('remove-old-cni/delete-flannel')).toBeLessThan(ids.indexOf(own[0] ?? ''));
    expect(ids.indexOf('enforce-policies/verify')).toBeLessThan(ids.indexOf('clean-up/verify'));
    const without = idsIn(planFor(clusterWith([])).plan);
    expect(without).toEqual(ids.filter((id) => !own.includes(id)));
  });

  it('drop nothing while they are audited, and what they forbid in the end', async () => {
    const input = clusterWith([isolating(TO_DNS)]);
    const { world, run, events } = await migrated(input);
    const result = await run();
    expect(result.failed).toBeUndefined();
    expect(config(world)).toMatchObject({ 'enable-policy': 'default' });
    expect(config(world)).not.toHaveProperty('policy-audit-mode');
    expect(reachesDns(world)).toBe(true);
    const pod = world.store.list('Pod', 'apps')[0];
    if (pod === undefined) throw new Error('no pod');
    const egress = fabricOf(world).reach({ kind: 'pod', pod }, { kind: 'outside' });
    expect(egress).toMatchObject({ ok: false, message: expect.stringContaining('isolate') });
    // What proved it is gone again.
    expect(world.store.list('NetworkPolicy').map(({ metadata }) => metadata.name)).toEqual([
      'isolate',
    ]);
    world.kernel.runUntil(world.kernel.now() + 60_000);
    expect(world.store.list('Pod', 'regauge-system')).toEqual([]);
    const done = events.filter((event) => event.type === 'step' && event.state === 'done');
    expect(done).toContainEqual(expect.objectContaining({ step: 'enforce-policies/prove' }));
  });

  it('stop a run that they would hurt, before they do, and say whom', async () => {
    const { world, run } = await migrated(clusterWith([isolating([])]));
    const result = await run();
    expect(result.failed?.step).toBe('enforce-policies/audit');
    expect(result.failed?.message).toMatch(
      /policies would drop apps\/web-\S+ → kube-system\/coredns/,
    );
    expect(result.failed?.message).toContain('kubectl annotate namespace apps');
    expect(config(world)['policy-audit-mode']).toBe('true');
    expect(reachesDns(world)).toBe(true);
  });

  it('are enforced once a person has allowed what was forgotten, or has said that it is meant', async () => {
    const allowed = await migrated(clusterWith([isolating([])]));
    expect((await allowed.run()).outcome).toBe('stopped');
    allowed.world.store.update<string>('NetworkPolicy', 'apps', 'isolate', (object) => ({
      ...object,
      spec: isolating(TO_DNS).spec,
    }));
    expect((await allowed.run()).failed).toBeUndefined();
    const meant = await migrated(clusterWith([isolating([])]), (world) =>
      world.store.update('Namespace', undefined, 'apps', (namespace) => ({
        ...namespace,
        metadata: { ...namespace.metadata, annotations: { 'regauge.dev/audit': 'accepted' } },
      })),
    );
    const result = await meant.run();
    expect(result.failed).toBeUndefined();
    expect(reachesDns(meant.world)).toBe(false);
  });

  it('are not enforced where agents do not say what they let pass', async () => {
    const { run, world } = await migrated(clusterWith([isolating(TO_DNS)]));
    world.store.create({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNodeConfig',
      metadata: { namespace: 'kube-system', name: 'without-hubble' },
      spec: { nodeSelector: {}, defaults: { 'enable-hubble': 'false' } },
    });
    const result = await run();
    expect(result.failed?.step).toBe('enforce-policies/audit');
    expect(result.failed?.message).toMatch(/not known of \S+: hubble observe: failed to connect/);
  });

  it('are heard of where the target has Hubble off, and it is off again in the end', async () => {
    const input = clusterWith([isolating(TO_DNS)], `${TARGET}hubble: {enabled: false}\n`);
    const { world, run } = await migrated(input);
    expect((await run()).failed).toBeUndefined();
    expect(config(world)['enable-hubble']).toBeUndefined();
  });

  it('sleep again on the way back', async () => {
    const { plan, world, ports, backups, run } = await migrated(clusterWith([isolating(TO_DNS)]));
    const { reached } = await run();
    const back = await world.kernel.drive(() =>
      undoRun(plan, new Set(reached), ports, { backups }),
    );
    expect(back.failed).toBeUndefined();
    const pod = world.store.list('Pod', 'apps')[0];
    expect(pod?.status.podIP).toMatch(/^10\.244\./);
    expect(config(world)).toEqual({});
  });
});
