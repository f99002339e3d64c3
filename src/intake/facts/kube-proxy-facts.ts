/** Whether kube-proxy runs, and in which mode. */
import type { ReadObject } from '../../model/cluster-input.ts';
import { rke2Arguments, rke2Network } from '../../knowledge/rke2.ts';
import { known, unknown } from '../../model/fact.ts';
import type { Fact } from '../../model/fact.ts';
import type { KubeProxyFacts } from '../../model/facts.ts';
import type { DaemonSetObject, PodObject, PodSpec } from '../../model/kubernetes.ts';
import { isTable } from '../intake.ts';
import { parsed } from './embedded-yaml.ts';
import type { CniEvidence } from './cni-facts.ts';
import { k3sServer } from './k3s-facts.ts';
import { dataOf, flagIn } from './object-index.ts';
import type { ObjectIndex } from './object-index.ts';

const COMMAND = 'kubectl get daemonsets,configmaps -n kube-system -o json';

export function kubeProxyFacts(evidence: CniEvidence): Fact<KubeProxyFacts> {
  const { index, distribution, nodes, machineConfigs } = evidence;
  const running = runningProxy(index);
  if (running !== undefined) {
    return known(
      { present: true, mode: modeOf(running.spec, running.read, index) },
      running.read.source,
    );
  }
  if (distribution.known && distribution.value === 'k3s') return insideK3s(evidence);
  if (distribution.known && distribution.value === 'rke2') return onRke2(evidence);
  const [first] = index.of('DaemonSet.apps');
  if (nodes.length > 0 && first !== undefined) {
    return known(
      { present: false, mode: unknown('the mode of kube-proxy: there is none') },
      first.source,
    );
  }
  const config = machineConfigs.find(
    ({ kind, proxyDisabled }) => kind === 'config' && proxyDisabled.known,
  );
  if (config?.proxyDisabled.known === true && !config.proxyDisabled.value) {
    return known(
      { present: true, mode: unknown('the mode of kube-proxy', COMMAND) },
      config.proxyDisabled.source,
    );
  }
  return unknown('whether kube-proxy runs', COMMAND);
}

/** A DaemonSet (kubeadm, Talos), or a static pod per node (RKE2). */
function runningProxy(index: ObjectIndex): { read: ReadObject; spec: PodSpec } | undefined {
  const daemonSet = index.find('DaemonSet.apps', 'kube-system', 'kube-proxy');
  if (daemonSet !== undefined) {
    return { read: daemonSet, spec: (daemonSet.object as DaemonSetObject).spec.template.spec }; // indexed by kind
  }
  const pod = index
    .of('Pod.')
    .find(
      ({ object: { metadata } }) =>
        metadata.namespace === 'kube-system' && metadata.name.startsWith('kube-proxy-'),
    );
  return pod === undefined ? undefined : { read: pod, spec: (pod.object as PodObject).spec }; // indexed by kind
}

type Mode = 'iptables' | 'ipvs' | 'nftables';
const MODES: readonly Mode[] = ['iptables', 'ipvs', 'nftables'];

/** The flag, else the config file that it is started with; an empty mode is iptables on Linux. */
function modeOf(spec: PodSpec, read: ReadObject, index: ObjectIndex): Fact<Mode> {
  const flag = flagIn(spec, '--proxy-mode');
  if (flag !== undefined) return asMode(flag, read);
  if (flagIn(spec, '--config') === undefined) return known('iptables', read.source);
  const config = index.find('ConfigMap.', 'kube-system', 'kube-proxy');
  const value = parsed(dataOf(config, 'config.conf'));
  if (config === undefined || !isTable(value)) return unknown('the mode of kube-proxy', COMMAND);
  const mode = value['mode'];
  return asMode(typeof mode === 'string' && mode !== '' ? mode : 'iptables', config);
}

function asMode(text: string, { source }: ReadObject): Fact<Mode> {
  const mode = MODES.find((candidate) => candidate === text);
  return mode === undefined
    ? unknown(`the mode of kube-proxy: "${text}" is none`, COMMAND)
    : known(mode, source);
}

/**
 * RKE2 runs it as a static pod of every node unless its servers were told otherwise; where no pod shows,
 * their arguments tell.
 */
function onRke2({ index, nodes }: CniEvidence): Fact<KubeProxyFacts> {
  const none = { present: false, mode: unknown('the mode of kube-proxy: there is none') } as const;
  for (const { object, source } of nodes) {
    const args = rke2Arguments(object);
    if (args?.role !== 'server') continue;
    const from = { ...source, path: 'metadata.annotations["rke2.io/node-args"]' };
    const running = { present: true, mode: unknown('the mode of kube-proxy', COMMAND) } as const;
    return known(rke2Network(args).kubeProxy ? running : none, from);
  }
  const [pod] = index.of('Pod.');
  return pod === undefined
    ? unknown('whether RKE2 runs kube-proxy', 'kubectl get nodes,pods -A -o json')
    : known(none, pod.source);
}

/** In K3s's own process unless its servers were started with `--disable-kube-proxy`. */
function insideK3s({ nodes }: CniEvidence): Fact<KubeProxyFacts> {
  const server = k3sServer(nodes);
  if (server === undefined)
    return unknown('whether K3s runs kube-proxy', 'kubectl get nodes -o json');
  const { network, args, source } = server;
  if (!network.kubeProxy) {
    return known(
      { present: false, mode: unknown('the mode of kube-proxy: there is none') },
      source,
    );
  }
  const said = args.flags
    .get('kube-proxy-arg')
    ?.map((arg) => /^-*proxy-mode=(\w+)$/.exec(arg)?.[1]);
  const mode = said?.findLast((each) => each !== undefined) ?? 'iptables';
  const recognised = MODES.find((candidate) => candidate === mode);
  return known(
    {
      present: true,
      mode:
        recognised === undefined
          ? unknown('the mode of kube-proxy', COMMAND)
          : known(recognised, source),
    },
    source,
  );
}
