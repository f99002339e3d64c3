/** FM-47: multus embeds the old network in its own conf and is renamed by exclusive mode. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { confDirectories } from '../conf-directory.ts';
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
import { nameOf, objectsOf, runsImage, textAt } from '../objects.ts';
import { isOff } from '../target.ts';

export const hazard: Hazard = {
  id: 'multus-beside-cni',
  covers: ['FM-47'],
  title: 'Multus keeps the old network inside its own conf',
  severity: 'high',
  holdsFor: 'Multus 3 and 4 in front of any CNI',
  why: "Multus comes first by name and calls the network it copied into its conf when it was installed. Changing the files behind it changes nothing until that copy is made anew; and Cilium's exclusive mode renames the conf of Multus itself, which takes every secondary interface with it.",
  references: [
    'k8snetworkplumbingwg/multus-cni#972',
    'k8snetworkplumbingwg/multus-cni#1132',
    'kubermatic/kubermatic#8898',
    'siderolabs/talos#10468',
  ],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const multus = whereMultusIs(facts);
  if (multus.length === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  return judged([...renamed(facts, multus), ...stale(facts)]);
}

function whereMultusIs(facts: ClusterFacts): readonly Evidence[] {
  return [
    ...facts.workloads.daemonSets
      .filter(({ value }) =>
        runsImage(value.spec.template.spec, 'multus-cni', 'multus', 'hardened-multus-cni'),
      )
      .map(({ source }) => evidenceAt(source)),
    ...confDirectories(facts)
      .filter(({ candidates }) => candidates.some((name) => /multus/.test(name)))
      .map(({ source, candidates }) => evidenceAt(source, candidates)),
  ];
}

function renamed(facts: ClusterFacts, multus: readonly Evidence[]): readonly Finding[] {
  return facts.targets
    .filter((target) => !isOff(target, 'cni.exclusive'))
    .map((target) => {
      const at = target.at('cni.exclusive');
      return finding(hazard, {
        certainty: 'likely',
        message: `Multus is the CNI that the runtime calls, and cni.exclusive is not false. An agent that manages confs renames 00-multus.conf, so new pods lose their secondary interfaces and the annotations that ask for them do nothing. What Multus calls in its turn is the copy of the old network that it made at its installation.`,
        evidence: firstOf([
          evidenceAt(at?.source ?? target.values.nearest('cni.exclusive'), at?.value),
          ...multus,
        ]),
        fix: {
          summary:
            'Leave foreign confs alone, and in the step that hands a node over restart Multus there so that it copies the new network.',
          patch: 'cni:\n  exclusive: false\n',
        },
      });
    });
}

/** Definitions whose plugin is the network that goes away. */
function stale(facts: ClusterFacts): readonly Finding[] {
  const old = facts.sourceCni.known ? facts.sourceCni.value : undefined;
  if (old === undefined || old === 'none') return [];
  const named = objectsOf(facts, 'NetworkAttachmentDefinition').filter((definition) =>
    new RegExp(`"type"\\s*:\\s*"${old}"`).test(textAt(definition, 'spec.config') ?? ''),
  );
  if (named.length === 0) return [];
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `${listOf(named.map(({ object }) => nameOf(object)))} ${named.length === 1 ? 'calls' : 'call'} the plugin ${old}. Pods that ask for ${named.length === 1 ? 'it' : 'them'} fail at their sandbox once ${old} is gone.`,
      evidence: firstOf(named.map(({ source }) => evidenceAt({ ...source, path: 'spec.config' }))),
      fix: { summary: `Write these definitions for the new network before ${old} is removed.` },
    }),
  ];
}
