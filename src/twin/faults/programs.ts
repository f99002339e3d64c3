/** Software that runs in the cluster and crashes, or loses its leader. */
import type { ProcessHost } from '../world.ts';
import { type Ending, type Fault, type FaultScene, overAfter, seconds } from './fault.ts';

const AGENTS = ['cilium-agent', 'kube-flannel'] as const;
/** How long a process that will crash lives. */
const LIFE_MS = 2_000;

export const agentCrashes: Fault = {
  id: 'agent-crashes',
  title: 'The network agents of a node crash, again and again',
  standsFor: 'a kernel without a feature, a corrupt map, a config that one node refuses',
  source: 'FM-22; cilium#38191',
  strikes: 'node',
  parameters: { for: seconds('how long they do', 10, 240, 1800) },
  strike: (scene, { node, value }) =>
    crashes(scene, value('for'), (host) => host.node.name === node && isAgent(host)),
};

export const operatorLeaderLost: Fault = {
  id: 'operator-leader-lost',
  title: 'The operator of the new network ends, and another leads',
  standsFor: 'a lease that was not renewed in time; a node that is drained',
  source: 'CG leaderelection; anchors.md 4.1 no. 4',
  strikes: 'cluster',
  parameters: { for: seconds('how long each new one ends too', 1, 20, 600) },
  strike: (scene, { value }) =>
    crashes(scene, value('for'), ({ container }) => container.name === 'cilium-operator'),
};

export const dnsCrashes: Fault = {
  id: 'dns-crashes',
  title: 'The DNS servers of the cluster crash',
  standsFor: 'out of memory under a storm of retries; a Corefile that does not parse',
  source: 'DB Schenker: CoreDNS restart loop; FM-31',
  strikes: 'cluster',
  parameters: { for: seconds('how long they do', 10, 120, 900) },
  strike: (scene, { value }) =>
    crashes(scene, value('for'), ({ container }) => container.name === 'coredns'),
};

function isAgent({ container }: ProcessHost): boolean {
  return AGENTS.some((name) => name === container.name);
}

function crashes(
  { world, processes }: FaultScene,
  secondsLong: number,
  concerns: (host: ProcessHost) => boolean,
): Ending {
  const { kernel } = world;
  const message = 'fatal error: struck by a fault of the rehearsal';
  for (const host of processes.all()) if (concerns(host)) processes.end(host, 2, message);
  const stop = processes.onStart((host) => {
    if (concerns(host)) kernel.after(LIFE_MS, () => processes.end(host, 2, message));
  });
  kernel.after(secondsLong * 1000, stop);
  // The back-off of a container that has crashed for long is up to five minutes.
  return overAfter(secondsLong + world.constants.crashLoopMaxMs / 1000);
}
