/** FM-18: deleting Longhorn's instance managers kills the volumes they host. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, MISSING, unjudged } from '../finding.ts';
import { deletions, nameStep } from '../runbooks.ts';

export const hazard: Hazard = {
  id: 'instance-managers-deleted',
  covers: ['FM-18'],
  title: "Longhorn's instance managers are deleted to make volumes attach",
  severity: 'critical',
  holdsFor: 'Longhorn 1.3 to 1.11',
  why: 'An instance manager hosts the engine and replica processes of its node. Deleting one ends them all: attached volumes get I/O errors, replicas on other nodes lose their engine, and deleting all at once faults every attached volume, which Longhorn then salvages from copies of unequal age.',
  references: [
    'longhorn/longhorn#6525',
    'longhorn/longhorn#3070',
    'longhorn:kb/troubleshooting-instance-manager-pods-are-restarted.md',
  ],
  foretell,
  signs: { occurrences: [] },
};

/** The label Longhorn puts on them. */
const LABEL = 'longhorn.io/component=instance-manager';

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.input.runbooks.length === 0) return unjudged(MISSING.runbook);
  return judged(
    deletions(facts, 'Pod')
      .filter(({ deletion }) => /instance-manager/.test(deletion.selector ?? deletion.name ?? ''))
      .map((placed) => {
        const { selector, name } = placed.deletion;
        const matches = selector === undefined || selector.split(',').includes(LABEL);
        const step = nameStep(placed);
        return finding(hazard, {
          severity: matches ? 'critical' : 'medium',
          certainty: 'proven',
          message: matches
            ? `${step.charAt(0).toUpperCase()}${step.slice(1)} deletes ${name ?? 'every instance manager at once'}. Every engine and replica process in ${name === undefined ? 'them' : 'it'} ends: volumes that are attached lose their data path, and those without a healthy replica elsewhere fault.`
            : `${step.charAt(0).toUpperCase()}${step.slice(1)} deletes pods by ${selector}, which matches none of Longhorn's: the label of instance managers is ${LABEL}. It does nothing; with the right label it would end every engine and replica.`,
          evidence: [evidenceAt(placed.source, selector ?? name)],
          fix: {
            summary:
              'Leave them alone. Volumes attach when longhorn-backend can be reached again; the attacher waits up to five minutes between tries. One that is stuck (state error, its processes dead) may be deleted by itself, with all its volumes healthy elsewhere.',
          },
        });
      }),
  );
}
