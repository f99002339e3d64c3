/** The plan as a runbook for people: every step with its commands, what to look at first, how back. */
import { unreachable } from '../base/assert.ts';
import type { Action, Gate, ObjectSelector, Plan, Step } from '../model/plan.ts';
import { artifactPath } from './artifact-path.ts';

export function runbookText(plan: Plan): string {
  const { cluster, to, from, decisions, steps } = plan;
  const lines = [
    `# ${from.cni} to ${to.cni} ${to.version} on ${cluster.name}`,
    '',
    `Plan ${plan.id}; ${plan.steps.length} steps, ${plan.waves.length} waves, strategy ${plan.strategy}.`,
    'Every step can be done by hand with the commands given. Do not start a step before its gates hold.',
    '',
    '## Decisions',
    '',
    ...decisions.map(
      ({ about, choice, because }) => `- **${about}**: ${choice}. ${sentence(because)}`,
    ),
    ...phasesOf(steps).flatMap(([phase, members]) => [
      '',
      `## ${phase}`,
      ...members.flatMap((step) => stepText(plan, step)),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

function phasesOf(steps: readonly Step[]): readonly (readonly [string, readonly Step[]])[] {
  const phases = new Map<string, Step[]>();
  for (const step of steps) phases.set(step.phase, [...(phases.get(step.phase) ?? []), step]);
  return [...phases];
}

function stepText(plan: Plan, step: Step): readonly string[] {
  const undo =
    step.undo === null
      ? [sentence(step.undoNote ?? 'nothing to take back')]
      : commands(plan, step, step.undo).map((line) => `    ${line}`);
  return [
    '',
    `### ${step.title}`,
    '',
    `${sentence(step.because)} At worst: ${step.blastRadius.worst}.${step.pointOfNoReturn ? ' **There is no simple way back from here.**' : ''}`,
    ...(step.gates.length === 0
      ? []
      : ['', 'First see that:', '', ...step.gates.map((gate) => `- ${gateText(plan, gate)}`)]),
    '',
    ...commands(plan, step, step.action).map((line) => `    ${line}`),
    '',
    'Back:',
    '',
    ...undo,
  ];
}

function sentence(text: string): string {
  // Names of values keep their spelling.
  const isName = /^\S*[.A-Z]/.test(text.split(' ')[0] ?? '');
  const first = isName ? text : text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

function commands(plan: Plan, step: Step, action: Action): readonly string[] {
  const { name: release, namespace } = plan.platform.release;
  const forward = action === step.action;
  switch (action.kind) {
    case 'back-up':
      return action.objects.map(
        (object) => `kubectl get ${resource(object)} -o yaml >> backup.yaml`,
      );
    case 'patch-machine-config':
      return [
        `talosctl -n ${action.nodes.join(',')} patch machineconfig --mode no-reboot --patch ${forward ? `@${artifactPath(step)}` : `'${action.patch.trim()}'`}`,
      ];
    case 'install-helm-release':
      if (!forward) return [`helm rollback ${action.release} -n ${action.namespace}`];
      return [
        `helm upgrade --install ${action.release} cilium/cilium --version ${action.version} -n ${action.namespace} -f ${artifactPath(step)}`,
        `kubectl -n ${action.namespace} rollout status ds/cilium`,
      ];
    case 'uninstall-helm-release':
      return [`helm uninstall ${action.release} -n ${action.namespace}`];
    case 'apply-objects':
      return forward
        ? [`kubectl apply --server-side -f ${artifactPath(step)}`]
        : [
            '# apply again what the install phase applied (artifacts/install-secondary-node-config.yaml)',
          ];
    case 'delete-objects':
      return action.objects.map(
        (object) => `kubectl delete ${resource(object)} --ignore-not-found`,
      );
    case 'label-node':
      return labelCommands(action);
    case 'cordon':
      return action.nodes.length > 10
        ? [
            `kubectl cordon <each of ${action.nodes.length} nodes without the label ${action.exceptLabel ?? ''}>`,
          ]
        : [`kubectl cordon ${action.nodes.join(' ')}`];
    case 'uncordon':
      return action.nodes.length > 10
        ? [`kubectl uncordon <each of ${action.nodes.length} nodes that this runbook cordoned>`]
        : [`kubectl uncordon ${action.nodes.join(' ')}`];
    case 'restart-agent':
      return [
        `kubectl -n ${namespace} delete pod -l k8s-app=cilium --field-selector spec.nodeName=${action.node}`,
        `kubectl -n ${namespace} get pods -l k8s-app=cilium --field-selector spec.nodeName=${action.node} -w`,
      ];
    case 'restart-pods':
      return restartCommands(action);
    case 'return-node':
      return returnCommands(plan, action, release);
    case 'roll-out':
      return [
        `kubectl rollout restart ${resource(action.target)}`,
        `kubectl rollout status ${resource(action.target)}`,
      ];
    case 'change-node-files':
      return fileCommands(action);
    case 'verify':
      return ['cilium status --wait', 'kubectl get nodes', 'kubectl get pods -A -o wide'];
    default:
      return unreachable(action);
  }
}

function resource({ kind, namespace, name }: ObjectSelector): string {
  const place = namespace === undefined ? '' : `-n ${namespace} `;
  return `${place}${kind.toLowerCase()}/${name}`;
}

function words(entries: Readonly<Record<string, string | null>>): string {
  return Object.entries(entries)
    .map(([key, value]) => (value === null ? `${key}-` : `${key}=${value}`))
    .join(' ');
}

function labelCommands({
  node,
  labels,
  annotations = {},
}: Extract<Action, { kind: 'label-node' }>): readonly string[] {
  return [
    `kubectl label node ${node} --overwrite ${words(labels)}`,
    ...(Object.keys(annotations).length === 0
      ? []
      : [`kubectl annotate node ${node} --overwrite ${words(annotations)}`]),
  ];
}

function restartCommands({
  node,
  strategy,
  drainTimeoutSeconds,
}: Extract<Action, { kind: 'restart-pods' }>): readonly string[] {
  if (strategy === 'reboot')
    return [
      `kubectl drain ${node} --ignore-daemonsets --delete-emptydir-data --timeout ${drainTimeoutSeconds}s`,
      `talosctl -n ${node} reboot --wait`,
      `kubectl uncordon ${node}`,
    ];
  const list = `kubectl get pods -A --field-selector spec.nodeName=${node} -o wide`;
  if (strategy === 'sandbox-restart')
    return [
      list,
      `# for every pod of the list that is not on the host network, in a host shell of ${node}:`,
      'crictl stopp <sandbox id>',
    ];
  return [
    list,
    '# evict every pod of the list that is not on the host network, one of each owner at a time:',
    'kubectl create --raw /api/v1/namespaces/<namespace>/pods/<pod>/eviction -f eviction.json',
    '# pods with attached volumes first; the Longhorn instance manager when no engine runs on the node',
  ];
}

function returnCommands(
  { platform }: Plan,
  action: Extract<Action, { kind: 'return-node' }>,
  release: string,
): readonly string[] {
  const directory = platform.cniConfDirectory;
  return [
    `kubectl label node ${action.node} ${action.label}-`,
    `kubectl -n ${platform.release.namespace} delete pod -l k8s-app=${release} --field-selector spec.nodeName=${action.node}`,
    `# in a host shell of ${action.node}: mv ${directory}/${action.oldConf}.cilium_bak ${directory}/${action.oldConf}; rm ${directory}/05-cilium.conflist`,
    '# then evict the pods of the node once more',
  ];
}

function fileCommands({
  remove,
  links,
  cleanKubeProxyRules,
}: Extract<Action, { kind: 'change-node-files' }>): readonly string[] {
  return [
    '# in a host shell of every node (a privileged hostNetwork pod on Talos):',
    ...(remove.length === 0 ? [] : [`rm -f ${remove.join(' ')}`]),
    ...links.map((link) => `ip link del ${link}`),
    ...(cleanKubeProxyRules ? ['kube-proxy --cleanup'] : []),
  ];
}

function gateText({ platform }: Plan, gate: Gate): string {
  switch (gate.kind) {
    case 'nodes-ready':
      return `${nodesText(gate.nodes)} Ready (\`kubectl get nodes\`)`;
    case 'agents-ready':
      return `the Cilium agent of ${nodesText(gate.nodes)} ready (\`kubectl -n ${platform.release.namespace} get pods -l k8s-app=cilium -o wide\`)`;
    case 'conf-selected':
      return `the first conf of ${gate.node} is ${gate.network}’s (\`talosctl -n ${gate.node} ls ${platform.cniConfDirectory}\`)`;
    case 'etcd-quorum':
      return `etcd keeps its quorum without ${gate.node} (\`talosctl etcd status\`)`;
    case 'workloads-ready':
      return 'all workloads ready that were ready before (`kubectl get deploy,sts,ds -A`)';
    case 'dns-answers':
      return 'names resolve, cluster and outside, from a pod of each network';
    case 'paths-clear':
      return 'no probed path loses packets';
    case 'volumes-healthy':
      return 'volumes attached and healthy (`kubectl get volumeattachments; kubectl -n longhorn-system get volumes.longhorn.io`)';
    case 'no-old-pods':
      return `no pod of ${nodesText(gate.nodes)} has an address of the old range (\`kubectl get pods -A -o wide\`)`;
    case 'node-addresses-unchanged':
      return 'every node has the InternalIP it had (`kubectl get nodes -o wide`)';
    case 'webhooks-reachable':
      return 'every webhook that may refuse has a ready pod behind it';
    default:
      return unreachable(gate);
  }
}

function nodesText(nodes: readonly string[]): string {
  return nodes.length <= 3 ? nodes.join(', ') : `all ${nodes.length} nodes`;
}
