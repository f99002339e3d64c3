/** FM-27: the UDP ports of the two overlays. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { TUNNEL_PORTS } from '../../knowledge/cilium-versions.ts';
import { distributionFlannel } from '../../knowledge/distributions.ts';
import { TALOS_FLANNEL_PORT } from '../../knowledge/talos-versions.ts';
import { chartTargets, effectiveOf, missingTargets, type ChartTarget } from '../chart.ts';
import { finding, judged, judgedInPart, MISSING } from '../finding.ts';
import { isTalos } from '../talos.ts';

export const hazard: Hazard = {
  id: 'vxlan-port',
  covers: ['FM-27'],
  title: 'Both overlays on the same UDP port',
  severity: 'critical',
  holdsFor: 'Flannel with the VXLAN backend; Cilium 1.13 to 1.20 in tunnel mode',
  why: "Linux lets one VXLAN device of this kind be up per UDP port. Upstream Flannel, K3s and RKE2 use 8472, Cilium's default; Talos renders Flannel with 4789 in every release. On the same port the second one to start fails, and correcting the port later needs the left-over device deleted by hand up to 1.17.",
  references: [
    'flannel:Documentation/backends.md@v0.28.9',
    'talos:pkg/flannel/template.go@v1.10.5',
    'cilium/cilium#38581',
    'cilium/cilium#38583',
    'truth:P08',
    'truth:P10',
  ],
  foretell,
  signs: { occurrences: ['overlay.port-clash'] },
};

interface FlannelPort {
  readonly port: number;
  readonly certain: boolean;
  readonly evidence: readonly Evidence[];
  readonly told: string;
}

function foretell(facts: ClusterFacts): Foretelling {
  const missing = missingTargets(facts);
  if (missing.length > 0) return judgedInPart([], missing);
  if (facts.sourceCni.known && !['flannel', 'canal'].includes(facts.sourceCni.value)) {
    return judged();
  }
  const flannel = flannelPort(facts);
  if (flannel === undefined) return judgedInPart([], [MISSING.distribution]);
  return judged(chartTargets(facts).flatMap((chart) => judge(facts, chart, flannel)));
}

/** As read; else what the distribution's Flannel uses. */
function flannelPort(facts: ClusterFacts): FlannelPort | undefined {
  if (facts.flannel.known) {
    const { port, backend } = facts.flannel.value;
    if (backend.known && backend.value !== 'vxlan') {
      return { port: 0, certain: true, evidence: [], told: `uses ${backend.value}` };
    }
    if (port.known) {
      const evidence = [evidenceAt(port.source, port.value)];
      return { port: port.value, certain: true, evidence, told: `uses UDP ${port.value}` };
    }
  }
  if (isTalos(facts) === true) {
    const told = `as Talos deploys it uses UDP ${TALOS_FLANNEL_PORT}`;
    return { port: TALOS_FLANNEL_PORT, certain: false, evidence: [], told };
  }
  const { distribution } = facts.cluster;
  if (!distribution.known) return undefined;
  const { port } = distributionFlannel(distribution.value);
  return { port, certain: false, evidence: [], told: `uses UDP ${port} by default` };
}

function judge(facts: ClusterFacts, chart: ChartTarget, flannel: FlannelPort): readonly Finding[] {
  const { target } = chart;
  const { tunnelPort, tunnelProtocol } = effectiveOf(chart, chart.versions.at(-1) ?? '');
  const set = target.at('tunnelPort');
  const evidence = [
    evidenceAt(set?.source ?? target.values.nearest('tunnelPort'), set?.value),
    ...flannel.evidence,
  ];
  if (tunnelProtocol === 'vxlan' && tunnelPort === flannel.port) {
    return [clash(set === undefined, tunnelPort, flannel, evidence)];
  }
  if (set === undefined || tunnelProtocol === 'none') return [];
  const chosen = tunnelPort !== TUNNEL_PORTS[tunnelProtocol];
  if (!chosen || flannel.port === TUNNEL_PORTS[tunnelProtocol]) return [];
  return [notNeeded(facts, String(set.value), flannel, evidence)];
}

function clash(
  byDefault: boolean,
  port: number,
  flannel: FlannelPort,
  evidence: readonly Evidence[],
): Finding {
  return finding(hazard, {
    certainty: flannel.certain ? 'proven' : 'likely',
    message: `Cilium's VXLAN ${byDefault ? `is on its default, UDP ${port},` : `is put on UDP ${port}`} and Flannel ${flannel.told}. The agent fails with "setting up vxlan device: ... address already in use" on every node that has flannel.1 up, and pods that it already serves there lose their traffic.`,
    evidence,
    fix: {
      summary: 'Take another port, and keep it: changing it later splits the nodes.',
      patch: `tunnelPort: ${port === 8473 ? 8474 : 8473}\n`,
    },
  });
}

function notNeeded(
  facts: ClusterFacts,
  port: string,
  flannel: FlannelPort,
  evidence: readonly Evidence[],
): Finding {
  const talos = isTalos(facts) === true;
  return finding(hazard, {
    severity: 'info',
    certainty: flannel.certain ? 'proven' : 'likely',
    title: 'tunnelPort is not needed against this Flannel',
    message: `tunnelPort is ${port}. Flannel ${flannel.told}${talos ? ', not 8472' : ''}, so Cilium's default 8472 would not clash. The other port is harmless, but it has to be open between all nodes and stays for good: changing it later cuts the tunnels between changed and unchanged nodes. It does not isolate the two networks either; pods of both reach each other.`,
    evidence,
    fix: { summary: 'Leave tunnelPort out, or keep it for ever.' },
  });
}
