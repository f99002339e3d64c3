/** FM-79: socket load balancing does not see connections made inside a guest kernel. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import {
  finding,
  firstOf,
  judged,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
  unjudged,
} from '../finding.ts';
import { nameOf, objectsOf, objectsOfGroup, textAt } from '../objects.ts';
import { isOn, replacesKubeProxy } from '../target.ts';

export const hazard: Hazard = {
  id: 'guest-kernel-sockets',
  covers: ['FM-79'],
  title: 'Virtual machines and sandboxed pods cannot reach Services',
  severity: 'high',
  holdsFor: 'KubeVirt, Kata Containers and gVisor with Cilium replacing kube-proxy',
  why: "Socket load balancing translates a Service address at connect(), in the node's kernel. A guest has a kernel of its own: its packets come out with the Service address still in them, and nothing translates them any more once kube-proxy is gone.",
  references: ['cilium/cilium#17847', 'KBVE/kbve#8666'],
  foretell,
  signs: { occurrences: [] },
};

const KEY = 'socketLB.hostNamespaceOnly';

function foretell(facts: ClusterFacts): Foretelling {
  const guests = [
    ...objectsOf(facts, 'RuntimeClass').filter((read) =>
      /^(kata|runsc|gvisor)/.test(textAt(read, 'handler') ?? ''),
    ),
    ...objectsOfGroup(facts, 'kubevirt.io', 'KubeVirt'),
  ];
  if (guests.length === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.customObjects));
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  return judged(
    facts.targets
      .filter((target) => replacesKubeProxy(target) || isOn(target, 'socketLB.enabled'))
      .filter((target) => !isOn(target, KEY))
      .map((target) =>
        finding(hazard, {
          certainty: 'likely',
          message: `${listOf(guests.map(({ object }) => nameOf(object)))} ${guests.length === 1 ? 'stands' : 'stand'} for workloads with a kernel of their own, and ${KEY} is not on. Their connections to Services are not translated at the socket, since the socket is in the guest.`,
          evidence: firstOf([
            evidenceAt(target.at(KEY)?.source ?? target.values.nearest(KEY)),
            ...guests.map(({ source }) => evidenceAt(source)),
          ]),
          fix: {
            summary:
              'Limit socket load balancing to the host, so that packets are translated at the device.',
            patch: 'socketLB:\n  hostNamespaceOnly: true\n',
          },
        }),
      ),
  );
}
