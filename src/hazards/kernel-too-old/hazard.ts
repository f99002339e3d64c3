/** FM-70: a node's kernel is older than the target supports. */
import { atLeast, normalVersion } from '../../base/versions.ts';
import type { ClusterFacts, NodeFacts, TargetFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { ciliumMinor } from '../../knowledge/cilium-versions.ts';
import { finding, firstOf, judged, listOf, MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: 'kernel-too-old',
  covers: ['FM-70'],
  title: "The kernel of some nodes is older than Cilium's minimum",
  severity: 'high',
  holdsFor: 'Cilium 1.13 to 1.20 on mainline kernels',
  why: 'The agent checks for kernel features when it starts and ends where one it needs is not there. The DaemonSet then runs on some nodes and not on others, and the ones without an agent cannot be migrated.',
  references: [
    'cilium:Documentation/operations/system_requirements.rst@v1.16.5',
    'cilium/cilium#8983',
    'cilium/cilium#32812',
  ],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  if (!facts.nodes.known) return unjudged(MISSING.nodes);
  const nodes = facts.nodes.value;
  const versions = facts.targets.filter(({ chartVersion }) => chartVersion.known);
  if (versions.length === 0) {
    return unjudged('the version of Cilium that is to be installed (--cilium-version 1.x.y)');
  }
  return judged(versions.flatMap((target) => describe(target, nodes)));
}

function describe(target: TargetFacts, nodes: readonly NodeFacts[]): readonly Finding[] {
  if (!target.chartVersion.known) return [];
  const version = target.chartVersion.value;
  const minimum = ciliumMinor(version)?.kernel;
  if (minimum === undefined) return [];
  const old = nodes.flatMap(({ name, source, kernelVersion }) => {
    const kernel = kernelVersion.known ? mainline(kernelVersion.value) : undefined;
    return kernel === undefined || atLeast(kernel, minimum) ? [] : [{ name, source, kernel }];
  });
  if (old.length === 0) return [];
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `Cilium ${version} asks for Linux ${minimum} or later. ${listOf(old.map(({ name, kernel }) => `${name} has ${kernel}`))}. The agent can fail at its start there, or run without features that the values ask for.`,
      evidence: firstOf(
        old.map(({ source, kernel }) =>
          evidenceAt({ ...source, path: 'status.nodeInfo.kernelVersion' }, kernel),
        ),
      ),
      fix: {
        summary:
          'Upgrade the OS of these nodes first, as a change of its own, or choose a Cilium that supports their kernel.',
      },
    }),
  ];
}

/** `6.12.28-talos` → `6.12.28`. Red Hat's kernels carry later features under an old number. */
function mainline(text: string): string | undefined {
  if (/\.el\d/.test(text)) return undefined;
  const plain = /^\d+\.\d+(\.\d+)?/.exec(text)?.[0];
  return plain === undefined ? undefined : normalVersion(plain);
}
