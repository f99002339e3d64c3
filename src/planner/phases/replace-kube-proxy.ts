/**
 * kube-proxy's work goes to Cilium once every pod is on Cilium (cilium#21579: replacing it earlier
 * breaks load balancing to pods of the other CNI). Both run side by side until Cilium serves.
 */
import type { Gate, Step } from '../../model/plan.ts';
import type { Choices } from '../choices.ts';
import { releaseWith } from '../release.ts';
import type { Situation } from '../situation.ts';
import { inARow, type StepParts } from '../step.ts';
import { kubeProxyObjects } from './prepare.ts';
import { rollOuts } from './roll-outs.ts';

export function replaceKubeProxy(
  situation: Situation,
  choices: Choices,
  after: readonly string[],
): readonly Step[] {
  const { namespace, values } = choices;
  if (values.replacing === undefined) return [];
  const everything = situation.nodes.map(({ name }) => name);
  const well: readonly Gate[] = [
    { kind: 'agents-ready', nodes: everything },
    { kind: 'dns-answers' },
    { kind: 'paths-clear' },
    { kind: 'workloads-ready' },
  ];
  return inARow(after, [
    {
      phase: 'replace-kube-proxy',
      name: 'values',
      title: 'Turn kube-proxy replacement on, kube-proxy still running',
      action: releaseWith(choices, values.replacing),
      gates: well,
      scope: 'cluster',
      worst: 'connections to Services that were open break once',
      undo: releaseWith(choices, values.inCharge),
      timeoutSeconds: 900,
      because:
        'both answer for Services until kube-proxy is gone; the API is reached without a Service address',
    },
    ...rollOuts('replace-kube-proxy', namespace, everything.length),
    ...talosProxyOff(situation, choices, well),
    {
      phase: 'replace-kube-proxy',
      name: 'delete-kube-proxy',
      title: 'Delete kube-proxy',
      action: { kind: 'delete-objects', objects: kubeProxyObjects(situation) },
      nodes: [],
      gates: well,
      scope: 'cluster',
      worst: 'a node whose agent does not serve Services loses them',
      undoNote:
        'kube-proxy comes back from the back-up, or from Talos when proxy.disabled is taken back',
      because: 'kube-proxy would keep rules for Services that Cilium serves',
    },
    {
      phase: 'replace-kube-proxy',
      name: 'clean-rules',
      title: 'Clean the rules kube-proxy left in the kernels',
      action: {
        kind: 'change-node-files',
        nodes: everything,
        remove: [],
        links: [],
        cleanKubeProxyRules: true,
      },
      nodes: [],
      gates: well,
      scope: 'nodes',
      worst: 'packets that still matched a left rule take the right way from now on',
      undoNote: 'kube-proxy writes its rules again when it runs again',
      timeoutSeconds: 900,
      because:
        'kube-proxy never cleans up when it ends; frozen rules point to addresses that are gone (FM-23)',
    },
  ]);
}

function talosProxyOff(
  situation: Situation,
  { patches }: Choices,
  gates: readonly Gate[],
): readonly Omit<StepParts, 'after'>[] {
  if (patches === undefined) return [];
  const nodes = situation.controlPlanes.map(({ name }) => name);
  const { patch, undo } = patches.proxyOff;
  return [
    {
      phase: 'replace-kube-proxy',
      name: 'talos-proxy-off',
      title: 'Tell Talos on all control planes that kube-proxy is not its business',
      action: { kind: 'patch-machine-config', nodes, patch },
      gates,
      scope: 'none',
      worst: 'nothing is removed by this',
      undo: { kind: 'patch-machine-config', nodes, patch: undo },
      because: 'a control plane with the old setting would create the DaemonSet again (FM-35)',
    },
  ];
}
