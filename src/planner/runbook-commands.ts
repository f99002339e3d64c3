/** What each action of a plan is as commands, forward and back. */
import { unreachable } from '../base/assert.ts';
import { canonicalJson } from '../base/canonical-json.ts';
import { groupBy } from '../base/group-by.ts';
import type { Action, ObjectSelector, Plan, Step } from '../model/plan.ts';
import { suspensionPatch } from '../knowledge/gitops-owners.ts';
import { CILIUM_CONF } from '../knowledge/node-paths.ts';
import { artifactPath } from './artifact-path.ts';
import { packetFilterCommands } from './runbook-rules.ts';
import { onHost, type Places } from './runbook-places.ts';

type ActionOf<K extends Action['kind']> = Extract<Action, { kind: K }>;

/** Beyond this many nodes a command names them by a query. */
const NAMED_MAX = 10;

export function commandsOf(plan: Plan, step: Step, places: Places): readonly string[] {
  const { action } = step;
  switch (action.kind) {
    case 'back-up':
      return backUp(plan, action, places);
    case 'patch-machine-config':
      return [patchCommand(action, `@${artifactPath(step)}`, places)];
    case 'install-helm-release':
      return [
        `helm upgrade --install ${action.release} cilium/cilium --version ${action.version} -n ${action.namespace} -f ${artifactPath(step)}`,
        `kubectl -n ${action.namespace} rollout status ds/cilium`,
      ];
    case 'apply-objects':
      return [`kubectl apply --server-side -f ${artifactPath(step)}`];
    default:
      return common(plan, action, places);
  }
}

/** The way back, as commands. */
export function undoCommands(plan: Plan, undo: Action, places: Places): readonly string[] {
  switch (undo.kind) {
    case 'patch-machine-config':
      return [patchCommand(undo, `'${undo.patch.trim()}'`, places)];
    case 'install-helm-release':
      return [releaseBack(plan, undo)];
    case 'apply-objects':
      return [`kubectl apply --server-side -f ${artifactHolding(plan, undo)}`];
    default:
      return common(plan, undo, places);
  }
}

/** By the values of the step that had them: a rollback by number is another one when it is done twice. */
function releaseBack({ steps }: Plan, undo: ActionOf<'install-helm-release'>): string {
  const wanted = canonicalJson(undo.values);
  const step = steps.find(
    ({ action }) =>
      action.kind === 'install-helm-release' && canonicalJson(action.values) === wanted,
  );
  const { release, namespace, version } = undo;
  return step === undefined
    ? `helm rollback ${release} -n ${namespace}`
    : `helm upgrade ${release} cilium/cilium --version ${version} -n ${namespace} -f ${artifactPath(step)}`;
}

function common(plan: Plan, action: Action, places: Places): readonly string[] {
  const { namespace } = plan.platform.release;
  switch (action.kind) {
    case 'uninstall-helm-release':
      return [`helm uninstall ${action.release} -n ${action.namespace}`];
    case 'delete-objects':
      return action.objects.map(
        (object) => `kubectl delete ${resource(object)} --ignore-not-found`,
      );
    case 'restore-objects':
      return restoreCommands(action);
    case 'label-node':
      return labelCommands(action);
    case 'cordon':
      return [cordon(action)];
    case 'uncordon':
      return [
        action.nodes.length > NAMED_MAX
          ? 'kubectl get nodes -o name | xargs kubectl uncordon  # but those that others cordoned'
          : `kubectl uncordon ${action.nodes.join(' ')}`,
      ];
    case 'restart-agent':
      return [
        `kubectl -n ${namespace} delete pod -l k8s-app=cilium --field-selector spec.nodeName=${action.node}`,
        `kubectl -n ${namespace} rollout status ds/cilium`,
      ];
    case 'reconfigure-agent':
      return [
        `kubectl label node ${action.node} --overwrite ${words({ [action.label]: action.selected ? 'true' : null })}`,
        `kubectl -n ${namespace} delete pod -l k8s-app=cilium --field-selector spec.nodeName=${action.node}`,
        `kubectl -n ${namespace} rollout status ds/cilium`,
      ];
    case 'restart-pods':
      return restartCommands(action, places);
    case 'return-node':
      return returnCommands(plan, action);
    case 'roll-out':
      return [
        `kubectl rollout restart ${resource(action.target)}`,
        `kubectl rollout status ${resource(action.target)}`,
      ];
    case 'suspend-owner':
    case 'resume-owner':
      return [ownerCommand(action.owner, action.kind === 'suspend-owner')];
    case 'change-node-files':
      return hostCommands(plan, action);
    case 'clean-packet-filter':
      return packetFilterCommands(plan, action);
    case 'write-node-file':
      return action.nodes.map((node) => fileCommand(action, node, places));
    case 'restart-service':
      return action.nodes.flatMap((node) => serviceCommands(action, node, places));
    case 'move-probe':
      return canaryCommands(action);
    case 'audit-policies':
      return [
        `sleep ${action.seconds}`,
        '# Everything that is shown would be dropped; nothing is shown of what is allowed:',
        `for agent in $(kubectl -n ${namespace} get pods -l k8s-app=cilium -o name); do kubectl -n ${namespace} exec $agent -c cilium-agent -- hubble observe --verdict AUDIT --since ${action.seconds}s; done`,
      ];
    case 'prove-policies':
      return ["cilium connectivity test --test 'all-ingress-deny'"];
    case 'verify':
      return ['cilium status --wait', 'kubectl get nodes -o wide', 'kubectl get pods -A -o wide'];
    case 'back-up':
    case 'patch-machine-config':
    case 'install-helm-release':
    case 'apply-objects':
      return [];
    default:
      return unreachable(action);
  }
}

/** One line of shell, which the content fits between single quotes. */
function fileCommand(
  { path, content }: ActionOf<'write-node-file'>,
  node: string,
  { addressOf }: Places,
): string {
  const directory = path.slice(0, path.lastIndexOf('/'));
  return content === null
    ? `ssh ${addressOf(node)} sudo rm -f ${path}`
    : `printf '${content.replaceAll('\n', '\\n')}' | ssh ${addressOf(node)} 'sudo mkdir -p ${directory} && sudo tee ${path}'`;
}

function serviceCommands(
  { service, proof }: ActionOf<'restart-service'>,
  node: string,
  { addressOf }: Places,
): readonly string[] {
  const at = addressOf(node);
  return [
    `ssh ${at} sudo systemctl restart ${service}`,
    `ssh ${at} sudo grep -c ${proof.text} ${proof.path}  # ${proof.present ? 'at least 1' : '0'}, then wait for Ready: kubectl get node ${node}`,
  ];
}

/** Two plain pods, for whoever has no probes: one that is started on the new network, one on the old. */
function canaryCommands({ node, beside }: ActionOf<'move-probe'>): readonly string[] {
  return [
    canaryPod('canary-new', node),
    ...(beside === undefined
      ? []
      : [
          canaryPod('canary-old', beside),
          'kubectl wait --for=condition=Ready pod/canary-new pod/canary-old',
          reaching('canary-new', 'canary-old'),
          reaching('canary-old', 'canary-new'),
        ]),
    'kubectl exec canary-new -- nslookup kubernetes.default.svc.cluster.local',
    'kubectl exec canary-new -- nc -z -w 3 kubernetes.default.svc.cluster.local 443',
    'kubectl exec canary-new -- nc -z -w 3 1.1.1.1 443  # where pods may leave the cluster',
    `kubectl delete pod canary-new${beside === undefined ? '' : ' canary-old'}`,
  ];
}

function canaryPod(name: string, node: string): string {
  const spec = { nodeName: node, tolerations: [{ operator: 'Exists' }] };
  return `kubectl run ${name} --image=busybox:1.37 --overrides='${JSON.stringify({ spec })}' --command -- httpd -f -p 8080`;
}

function reaching(from: string, to: string): string {
  return `kubectl exec ${from} -- nc -z -w 3 $(kubectl get pod ${to} -o jsonpath='{.status.podIP}') 8080`;
}

/** What the API server gave an object of its own keeps it from being created again. */
const OWN_FIELDS = `grep -vE '^ +(uid|resourceVersion|creationTimestamp): '`;

function backUp(
  { steps }: Plan,
  { objects }: ActionOf<'back-up'>,
  { onTalos, addressOf }: Places,
): readonly string[] {
  const byNamespace = groupBy(objects, ({ namespace = '' }) => namespace);
  const files = [...byNamespace].map(([namespace, members]) => {
    const place = namespace === '' ? '' : ` -n ${namespace}`;
    const names = members.map(({ kind, name }) => `${kind.toLowerCase()}/${name}`).join(' ');
    return `kubectl get${place} ${names} --ignore-not-found -o yaml | ${OWN_FIELDS} > ${backupFile(namespace)}`;
  });
  if (!onTalos) return files;
  const configured = steps.flatMap(({ action }) =>
    action.kind === 'patch-machine-config' ? action.nodes : [],
  );
  const nodes = [...new Set(configured)].map(addressOf);
  const [first] = steps
    .flatMap(({ action }) => (action.kind === 'patch-machine-config' ? [action] : []))
    .slice(-1)
    .flatMap((action) => action.nodes);
  if (first === undefined) return files;
  return [
    ...files,
    `talosctl -n ${nodes.join(',')} get machineconfig v1alpha1 -o yaml > backup-machineconfigs.yaml  # holds secrets`,
    `talosctl -n ${addressOf(first)} etcd snapshot backup-etcd.db`,
  ];
}

/** From the files that the back-up step wrote. */
function restoreCommands({ objects }: ActionOf<'restore-objects'>): readonly string[] {
  const files = [...new Set(objects.map(({ namespace = '' }) => backupFile(namespace)))];
  return files
    .toSorted()
    .map((file) => `kubectl apply --server-side -f ${file}  # what is there already stays`);
}

function backupFile(namespace: string): string {
  return `backup-${namespace === '' ? 'cluster' : namespace}.yaml`;
}

function patchCommand(
  { nodes }: ActionOf<'patch-machine-config'>,
  patch: string,
  { addressOf }: Places,
): string {
  return `talosctl -n ${nodes.map(addressOf).join(',')} patch machineconfig --mode no-reboot --patch ${patch}`;
}

function artifactHolding({ steps }: Plan, { objects }: ActionOf<'apply-objects'>): string {
  const [wanted] = objects;
  const step = steps.find(
    ({ action }) =>
      action.kind === 'apply-objects' &&
      action.objects.some(
        ({ kind, metadata }) => kind === wanted?.kind && metadata.name === wanted.metadata.name,
      ),
  );
  return step === undefined ? '<the objects of the install phase>' : artifactPath(step);
}

function resource({ kind, namespace, name }: ObjectSelector): string {
  const place = namespace === undefined ? '' : `-n ${namespace} `;
  return `${place}${kind.toLowerCase()}/${name}`;
}

function cordon({ nodes, exceptLabel }: ActionOf<'cordon'>): string {
  if (nodes.length <= NAMED_MAX) return `kubectl cordon ${nodes.join(' ')}`;
  const query = exceptLabel === undefined ? '' : ` -l '!${exceptLabel}'`;
  return `kubectl get nodes${query} -o name | xargs kubectl cordon`;
}

function words(entries: Readonly<Record<string, string | null>>): string {
  return Object.entries(entries)
    .map(([key, value]) => (value === null ? `${key}-` : `${key}=${value}`))
    .join(' ');
}

/** As kubectl does it, which needs neither flux nor argocd. */
export function ownerCommand(owner: ObjectSelector, suspended: boolean): string {
  const { annotations, spec } = suspensionPatch(owner.kind, suspended);
  const words = Object.keys(spec).length === 0 ? { metadata: { annotations } } : { spec };
  return `kubectl patch ${resource(owner)} --type merge -p '${JSON.stringify(words)}'`;
}

function labelCommands({
  node,
  labels,
  annotations = {},
}: ActionOf<'label-node'>): readonly string[] {
  return [
    `kubectl label node ${node} --overwrite ${words(labels)}`,
    ...(Object.keys(annotations).length === 0
      ? []
      : [`kubectl annotate node ${node} --overwrite ${words(annotations)}`]),
  ];
}

function restartCommands(
  { node, strategy, drainTimeoutSeconds, budgetsWithoutRoom = [] }: ActionOf<'restart-pods'>,
  places: Places,
): readonly string[] {
  if (strategy === 'reboot')
    return [
      `kubectl drain ${node} --ignore-daemonsets --delete-emptydir-data --timeout ${drainTimeoutSeconds}s`,
      places.onTalos
        ? `talosctl -n ${places.addressOf(node)} reboot --wait`
        : `ssh ${places.addressOf(node)} sudo systemctl reboot`,
      `kubectl uncordon ${node}`,
    ];
  const list = `kubectl get pods -A -o wide --field-selector spec.nodeName=${node},spec.hostNetwork=false`;
  const inPlace = sandboxCommand(node, places);
  if (strategy === 'sandbox-restart')
    return [list, '# Every pod of the list, the next when the one before is Ready again:', inPlace];
  const held =
    budgetsWithoutRoom.length === 0 ? '' : `, or whose budget is ${budgetsWithoutRoom.join(', ')}`;
  return [
    list,
    '# Every pod of the list, one of each owner at a time, the next when its replacement is Ready:',
    'evict <namespace> <pod>',
    `# A pod without an owner${held} keeps its place and gets a new sandbox:`,
    inPlace,
    '# Pods with attached volumes go first; with Longhorn the instance manager goes last, when no engine runs here.',
  ];
}

/** Stops the pod's sandbox; the kubelet makes a new one (talos:internal/pkg/containers/cri/cri.go, Kill). */
function sandboxCommand(node: string, { onTalos, addressOf }: Places): string {
  return onTalos
    ? `talosctl -n ${addressOf(node)} restart -k <namespace>/<pod>`
    : `ssh ${addressOf(node)} 'sudo crictl stopp $(sudo crictl pods -q --namespace <namespace> --name <pod>)'`;
}

function returnCommands(
  { platform }: Plan,
  { node, label, oldConf }: ActionOf<'return-node'>,
): readonly string[] {
  const directory = `/host${platform.cniConfDirectory}`;
  const old = `${directory}/${oldConf}`;
  return [
    `kubectl label node ${node} ${label}-`,
    `kubectl -n ${platform.release.namespace} delete pod -l k8s-app=cilium --field-selector spec.nodeName=${node}`,
    onHost(
      node,
      `[ -e ${old}.cilium_bak ] && mv ${old}.cilium_bak ${old}; rm -f ${directory}/${CILIUM_CONF}`,
    ),
    '# Then restart the pods of the node once more, as above: they get the old network.',
  ];
}

function hostCommands(
  { platform }: Plan,
  { nodes, remove, links, cleanKubeProxyRules }: ActionOf<'change-node-files'>,
): readonly string[] {
  const removal = remove.map((path) => `/host${path}`).join(' ');
  const parts = [
    ...(remove.length === 0 ? [] : [`rm -rf ${removal}`]),
    ...links.map((link) => `ip link del ${link} 2>/dev/null`),
  ];
  const named =
    nodes.length > NAMED_MAX ? '$(kubectl get nodes -o name | cut -d/ -f2)' : nodes.join(' ');
  const loop = (command: string): string => `for node in ${named}; do ${command}; done`;
  const image = `registry.k8s.io/kube-proxy:v${platform.kubernetesVersion}`;
  return [
    ...(parts.length === 0 ? [] : [loop(onHost('$node', parts.join('; ')))]),
    ...(cleanKubeProxyRules
      ? [
          loop(
            `kubectl debug -n kube-system node/$node --profile=sysadmin --image=${image} -it -- /usr/local/bin/kube-proxy --cleanup`,
          ),
        ]
      : []),
    '# The pods that kubectl debug made:',
    'kubectl delete pods -n kube-system -l app.kubernetes.io/managed-by=kubectl-debug',
  ];
}
