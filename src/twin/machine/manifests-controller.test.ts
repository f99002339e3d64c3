/** Talos as a reconciler: creates, never deletes; the inventory from 1.13; pruning by upgrade-k8s. */
import { describe, expect, it } from 'vitest';
import { createMissingManifests, syncManifests } from './manifests-controller.ts';
import { renderTalosManifests } from './talos-manifests.ts';
import { fakeWorld } from './testing.ts';

function rendered(talosVersion: string, cniName: string) {
  return renderTalosManifests({
    talosVersion,
    kubernetesVersion: '1.33.0',
    flannelVersion: 'v0.26.7',
    cniName,
    proxyDisabled: false,
    podSubnets: ['10.244.0.0/16'],
    dnsDomain: 'cluster.local',
    clusterDns: '10.96.0.10',
    kubePrismPort: 7445,
  });
}

const flannelIn = (world: ReturnType<typeof fakeWorld>) =>
  world.store.get('DaemonSet', 'kube-system', 'kube-flannel');

describe('manifests controller', () => {
  it('creates what is missing and leaves what is there alone', () => {
    const world = fakeWorld();
    createMissingManifests(world, 'talos-cp-01', '1.10.2', rendered('1.10.2', 'flannel'));
    const before = flannelIn(world);
    expect(before).toBeDefined();
    createMissingManifests(world, 'talos-cp-02', '1.12.0', rendered('1.12.0', 'flannel'));
    expect(flannelIn(world)).toBe(before);
  });

  it('deletes nothing when cni becomes none', () => {
    const world = fakeWorld();
    createMissingManifests(world, 'talos-cp-01', '1.10.2', rendered('1.10.2', 'flannel'));
    createMissingManifests(world, 'talos-cp-01', '1.10.2', rendered('1.10.2', 'none'));
    expect(flannelIn(world)).toBeDefined();
  });

  it('brings a deleted DaemonSet back up to 1.12, and not from 1.13 while the inventory lists it', () => {
    for (const [version, back] of [
      ['1.12.0', true],
      ['1.13.0', false],
    ] as const) {
      const world = fakeWorld();
      createMissingManifests(world, 'talos-cp-01', version, rendered(version, 'flannel'));
      world.store.delete('DaemonSet', 'kube-system', 'kube-flannel');
      createMissingManifests(world, 'talos-cp-01', version, rendered(version, 'flannel'));
      expect({ version, back: flannelIn(world) !== undefined }).toEqual({ version, back });
    }
  });

  it('does nothing while the API server does not answer', () => {
    const world = fakeWorld();
    world.apiHealthy = false;
    createMissingManifests(world, 'talos-cp-01', '1.10.2', rendered('1.10.2', 'flannel'));
    expect(world.store.list('DaemonSet')).toEqual([]);
  });

  it('upgrade-k8s prunes Flannel from 1.13 on once cni is none, and only then', () => {
    const world = fakeWorld();
    createMissingManifests(world, 'talos-cp-01', '1.13.0', rendered('1.13.0', 'flannel'));
    syncManifests(world, rendered('1.13.0', 'flannel'), true);
    expect(flannelIn(world)).toBeDefined();
    syncManifests(world, rendered('1.13.0', 'none'), true);
    expect(flannelIn(world)).toBeUndefined();
    expect(world.store.get('ServiceAccount', 'kube-system', 'flannel')).toBeUndefined();
    expect(world.store.get('Deployment', 'kube-system', 'coredns')).toBeDefined();
  });

  it('upgrade-k8s up to 1.12 syncs and never prunes', () => {
    const world = fakeWorld();
    createMissingManifests(world, 'talos-cp-01', '1.12.0', rendered('1.12.0', 'flannel'));
    syncManifests(world, rendered('1.12.0', 'none'), false);
    expect(flannelIn(world)).toBeDefined();
  });

  it('has Flannel on UDP 4789 and reach the API through KubePrism', () => {
    const world = fakeWorld();
    createMissingManifests(world, 'talos-cp-01', '1.10.2', rendered('1.10.2', 'flannel'));
    const config = world.store.get('ConfigMap', 'kube-system', 'kube-flannel-cfg')?.data?.[
      'net-conf.json'
    ];
    expect(JSON.parse(config ?? '{}')).toMatchObject({ Backend: { Type: 'vxlan', Port: 4789 } });
    const container = flannelIn(world)?.spec.template.spec.containers[0];
    expect(container?.env).toContainEqual({ name: 'KUBERNETES_SERVICE_PORT', value: '7445' });
  });
});
