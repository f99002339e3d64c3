/**
 * What people say about how a node chooses its network, held against the node at hand. Whether a
 * belief holds is found by running the model where it can be run, not written down here.
 */
import { isConfFile } from '../../knowledge/cni-selection.ts';
import type { Belief, NetworkAnswer } from '../../model/node-explanation.ts';
import { type NodeDescription, type Probed, probeNode } from './probe-node.ts';

export interface Answers {
  readonly now: NetworkAnswer;
  readonly afterReboot: NetworkAnswer;
}

export function beliefsAbout(described: NodeDescription, answers: Answers): readonly Belief[] {
  return [
    whoSelects(described),
    ...leftoverWins(described, answers),
    ...fallsBack(described, answers),
    ...exclusiveMovesItself(described),
    ...binariesVanish(described),
    ...flannelDies(described, answers),
    createContainerError(answers),
  ];
}

function whoSelects({ runtime }: NodeDescription): Belief {
  return {
    belief: 'The kubelet reads the conf directory and selects the CNI.',
    holds: false,
    why: `${runtime.kind} reads it, when it starts and when the directory changes. The kubelet only asks whether the network is ready.`,
    sources: ['go-cni:opts.go@v1.1.13', 'containerd:internal/cri/server/cni_conf_syncer.go@v2.3.3'],
  };
}

function confOf(described: NodeDescription, plugin: RegExp): string | undefined {
  return described.confs.find(
    ({ name, text, kind }) => kind !== 'directory' && isConfFile(name) && plugin.test(text ?? ''),
  )?.name;
}

/** Both a Cilium and a Flannel conf are there. */
function leftoverWins(described: NodeDescription, { now }: Answers): readonly Belief[] {
  const cilium = confOf(described, /"cilium-cni"/);
  const flannel = confOf(described, /"flannel"/);
  if (cilium === undefined || flannel === undefined) return [];
  const holds = now.file === flannel;
  return [
    {
      belief: `Because ${flannel} was left beside ${cilium} (cni.exclusive: false), pods still get Flannel.`,
      holds,
      why: holds
        ? `${flannel} decides on this node: ${now.why.join(' ')}`
        : `${now.file ?? 'no file'} decides with ${flannel} present; exclusive is a safety net, not the selector. If pods got Flannel, ${cilium} was not there when they were made: with cni.customConf: true the agent never writes it.`,
      sources: [
        'go-cni:opts.go@v1.1.13',
        'charts:cilium/templates/cilium-configmap.yaml@1.16.5',
        'truth:A04',
      ],
    },
  ];
}

function fallsBack(described: NodeDescription, { now }: Answers): readonly Belief[] {
  const plugin = now.plugins[0];
  const others = described.confs.filter(({ name }) => isConfFile(name) && name !== now.file);
  if (plugin === undefined || now.file === null || others.length === 0) return [];
  const without = probeNode(described, { daemons: true, missing: plugin });
  const holds = without.selected !== undefined && without.selected.file !== now.file;
  return [
    {
      belief: `If the ${plugin} binary is missing, the runtime goes on to the next conf.`,
      holds,
      why: holds
        ? `CRI-O looks for the binaries when it loads: it would take ${without.selected?.file ?? ''}.`
        : `${now.file} is taken all the same, the node stays Ready, and every pod fails: ${errorOf(without)}`,
      sources: ['cni:libcni/api.go@v1.3.0', 'ocicni:pkg/ocicni/ocicni.go@v0.5.1', 'truth:A04, A21'],
    },
  ];
}

function errorOf({ pod }: Probed): string {
  return pod.ok ? 'none' : pod.message.replaceAll(/[0-9a-f]{64}/g, '<id>');
}

function exclusiveMovesItself(described: NodeDescription): readonly Belief[] {
  if (confOf(described, /"cilium-cni"/) === undefined) return [];
  return [
    {
      belief: 'cni.exclusive: true makes Cilium move its own conf out of the way.',
      holds: false,
      why: 'It renames the others to *.cilium_bak, which no loader looks at, and only while the agent manages the conf.',
      sources: ['cilium:daemon/cmd/cni/config.go@01990e1', 'truth:P03, P04'],
    },
  ];
}

function binariesVanish(described: NodeDescription): readonly Belief[] {
  if (described.distribution !== 'talos') return [];
  const { files } = probeNode(described, { daemons: true });
  const survives = files.survives(`${described.binDirectory}/cilium-cni`, 'upgrade');
  return [
    {
      belief:
        'A Talos upgrade removes /opt/cni/bin/cilium-cni, since it writes the root file system anew.',
      holds: !survives,
      why: survives
        ? '/opt is an overlay whose changes are on EPHEMERAL, and from Talos 1.8 on an upgrade keeps EPHEMERAL.'
        : 'An upgrade of Talos 1.7 or older wipes EPHEMERAL unless it is told to preserve it, and what was added to /opt with it.',
      sources: [
        'talos:pkg/machinery/constants/constants.go@v1.10.5',
        'talos:cmd/installer/pkg/install/install.go@v1.8.0',
      ],
    },
  ];
}

function flannelDies(described: NodeDescription, { afterReboot }: Answers): readonly Belief[] {
  if (confOf(described, /"flannel"/) === undefined) return [];
  const usesFlannel = afterReboot.plugins.includes('flannel');
  return [
    {
      belief: 'After a reboot Flannel cannot work, because /run/flannel/subnet.env is gone.',
      holds: false,
      why: usesFlannel
        ? 'flanneld writes it again when it starts. It stays away only where flanneld does not run: its DaemonSet was deleted, or it cannot reach the API server.'
        : `No pod of this node goes through Flannel after a reboot: ${afterReboot.file ?? 'no conf'} decides. And flanneld writes the file again when it starts.`,
      sources: ['flannel:main.go@v0.28.9', 'truth:L21'],
    },
  ];
}

function createContainerError({ now }: Answers): Belief {
  const failing = now.pods.some(({ ok }) => !ok);
  return {
    belief: 'A pod whose network cannot be set up shows CreateContainerError.',
    holds: false,
    why: `Its sandbox is never made, so it shows ContainerCreating, with the event FailedCreatePodSandBox every 11 to 15 s${failing ? '' : ' (no pod of this node is in that state as described)'}.`,
    sources: ['containerd:internal/cri/server/sandbox_run.go@v2.3.3', 'truth:kubelet-1.33'],
  };
}
