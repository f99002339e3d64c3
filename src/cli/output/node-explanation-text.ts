/**
 * A NodeExplanation for a person at a terminal: the answer first, then why, then each file, then what
 * people believe, then what was assumed.
 */
import { createColors } from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import type {
  Belief,
  FileExplanation,
  NetworkAnswer,
  NodeExplanation,
} from '../../model/node-explanation.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import type { TextStyle } from './check-text.ts';

interface Page {
  readonly colours: Colors;
  readonly width: number;
}

export function renderNodeExplanation(explanation: NodeExplanation, style: TextStyle): string {
  const page: Page = { colours: createColors(style.colour), width: Math.max(style.width, 40) };
  const { node, runtime, distribution, confDirectory } = explanation;
  const head = [node ?? 'the node', runtime, distribution, confDirectory].join(' · ');
  const lines = [
    page.colours.bold(head),
    '',
    ...answerLines(page, 'Now', explanation.now),
    '',
    ...answerLines(page, 'After a reboot', explanation.afterReboot),
    '',
    page.colours.bold('Files, in the order of the loader'),
    ...explanation.files.flatMap((file) => fileLines(page, file)),
    '',
    page.colours.bold('What is often believed'),
    ...explanation.beliefs.flatMap((belief) => beliefLines(page, belief)),
    ...assumptionLines(page, explanation),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function answerLines(page: Page, title: string, answer: NetworkAnswer): readonly string[] {
  const { colours } = page;
  return [
    `${colours.bold(title)}: ${headline(answer)}`,
    ...answer.pods.flatMap((pod) => {
      const mark = pod.ok ? colours.green('works') : colours.red('fails');
      const when = pod.when === null ? '' : ` when ${pod.when}`;
      return [
        ...paragraph(page, `A new pod ${mark}${when}${pod.error === null ? '.' : ':'}`, 2),
        ...(pod.error === null ? [] : paragraph(page, pod.error, 4)),
      ];
    }),
    ...answer.why.flatMap((reason) => paragraph(page, reason, 2)),
  ];
}

function headline(answer: NetworkAnswer): string {
  if (answer.file === null) return `no network: ${answer.message}`;
  const chain = answer.plugins.join(' → ');
  const state = answer.ready ? '' : `, not ready: ${answer.message}`;
  return `network ${answer.network ?? ''} from ${answer.file} (${chain})${state}`;
}

function fileLines(page: Page, { file, meaning, alone }: FileExplanation): readonly string[] {
  const lines = [`  ${page.colours.bold(file)}`, ...paragraph(page, `${meaning}.`, 4)];
  if (alone === null) return lines;
  const fails = alone.pods.find(({ ok }) => !ok);
  const works = alone.pods.some(({ ok }) => ok);
  const outcome = works
    ? fails === undefined
      ? 'a pod would work'
      : `a pod would work, ${unless(fails.when)}`
    : `a pod would fail: ${fails?.error ?? alone.message}`;
  return [...lines, ...paragraph(page, `As the only conf: ${headline(alone)}; ${outcome}.`, 4)];
}

function unless(when: string | null): string {
  return when === null ? 'or not' : `but not while ${when}`;
}

function beliefLines(page: Page, { belief, holds, why, sources }: Belief): readonly string[] {
  const { colours } = page;
  const mark = holds ? colours.yellow('holds here') : colours.green('does not hold');
  return [
    ...paragraph(page, `“${belief}” — ${mark}.`, 2),
    ...paragraph(page, why, 4),
    ...paragraph(page, sources.join(', '), 4).map((line) => colours.dim(line)),
  ];
}

function assumptionLines(page: Page, { assumptions }: NodeExplanation): readonly string[] {
  if (assumptions.length === 0) return [];
  return [
    '',
    page.colours.bold('Taken for granted'),
    ...assumptions.flatMap(({ what, command }) => [
      ...paragraph(page, `${what}.`, 2),
      ...paragraph(page, `told by: ${command}`, 4).map((line) => page.colours.dim(line)),
    ]),
  ];
}

function paragraph(page: Page, text: string, indent: number): readonly string[] {
  const space = ' '.repeat(indent);
  return text
    .split('\n')
    .flatMap((line) => wrapText(line, page.width - indent))
    .map((line) => `${space}${line}`);
}
