/** Records what a load changed: which network pods get from now on, and because of what. */
import { type Selection, isConfFile } from '../../knowledge/cni-selection.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { NodeFileSystem } from '../node/node-file-system.ts';

export interface LoadRecordOptions {
  readonly kernel: Kernel;
  readonly files: NodeFileSystem;
  readonly node: string;
  readonly runtime: string;
  readonly confDirectory: string;
}

/** Why a selection is what it is: what wrote its file, or what took the files away. */
function causesOfSelection(
  files: NodeFileSystem,
  confDirectory: string,
  selection: Selection,
): readonly OccurrenceId[] {
  const file = selection.brokenFile ?? selection.networks[0]?.file;
  return file === undefined
    ? files.absencesIn(confDirectory, isConfFile)
    : files.causesOf(`${confDirectory}/${file}`);
}

/** The occurrence, when something changed that a pod would notice; else what the selection is because of. */
export function recordLoad(
  options: LoadRecordOptions,
  before: Selection,
  after: Selection,
): readonly OccurrenceId[] {
  const { kernel, files, node, runtime, confDirectory } = options;
  const because = causesOfSelection(files, confDirectory, after);
  if (kernel.now() === 0 || show(before) === show(after)) return because;
  const first = after.networks[0];
  const kind =
    first !== undefined
      ? 'cni.network-loaded'
      : after.brokenFile === undefined
        ? 'cni.no-conf'
        : 'cni.load-failed';
  const message =
    first === undefined
      ? after.status
      : `${runtime} takes network ${first.network.name} from ${first.file}; before, ${show(before)}`;
  return [kernel.occur(kind, { node, message, because })];
}

function show(selection: Selection): string {
  const first = selection.networks[0];
  if (first !== undefined) return `${first.network.name} from ${first.file}`;
  return selection.brokenFile === undefined ? 'none' : `none (${selection.brokenFile} is broken)`;
}
