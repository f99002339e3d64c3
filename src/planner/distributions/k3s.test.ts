/** K3s: what no plan is made for, each with its near miss; what its servers are told, and in which order. */
import { describe, expect, it } from 'vitest';
import { node, pod } from '../../hazards/testing-objects.ts';
import type { FactsLiteral } from '../../hazards/testing.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import { runbookText } from '../runbook-text.ts';
import { actionOf, choice, literal, planned, refused, step, valuesAt } from '../testing.ts';

interface Server {
  readonly args?: string;
  readonly environment?: string;
  readonly etcd?: boolean;
}

function server(
  index: number,
  { args = '["server"]', environment, etcd = true }: Server = {},
): KubeObject {
  return node(`srv-${index}`, {
    ip: `10.0.1.${index}`,
    controlPlane: true,
    kubelet: 'v1.32.5+k3s1',
    labels: etcd ? { 'node-role.kubernetes.io/etcd': 'true' } : {},
    annotations: {
      ...(args === '' ? {} : { 'k3s.io/node-args': args }),
      ...(environment === undefined ? {} : { 'k3s.io/node-env': environment }),
    },
  });
}

function agent(args = '["agent"]'): KubeObject {
  return node('agt-1', {
    ip: '10.0.1.40',
    kubelet: 'v1.32.5+k3s1',
    annotations: { 'k3s.io/node-args': args },
  });
}

const JOINS_FIRST = '["server","--server","https://10.0.1.1:6443"]';
const THREE: readonly KubeObject[] = [
  server(2, { args: JOINS_FIRST }),
  server(1),
  server(3, { args: JOINS_FIRST }),
];

function on(
  objects: readonly KubeObject[],
  more: Partial<FactsLiteral> = {},
): Partial<FactsLiteral> {
  return {
    cluster: {
      ...literal().cluster,
      distribution: 'k3s',
      podCidrs: ['10.42.0.0/16'],
      serviceCidrs: ['10.43.0.0/16'],
      apiEndpoint: { host: '127.0.0.1', port: 6444 },
    },
    flannel: { port: 8472, enforcesPolicies: true },
    machineConfigs: [],
    objects,
    ...more,
  };
}

function refusedFor(args: string, agentArgs?: string): readonly string[] {
  return refused(on([server(1, { args }), agent(agentArgs)]));
}

describe('no plan is made for K3s', () => {
  it('where its servers do not say what they were started with', () => {
    expect(refused(on([server(1, { args: '' })]))).toEqual(['k3s-arguments-unknown']);
    expect(refused(on([server(1), server(2, { args: '["etcd-snapshot"]' }), server(3)]))).toEqual([
      'k3s-arguments-unknown',
    ]);
    expect(refused(on([server(1), agent('')]))).toEqual([]);
  });

  it('where servers were started with different networks', () => {
    const without = server(2, { args: '["server","--disable-kube-proxy"]' });
    expect(refused(on([server(1), without, server(3)]))).toContain('k3s-servers-differ');
    const named = server(2, { args: '["server","--node-name","b","--disable","traefik"]' });
    expect(refused(on([server(1), named, server(3)]))).toEqual([]);
  });

  it.each(['host-gw', 'wireguard-native', 'tailscale', 'ipsec'])('with %s', (backend) => {
    expect(refusedFor(`["server","--flannel-backend","${backend}"]`)).toContain(
      'k3s-backend-unsupported',
    );
  });

  it.each([
    ['k3s-flannel-of-own', '--flannel-conf","/etc/flannel.json'],
    ['k3s-flannel-of-own', '--flannel-external-ip'],
    ['k3s-setting-in-the-way', '--flannel-backend=vxlan'],
    ['k3s-setting-in-the-way', '--disable-network-policy=false'],
    ['k3s-other-places', '--data-dir","/srv/k3s'],
    ['k3s-other-places', '-c","/etc/k3s.yaml'],
    ['k3s-other-places', '--rootless'],
    ['k3s-other-runtime', '--docker'],
  ])('%s: %s', (id, flag) => {
    expect(refusedFor(`["server","${flag}"]`)).toEqual([id]);
  });

  it('says so of agents too, and not of what concerns no network', () => {
    expect(
      refusedFor('["server"]', '["agent","--container-runtime-endpoint","/run/x.sock"]'),
    ).toEqual(['k3s-other-runtime']);
    expect(
      refusedFor('["server","--node-taint","a=b:NoSchedule","--flannel-iface","eth1"]'),
    ).toEqual([]);
    const environment = '{"K3S_CONFIG_FILE":"/etc/k3s.yaml"}';
    expect(refused(on([server(1, { environment })]))).toEqual(['k3s-other-places']);
    expect(refused(on([server(1, { environment: '{"K3S_TOKEN":"********"}' })]))).toEqual([]);
  });

  it('while its own controller enforces policies, whose rules would stay', () => {
    const policy = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'deny', namespace: 'web' },
      spec: { podSelector: {} },
    };
    const off = server(1, { args: '["server","--disable-network-policy"]' });
    expect(refused(on([server(1), policy]))).toEqual(['k3s-policies-enforced']);
    expect(
      refused(on([off, policy], { flannel: { port: 8472, enforcesPolicies: false } })),
    ).toEqual([]);
  });
});

function gatesOf(objects: readonly KubeObject[]) {
  return step(planned(on(objects)), 'remove-old-cni/srv-1/restart-k3s').gates;
}

describe('a plan for K3s', () => {
  it('tells all servers before the first restarts, and restarts those that others join first', () => {
    const plan = planned(on([...THREE, agent()]));
    const told = actionOf(plan, 'remove-old-cni/tell-service', 'write-node-file');
    expect(told.path).toBe('/etc/rancher/k3s/config.yaml.d/90-regauge.yaml');
    expect(told.content).toBe(
      'flannel-backend: none\ndisable-network-policy: true\ndisable-kube-proxy: true\n',
    );
    const restarts = plan.steps.flatMap(({ action }) =>
      action.kind === 'restart-service' ? [`${action.service} ${action.nodes.join(' ')}`] : [],
    );
    expect(restarts).toEqual(['k3s srv-1', 'k3s srv-2', 'k3s srv-3', 'k3s-agent agt-1']);
    expect(told.nodes.toSorted()).toEqual(['srv-1', 'srv-2', 'srv-3']);
  });

  it('asks for etcd’s quorum where etcd is in K3s, and for the conf where the runtime looks next', () => {
    expect(gatesOf(THREE)).toContainEqual({ kind: 'etcd-quorum', node: 'srv-1' });
    const outside = [1, 2, 3].map((index) => server(index, { etcd: false }));
    expect(gatesOf(outside).map(({ kind }) => kind)).not.toContain('etcd-quorum');
    expect(gatesOf([server(1)])).toContainEqual({
      kind: 'conf-selected',
      node: 'srv-1',
      network: 'cilium',
      directories: { conf: '/etc/cni/net.d', bin: '/opt/cni/bin' },
    });
  });

  it('leaves kube-proxy in K3s where it is to stay, and says nothing of one that is off', () => {
    const values = 'ipam: {operator: {clusterPoolIPv4PodCIDRList: ["10.245.0.0/16"]}}\n';
    const stays = planned(on([server(1)], { values }));
    expect(actionOf(stays, 'remove-old-cni/tell-service', 'write-node-file').content).not.toContain(
      'kube-proxy',
    );
    expect(stays.steps.map(({ id }) => id)).not.toContain('remove-old-cni/clean-rules');
    const off = planned(
      on([server(1, { args: '["server","--disable-kube-proxy"]' })], {
        kubeProxy: { present: false },
      }),
    );
    expect(actionOf(off, 'remove-old-cni/tell-service', 'write-node-file').content).not.toContain(
      'kube-proxy',
    );
  });

  it('says which host ports are not served meanwhile, where there are any', () => {
    const published = pod('svclb-traefik-x', {
      namespace: 'kube-system',
      node: 'srv-1',
      containers: [{ name: 'lb', ports: [{ containerPort: 80, hostPort: 80 }] }],
    });
    expect(choice(planned(on([server(1), published])), 'host ports')).toContain('svclb-traefik-x');
    expect(choice(planned(on([server(1)])), 'host ports')).toBeUndefined();
    expect(choice(planned(on([server(1)])), 'K3s')).toContain('90-regauge.yaml');
  });

  it('can be gone back from by hand, by the values and not by a number', () => {
    const text = runbookText(planned(on([server(1), agent()])));
    expect(text).toContain("printf 'flannel-backend: none\\ndisable-network-policy: true\\n");
    expect(text).toContain(
      'helm upgrade cilium cilium/cilium --version 1.16.5 -n kube-system -f artifacts/replace-kube-proxy-values.values.yaml',
    );
    expect(text).not.toContain('helm rollback');
    expect(text).not.toContain('talosctl');
  });

  it('knows where plugins were before their place was the same in every release', () => {
    const cluster = { ...on([]).cluster, kubernetesVersion: '1.30.5' };
    const plan = planned(on([server(1)], { cluster }));
    expect(valuesAt(plan, 'install-secondary/install-cilium')['cni']).toMatchObject({
      confPath: '/var/lib/rancher/k3s/agent/etc/cni/net.d',
      binPath: '/var/lib/rancher/k3s/data/current/bin',
    });
    expect(valuesAt(plan, 'remove-old-cni/agent-directories')['cni']).toMatchObject({
      binPath: '/opt/cni/bin',
    });
  });
});
