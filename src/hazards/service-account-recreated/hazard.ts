/** FM-61: tokens of a ServiceAccount die with it; a new one of the same name does not revive them. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, MISSING, unjudged } from '../finding.ts';
import { deletions, nameStep, runbookSteps } from '../runbooks.ts';
import type { PlacedStep } from '../runbooks.ts';

export const hazard: Hazard = {
  id: 'service-account-recreated',
  covers: ['FM-61'],
  title: 'A ServiceAccount is deleted while its pods run: they get 401',
  severity: 'high',
  holdsFor: 'bound tokens, Kubernetes 1.22 and later',
  why: 'A projected token names the UID of its ServiceAccount. When that is deleted and made again, the API server rejects every token of pods that still run with Unauthorized, and the kubelet goes on handing out the cached one until it refreshes: up to 48 minutes. It looks like a network fault and is none: a 401 proves that the path works.',
  references: [
    'kubernetes:pkg/serviceaccount/claims.go',
    'kubernetes:pkg/kubelet/token/token_manager.go',
    'cilium/cilium#21826',
  ],
  foretell,
  signs: { occurrences: ['token.service-account-recreated', 'token.service-account-deleted'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.input.runbooks.length === 0) return unjudged(MISSING.runbook);
  const deleted = deletions(facts, 'ServiceAccount').map((placed) =>
    describe(
      placed,
      `deletes ServiceAccount ${placed.deletion.name ?? placed.deletion.selector ?? '(all)'}`,
    ),
  );
  const reinstalled = reinstallations(facts).map(({ uninstall, install, release }) =>
    describe(
      uninstall,
      `uninstalls release ${release}, which ${nameStep(install)} installs again: its ServiceAccounts are new ones then`,
      evidenceAt(install.source),
    ),
  );
  return judged([...deleted, ...reinstalled]);
}

function describe(placed: PlacedStep, what: string, ...more: readonly Evidence[]): Finding {
  const step = nameStep(placed);
  return finding(hazard, {
    certainty: 'proven',
    message: `${step.charAt(0).toUpperCase()}${step.slice(1)} ${what}. Pods that run with it get Unauthorized from then on, host-network agents among them, until they are made anew or the kubelet fetches them a new token.`,
    evidence: [evidenceAt(placed.source), ...more],
    fix: {
      summary:
        'Upgrade the release in place instead. Where a ServiceAccount must be replaced, restart every pod that uses it at once; deleting token Secrets does nothing for projected tokens.',
    },
  });
}

function reinstallations(facts: ClusterFacts) {
  const steps = runbookSteps(facts);
  return steps.flatMap((uninstall) => {
    const { step } = uninstall;
    if (!('helm' in step) || step.helm.action !== 'uninstall') return [];
    const { release } = step.helm;
    const install = steps.find(
      (later) =>
        later.runbook === uninstall.runbook &&
        later.index > uninstall.index &&
        'helm' in later.step &&
        later.step.helm.release === release &&
        (later.step.helm.action === 'install' || later.step.helm.action === 'upgrade'),
    );
    return install === undefined ? [] : [{ uninstall, install, release }];
  });
}
