/** Goal: a patch has the form of the config it is for, and says nothing that is there already. */
import { describe, expect, it } from 'vitest';
import { factsFrom } from '../hazards/testing.ts';
import { talosPatches, type TalosPatches } from './talos-patches.ts';

const LAN = ['10.0.1.0/24'];
const OLD = 'machine: {type: controlplane}\ncluster: {network: {podSubnets: [10.244.0.0/16]}}\n';
const NEW = `machine: {type: controlplane}
---
apiVersion: v1alpha1
kind: KubeFlannelCNIConfig
kubeNetworkPoliciesEnabled: true
`;

function patchesFor(text: string, version: string, type: 'controlplane' | 'worker'): TalosPatches {
  const facts = factsFrom({
    machineConfigs: [{ text, kind: 'config', facts: { machineType: type } }],
  });
  return talosPatches(facts.machineConfigs, version);
}

describe('on the older form', () => {
  const patches = patchesFor(OLD, '1.10.2', 'controlplane');

  it('everything is keys of the main document', () => {
    expect(patches.cniNone).toEqual({
      patch: 'cluster:\n  network:\n    cni:\n      name: none\n',
      undo: 'cluster:\n  network:\n    cni:\n      name: flannel\n',
    });
    expect(patches.proxyOff.patch).toBe('cluster:\n  proxy:\n    disabled: true\n');
    expect(patches.pinAddresses(LAN, true)).toBe(
      'machine:\n  kubelet:\n    nodeIP:\n      validSubnets:\n        - 10.0.1.0/24\ncluster:\n  etcd:\n    advertisedSubnets:\n      - 10.0.1.0/24\n',
    );
  });

  it('also where no config was read', () => {
    expect(talosPatches([], '1.14.0').cniNone?.patch).toContain('name: none');
    expect(talosPatches([], '1.14.0').pinAddresses(LAN, false)).toContain('machine:');
  });
});

describe('on the documents of 1.14', () => {
  const patches = patchesFor(NEW, '1.14.0', 'controlplane');

  it('the Flannel document goes, and comes back as it was', () => {
    expect(patches.cniNone?.patch).toContain('kind: KubeFlannelCNIConfig\n$patch: delete');
    expect(patches.cniNone?.undo).toContain('kubeNetworkPoliciesEnabled: true');
  });

  it('the node IP has a document of its own, etcd is still in the main one', () => {
    const patch = patches.pinAddresses(LAN, true) ?? '';
    expect(patch).toContain('kind: KubeNodeConfig\nnodeIP:');
    expect(patch).toContain('cluster:\n  etcd:');
    expect(patch).not.toContain('machine:');
  });

  it('there is nothing to take away where no CNI is named', () => {
    expect(patchesFor('machine: {type: worker}\n', '1.14.0', 'worker').cniNone).toBeUndefined();
  });
});

it('a role whose config pins the LAN already needs no patch', () => {
  const pinned = 'machine:\n  kubelet:\n    nodeIP:\n      validSubnets: [10.0.1.0/24]\n';
  expect(patchesFor(pinned, '1.10.2', 'worker').pinAddresses(LAN, false)).toBeUndefined();
  expect(patchesFor(pinned, '1.10.2', 'controlplane').pinAddresses(LAN, true)).toBe(
    'cluster:\n  etcd:\n    advertisedSubnets:\n      - 10.0.1.0/24\n',
  );
});
