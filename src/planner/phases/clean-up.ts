/** What is left on nodes and in the API when both are gone: files, links, labels, annotations, cordons. */
import type { NodeFacts } from '../../model/facts.ts';
import type { Step } from '../../model/plan.ts';
import { CILIUM_CONF } from '../../knowledge/node-paths.ts';
import { RECONFIGURED_MARK } from '../../steps/reconfigure-agent.ts';
import type { DistributionAdapter } from '../distributions/adapter.ts';
import type { OldNetwork } from '../distributions/old-network.ts';
import { MIGRATION_LABEL, REPLACEMENT_LABEL, type Choices } from '../choices.ts';
import type { Situation } from '../situation.ts';
import { makeStep } from '../step.ts';

const FLANNEL_LINKS = ['flannel.1', 'flannel-v6.1', 'cni0'] as const;

export function cleanUp(
  situation: Situation,
  choices: Choices,
  confDirectory: string,
  after: readonly string[],
): readonly Step[] {
  const everything = situation.nodes.map(({ name }) => name);
  const { oldNetwork } = situation.adapter;
  const files = makeStep({
    phase: 'clean-up',
    name: 'files-and-links',
    title: `Remove ${oldNetwork.title}’s conf, state and links from the nodes`,
    action: {
      kind: 'change-node-files',
      nodes: everything,
      remove: [
        `${confDirectory}/${oldNetwork.conf}`,
        `${confDirectory}/${oldNetwork.conf}.cilium_bak`,
        ...leftConf(situation.adapter),
        ...oldNetwork.state,
      ],
      links: FLANNEL_LINKS,
      cleanKubeProxyRules: false,
    },
    nodes: [],
    after,
    gates: [{ kind: 'no-old-pods', nodes: everything }, { kind: 'paths-clear' }],
    scope: 'nodes',
    worst: 'a conf that is left behind would win again where Cilium’s is missing',
    undoNote: `${oldNetwork.title} writes them again when it runs again`,
    timeoutSeconds: 900,
    because: 'a stale conf or link is what breaks the next change (FM-03, FM-63, FM-64)',
  });
  const rules = rulesStep(situation, files.id);
  const labels = situation.nodes.map((node) => labelStep(node, oldNetwork, choices, rules.id));
  const uncordon = makeStep({
    phase: 'clean-up',
    name: 'uncordon',
    title: 'Lift every cordon that regauge set',
    action: { kind: 'uncordon', nodes: everything },
    nodes: [],
    after: labels.map(({ id }) => id),
    scope: 'none',
    worst: 'nothing is changed for running pods',
    because: 'cordons of others stay, ours go (FM-55)',
  });
  const verify = makeStep({
    phase: 'clean-up',
    name: 'verify',
    title: 'See that every node and every path is as it should be',
    action: { kind: 'verify', scope: 'node', nodes: everything },
    nodes: [],
    after: [uncordon.id],
    gates: [
      { kind: 'nodes-ready', nodes: everything },
      { kind: 'workloads-ready' },
      { kind: 'volumes-healthy' },
      { kind: 'dns-answers' },
      { kind: 'paths-clear' },
      { kind: 'sandboxes-made' },
      { kind: 'tokens-accepted' },
      { kind: 'rules-gone', nodes: everything, owners: oldNetwork.rules },
    ],
    scope: 'none',
    worst: 'nothing is changed',
    because: `the end state of ${choices.release} is asserted, not assumed (FM-54)`,
  });
  return [files, rules, ...labels, uncordon, verify];
}

/** After its programs are gone: one that runs would write them again. A boot of the node does the same. */
function rulesStep({ nodes, adapter: { oldNetwork }, nftTables }: Situation, after: string): Step {
  const everything = nodes.map(({ name }) => name);
  const { title, rules: owners } = oldNetwork;
  return makeStep({
    phase: 'clean-up',
    name: 'rules',
    title: `Remove ${title}’s rules from the packet filters of the nodes`,
    action: { kind: 'clean-packet-filter', nodes: everything, owners, nftTables },
    nodes: [],
    after: [after],
    gates: [
      { kind: 'no-old-pods', nodes: everything },
      { kind: 'agents-ready', nodes: everything },
      { kind: 'paths-clear' },
    ],
    scope: 'nodes',
    worst: 'packets that still matched a left rule take the right way from now on',
    undoNote: `${title} writes them again when it runs again`,
    timeoutSeconds: 900,
    because:
      'they stay until the node boots, and translate or judge by addresses that other pods have by then (FM-44)',
  });
}

/** Cilium's conf where the runtime looks no more. */
function leftConf({ afterOldCni, directories }: DistributionAdapter): readonly string[] {
  return afterOldCni === undefined ? [] : [`${directories.confDir}/${CILIUM_CONF}`];
}

function labelStep(
  node: NodeFacts,
  { title, annotations }: OldNetwork,
  { replacementConfig }: Choices,
  after: string,
): Step {
  const olds = Object.keys(node.object.metadata.annotations ?? {}).filter((key) =>
    annotations.test(key),
  );
  const replaced = replacementConfig !== undefined;
  const stale = [...olds, ...(replaced ? [RECONFIGURED_MARK] : [])];
  return makeStep({
    phase: 'clean-up',
    name: `${node.name}/labels`,
    title: `Remove the migration’s labels and ${title}’s annotations from ${node.name}`,
    action: {
      kind: 'label-node',
      node: node.name,
      labels: { [MIGRATION_LABEL]: null, ...(replaced ? { [REPLACEMENT_LABEL]: null } : {}) },
      ...(stale.length === 0
        ? {}
        : { annotations: Object.fromEntries(stale.map((key) => [key, null])) }),
    },
    after: [after],
    scope: 'none',
    worst: 'nothing is changed for running pods',
    undoNote: 'the label has no meaning without the CiliumNodeConfig',
    because: 'what we wrote is handed back',
  });
}
