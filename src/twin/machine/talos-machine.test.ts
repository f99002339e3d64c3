/**
 * A Talos machine on fakes: what a patch, a reboot, an upgrade and a service restart do and in which
 * order. Goal: the sequences of knowledge/talos-and-cni-selection.md 4.6, 4.10 and 4.12.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { createTalosMachine, type TalosMachine } from './talos-machine.ts';
import { type FakeWorld, fakeNode, fakeWorld } from './testing.ts';
import type { PodObject } from '../../model/kubernetes.ts';

const NAME = 'talos-cp-01';
const CONFIG = `version: v1alpha1
machine:
  type: controlplane
cluster:
  network:
    podSubnets: [10.244.0.0/16]
`;
const CNI_NONE = 'cluster: { network: { cni: { name: none } } }\n';

let world: FakeWorld;
let machine: TalosMachine;
let configs: string[];
let evicted: string[];

beforeEach(() => {
  configs = [];
  evicted = [];
  start('1.10.2');
});

function start(version: string): void {
  world = fakeWorld({ distributionVersion: version });
  const node = fakeNode(world, NAME, () => machine);
  machine = createTalosMachine({
    world,
    node: () => node,
    config: CONFIG,
    version,
    evict: (namespace, pod) => {
      evicted.push(pod);
      world.store.remove('Pod', namespace, pod);
      return { evicted: true };
    },
    onConfig: (config) => configs.push(config),
    onVersion: (next) => world.log.push(`version ${next}`),
    loseFiles: (event) => node.files.lose(event),
  });
}

function pod(name: string, more: Partial<PodObject['spec']> = {}, owner = 'ReplicaSet'): void {
  world.store.create<PodObject>({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: owner, name: 'o', uid: 'o', controller: true },
      ],
    },
    spec: { nodeName: NAME, containers: [], ...more },
    status: { phase: 'Running' },
  });
}

describe('config', () => {
  it('applies cluster.network.cni live: no reboot is needed for a CNI change (4.6)', () => {
    expect(machine.patchConfig(CNI_NONE, 'no-reboot')).toEqual({ ok: true });
    expect(machine.config()).toContain('name: none');
    expect(configs).toHaveLength(1);
    expect(machine.up).toBe(true);
  });

  it('refuses an unknown key with Talos’s words and changes nothing (4.7 strict decoding)', () => {
    const before = machine.config();
    const result = machine.patchConfig(
      'cluster: { network: { forwardKubeDNSToHost: false } }\n',
      'auto',
    );
    expect(result).toMatchObject({ ok: false });
    expect(result.ok ? '' : result.message).toContain('unknown keys found during decoding');
    expect(machine.config()).toBe(before);
    expect(world.kernel.occurrences.map(({ kind }) => kind)).toEqual(['talos.config-rejected']);
  });

  it('refuses machine.env in no-reboot mode, and reboots for it in auto mode up to 1.13', () => {
    const patch = 'machine: { env: { http_proxy: http://proxy } }\n';
    const refused = machine.patchConfig(patch, 'no-reboot');
    expect(refused.ok ? '' : refused.message).toMatch(
      /^this config change can't be applied in immediate mode\ndiff:/,
    );
    expect(machine.patchConfig(patch, 'auto')).toEqual({ ok: true });
    expect(machine.config()).not.toContain('http_proxy');
    world.kernel.runUntil(200_000);
    expect(machine.config()).toContain('http_proxy');
    expect(world.log).toContain(`${NAME} runtime up`);
  });

  it('keeps a staged patch for the next boot', () => {
    machine.patchConfig(CNI_NONE, 'staged');
    expect(machine.config()).not.toContain('name: none');
    machine.reboot();
    world.kernel.runUntil(200_000);
    expect(machine.config()).toContain('name: none');
  });

  it('takes a tried patch back after a minute', () => {
    machine.patchConfig(CNI_NONE, 'try');
    expect(machine.config()).toContain('name: none');
    world.kernel.runUntil(60_000);
    expect(machine.config()).not.toContain('name: none');
    expect(configs).toHaveLength(2);
  });

  it('takes a whole config, says how it was applied, and replaces what was staged', () => {
    machine.patchConfig('machine: { sysctls: { a: "1" } }\n', 'staged');
    expect(machine.talos?.persistedConfig()).toContain('sysctls');
    const whole = CONFIG.replace('10.244', '10.99');
    expect(machine.talos?.applyConfig(whole, 'auto', { dryRun: true })).toEqual({
      ok: true,
      mode: 'no-reboot',
    });
    expect(machine.config()).toBe(CONFIG);
    expect(machine.talos?.applyConfig(whole, 'auto')).toEqual({ ok: true, mode: 'no-reboot' });
    expect(machine.talos?.persistedConfig()).toBe(whole);
  });

  it('forgets a tried config when it reboots: it was never on disk', () => {
    machine.patchConfig(CNI_NONE, 'try');
    expect(machine.talos?.persistedConfig()).toBe(CONFIG);
    machine.reboot();
    world.kernel.runUntil(200_000);
    expect(machine.config()).toBe(CONFIG);
  });

  it('refuses a whole config without its main document', () => {
    const answer = machine.talos?.applyConfig(
      'apiVersion: v1alpha1\nkind: WatchdogTimerConfig\n',
      'auto',
    );
    expect(answer).toMatchObject({ ok: false });
  });

  it('has no REBOOT mode from 1.14 on', () => {
    start('1.14.0');
    const result = machine.patchConfig('machine: { sysctls: { a: "1" } }\n', 'reboot');
    expect(result.ok ? '' : result.message).toContain('the REBOOT mode is not supported');
  });
});

describe('reboot', () => {
  it('stops pod-network sandboxes before hostNetwork ones, then loses power, then boots (4.10)', () => {
    pod('agent', { hostNetwork: true });
    pod('web');
    machine.reboot();
    world.kernel.runUntil(10_000);
    expect(world.log).toEqual([
      `${NAME} stop web`,
      `${NAME} stop agent`,
      `${NAME} kubelet down`,
      `${NAME} runtime down`,
      `${NAME} network down`,
      `${NAME} lose reboot`,
    ]);
    expect(machine.up).toBe(false);
    const before = machine.bootId;
    world.kernel.runUntil(200_000);
    expect(machine.up).toBe(true);
    expect(machine.bootId).not.toBe(before);
    expect(world.log.slice(-2)).toEqual([`${NAME} runtime up`, `${NAME} kubelet up`]);
    expect(evicted).toEqual([]);
  });

  it('does not start a second time while it is under way', () => {
    machine.reboot();
    machine.reboot();
    world.kernel.runUntil(400_000);
    expect(world.kernel.occurrences.filter(({ kind }) => kind === 'talos.rebooted')).toHaveLength(
      1,
    );
  });
});

describe('upgrade', () => {
  it('up to 1.12 cordons, drains without DaemonSet pods, installs, reboots, and takes its own cordon back', () => {
    pod('web');
    pod('log-agent', {}, 'DaemonSet');
    machine.upgrade('ghcr.io/siderolabs/installer:v1.10.5', { preserve: true });
    expect(evicted).toEqual(['web']);
    expect(world.store.get('Node', undefined, NAME)?.spec.unschedulable).toBe(true);
    world.kernel.runUntil(400_000);
    const node = world.store.get('Node', undefined, NAME);
    expect(node?.spec.unschedulable).toBeUndefined();
    expect(node?.status.nodeInfo?.osImage).toBe('Talos (v1.10.5)');
    expect(world.log).toContain('version 1.10.5');
    expect(world.log).toContain(`${NAME} lose upgrade`);
  });

  it('leaves a cordon that a person made', () => {
    world.store.update('Node', undefined, NAME, (node) => ({
      ...node,
      spec: { ...node.spec, unschedulable: true },
    }));
    machine.upgrade('ghcr.io/siderolabs/installer:v1.10.5', { preserve: true });
    world.kernel.runUntil(400_000);
    expect(world.store.get('Node', undefined, NAME)?.spec.unschedulable).toBe(true);
  });

  it('goes through a budget that never gives way after five minutes', () => {
    world = fakeWorld();
    const node = fakeNode(world, NAME, () => machine);
    machine = createTalosMachine({
      world,
      node: () => node,
      config: CONFIG,
      version: '1.10.2',
      evict: () => ({
        evicted: false,
        message: 'Cannot evict pod as it would violate the pod’s disruption budget.',
      }),
      onConfig: () => undefined,
      onVersion: () => undefined,
      loseFiles: () => undefined,
    });
    pod('guarded');
    machine.upgrade('ghcr.io/siderolabs/installer:v1.10.5', { preserve: true });
    world.kernel.runUntil(299_000);
    expect(machine.up).toBe(true);
    world.kernel.runUntil(600_000);
    expect(machine.version()).toBe('1.10.5');
    expect(world.kernel.occurrences.map(({ kind }) => kind)).toContain('talos.drain-gave-up');
  });

  it('from 1.13 installs before it drains', () => {
    start('1.13.4');
    pod('web');
    machine.upgrade('factory.talos.dev/metal-installer/abc:v1.14.0', { preserve: false });
    expect(evicted).toEqual([]);
    world.kernel.runUntil(world.constants.upgradeInstallMs);
    expect(evicted).toEqual(['web']);
    world.kernel.runUntil(400_000);
    expect(machine.version()).toBe('1.14.0');
  });
});

describe('services', () => {
  it('restarts the kubelet and extensions only (4.12)', () => {
    expect(machine.restartService('kubelet')).toEqual({ ok: true });
    expect(machine.restartService('ext-iscsid')).toEqual({ ok: true });
    expect(machine.restartService('cri')).toEqual({
      ok: false,
      message: `service "cri" doesn't support restart operation via API`,
    });
    expect(world.log).toEqual([`${NAME} kubelet restart`]);
  });
});
