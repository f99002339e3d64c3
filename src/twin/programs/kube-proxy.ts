/**
 * kube-proxy: its rules follow the EndpointSlices while it runs; when it stops they stay in the
 * kernel as they were (failure-domains.md 2.4). It has a kubeconfig of its own, so it needs no
 * ClusterIP itself.
 */
import type { Process, ProcessHost } from '../world.ts';
import { cleanKubeProxyRules, fabricOf } from '../network/fabric.ts';
import { networkOf } from '../network/kernel-network.ts';
import { initStep } from './app.ts';
import { Life } from './life.ts';
import { becauseOfRemoval, followRemovals } from './removals.ts';
import { startWhen } from './start-when.ts';

/** `kube-proxy --cleanup` (KK cmd/kube-proxy/app/server.go): takes away what another one left, and ends. */
const cleanUp = initStep(({ node }) => {
  cleanKubeProxyRules(node);
  return undefined;
});

/** Its image has nft too (kubernetes/release:images/build/distroless-iptables). */
const nft = initStep((host) => {
  const [, ...args] = wordsOf(host);
  const { exitCode, stderr } = networkOf(host.node).filter.nft(args);
  return exitCode === 0 ? undefined : stderr;
});

export function kubeProxy(host: ProcessHost): Process {
  const { world } = host;
  if (wordsOf(host)[0] === 'nft') return nft(host);
  if (wordsOf(host).includes('--cleanup')) return cleanUp(host);
  const life = new Life(world.kernel);
  const network = networkOf(host.node);
  const mode = modeOf(host);
  const serve = (): void => {
    network.setKubeProxy({ mode, rules: undefined });
    host.setReady(true);
  };
  followRemovals(world);
  life.onEnd((reason) => {
    if (reason === 'power-lost' || network.kubeProxy === undefined) return;
    if (network.kubeProxy.rules !== undefined) return;
    const rules = fabricOf(world).revisions.freeze();
    becauseOfRemoval(world, 'kube-proxy', () => network.setKubeProxy({ mode, rules }));
  });
  startWhen(host, life, () => world.api.healthy(), serve);
  return life.asProcess();
}

function wordsOf({ container }: ProcessHost): readonly string[] {
  return [...(container.command ?? []), ...(container.args ?? [])];
}

function modeOf(host: ProcessHost): string {
  const flag = wordsOf(host).find((word) => word.startsWith('--proxy-mode='));
  return flag?.slice('--proxy-mode='.length) ?? 'iptables';
}
