/**
 * Policies that nobody enforced before: watched first (policyAuditMode, since Cilium is in charge), then
 * enforced, then seen to be. What they would drop is found while it still passes
 * (cilium:Documentation/security/policy-creation.rst@main). A plan without such policies has no such phase.
 */
import type { Step } from '../../model/plan.ts';
import type { Choices } from '../choices.ts';
import { releaseWith } from '../release.ts';
import type { Situation } from '../situation.ts';
import { inARow } from '../step.ts';
import { ownersGate } from './prepare.ts';
import { rollOutActions, rollOuts } from './roll-outs.ts';

/** A busy node's Hubble holds no more (4095 flows by default), and what runs by the hour is not met anyway. */
const AUDIT_SECONDS = 300;
/** Beyond that, for reading every agent and for a person who allows what was forgotten. */
const PATIENCE_SECONDS = 600;

export function enforcePolicies(
  situation: Situation,
  choices: Choices,
  after: readonly string[],
): readonly Step[] {
  const { enforcing, audited } = choices.values;
  if (enforcing === undefined || audited === undefined) return [];
  const everything = situation.nodes.map(({ name }) => name);
  const phase = 'enforce-policies';
  return inARow(after, [
    {
      phase,
      name: 'audit',
      title: `Watch for ${AUDIT_SECONDS / 60} minutes what the policies would drop`,
      action: { kind: 'audit-policies', nodes: everything, seconds: AUDIT_SECONDS },
      nodes: [],
      gates: [{ kind: 'agents-ready', nodes: everything }, { kind: 'paths-clear' }],
      scope: 'none',
      worst: 'nothing is changed',
      timeoutSeconds: AUDIT_SECONDS + PATIENCE_SECONDS,
      because:
        'a policy that nobody ever tested drops what always worked (FM-14); what is rarer than the time watched is not seen',
    },
    {
      phase,
      name: 'values',
      title: 'Upgrade the release to enforce the policies',
      action: releaseWith(choices, enforcing),
      gates: [
        { kind: 'agents-ready', nodes: everything },
        { kind: 'workloads-ready' },
        { kind: 'dns-answers' },
        { kind: 'paths-clear' },
        ...ownersGate(choices),
      ],
      scope: 'cluster',
      worst: 'as agents restart, connections that no policy allows are dropped',
      undo: releaseWith(choices, audited),
      undoThen: rollOutActions(choices.namespace),
      timeoutSeconds: 900,
      because: 'the audit found nothing, or only what is meant to be dropped',
    },
    ...rollOuts(phase, choices.namespace, everything.length),
    {
      phase,
      name: 'prove',
      title: 'See that a pod that a policy closes is reached from no node',
      action: { kind: 'prove-policies', nodes: everything },
      nodes: [],
      gates: [{ kind: 'agents-ready', nodes: everything }],
      scope: 'none',
      worst: 'nothing is changed: pod and policy are regauge’s own, and go again',
      because: 'a setting that says enforced is no packet that was dropped',
    },
    {
      phase,
      name: 'verify',
      title: 'See that all is well with the policies enforced',
      action: { kind: 'verify', scope: 'cluster', nodes: everything },
      nodes: [],
      gates: [
        { kind: 'workloads-ready' },
        { kind: 'dns-answers' },
        { kind: 'paths-clear' },
        { kind: 'webhooks-reachable' },
      ],
      scope: 'none',
      worst: 'nothing is changed',
      because: 'whoever cannot reach what it needs any more is not ready soon',
    },
  ]);
}
