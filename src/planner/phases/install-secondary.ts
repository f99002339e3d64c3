/** Cilium beside the old CNI: its overlay is up and it manages no pod (k8s-install-migration.rst). */
import type { Step } from '../../model/plan.ts';
import type { Choices } from '../choices.ts';
import { openCrossings } from './policy-crossing.ts';
import { ownersGate } from './prepare.ts';
import { releaseWith } from '../release.ts';
import type { Situation } from '../situation.ts';
import { inARow } from '../step.ts';

/** Image pull and start of the agent on a node, for the time-out; rolled out in parallel. */
const SECONDS_PER_NODE = 5;

export function installSecondary(
  situation: Situation,
  choices: Choices,
  after: readonly string[],
): readonly Step[] {
  const everything = situation.nodes.map(({ name }) => name);
  const expected = Object.fromEntries(situation.nodes.map((node) => [node.name, node.internalIps]));
  const { version, values, nodeConfig } = choices;
  const { title } = situation.adapter.oldNetwork;
  return inARow(after, [
    {
      phase: 'install-secondary',
      name: 'install-cilium',
      title: `Install Cilium ${version} beside ${title}, managing no pod`,
      action: releaseWith(choices, values.secondary),
      gates: [{ kind: 'paths-clear' }, { kind: 'webhooks-reachable' }, ...ownersGate(choices)],
      scope: 'cluster',
      worst: `the overlay does not come up; pods stay on ${title}`,
      undo: 'inverse',
      timeoutSeconds: 900 + SECONDS_PER_NODE * everything.length,
      because: 'cni.customConf keeps the agent’s hands off the CNI conf until a node is labelled',
    },
    {
      phase: 'install-secondary',
      name: 'node-config',
      title: 'Apply the CiliumNodeConfig that labelled nodes will obey',
      action: { kind: 'apply-objects', objects: [nodeConfig] },
      scope: 'none',
      worst: 'no node has the label yet',
      undo: 'inverse',
      because: 'node by node is only possible with a configuration per node',
    },
    ...openCrossings(situation),
    {
      phase: 'install-secondary',
      name: 'verify',
      title: 'See that both overlays work and no address changed',
      action: { kind: 'verify', scope: 'cluster', nodes: everything },
      nodes: [],
      gates: [
        { kind: 'agents-ready', nodes: everything },
        { kind: 'nodes-ready', nodes: everything },
        { kind: 'node-addresses-unchanged', nodes: everything, expected },
        { kind: 'workloads-ready' },
        { kind: 'dns-answers' },
        { kind: 'paths-clear' },
        { kind: 'sandboxes-made' },
        { kind: 'tokens-accepted' },
      ],
      scope: 'none',
      worst: 'nothing is changed',
      because: 'a node moves only onto an overlay that is known to work',
    },
  ]);
}
