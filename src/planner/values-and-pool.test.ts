/** What the planner writes into the values of each phase, the tunnel port and the pool it takes. */
import { assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { node } from '../hazards/testing-objects.ts';
import { factsFrom } from '../hazards/testing.ts';
import { planMigration } from './plan-migration.ts';
import { actionOf, choice, literal, nodes, planned, refused, VALUES, valuesAt } from './testing.ts';

/** The chart a plan takes for the cluster's Kubernetes when none is named. */
function versionFor(kubernetesVersion: string): string {
  const cluster = { ...literal().cluster, kubernetesVersion };
  const { chartVersion: _version, ...untold } = literal({ cluster });
  const result = planMigration(factsFrom(untold));
  return result.ok ? result.plan.to.version : '';
}

describe('values per phase', () => {
  it('installs Cilium beside Flannel so that it manages no pod and touches no Service', () => {
    expect(valuesAt(planned(), 'install-secondary/install-cilium')).toMatchObject({
      cni: { customConf: true, uninstall: false },
      kubeProxyReplacement: false,
      operator: { unmanagedPodWatcher: { restart: false } },
      policyEnforcementMode: 'never',
      bpf: { hostLegacyRouting: true },
      routingMode: 'tunnel',
      ipam: { mode: 'cluster-pool', operator: { clusterPoolIPv4PodCIDRList: ['10.245.0.0/16'] } },
    });
  });

  it('hands the conf to the release in the end and replaces kube-proxy only then', () => {
    const plan = planned({ values: `${VALUES}bpf: {masquerade: true}\n` });
    expect(valuesAt(plan, 'finalise/values')).toMatchObject({
      cni: { customConf: false, exclusive: true },
      kubeProxyReplacement: false,
      bpf: { masquerade: false },
    });
    expect(valuesAt(plan, 'replace-kube-proxy/values')).toMatchObject({
      kubeProxyReplacement: true,
      bpf: { masquerade: true },
      k8sServiceHost: 'localhost',
      k8sServicePort: 7445,
    });
  });

  it('keeps kube-proxy when the target does not want it replaced', () => {
    const plan = planned({ values: VALUES.replace('true', 'false') });
    expect(plan.steps.filter(({ phase }) => phase === 'replace-kube-proxy')).toEqual([]);
    expect(plan.to.kubeProxyReplacement).toBe(false);
  });

  it('takes a chart that is tested with the cluster’s Kubernetes where none is named', () => {
    expect(['1.29.0', '1.33.2', '1.34.1', '1.36.0', '1.40.0'].map(versionFor)).toEqual([
      '1.18.14',
      '1.18.14',
      '1.19.8',
      '1.20.2',
      '1.20.2',
    ]);
  });

  it('sends agents to the API itself where there is no KubePrism', () => {
    const cluster = {
      distribution: 'kubeadm',
      kubernetesVersion: '1.31.6',
      podCidrs: ['10.244.0.0/16'],
      serviceCidrs: ['10.96.0.0/12'],
      hasLiveObjects: true,
    } as const;
    const ofTalos = `${VALUES}k8sServiceHost: localhost\nk8sServicePort: 7445\n`;
    const apiEndpoint = { host: '10.0.5.10', port: 6443 };
    const hostOf = (values: string): unknown =>
      valuesAt(
        planned({ cluster: { ...cluster, apiEndpoint }, machineConfigs: [], values }),
        'install-secondary/install-cilium',
      )['k8sServiceHost'];
    expect([hostOf(VALUES), hostOf(ofTalos)]).toEqual(['10.0.5.10', '10.0.5.10']);
    expect(hostOf(`${VALUES}k8sServiceHost: lb.example.com\nk8sServicePort: 6443\n`)).toBe(
      'lb.example.com',
    );
    expect(hostOf(VALUES.replace('true', 'false'))).toBeUndefined();
    expect(refused({ cluster, machineConfigs: [], values: ofTalos })).toEqual([
      'api-server-address-missing',
    ]);
  });

  it('leaves out what belongs to native routing, which would end every agent', () => {
    const plan = planned({
      values: `${VALUES}
routingMode: native
autoDirectNodeRoutes: true
ipv4NativeRoutingCIDR: 10.0.0.0/8
loadBalancer: {mode: dsr, algorithm: maglev}
`,
    });
    const values = valuesAt(plan, 'replace-kube-proxy/values');
    expect(values).toMatchObject({
      routingMode: 'tunnel',
      loadBalancer: { algorithm: 'maglev' },
    });
    expect(Object.keys(values)).not.toContain('autoDirectNodeRoutes');
    expect(Object.keys(values)).not.toContain('ipv4NativeRoutingCIDR');
    expect([choice(plan, 'loadBalancer.mode'), choice(plan, 'routingMode')]).toEqual([
      'snat',
      'tunnel',
    ]);
  });

  it('keeps Geneve and the devices where the target names them', () => {
    const plan = planned({
      chartVersion: '1.18.3',
      flannel: { port: 8472, enforcesPolicies: false },
      values: `${VALUES}tunnelProtocol: geneve\ndevices: eth0\n`,
    });
    expect(valuesAt(plan, 'finalise/values')).toMatchObject({ tunnelProtocol: 'geneve' });
    expect([choice(plan, 'tunnelPort'), choice(plan, 'devices and MTU')]).toEqual([
      undefined,
      undefined,
    ]);
    expect(choice(planned({ chartVersion: '1.18.3' }), 'devices and MTU')).toBe(
      'left to detection',
    );
  });

  it("corrects the post-mortem's values and says so", () => {
    const plan = planned({
      values: `
ipam: {mode: cluster-pool, operator: {clusterPoolIPv4PodCIDRList: ["10.245.0.0/16"]}}
tunnelPort: 8473
cni: {exclusive: false, customConf: true}
bpf: {masquerade: true, hostLegacyRouting: true}
kubeProxyReplacement: strict
nodePort: {enabled: true}
securityContext:
  capabilities:
    ciliumAgent: "{CHOWN,KILL,SYS_MODULE}"
    cleanCiliumState: "{NET_ADMIN,SYS_ADMIN}"
`,
    });
    expect(choice(plan, 'kubeProxyReplacement')).toBe('true instead of strict');
    expect(choice(plan, 'nodePort.enabled')).toBe('left out');
    expect(choice(plan, 'cni.exclusive')).toBe('true');
    expect(valuesAt(plan, 'replace-kube-proxy/values')).toMatchObject({
      kubeProxyReplacement: true,
      securityContext: {
        capabilities: {
          ciliumAgent: ['CHOWN', 'KILL'],
          cleanCiliumState: ['NET_ADMIN', 'SYS_ADMIN'],
        },
      },
      cgroup: { autoMount: { enabled: false }, hostRoot: '/sys/fs/cgroup' },
    });
  });

  it('keeps host legacy routing while Talos forwards kube DNS to the host', () => {
    const forwards = {
      text: 'machine: {type: controlplane}',
      kind: 'config',
      facts: { kubePrism: { enabled: true, port: 7445 }, forwardKubeDnsToHost: true },
    } as const;
    expect(
      valuesAt(planned({ machineConfigs: [forwards] }), 'replace-kube-proxy/values'),
    ).toMatchObject({ bpf: { hostLegacyRouting: true } });
    expect(valuesAt(planned(), 'replace-kube-proxy/values')).toMatchObject({
      bpf: { hostLegacyRouting: false },
    });
  });

  it('audits policies first that were never enforced, and does not where there are none', () => {
    const policy = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'deny', namespace: 'apps' },
    };
    expect(
      valuesAt(planned({ objects: [...nodes(3, 4), policy] }), 'finalise/values'),
    ).toMatchObject({ policyAuditMode: true, policyEnforcementMode: 'default' });
    expect(valuesAt(planned(), 'finalise/values')['policyAuditMode']).toBeUndefined();
  });

  it('leaves other confs alone where a mesh or multus has one', () => {
    const multus = {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'kube-multus-ds', namespace: 'kube-system' },
      spec: { selector: {}, template: { spec: { containers: [] } } },
    };
    const plan = planned({ objects: [...nodes(3, 4), multus] });
    expect(valuesAt(plan, 'finalise/values')).toMatchObject({ cni: { exclusive: false } });
    const [config] = actionOf(plan, 'install-secondary/node-config', 'apply-objects').objects;
    expect(config).toMatchObject({ spec: { defaults: { 'cni-exclusive': 'false' } } });
  });
});

describe('tunnel port', () => {
  it.each([
    [4789, '', undefined],
    [8472, '', 8473],
    [8472, 'tunnelPort: 8500', 8500],
    [8500, 'tunnelPort: 8500', 8473],
    [undefined, '', 8473],
  ])('with Flannel on %s and values %j is %s', (port, values, expected) => {
    const flannel =
      port === undefined ? { enforcesPolicies: false } : { port, enforcesPolicies: false };
    const cluster = { ...literal().cluster, distribution: 'kubeadm' } as const;
    const plan = planned({
      cluster,
      flannel,
      values: `${VALUES.replace('true', 'false')}${values}\n`,
    });
    expect(valuesAt(plan, 'install-secondary/install-cilium')['tunnelPort']).toBe(expected);
  });
});

describe('pool', () => {
  it('chooses the neighbour of the old range when none is given', () => {
    const plan = planned({ values: 'kubeProxyReplacement: true' });
    expect(plan.to.podCidrs).toEqual(['10.245.0.0/16']);
    expect(choice(plan, 'pod pool')).toBe('10.245.0.0/16');
  });

  it('has room for a thousand nodes', () => {
    const objects = Array.from({ length: 1000 }, (_, index) =>
      node(`n-${String(index).padStart(4, '0')}`, {
        ip: `192.168.${Math.floor(index / 250)}.${(index % 250) + 1}`,
        controlPlane: index < 3,
      }),
    );
    const cluster = { ...literal().cluster, podCidrs: ['10.128.0.0/12'] } as const;
    const plan = planned({ objects, cluster, values: 'kubeProxyReplacement: true' });
    expect(Number(plan.to.podCidrs[0]?.split('/')[1])).toBeLessThanOrEqual(13);
  });

  it.each([
    '10.244.0.0/16',
    '10.244.128.0/17',
    '10.0.0.0/8',
    '10.100.0.0/16',
    '10.0.0.0/16',
    'nonsense',
  ])('refuses %s, which overlaps something or is none', (cidr) => {
    expect(refused({}, { poolCidr: cidr })).toEqual(['pod-pool-unusable']);
  });

  it('refuses a pool with fewer ranges than nodes', () => {
    expect(refused({}, { poolCidr: '10.245.0.0/22' })).toEqual(['pod-pool-unusable']);
  });

  it('never chooses a range that overlaps one of the cluster', () => {
    assert(
      property(integer({ min: 0, max: 255 }), integer({ min: 9, max: 16 }), (second, prefix) => {
        const size = 2 ** (16 - prefix);
        const start = Math.floor(second / size) * size;
        const cluster = {
          ...literal().cluster,
          podCidrs: [`10.${start}.0.0/${prefix}`],
          serviceCidrs: ['172.20.0.0/16'],
        } as const;
        const plan = planned({
          cluster,
          values: 'kubeProxyReplacement: true',
          objects: nodes(3, 4, '192.168.1'),
        });
        const [first = 0, poolSecond = 0] = (plan.to.podCidrs[0] ?? '').split(/[./]/).map(Number);
        expect(first !== 10 || poolSecond < start || poolSecond >= start + size).toBe(true);
      }),
    );
  });
});
