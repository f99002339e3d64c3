/** FM-41: MetalLB and the target both announce the addresses of LoadBalancer Services. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import {
  finding,
  judged,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
  unjudged,
} from '../finding.ts';
import { objectsOfGroup, runsImage, templates } from '../objects.ts';
import { isOn } from '../target.ts';

export const hazard: Hazard = {
  id: 'two-address-announcers',
  covers: ['FM-41'],
  title: 'MetalLB and Cilium would announce the same addresses',
  severity: 'high',
  holdsFor: 'MetalLB beside Cilium 1.14 to 1.20',
  why: "An address on a local network has one owner at a time. With two announcers the owner in the neighbours' tables flaps between two nodes, and with BGP two speakers of one node fight for the session.",
  references: ['davralin/cluster-ops#4533', 'cilium/cilium#45252', 'cilium/cilium#31333'],
  foretell,
  signs: { occurrences: [] },
};

const FEATURES = ['l2announcements.enabled', 'bgpControlPlane.enabled', 'bgp.enabled'];

function foretell(facts: ClusterFacts): Foretelling {
  const metallb = [
    ...templates(facts)
      .filter(({ spec }) => runsImage(spec, 'metallb/speaker', 'metallb-speaker'))
      .map(({ owner }) => owner.source),
    ...objectsOfGroup(facts, 'metallb.io', 'IPAddressPool').map(({ source }) => source),
  ];
  const [first] = metallb;
  if (first === undefined) return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  return judged(
    facts.targets.flatMap((target) => {
      const on = FEATURES.filter((feature) => isOn(target, feature));
      if (on.length === 0) return [];
      const [feature = ''] = on;
      return [
        finding(hazard, {
          certainty: 'likely',
          message: `MetalLB runs in this cluster and the values switch on ${listOf(on)}. Where both serve one address, its owner flaps between nodes and clients lose the connection each time.`,
          evidence: [
            evidenceAt(target.at(feature)?.source ?? target.source, true),
            evidenceAt(first),
          ],
          fix: {
            summary:
              'One announcer per address: keep it off in the target until MetalLB is gone, or split them with loadBalancerClass and move Services one by one.',
            patch: `${feature.split('.')[0]}:\n  enabled: false\n`,
          },
        }),
      ];
    }),
  );
}
