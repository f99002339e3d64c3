/**
 * Goal: a twin of a cluster on Canal starts as the cluster was, and its pods fail and pass for Canal's
 * reasons: nodename, the plugin's account, Calico's policies. Method: an RKE2 snapshot, changed by hand.
 */
import { describe, expect, it } from 'vitest';
import { CALICO_NODENAME } from '../src/knowledge/canal.ts';
import type { KubeObject, PodObject } from '../src/model/kubernetes.ts';
import { fabricOf } from '../src/twin/network/fabric.ts';
import { networkOf } from '../src/twin/network/kernel-network.ts';
import { buildWorld, type TwinWorld } from '../src/twin/scenario/build-world.ts';
import { rke2 } from './support/rke2.ts';
import { read } from './support/snapshots.ts';

const CONF = '/etc/cni/net.d/10-canal.conflist';

function world(...objects: readonly KubeObject[]): TwinWorld {
  return buildWorld(read(rke2({ objects })), { seed: 1 }).world;
}

function podOf(twin: TwinWorld, app: string): PodObject {
  const found = twin.store.list('Pod').find(({ metadata }) => metadata.name.startsWith(app));
  if (found === undefined) throw new Error(`there is no pod of ${app}`);
  return found;
}

function later(twin: TwinWorld, seconds = 60): void {
  twin.kernel.runUntil(twin.kernel.now() + seconds * 1_000);
}

function failures(twin: TwinWorld): readonly string[] {
  return twin.kernel.occurrences
    .filter(({ kind }) => kind === 'kubelet.sandbox-failed')
    .map(({ message }) => message);
}

/** Deletes a pod of the backend and waits for the one that takes its place. */
function replaced(twin: TwinWorld): PodObject {
  twin.store.remove('Pod', 'web', podOf(twin, 'backend').metadata.name);
  later(twin);
  return podOf(twin, 'backend');
}

const ONLY_FRONTEND: KubeObject = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'only-frontend', namespace: 'web', uid: 'uid-policy' },
  spec: {
    podSelector: { matchLabels: { app: 'backend' } },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector: { matchLabels: { app: 'frontend' } } }] }],
  },
} as KubeObject;

describe('a twin of Canal', () => {
  it('starts nothing again, and has the conf with what each node fills in', () => {
    const twin = world();
    const before = twin.store.list('Pod').map(({ metadata }) => metadata.uid);
    later(twin, 300);
    expect(twin.store.list('Pod').map(({ metadata }) => metadata.uid)).toEqual(before);
    const conf = twin.nodes.get('k8s-worker-1')?.files.read(CONF) ?? '';
    expect(JSON.parse(conf)).toMatchObject({
      plugins: [{ nodename: 'k8s-worker-1', mtu: 1450 }, {}, {}],
    });
  });

  it('takes the usual settings where its ConfigMap was not read, and says so', () => {
    const { objects, files } = rke2();
    const rest = objects.filter(({ metadata }) => metadata.name !== 'rke2-canal-config');
    const { world: twin, assumptions } = buildWorld(read({ objects: rest, files }), { seed: 1 });
    const about = assumptions.map((each) => each.about);
    expect(about).toContain('ConfigMap kube-system/rke2-canal-config');
    expect(about).not.toContain('ConfigMap kube-system/kube-flannel-cfg');
    expect(replaced(twin).status.podIP).toMatch(/^10\.244\./);
  });

  it('gives a new pod a pair of its own and an address of its node, and reaches it', () => {
    const twin = world();
    const pod = replaced(twin);
    expect(pod.status.podIP).toMatch(/^10\.244\.\d\./);
    const node = twin.nodes.get(pod.spec.nodeName ?? '');
    if (node === undefined) throw new Error('no node');
    const { hostLink = '' } = networkOf(node).attachmentOf(pod.metadata.uid ?? '') ?? {};
    expect(networkOf(node).links()).toContain(hostLink);
    expect(networkOf(node).links()).not.toContain('cni0');
    const frontend = podOf(twin, 'frontend');
    const path = () => fabricOf(twin).reach({ kind: 'pod', pod: frontend }, { kind: 'pod', pod });
    expect(path()).toMatchObject({ ok: true, sourceSeen: frontend.status.podIP });
    networkOf(node).removeLink(hostLink);
    expect(path()).toMatchObject({ ok: false, message: expect.stringContaining(hostLink) });
  });

  it('makes no sandbox without the nodename file', () => {
    const twin = world();
    for (const { files } of twin.nodes.values()) files.remove(CALICO_NODENAME);
    replaced(twin);
    expect(failures(twin).at(0)).toContain(
      'stat /var/lib/calico/nodename: no such file or directory: check that the calico/node container is running and has mounted /var/lib/calico/',
    );
  });

  it('makes no sandbox when the account of its plugin is gone', () => {
    const twin = world();
    twin.store.remove('ServiceAccount', 'kube-system', 'canal');
    replaced(twin);
    expect(failures(twin).at(0)).toContain(
      'error getting ClusterInformation: connection is unauthorized: Unauthorized',
    );
  });

  it('enforces policies, by what pod objects say of addresses', () => {
    const twin = world(ONLY_FRONTEND);
    const to = { kind: 'pod', pod: podOf(twin, 'backend') } as const;
    const from = (app: string) =>
      fabricOf(twin).reach({ kind: 'pod', pod: podOf(twin, app) }, to).ok;
    expect([from('frontend'), from('mysql')]).toEqual([true, false]);
    const host = (node: string) => fabricOf(twin).reach({ kind: 'host', node }, to).ok;
    // Calico lets the host of a pod in, and no other.
    expect([host(to.pod.spec.nodeName ?? ''), host('k8s-master-1')]).toEqual([true, false]);
  });

  it('comes back from a reboot by itself', () => {
    const twin = world();
    twin.nodes.get('k8s-worker-1')?.machine.reboot();
    later(twin, 600);
    expect(twin.store.list('Pod').filter(({ status }) => status.phase !== 'Running')).toEqual([]);
  });
});
