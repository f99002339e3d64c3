/** What a measurement reads off a node besides a runtime's answers: leases, sandboxes, rules. */
import type { NodeRuntime } from '../../src/twin/runtime/node-runtime.ts';
import type { Json } from './cases.ts';

/** Pods by their letter, with the id of their sandbox. */
export type PodIds = ReadonlyMap<string, string>;

export function leasesOn({ state }: NodeRuntime, ids: PodIds): Json {
  const podOf = (containerId: string): string | undefined =>
    [...ids].find(([, handle]) => containerId.endsWith(handle))?.[0];
  return Object.fromEntries(
    state.leaseNetworks().map((network) => [
      network,
      state
        .leasesOf(network)
        .entries()
        .map(({ address, holder }) => ({
          ip: address,
          pod: podOf(holder.id) ?? 'failed-attempt',
        }))
        .sort((left, right) => lastByte(left.ip) - lastByte(right.ip)),
    ]),
  );
}

export function podsOn(runtime: NodeRuntime): readonly Json[] {
  return runtime
    .sandboxStates()
    .map(({ request, ready }) => ({
      name: request.name,
      state: ready ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
    }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

export function rulesOn({ links }: NodeRuntime): readonly Json[] {
  return links.hostPortRules.map(({ network, protocol, hostPort, to }) => ({
    network,
    hostPort: `${protocol}/${hostPort}`,
    to,
  }));
}

/** Who answers on the host port: the pod that has the address, if it knows a way back. */
export function answerOn(runtime: NodeRuntime, ids: PodIds): Json {
  const target = runtime.hostPortTarget('tcp', 8080)?.split(':')[0];
  for (const [pod, id] of ids) {
    const state = runtime.sandboxState(id);
    if (target !== undefined && state?.netnsOpen === true && state.ip === target) {
      if (state.defaultRoute) return { answer: `pod-${pod}`, curlExit: 0 };
    }
  }
  return { answer: null, curlExit: 28 };
}

function lastByte(address: string): number {
  return Number(address.split('.').at(-1));
}
