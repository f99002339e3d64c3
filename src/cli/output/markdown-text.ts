/** A hazard's page on a terminal: headings, wrapped paragraphs and lists, code as it is. */
import picocolors from 'picocolors';
import { wrapText } from '../terminal/wrap-text.ts';
import type { TextStyle } from './check-text.ts';

export function renderMarkdown(markdown: string, { colour, width }: TextStyle): string {
  const colours = picocolors.createColors(colour);
  const lines: string[] = [];
  let paragraph = '';
  let isCode = false;
  const flush = (): void => {
    const lead = /^(\s*(?:[-*]|\d+\.)\s+)/.exec(paragraph)?.[1] ?? '';
    const wrapped = wrapText(paragraph.slice(lead.length), width - lead.length);
    lines.push(
      ...wrapped.map((line, index) => `${index === 0 ? lead : ' '.repeat(lead.length)}${line}`),
    );
    paragraph = '';
  };
  for (const line of markdown.split('\n')) {
    const isFence = /^\s*```/.test(line);
    const isBoundary = isFence || isCode || /^(#|\s*$|\s*(?:[-*]|\d+\.)\s|\|)/.test(line);
    if (isBoundary && paragraph !== '') flush();
    if (isFence) isCode = !isCode;
    else if (isCode) lines.push(`    ${colours.cyan(line)}`.trimEnd());
    else if (line.startsWith('#')) lines.push(colours.bold(line.replace(/^#+\s*/, '')));
    else if (/^\s*$/.test(line) || line.startsWith('|')) lines.push(line.trimEnd());
    else paragraph = paragraph === '' ? line : `${paragraph} ${line.trim()}`;
  }
  if (paragraph !== '') flush();
  return `${lines
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}
