/**
 * CoreDNS: not ready before its first sync with the API server, and then never unready for it again
 * (failure-domains.md 2.3). Its upstream is what the node's resolv.conf said when the pod's sandbox
 * was made, so a change on the node needs a new pod.
 */
import type { Process, ProcessHost } from '../world.ts';
import { fabricOf } from '../network/fabric.ts';
import { toUpstream } from '../network/host-dns.ts';
import { networkOf } from '../network/kernel-network.ts';
import { HOST_DNS_ADDRESS, settingsOf } from '../network/node-settings.ts';
import { locate } from '../network/places.ts';
import { hubOf } from './hub.ts';
import { Life } from './life.ts';
import { startWhen } from './start-when.ts';

export function coreDns(host: ProcessHost): Process {
  const { world, node, pod } = host;
  const life = new Life(world.kernel);
  takeResolvConf(host);
  let waits = false;
  const reaches = (): boolean => {
    const { ok } = fabricOf(world).reach({ kind: 'pod', pod }, { kind: 'apiserver' });
    if (!ok && !waits) {
      waits = true;
      host.log('[INFO] plugin/kubernetes: waiting for Kubernetes API before starting server');
    }
    return ok;
  };
  const serve = (): void => {
    host.log('.:53');
    host.setReady(true);
    let told = tellUpstream(host);
    const look = (): void => {
      if (!told) told = tellUpstream(host);
    };
    life.onEnd(hubOf(world).onNodeChange(node.name, look));
  };
  startWhen(host, life, reaches, serve);
  return life.asProcess();
}

/** A container that starts again in its sandbox finds the file it had. */
function takeResolvConf({ node, pod }: ProcessHost): void {
  const { resolvers } = networkOf(node);
  const uid = pod.metadata.uid ?? '';
  if (resolvers.has(uid)) return;
  const usesNode = pod.spec.dnsPolicy === 'Default' || pod.spec.hostNetwork === true;
  if (usesNode && settingsOf(node).forwardsDnsToHost) resolvers.set(uid, HOST_DNS_ADDRESS);
  else resolvers.set(uid, 'upstream');
}

/** Records that queries for outside names die on the way to the node's own resolver. */
function tellUpstream(host: ProcessHost): boolean {
  const { world, node, pod } = host;
  const place = locate(world.nodes, { kind: 'pod', pod });
  const upstream = networkOf(node).resolvers.get(pod.metadata.uid ?? '');
  if (!place.ok || upstream !== HOST_DNS_ADDRESS) return false;
  const verdict = toUpstream(place.place);
  if (verdict.ok) return false;
  const message = `[ERROR] plugin/errors: 2 . A: ${verdict.message}`;
  host.log(message);
  const told = world.kernel.because(world.kernel.causes, () =>
    world.kernel.occur('dns.host-dns-unreachable', {
      node: node.name,
      subject: { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name },
      message,
      because: verdict.because,
    }),
  );
  networkOf(node).upstreamLosses.set(pod.metadata.uid ?? '', told);
  return true;
}
