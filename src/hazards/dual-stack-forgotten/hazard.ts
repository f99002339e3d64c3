/** FM-75: the cluster has two address families and the target has one. */
import { parseCidr } from '../../base/cidr.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, firstOf, judged, MISSING, unjudged } from '../finding.ts';
import { isOff, isOn } from '../target.ts';

export const hazard: Hazard = {
  id: 'dual-stack-forgotten',
  covers: ['FM-75'],
  title: 'Pods lose an address family',
  severity: 'high',
  holdsFor: 'Cilium 1.13 to 1.20 (IPv4 on and IPv6 off by default)',
  why: 'Cilium gives pods addresses of the families its values switch on: IPv4 unless it is off, IPv6 only when it is on. A cluster whose nodes have ranges of both families loses the other one pod by pod, and a Service of that family has no endpoint any more.',
  references: ['cilium/cilium#15789', 'cilium/cilium#22541', 'Azure/AKS#5120'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  if (!facts.nodes.known) return unjudged(MISSING.nodes);
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  const ranges = facts.nodes.value.flatMap(({ podCidrs, source }) =>
    podCidrs.flatMap((text) => {
      const cidr = parseCidr(text);
      return cidr === undefined ? [] : [{ family: cidr.family, text, source }];
    }),
  );
  if (ranges.length === 0) return unjudged('pod ranges of the nodes (Node.spec.podCIDRs)');
  return judged(
    facts.targets.flatMap((target) =>
      ([4, 6] as const).flatMap((family) => {
        const key = `ipv${family}.enabled`;
        const off = family === 4 ? isOff(target, key) : !isOn(target, key);
        const used = ranges.filter((range) => range.family === family);
        if (!off || used.length === 0) return [];
        return [
          finding(hazard, {
            severity: used.length === ranges.length ? 'critical' : 'high',
            certainty: 'proven',
            message: `Nodes have IPv${family} pod ranges (${used[0]?.text}), and ${key} is ${target.at(key) === undefined ? 'not set' : 'off'} in these values. Pods get no IPv${family} address from their restart on, and Services of that family lose their endpoints one by one.`,
            evidence: firstOf([
              evidenceAt(target.at(key)?.source ?? target.values.nearest(key)),
              ...used.map(({ source, text }) =>
                evidenceAt({ ...source, path: 'spec.podCIDRs' }, text),
              ),
            ]),
            fix: {
              summary: `Switch IPv${family} on from the first step, with a pool of its own. Families are not to be changed in the same migration.`,
              patch: `ipv${family}:\n  enabled: true\n`,
            },
          }),
        ];
      }),
    ),
  );
}
