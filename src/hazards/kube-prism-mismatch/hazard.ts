/** FM-06, FM-83: the agents are sent to KubePrism, and some node does not have it there. */
import type { ClusterFacts, MachineConfigFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { KUBE_PRISM_PORT } from '../../knowledge/talos-config/settings.ts';
import { chartTargets, effectiveOf, missingTargets, type ChartTarget } from '../chart.ts';
import { finding, judged, judgedInPart, listOf } from '../finding.ts';
import { isTalos, missingTalos, stated, statedEvidence } from '../talos.ts';

export const hazard: Hazard = {
  id: 'kube-prism-mismatch',
  covers: ['FM-06', 'FM-83'],
  title: 'Agents are sent to KubePrism where it does not listen',
  severity: 'critical',
  holdsFor: 'Talos 1.6 to 1.14; Cilium charts 1.13 to 1.20',
  why: 'KubePrism is a load balancer for the API server on the loopback of every node that has it enabled. It is in configs that Talos 1.6 and later generated; upgraded clusters may be without it, on some nodes or on all. An agent sent to localhost there has no API server.',
  references: [
    'siderolabs/talos#9132',
    'siderolabs/talos#10598',
    'talos:pkg/machinery/config/contract.go@v1.13.9',
    'tdocs:public/kubernetes-guides/cni/deploying-cilium.mdx@5debdd9',
  ],
  foretell,
  signs: { occurrences: ['cilium-agent.kube-prism-refused'] },
};

const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
const MISSING_CONFIGS =
  'whole machine configs of the nodes, for KubePrism (talosctl get machineconfig -o yaml)';

function foretell(facts: ClusterFacts): Foretelling {
  const missing = [...missingTargets(facts), ...missingTalos(facts)];
  if (missing.length > 0) return judgedInPart([], missing);
  if (isTalos(facts) !== true) return judged();
  const sent = chartTargets(facts).filter((chart) => onLoopback(chart));
  if (sent.length === 0) return judged();
  const whole = facts.machineConfigs.filter(({ kind }) => kind === 'config');
  const ports = sent.flatMap((chart) => wrongPort(chart, whole));
  const absent = sent.flatMap((chart) => withoutPrism(chart, whole));
  return judgedInPart([...ports, ...absent], whole.length === 0 ? [MISSING_CONFIGS] : []);
}

function onLoopback(chart: ChartTarget): boolean {
  const host = effectiveOf(chart, chart.versions.at(-1) ?? '').k8sServiceHost;
  return host !== undefined && LOOPBACK.includes(host);
}

function hostEvidence({ target }: ChartTarget, path: string): Evidence {
  const set = target.at(path) ?? target.at('k8sServiceHost');
  return evidenceAt(set?.source ?? target.source, set?.value);
}

function withoutPrism(
  chart: ChartTarget,
  configs: readonly MachineConfigFacts[],
): readonly Finding[] {
  const off = configs.filter(({ kubePrism }) => kubePrism.known && !kubePrism.value.enabled);
  if (off.length === 0) return [];
  const names = off.map(({ node, input }) =>
    node.known ? node.value : (input.source.file ?? '?'),
  );
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `k8sServiceHost sends agents and operator to the node's loopback, and KubePrism is not enabled on ${listOf(names)}. There nothing listens, the agent does not start and the node gets no network.`,
      evidence: [
        hostEvidence(chart, 'k8sServiceHost'),
        ...off.map((config) => prismEvidence(config)),
      ],
      fix: {
        summary:
          'Enable KubePrism on every node first (it is applied live), or name another address of the API server.',
        patch: `machine:\n  features:\n    kubePrism:\n      enabled: true\n      port: ${KUBE_PRISM_PORT}\n`,
      },
    }),
  ];
}

function prismEvidence(config: MachineConfigFacts): Evidence {
  const enabled = stated(config, 'kubePrismEnabled');
  return enabled === undefined ? evidenceAt(config.input.source) : statedEvidence(enabled);
}

function wrongPort(chart: ChartTarget, configs: readonly MachineConfigFacts[]): readonly Finding[] {
  const port = effectiveOf(chart, chart.versions.at(-1) ?? '').k8sServicePort;
  if (port === undefined) return [];
  const enabled = configs.filter(({ kubePrism }) => kubePrism.known && kubePrism.value.enabled);
  const others = enabled.filter(
    ({ kubePrism }) => kubePrism.known && String(kubePrism.value.port) !== port,
  );
  const guessed = enabled.length === 0 && port !== String(KUBE_PRISM_PORT);
  if (others.length === 0 && !guessed) return [];
  const listening = others.map(({ kubePrism }) => (kubePrism.known ? kubePrism.value.port : 0));
  return [
    finding(hazard, {
      severity: guessed ? 'medium' : 'critical',
      certainty: guessed ? 'possible' : 'proven',
      message: `k8sServicePort is ${port}, and KubePrism listens on ${guessed ? `${KUBE_PRISM_PORT} unless a config says otherwise` : listOf([...new Set(listening)].map(String))}.`,
      evidence: [
        hostEvidence(chart, 'k8sServicePort'),
        ...others.flatMap((config) => {
          const found = stated(config, 'kubePrismPort');
          return found === undefined ? [] : [statedEvidence(found)];
        }),
      ],
      fix: { summary: 'Use the port of KubePrism.', patch: `k8sServicePort: ${KUBE_PRISM_PORT}\n` },
    }),
  ];
}
