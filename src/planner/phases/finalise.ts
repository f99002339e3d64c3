/** Cilium in charge everywhere: Helm manages the CNI conf again, policies count, the node config goes. */
import type { Step } from '../../model/plan.ts';
import type { Choices } from '../choices.ts';
import { closeCrossings } from './policy-crossing.ts';
import { ownersGate } from './prepare.ts';
import { configurationGate, releaseWith } from '../release.ts';
import type { Situation } from '../situation.ts';
import { inARow } from '../step.ts';
import { rollOutActions, rollOuts } from './roll-outs.ts';

export function finalise(
  situation: Situation,
  choices: Choices,
  after: readonly string[],
): readonly Step[] {
  const everything = situation.nodes.map(({ name }) => name);
  const { namespace, values, nodeConfig } = choices;
  return inARow(after, [
    ...closeCrossings(situation, [{ kind: 'no-old-pods', nodes: everything }]),
    {
      phase: 'finalise',
      name: 'values',
      title: 'Upgrade the release to the final values, kube-proxy kept',
      action: releaseWith(choices, values.inCharge),
      gates: [
        { kind: 'no-old-pods', nodes: everything },
        { kind: 'workloads-ready' },
        ...ownersGate(choices),
      ],
      scope: 'cluster',
      worst: 'agents restart; running pods are not touched',
      undo: releaseWith(choices, values.secondary),
      undoThen: rollOutActions(namespace),
      timeoutSeconds: 900,
      because:
        'with every node moved, the conf is the agents’ by the release itself and not by a label',
    },
    ...rollOuts('finalise', namespace, everything.length),
    {
      phase: 'finalise',
      name: 'remove-node-config',
      title: 'Remove the CiliumNodeConfig of the migration',
      action: {
        kind: 'delete-objects',
        objects: [
          {
            apiVersion: nodeConfig.apiVersion,
            kind: nodeConfig.kind,
            namespace,
            name: nodeConfig.metadata.name,
          },
        ],
      },
      gates: [configurationGate(choices)],
      scope: 'none',
      worst: 'nothing: the release says the same',
      undo: { kind: 'apply-objects', objects: [nodeConfig] },
      because: 'two places that say who owns the conf would drift apart',
    },
    {
      phase: 'finalise',
      name: 'verify',
      title: 'See that all paths work on Cilium alone',
      action: { kind: 'verify', scope: 'cluster', nodes: everything },
      nodes: [],
      gates: [
        { kind: 'agents-ready', nodes: everything },
        { kind: 'no-old-pods', nodes: everything },
        { kind: 'workloads-ready' },
        { kind: 'dns-answers' },
        { kind: 'paths-clear' },
        { kind: 'sandboxes-made' },
        { kind: 'tokens-accepted' },
      ],
      scope: 'none',
      worst: 'nothing is changed',
      because: 'the old CNI and kube-proxy are only taken away from a cluster that is well',
    },
  ]);
}
