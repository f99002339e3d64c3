/** FM-43: kube-proxy takes pods of the new pool for outsiders and rewrites their source. */
import { contains, parseCidr } from '../../base/cidr.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, judgedInPart, MISSING, missingUnlessLive, unjudged } from '../finding.ts';
import { flagOf, nameOf } from '../objects.ts';
import { replacesKubeProxy, targetPools } from '../target.ts';

export const hazard: Hazard = {
  id: 'kube-proxy-cluster-cidr',
  covers: ['FM-43'],
  title: "kube-proxy's cluster CIDR does not hold the new pool",
  severity: 'medium',
  holdsFor: 'kube-proxy with --cluster-cidr (Talos sets it), while it is kept',
  why: 'kube-proxy masquerades Service traffic whose source is outside its cluster CIDR. Pods of a new pool outside that range keep their connection and lose their address: servers see a node, and policies, allow-lists and logs that go by pod address are wrong.',
  references: ['cilium/cilium#12141', 'cilium/cilium#42531', 'cilium/cilium#47699'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const flags = facts.workloads.daemonSets
    .filter(({ value }) => value.metadata.name === 'kube-proxy')
    .flatMap((owner) =>
      owner.value.spec.template.spec.containers.flatMap((container, index) => {
        const text = flagOf(container, '--cluster-cidr');
        return text === undefined ? [] : [{ owner, index, text }];
      }),
    );
  const [flag] = flags;
  if (flag === undefined) return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  const pools = targetPools(facts).filter(({ target }) => !replacesKubeProxy(target));
  if (facts.targets.length === 0) return unjudged(MISSING.targetPool);
  const ranges = flag.text.split(',').flatMap((text) => parseCidr(text.trim()) ?? []);
  return judged(
    pools
      .filter(({ cidr }) => !ranges.some((range) => contains(range, cidr)))
      .map(({ cidr, source }) =>
        finding(hazard, {
          certainty: 'proven',
          message: `${nameOf(flag.owner.value)} has --cluster-cidr=${flag.text}, which does not hold the pool ${cidr.text}. While kube-proxy is kept, it masquerades every connection of a new pod to a Service, so the server sees the address of the node.`,
          evidence: [
            evidenceAt(source, cidr.text),
            evidenceAt(
              { ...flag.owner.source, path: `spec.template.spec.containers[${flag.index}]` },
              flag.text,
            ),
          ],
          fix: {
            summary:
              'Accept it for the time of the migration and tell those who filter by pod address; or switch kube-proxy replacement on soon after the last node has moved.',
          },
        }),
      ),
  );
}
