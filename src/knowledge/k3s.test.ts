import { describe, expect, it } from 'vitest';
import type { NodeObject } from '../model/kubernetes.ts';
import { k3sArguments, k3sBinDirectory, k3sFlag, k3sJoins, k3sNetwork } from './k3s.ts';

function started(args: unknown, environment?: Readonly<Record<string, string>>): NodeObject {
  const annotations = {
    'k3s.io/node-args': typeof args === 'string' ? args : JSON.stringify(args),
    ...(environment === undefined ? {} : { 'k3s.io/node-env': JSON.stringify(environment) }),
  };
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'a', annotations },
    spec: {},
    status: {},
  };
  return node as NodeObject; // a Node with what is read of it
}

function networkOf(args: readonly string[]) {
  const read = k3sArguments(started(args));
  return read === undefined ? undefined : k3sNetwork(read);
}

describe('the arguments of K3s', () => {
  it('are those of its process, the last of a kind winning', () => {
    const read = k3sArguments(
      started([
        'server',
        '--flannel-backend',
        'host-gw',
        '--disable',
        'traefik',
        '--flannel-backend=none',
      ]),
    );
    expect(read?.role).toBe('server');
    expect(read === undefined ? '' : k3sFlag(read, 'flannel-backend')).toBe('none');
    expect(read?.flags.get('disable')).toEqual(['traefik']);
  });

  it('are nothing where nothing was said, or nothing that is understood', () => {
    expect(
      ['{', '{}', '[]', '["etcd-snapshot"]'].map((text) => k3sArguments(started(text))),
    ).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('a flag without a value is true, and one that says false is not', () => {
    expect(networkOf(['server', '--disable-kube-proxy', '--cluster-init'])?.kubeProxy).toBe(false);
    expect(networkOf(['server', '--disable-kube-proxy', 'false'])?.kubeProxy).toBe(true);
    expect(networkOf(['server', '--disable-network-policy', 'true'])?.networkPolicy).toBe(false);
  });

  it('that were not given are the defaults', () => {
    expect(networkOf(['server'])).toEqual({
      flannelBackend: 'vxlan',
      kubeProxy: true,
      networkPolicy: true,
      clusterCidr: '10.42.0.0/16',
      serviceCidr: '10.43.0.0/16',
    });
  });

  it('name the server a node joins, or its environment does', () => {
    expect(k3sJoins(started(['server', '--server', 'https://10.0.0.1:6443']))).toBe('10.0.0.1');
    expect(k3sJoins(started(['agent'], { K3S_URL: 'https://k3s.lan:6443' }))).toBe('k3s.lan');
    expect(
      k3sJoins(started(['server', '--cluster-init'], { K3S_TOKEN: '********' })),
    ).toBeUndefined();
  });
});

describe('the directory of plugins', () => {
  it.each([
    ['1.27.16', 'data/current/bin'],
    ['1.28.14', 'data/current/bin'],
    ['1.28.15', 'data/cni'],
    ['1.30.5', 'data/current/bin'],
    ['1.31.2', 'data/cni'],
    ['1.33.1', 'data/cni'],
  ])('%s: %s', (version, directory) => {
    expect(k3sBinDirectory(version)).toBe(`/var/lib/rancher/k3s/${directory}`);
  });
});
