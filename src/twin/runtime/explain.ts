/**
 * Explains a node: which network its next pod gets now and after a reboot, why, and what each other
 * file would do. Every answer is a run of the model, so what it says is what a rehearsal does.
 */
import { runtimeTraits } from '../../knowledge/cni-runtimes.ts';
import { type ConfFate, fatesOf, isConfFile } from '../../knowledge/cni-selection.ts';
import type {
  FileExplanation,
  NetworkAnswer,
  NodeExplanation,
  PodOutcome,
} from '../../model/node-explanation.ts';
import { beliefsAbout } from './beliefs.ts';
import { confDirectoryOf } from './conf-reader.ts';
import { type Circumstances, type NodeDescription, type Probed, probeNode } from './probe-node.ts';
import { stockConf } from './stock-confs.ts';

/** `assumed`: what the caller took for granted in the description. */
export function explainNode(
  given: NodeDescription,
  assumed: NodeExplanation['assumptions'] = [],
): NodeExplanation {
  const { described, assumptions } = completed(given);
  const now = answer(described, {});
  const afterReboot = answer(described, { rebooted: true });
  return {
    apiVersion: 'regauge.dev/v1',
    kind: 'NodeExplanation',
    node: described.node ?? null,
    runtime: `${described.runtime.kind} ${described.runtime.version}`,
    distribution: systemOf(described),
    confDirectory: described.confDirectory,
    now,
    afterReboot,
    files: explainFiles(described),
    beliefs: beliefsAbout(described, { now, afterReboot }),
    assumptions: [...assumed, ...assumptions],
  };
}

/** `talos 1.10.2`, or `kubeadm` where no version counts. */
function systemOf({ distribution, version }: NodeDescription): string {
  return `${distribution} ${version}`.trim();
}

type Assumption = NodeExplanation['assumptions'][number];

/** Contents that only a name stands for, and everything else that is taken for granted. */
function completed(given: NodeDescription): {
  described: NodeDescription;
  assumptions: readonly Assumption[];
} {
  const assumptions: Assumption[] = [];
  const { confDirectory, binDirectory } = given;
  const confs = given.confs.map((conf) => {
    if (conf.kind === 'directory' || conf.text !== undefined || !isConfFile(conf.name)) return conf;
    const stock = stockConf(conf.name);
    assumptions.push({
      what:
        stock === undefined
          ? `${conf.name}: its content was not given; it is taken to be empty`
          : `${conf.name}: its content was not given; it is taken to be what ${stock.writer} writes under that name`,
      command: `cat ${confDirectory}/${conf.name} on the node`,
    });
    return stock === undefined ? conf : { ...conf, text: stock.text };
  });
  if (given.binaries === undefined) {
    assumptions.push({
      what: `every plugin the confs name is in ${binDirectory} and can be executed`,
      command: `ls -l ${binDirectory} on the node`,
    });
  }
  return { described: { ...given, confs }, assumptions };
}

// ---------------------------------------------------------------- one answer

const DAEMONS = [
  {
    plugin: 'flannel',
    known: 'subnetEnv',
    up: 'flanneld has written /run/flannel/subnet.env',
    down: 'flanneld has not written /run/flannel/subnet.env',
  },
  {
    plugin: 'cilium-cni',
    known: 'agent',
    up: 'the Cilium agent answers on its socket',
    down: 'the Cilium agent does not answer on its socket',
  },
] as const;

function answer(
  described: NodeDescription,
  circumstances: Omit<Circumstances, 'daemons'>,
): NetworkAnswer {
  const up = probeNode(described, { ...circumstances, daemons: true });
  const daemon = DAEMONS.find(({ plugin }) => pluginsOf(up).includes(plugin));
  const pods = outcomes(described, circumstances, up, daemon);
  const { selected } = up;
  return {
    ready: up.ready,
    message: up.message,
    network: selected?.network.name ?? null,
    file: selected?.file ?? null,
    plugins: pluginsOf(up),
    pods,
    why: reasons(described, up, circumstances.rebooted === true),
  };
}

function outcomes(
  described: NodeDescription,
  circumstances: Omit<Circumstances, 'daemons'>,
  up: Probed,
  daemon: (typeof DAEMONS)[number] | undefined,
): readonly PodOutcome[] {
  if (daemon === undefined) return [outcomeOf(up, null)];
  // What a listing told of the running node is gone with a reboot.
  const told = circumstances.rebooted === true ? undefined : described[daemon.known];
  if (told === true) return [outcomeOf(up, null)];
  const down = probeNode(described, { ...circumstances, daemons: false });
  if (told === false) return [outcomeOf(down, null)];
  const [well, badly] = [outcomeOf(up, daemon.up), outcomeOf(down, daemon.down)];
  // What fails in the same words either way does not depend on it.
  return well.ok === badly.ok && well.error === badly.error ? [outcomeOf(up, null)] : [well, badly];
}

function outcomeOf({ pod }: Probed, when: string | null): PodOutcome {
  return {
    when,
    ok: pod.ok,
    error: pod.ok ? null : pod.message.replaceAll(/[0-9a-f]{64}/g, '<id>'),
  };
}

function pluginsOf({ selected }: Probed): readonly string[] {
  return selected?.network.plugins.map(({ type }) => type) ?? [];
}

// ---------------------------------------------------------------- why

function reasons(described: NodeDescription, probed: Probed, rebooted: boolean): readonly string[] {
  const { kind } = described.runtime;
  const directory = confDirectoryOf(probed.files, described.confDirectory);
  const candidates = directory.names.filter(isConfFile);
  const said: string[] = [];
  if (rebooted) said.push(...lossesIn(described, probed));
  if (candidates.length === 0) {
    said.push(
      `There is no file in ${described.confDirectory} that a runtime looks at (.conf, .conflist, .json).`,
    );
  } else if (probed.selected === undefined) {
    said.push(
      kind === 'containerd'
        ? `The first file in byte order decides, and it cannot be loaded: ${probed.loadStatus}. No other file is tried.`
        : `${candidates.length === 1 ? 'The one file is not whole, or not all its plugins are found' : `None of ${candidates.length} files is whole with all its plugins found`}: CRI-O passes over what is not, and a sandbox that is asked for waits until its client gives up.`,
    );
  } else said.push(choice(kind, probed, candidates.length));
  return said;
}

function choice(kind: 'containerd' | 'cri-o', probed: Probed, candidates: number): string {
  const file = probed.selected?.file ?? '';
  const others =
    candidates === 1
      ? 'it is the only conf'
      : `it is the first of ${candidates} confs in byte order`;
  return kind === 'containerd'
    ? `${file} decides: ${others}. containerd reads that one file and never falls back to another, neither at load nor when ADD fails.`
    : `${file} decides: of the confs in byte order it is the first that is whole and whose plugins are all found. CRI-O passes over the others.`;
}

function lossesIn(described: NodeDescription, probed: Probed): readonly string[] {
  const { confDirectory } = described;
  const confs = described.confs.filter(
    ({ name, kind }) => kind !== 'directory' && isConfFile(name),
  );
  const lost = confs.filter(({ name }) => !probed.files.exists(`${confDirectory}/${name}`));
  const state =
    'A reboot empties /run: /run/flannel/subnet.env and the Cilium agent’s socket are gone until flanneld and the agent have started again.';
  if (confs.length === 0) return [state];
  return [
    lost.length === 0
      ? `${confDirectory} keeps its files over a reboot on ${systemOf(described)}.`
      : `${confDirectory} is emptied by a reboot on ${systemOf(described)}: ${lost.map(({ name }) => name).join(', ')} ${lost.length === 1 ? 'is' : 'are'} gone until somebody writes ${lost.length === 1 ? 'it' : 'them'} again.`,
    state,
  ];
}

// ---------------------------------------------------------------- each file

function explainFiles(described: NodeDescription): readonly FileExplanation[] {
  const { kind, version } = described.runtime;
  const { files, runtime } = probeNode(described, { daemons: true });
  const fates = fatesOf(
    runtimeTraits(kind, version),
    confDirectoryOf(files, described.confDirectory),
    { maxConfNum: 1, refuse: (network) => runtime.refusal(network) },
  );
  return fates.map((fate) => ({
    file: fate.file,
    fate: fate.fate,
    meaning: meaningOf(fate, kind),
    alone:
      fate.fate === 'ignored'
        ? null
        : answer(described, { without: (name) => name !== fate.file && isConfFile(name) }),
  }));
}

function meaningOf(fate: ConfFate, kind: 'containerd' | 'cri-o'): string {
  switch (fate.fate) {
    case 'loaded':
      return `loaded; pods get ${fate.ifName} from it`;
    case 'ignored':
      return 'no loader looks at a file of this name';
    case 'unread':
      return 'not opened: an earlier file decides, whatever becomes of it';
    case 'broken':
      return `its error fails the whole load: ${fate.reason}`;
    case 'skipped':
      return `passed over: ${fate.reason}`;
    default:
      return kind === 'cri-o'
        ? 'whole, and behind the file that decides'
        : 'behind the file that decides';
  }
}
