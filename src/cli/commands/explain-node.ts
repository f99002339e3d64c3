/** `regauge explain-node`: files to a description of one node, the model's answer, and its text. */
import { RegaugeError } from '../../base/errors.ts';
import { readFiles } from '../../drivers/files/read-files.ts';
import { deriveFacts } from '../../intake/facts.ts';
import { readInput } from '../../intake/read-input.ts';
import type { NodeExplanation } from '../../model/node-explanation.ts';
import { explainNode } from '../../twin/runtime/explain.ts';
import { textWidth, wantsColour } from '../context.ts';
import type { CliContext } from '../context.ts';
import type { ExplainNodeFlags } from '../flags.ts';
import { describeNode } from '../node-description.ts';
import { writeDocument } from '../output-format.ts';
import { renderNodeExplanation } from '../output/node-explanation-text.ts';

export async function run(
  this: CliContext,
  flags: ExplainNodeFlags,
  ...paths: string[]
): Promise<void> {
  const explanation = await explainFiles(flags, paths, this.process.stdin);
  if (flags.output !== 'text') {
    writeDocument(this, flags.output, explanation);
    return;
  }
  const style = { colour: wantsColour(this), width: textWidth(this) };
  this.process.stdout.write(renderNodeExplanation(explanation, style));
}

/** The document alone. Throws `bad-input` and `usage` errors. */
export async function explainFiles(
  flags: Omit<ExplainNodeFlags, 'output'>,
  paths: readonly string[],
  stdin?: AsyncIterable<Uint8Array>,
): Promise<NodeExplanation> {
  if (paths.length === 0) {
    throw new RegaugeError('usage', 'no files were given', {
      hint: 'Give the CNI confs of a node, a listing of its conf directory, or a snapshot; "-" reads standard input.',
    });
  }
  const read = await readFiles(paths, stdin === undefined ? {} : { stdin });
  const versions = flags.talosVersion === undefined ? {} : { talosVersion: flags.talosVersion };
  const input = readInput(read.files, versions);
  const { described, assumed } = describeNode(deriveFacts(input, versions), flags);
  return explainNode(described, assumed);
}
