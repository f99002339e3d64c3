/**
 * Goal: what strikes was foretold, and what was proven strikes, over settings drawn at random. An agent
 * that does not start does nothing of what its other settings would do: then what keeps it down must
 * have been foretold, and the rest is not looked at.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Agreement, agreementsOn, type Files } from './support/agreement.ts';

/** What keeps the agents from starting at all; the first of them hides the rest. */
const STOPPERS = [
  'kube-proxy-replacement-spelling',
  'chart-value-removed',
  'api-server-address-missing',
  'kube-prism-mismatch',
  'bpf-masquerade-without-node-port',
  'direct-routes-with-tunnel',
  'vxlan-port',
];
/** What agents do once they run. */
const DEEDS = [
  'custom-conf-without-path',
  'replacement-before-migration',
  'host-routing-between-overlays',
  'unmanaged-pod-restart',
  'pool-outside-pod-subnets',
];

interface Draw {
  readonly chart: string;
  readonly replacement: boolean | string;
  readonly masquerade: boolean;
  readonly legacyRouting: boolean;
  readonly port: number;
  readonly directRoutes: boolean;
  readonly customConf: boolean;
  readonly watcher: boolean;
  readonly kubePrism: boolean;
  readonly proxyDisabled: boolean;
  readonly address: boolean;
  readonly lan: '10.0.1' | '192.168.7';
}

const draws = fc.record<Draw>({
  chart: fc.constantFrom('1.14.19', '1.15.19', '1.16.5', '1.17.18', '1.18.12'),
  replacement: fc.constantFrom(true, false, 'strict'),
  masquerade: fc.boolean(),
  legacyRouting: fc.boolean(),
  port: fc.constantFrom(8473, 8473, 8473, 4789),
  directRoutes: fc.constantFrom(false, false, false, true),
  customConf: fc.boolean(),
  watcher: fc.boolean(),
  kubePrism: fc.constantFrom(true, true, true, false),
  proxyDisabled: fc.boolean(),
  address: fc.constantFrom(true, true, false),
  lan: fc.constantFrom('10.0.1', '192.168.7'),
});

function filesOf(draw: Draw): Files {
  const address = (last: number): string => `${draw.lan}.${last}`;
  return {
    chart: draw.chart,
    cluster: {
      machine: { kubePrism: draw.kubePrism, proxyDisabled: draw.proxyDisabled },
      nodes: [
        { name: 'cp-1', address: address(11), role: 'control-plane' },
        { name: 'w-1', address: address(21), role: 'worker' },
        { name: 'w-2', address: address(22), role: 'worker' },
      ],
    },
    values: {
      kubeProxyReplacement: draw.replacement,
      bpf: { masquerade: draw.masquerade, hostLegacyRouting: draw.legacyRouting },
      tunnelPort: draw.port,
      autoDirectNodeRoutes: draw.directRoutes,
      cni: { customConf: draw.customConf },
      operator: { unmanagedPodWatcher: { restart: draw.watcher } },
      ...(draw.address ? {} : { k8sServiceHost: null, k8sServicePort: null }),
    },
    steps: [{ wait: { seconds: 240 } }],
  };
}

function namesOf(seen: readonly Agreement[]): readonly string[] {
  return seen.map(({ hazard }) => hazard);
}

it('over random settings', async () => {
  await fc.assert(
    fc.asyncProperty(draws, async (draw) => {
      const seen = await agreementsOn([...STOPPERS, ...DEEDS], filesOf(draw));
      const unforeseen = seen.filter(({ struck, foretold }) => struck && !foretold);
      expect(namesOf(unforeseen)).toEqual([]);
      const stopped = seen.some(({ hazard, struck }) => struck && STOPPERS.includes(hazard));
      const missed = seen.filter(({ struck, proven }) => proven && !struck && !stopped);
      expect(namesOf(missed)).toEqual([]);
    }),
    { numRuns: 40, seed: 20261123 },
  );
}, 60_000);
