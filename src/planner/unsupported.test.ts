/** What no plan is made for: each with its near miss. */
import { describe, expect, it } from 'vitest';
import { daemonSet, node, pod } from '../hazards/testing-objects.ts';
import { factsFrom } from '../hazards/testing.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import { planMigration } from './plan-migration.ts';
import { literal, nodes, refused } from './testing.ts';

function refusedWith(...objects: readonly KubeObject[]): readonly string[] {
  return refused({ objects: [...nodes(3, 2), ...objects] });
}

describe('no plan is made', () => {
  it('where a node runs another system or architecture than Cilium’s agent', () => {
    expect(refusedWith(node('win', { os: 'windows' }))).toEqual(['nodes-without-agent']);
    expect(refusedWith(node('pi', { arch: 'arm' }))).toEqual(['nodes-without-agent']);
    expect(refusedWith(node('graviton', { arch: 'arm64', ip: '10.0.1.200' }))).toEqual([]);
  });

  it('while a node is not Ready, and its own words are passed on', () => {
    const away = { type: 'Ready', status: 'Unknown', message: 'Kubelet stopped posting.' } as const;
    const objects = [...nodes(3, 2), node('gone', { conditions: [away], ip: '10.0.1.201' })];
    const result = planMigration(factsFrom(literal({ objects })));
    expect(result.ok ? [] : result.refusals).toMatchObject([
      { hazard: 'nodes-not-ready', title: 'gone is not Ready' },
    ]);
    expect(result.ok ? '' : result.refusals[0]?.message).toContain('Kubelet stopped posting.');
    const ready = { type: 'Ready', status: 'True' } as const;
    expect(refusedWith(node('here', { conditions: [ready], ip: '10.0.1.201' }))).toEqual([]);
  });

  it('where pods have IPv6 addresses, not where only nodes do', () => {
    const podCidrs = ['10.244.9.0/24', 'fd00:10:244:9::/64'];
    expect(refusedWith(node('both', { podCidrs, ip: '10.0.1.202' }))).toEqual(['dual-stack']);
    const four = node('four', { podCidrs: ['10.244.9.0/24'], ip: '10.0.1.202' });
    const addresses = [
      ...(four.status.addresses ?? []),
      { type: 'InternalIP', address: 'fd00::9' },
    ];
    const reached = { ...four, status: { ...four.status, addresses } };
    expect(refusedWith(reached)).toEqual([]);
  });

  it('on Talos 1.14 without a machine config, whose form a patch must have', () => {
    const cluster = { ...literal().cluster, talosVersion: '1.14.0-rc.1' };
    expect(refused({ cluster, machineConfigs: [] })).toEqual(['machine-configs-unread']);
    expect(refused({ machineConfigs: [] })).toEqual([]);
  });

  it('over a migration that something else began, which says how far it is', () => {
    const agents = daemonSet('cilium', {
      namespace: 'kube-system',
      image: 'quay.io/cilium/cilium:v1.18.3',
    });
    const moved = pod('web-1', { namespace: 'apps', node: 'wrk-003', ip: '10.245.3.7' });
    const begun = planMigration(factsFrom(literal({ objects: [...nodes(3, 2), agents] })));
    const half = planMigration(factsFrom(literal({ objects: [...nodes(3, 2), agents, moved] })));
    expect(begun.ok ? [] : begun.refusals).toMatchObject([
      { hazard: 'migration-under-way', fix: { command: 'helm uninstall -n kube-system cilium' } },
    ]);
    expect(half.ok ? '' : half.refusals[0]?.message).toContain('1 pod on wrk-003');
  });
});
