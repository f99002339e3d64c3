/** FM-39: hostPort was the old conf's portmap plugin; nothing takes its place. */
import { atLeast } from '../../base/versions.ts';
import type { ClusterFacts, TargetFacts } from '../../model/facts.ts';
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
import { nameOf, templates } from '../objects.ts';
import type { Template } from '../objects.ts';
import { isOn, replacesKubeProxy } from '../target.ts';

export const hazard: Hazard = {
  id: 'host-port',
  covers: ['FM-39'],
  title: 'hostPort stops working when the conf with portmap is no longer chosen',
  severity: 'high',
  holdsFor: 'sources whose conflist chains portmap (Flannel, Canal); Cilium 1.13 to 1.20',
  why: "Host ports of pods are made by the portmap plugin in the old conflist. Cilium's conf has no such plugin: it serves host ports itself only with kube-proxy replacement (or hostPort.enabled before chart 1.18). The old rule also stays when the pod is torn down by the new plugin, and wins over a new one.",
  references: ['rancher/rke2#2325', 'cilium/cilium#38083', 'cilium/cilium#19863', 'truth:L32'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const users = templates(facts).filter(usesHostPort);
  if (users.length === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  const names = users.map(
    ({ owner, spec }) => `${nameOf(owner.value)} (${portsOf(spec).join(', ')})`,
  );
  return judged(
    facts.targets
      .filter((target) => !servesHostPorts(target))
      .map((target) =>
        finding(hazard, {
          certainty: 'proven',
          message: `${listOf(names)} ${users.length === 1 ? 'publishes' : 'publish'} host ports, and these values give Cilium nothing that serves them. From the restart of such a pod on a migrated node its host port is dead, and rules of the old portmap that were not torn down send it to an address that is gone.`,
          evidence: firstOf([
            evidenceAt(
              target.at('kubeProxyReplacement')?.source ??
                target.values.nearest('kubeProxyReplacement'),
            ),
            ...users.map(({ owner, path }) =>
              evidenceAt({ ...owner.source, path: `${path}.containers` }),
            ),
          ]),
          fix: {
            summary:
              'While kube-proxy is kept, chain portmap behind Cilium; with kube-proxy replacement host ports are served by itself. Reboot the node, or remove the stale CNI-HOSTPORT-DNAT rules.',
            patch: 'cni:\n  chainingMode: portmap\n',
          },
        }),
      ),
  );
}

function servesHostPorts(target: TargetFacts): boolean {
  return (
    replacesKubeProxy(target) ||
    (isOn(target, 'hostPort.enabled') && knowsHostPort(target)) ||
    target.at('cni.chainingMode')?.value === 'portmap'
  );
}

/** Chart 1.18 dropped the value; where the version is not known it gets the benefit of the doubt. */
function knowsHostPort({ chartVersion }: TargetFacts): boolean {
  return !chartVersion.known || !atLeast(chartVersion.value, '1.18.0');
}

function usesHostPort({ spec }: Template): boolean {
  return spec.hostNetwork !== true && portsOf(spec).length > 0;
}

function portsOf({ containers }: Template['spec']): readonly number[] {
  return containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort }) => (hostPort === undefined || hostPort === 0 ? [] : [hostPort])),
  );
}
