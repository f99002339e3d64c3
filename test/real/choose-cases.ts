/** Which measured cases the lane replays on a real node, and why not the others. */
import { type FileSetup, type Step, type TruthCase, truthFiles } from '../truth/cases.ts';
import type { RuntimeSoftware } from './software.ts';

export interface Choice {
  readonly chosen: readonly TruthCase[];
  /** Identifier and reason. */
  readonly left: readonly string[];
}

const SYMLINKED = 'started on a symlinked dir';

/** The cases of that runtime; where none of its version were measured, those of its minor. */
export function chooseCases({ version }: RuntimeSoftware, flannel: string): Choice {
  const minor = version.split('.').slice(0, 2).join('.');
  const files = truthFiles().filter(({ kind }) => kind === 'containerd');
  const file =
    files.find((one) => one.version === version) ??
    files.find((one) => one.version.startsWith(`${minor}.`));
  const chosen: TruthCase[] = [];
  const left: string[] = [];
  for (const one of file?.cases ?? []) {
    const reason = whyNot(one);
    if (reason === undefined) chosen.push(adapted(one, flannel));
    else left.push(`${one.id}: ${reason}`);
  }
  return { chosen, left };
}

function whyNot(one: TruthCase): string | undefined {
  if (Object.values(one.setup.binaries).includes('cilium-real')) return 'needs a real cilium-cni';
  if (one.group === 'timing') return 'measures times';
  if (one.steps.some(({ op }) => op === 'probeHostPort')) return 'needs a server in the pod';
  if (one.steps.some(({ label }) => label === SYMLINKED)) return 'moves the directory at the start';
  return undefined;
}

/**
 * The flannel plugin from before 1.0.0 knows the specification until 0.4.0: for it, flannel's confs
 * say so.
 */
function adapted(one: TruthCase, flannel: string): TruthCase {
  if (!flannel.startsWith('0.')) return one;
  const files = Object.entries(one.setup.files).map(([name, what]) => [name, older(what)] as const);
  return {
    ...one,
    setup: { ...one.setup, files: Object.fromEntries(files) },
    steps: one.steps.map(olderStep),
  };
}

function older(what: FileSetup): FileSetup {
  if (typeof what === 'string') return olderText(what);
  return 'content' in what ? { ...what, content: olderText(what.content) } : what;
}

function olderStep(step: Step): Step {
  const { content } = step;
  return typeof content === 'string' ? { ...step, content: olderText(content) } : step;
}

function olderText(text: string): string {
  if (!/"type": *"flannel"/.test(text)) return text;
  return text.replace(/("cniVersion": *)"1\.0\.0"/, '$1"0.4.0"');
}
