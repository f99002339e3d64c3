/**
 * The planner on small clusters: its order keeps the rules (old CNI last, quorum, one canary, no
 * volume twice in a wave), strategies, what it refuses.
 */
import { describe, expect, it } from 'vitest';
import { node, object, pod } from '../hazards/testing-objects.ts';
import { factsFrom, type FactsLiteral } from '../hazards/testing.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import { planMigration } from './plan-migration.ts';
import { actionOf, ancestors, literal, nodes, planned, refused, step, VALUES } from './testing.ts';

function replica(name: string, nodeID: string, volumeName: string): KubeObject {
  return object(
    'longhorn.io/v1beta2',
    'Replica',
    name,
    { spec: { nodeID, volumeName } },
    { namespace: 'longhorn-system' },
  );
}

describe('node addresses (FM-09)', () => {
  it('pins them where the pool sorts before the LAN', () => {
    const plan = planned({ objects: nodes(3, 4, '192.168.7') });
    const pin = actionOf(plan, 'prepare/pin-addresses-of-control-planes', 'patch-machine-config');
    expect(pin.patch).toMatch(/validSubnets:\n\s+- 192\.168\.7\.0\/24/);
    expect(pin.patch).toMatch(/advertisedSubnets/);
    expect(
      actionOf(plan, 'prepare/pin-addresses-of-workers', 'patch-machine-config').patch,
    ).not.toMatch(/etcd/);
  });

  it('does not where the LAN sorts first, or everything is pinned', () => {
    expect(planned().steps.filter(({ id }) => id.includes('pin-addresses'))).toEqual([]);
    const pinned = {
      text: 'machine: {}',
      kind: 'config',
      facts: { nodeIpValidSubnets: ['192.168.7.0/24'], kubePrism: { enabled: true, port: 7445 } },
    } as const;
    expect(
      planned({ objects: nodes(3, 4, '192.168.7'), machineConfigs: [pinned] }).steps.filter(
        ({ id }) => id.includes('pin-addresses'),
      ),
    ).toEqual([]);
  });
});

function restartsForServices(id: string): boolean {
  return id.startsWith('replace-kube-proxy/') && id.endsWith('/replace');
}

describe('order', () => {
  it('moves one canary, then the others, then control planes one at a time', () => {
    const plan = planned({ objects: nodes(3, 40) });
    expect(plan.waves[0]).toHaveLength(1);
    expect(plan.waves.slice(-3)).toEqual([['cp-000'], ['cp-001'], ['cp-002']]);
    expect(Math.max(...plan.waves.map((wave) => wave.length))).toBe(4);
    expect(plan.waves.flat().toSorted()).toEqual(
      nodes(3, 40)
        .map(({ metadata }) => metadata.name)
        .toSorted(),
    );
  });

  it('puts the etcd leader last', () => {
    expect(planned({}, { etcdLeader: 'cp-000' }).waves.at(-1)).toEqual(['cp-000']);
  });

  it('never moves two nodes together that hold replicas of one volume', () => {
    const replicas = Array.from({ length: 20 }, (_, index) => [
      replica(`a-${index}`, `wrk-${String(3 + index * 2).padStart(3, '0')}`, `volume-${index}`),
      replica(`b-${index}`, `wrk-${String(4 + index * 2).padStart(3, '0')}`, `volume-${index}`),
    ]).flat();
    const { waves } = planned({ objects: [...nodes(3, 40), ...replicas] }, { waveSize: 8 });
    for (const wave of waves) {
      const volumes = wave.map((name) => Math.floor((Number(name.split('-')[1]) - 3) / 2));
      expect(new Set(volumes).size).toBe(wave[0]?.startsWith('cp') === true ? 1 : wave.length);
    }
  });

  it('deletes Flannel only after every node was seen to have moved, and marks it', () => {
    const plan = planned();
    const last = step(plan, 'remove-old-cni/delete-flannel');
    expect(last.pointOfNoReturn).toBe(true);
    expect(last.gates[0]).toMatchObject({
      kind: 'no-old-pods',
      nodes: expect.arrayContaining(['cp-000', 'wrk-006']),
    });
    const before = ancestors(plan, last.id);
    for (const name of plan.waves.flat()) expect(before).toContain(`move-nodes/${name}/verify`);
    expect(before).toContain('remove-old-cni/talos-cni-none');
    expect(actionOf(plan, 'remove-old-cni/talos-cni-none', 'patch-machine-config').nodes).toEqual([
      'cp-000',
      'cp-001',
      'cp-002',
    ]);
  });

  it('cordons what has not moved before the first pod is restarted', () => {
    const plan = planned();
    const canary = plan.waves[0]?.[0] ?? '';
    expect(step(plan, `move-nodes/${canary}/restart-pods`).dependsOn).toContain(
      'move-nodes/hold-others',
    );
    expect(actionOf(plan, 'move-nodes/hold-others', 'cordon').nodes).toHaveLength(6);
  });

  it('replaces kube-proxy wave by wave, and deletes it when every agent serves', () => {
    const plan = planned();
    const [first, second] = plan.waves.flat();
    const replace = step(plan, `replace-kube-proxy/${second ?? ''}/replace`);
    expect(ancestors(plan, replace.id)).toContain('replace-kube-proxy/wave-01/verify');
    expect(ancestors(plan, replace.id)).toContain(`replace-kube-proxy/${first ?? ''}/replace`);
    const before = ancestors(plan, 'replace-kube-proxy/delete-kube-proxy');
    for (const name of plan.waves.flat())
      expect(before).toContain(`replace-kube-proxy/${name}/replace`);
    const [config] = actionOf(plan, 'replace-kube-proxy/node-config', 'apply-objects').objects;
    expect(config).toMatchObject({
      kind: 'CiliumNodeConfig',
      spec: { defaults: { 'kube-proxy-replacement': 'true' } },
    });
  });

  it('prepares a wave while the one before moves, and opens it when that was seen to be well', () => {
    const plan = planned();
    const [, [second = ''] = [], [third = ''] = []] = plan.waves;
    const label = ancestors(plan, `move-nodes/${third}/label`);
    expect(label).toContain(`move-nodes/${second}/open`);
    expect(label).toContain('move-nodes/wave-01/verify');
    expect(label).not.toContain(`move-nodes/${second}/restart-pods`);
    expect(step(plan, `move-nodes/${third}/label`).gates).toContainEqual({ kind: 'paths-clear' });
    const restart = ancestors(plan, `move-nodes/${third}/restart-pods`);
    expect(restart).toContain('move-nodes/wave-02/verify');
    expect(restart).toContain(`move-nodes/${third}/restart-agent`);
    // Nothing follows the canary before it is seen to be well.
    expect(ancestors(plan, `move-nodes/${second}/label`)).toContain('move-nodes/wave-01/verify');
  });

  it('asks for etcd’s quorum again when the pods of a prepared control plane are to move', () => {
    const plan = planned();
    const last = plan.waves.at(-1)?.[0] ?? '';
    for (const name of ['label', 'open'])
      expect(step(plan, `move-nodes/${last}/${name}`).gates).toContainEqual({
        kind: 'etcd-quorum',
        node: last,
      });
  });

  it('prepares nothing early where nodes reboot, or are not held', () => {
    for (const strategy of ['reboot', 'sandbox-restart'] as const) {
      const plan = planned({}, { strategy });
      plan.waves.slice(1).forEach(([node = ''], index) => {
        const before = ancestors(plan, `move-nodes/${node}/label`);
        expect(before).toContain(`move-nodes/wave-0${index + 1}/verify`);
      });
    }
  });

  it('restarts two agents at a time for kube-proxy at most, no two of control planes, the canary alone', () => {
    const plan = planned();
    const agents = plan.steps.map(({ id }) => id).filter(restartsForServices);
    const together = agents.map((id) => {
      const behind = ancestors(plan, id);
      return agents.filter(
        (other) => other === id || !(behind.has(other) || ancestors(plan, other).has(id)),
      );
    });
    expect(together[0]).toHaveLength(1);
    for (const ids of together) {
      expect(ids.length).toBeLessThanOrEqual(2);
      expect(ids.filter((id) => id.includes('/cp-')).length).toBeLessThanOrEqual(1);
    }
    const rounds = new Set(together.map((ids) => ids.join()));
    expect(rounds.size).toBeLessThan(agents.length);
  });

  it('hands a labelled node exactly what the release will say in the end', () => {
    const values = `${VALUES}bpf: {masquerade: true}\n`;
    const plan = planned({ values });
    const [config] = actionOf(plan, 'replace-kube-proxy/node-config', 'apply-objects').objects;
    expect(config).toHaveProperty('spec.defaults', {
      'kube-proxy-replacement': 'true',
      'enable-bpf-masquerade': 'true',
    });
  });

  it('is the same for the same facts in another order', () => {
    const shuffled = planned({ objects: nodes(3, 4).toReversed() });
    expect(shuffled).toEqual(planned());
  });

  it('changes its hash with what it depends on', () => {
    expect(planned({ objects: nodes(3, 5) }).hash).not.toBe(planned().hash);
    expect(
      planned({ flannel: { port: 8472, enforcesPolicies: false } }).fingerprint['flannel'],
    ).not.toBe(planned().fingerprint['flannel']);
  });
});

describe('strategy', () => {
  it('evicts in place, on a single node too, and does what is asked', () => {
    expect(planned().strategy).toBe('evict-in-place');
    expect(planned({ objects: nodes(1, 0) }).strategy).toBe('evict-in-place');
    expect(planned({}, { strategy: 'reboot' }).strategy).toBe('reboot');
    expect(planned({}, { strategy: 'sandbox-restart' }).strategy).toBe('sandbox-restart');
  });

  it('asks for no quorum without the only voter, which stays, and reboots it with consent only', () => {
    const only = { objects: nodes(1, 2) };
    expect(quorum(planned(only))).toEqual([]);
    expect(refused(only, { strategy: 'reboot' })).toEqual(['etcd-one-voter']);
    const agreed = planned(only, { strategy: 'reboot', acceptApiOutage: true });
    expect(quorum(agreed)).toEqual([{ kind: 'etcd-quorum', node: 'cp-000', consent: true }]);
  });

  it('leaves a node cordoned that somebody cordoned before', () => {
    const held = node('wrk-900', { ip: '10.0.1.200', unschedulable: true });
    const plan = planned({ objects: [...nodes(3, 4), held] });
    expect(actionOf(plan, 'move-nodes/wrk-900/restart-pods', 'restart-pods').strategy).toBe(
      'sandbox-restart',
    );
  });

  it('restarts pods in place whose budget never allows an eviction', () => {
    const budget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'db', namespace: 'data' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'db' } } },
    };
    const alone = pod('db-0', { namespace: 'data', node: 'wrk-003', labels: { app: 'db' } });
    const second = pod('db-1', { namespace: 'data', node: 'wrk-004', labels: { app: 'db' } });
    const budgetsOf = (objects: readonly KubeObject[]) =>
      actionOf(
        planned({ objects: [...nodes(3, 4), budget, ...objects] }),
        'move-nodes/wrk-003/restart-pods',
        'restart-pods',
      ).budgetsWithoutRoom;
    expect(budgetsOf([alone])).toEqual(['data/db']);
    expect(budgetsOf([alone, second])).toBeUndefined();
  });
});

describe('refusals', () => {
  it.each([
    ['etcd-two-voters', { objects: nodes(2, 3) }],
    ['k3s-arguments-unknown', { cluster: { ...literal().cluster, distribution: 'k3s' } }],
    ['nodes-unknown', { objects: [] }],
    ['source-cni-unsupported', { sourceCni: 'calico' }],
    ['cilium-version-unsupported', { chartVersion: '1.13.4' }],
    ['cilium-version-unknown', { chartVersion: '9.1.0' }],
    ['cilium-version-unknown', { chartVersion: '1.18' }],
    [
      'agent-hangs-beside-ipvs',
      { chartVersion: '1.19.1', kubeProxy: { present: true, mode: 'ipvs' } },
    ],
  ] as const)('%s', (id, more) => {
    expect(refused(more as Partial<FactsLiteral>)).toContain(id);
  });

  it('will not take kube-proxy away from agents that have no other way to the API', () => {
    const off = {
      text: 'machine: {}',
      kind: 'config',
      facts: { kubePrism: { enabled: false, port: 7445 } },
    } as const;
    expect(refused({ machineConfigs: [off] })).toEqual(['api-server-address-missing']);
  });

  it('every refusal says what to do', () => {
    const result = planMigration(factsFrom(literal({ objects: nodes(2, 3) })));
    const words = result.ok
      ? []
      : result.refusals.flatMap(({ fix, message }) => [fix?.summary ?? '', message]);
    expect(words.map((text) => text.length > 20)).toEqual([true, true]);
  });
});

describe('Talos config styles', () => {
  it('deletes the Flannel document where the config is in documents', () => {
    const config = {
      text: 'machine: {type: controlplane}\n---\napiVersion: v1alpha1\nkind: KubeFlannelCNIConfig\nbackendType: vxlan\n',
      kind: 'config',
      facts: { kubePrism: { enabled: true, port: 7445 } },
    } as const;
    const cluster = { ...literal().cluster, talosVersion: '1.14.0' } as const;
    const plan = planned({ cluster, machineConfigs: [config] });
    const { patch } = actionOf(plan, 'remove-old-cni/talos-cni-none', 'patch-machine-config');
    expect(patch).toMatch(/kind: KubeFlannelCNIConfig\n\$patch: delete/);
    expect(plan.platform.confDirectoryVolatile).toBe(true);
  });
});

function quorum(plan: ReturnType<typeof planned>) {
  return step(plan, 'move-nodes/cp-000/label').gates.filter(({ kind }) => kind === 'etcd-quorum');
}
