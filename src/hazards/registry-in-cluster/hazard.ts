/** FM-59: images come from a registry that runs on the network that is changed. */
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
} from '../finding.ts';
import { containersOf, nameOf, templates } from '../objects.ts';

export const hazard: Hazard = {
  id: 'registry-in-cluster',
  covers: ['FM-59'],
  title: 'Images are pulled from a registry inside the cluster',
  severity: 'medium',
  holdsFor: 'every runtime',
  why: 'The runtime pulls from the host network through a Service or a host port of a pod. While that pod is evicted, or out of reach of the node that pulls, pods that were evicted to that node cannot start: the registry waits for a node, and the node for the registry.',
  references: ['spegel-org/spegel#1256', 'canonical/k8s-snap#2816'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const addresses = new Set(
    facts.workloads.services.flatMap(({ value }) =>
      value.spec.clusterIP === undefined || value.spec.clusterIP === 'None'
        ? []
        : [value.spec.clusterIP],
    ),
  );
  const pulled = templates(facts).flatMap(({ owner, path, spec }) => {
    const hosts = containersOf(spec).flatMap(({ image }) => {
      const host = registryOf(image ?? '');
      return host !== undefined && isInside(host, addresses) ? [host] : [];
    });
    return hosts.length === 0 ? [] : [{ owner, path, hosts }];
  });
  if (pulled.length === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  const hosts = [...new Set(pulled.flatMap((entry) => entry.hosts))].toSorted();
  return judged([
    finding(hazard, {
      certainty: 'likely',
      message: `${listOf(pulled.map(({ owner }) => nameOf(owner.value)))} ${pulled.length === 1 ? 'pulls' : 'pull'} from ${listOf(hosts)}, a registry inside the cluster. Evicted pods that need an image from it cannot start on a node that does not have the image while the registry's own pod is moving or out of reach.`,
      evidence: firstOf(
        pulled.map(({ owner, path, hosts: own }) =>
          evidenceAt({ ...owner.source, path: `${path}.containers` }, own[0]),
        ),
      ),
      fix: {
        summary:
          'Pull the images to every node before the first is drained, and move the registry last; what the plan itself needs must come from outside.',
      },
    }),
  ]);
}

/** The part before the first slash, when it is a host: it has a dot, a port, or is localhost. */
function registryOf(image: string): string | undefined {
  const host = image.includes('/') ? image.slice(0, image.indexOf('/')) : '';
  return /[.:]|^localhost$/.test(host) ? host : undefined;
}

function isInside(host: string, addresses: ReadonlySet<string>): boolean {
  const name = host.replace(/:\d+$/, '');
  return /\.svc(\.|$)|\.cluster\.local$|^localhost$|^127\./.test(name) || addresses.has(name);
}
