/** `-o`: one document on stdout, everything else on stderr (contract). */
import { stringify } from 'yaml';
import type { CliContext } from './context.ts';

/** Formats every command takes; `text` is for people. */
export type DocumentFormat = 'text' | 'json' | 'yaml';

export function writeDocument(
  context: CliContext,
  format: 'json' | 'yaml',
  document: unknown,
): void {
  const text =
    format === 'json'
      ? `${JSON.stringify(document, undefined, 2)}\n`
      : stringify(document, { aliasDuplicateObjects: false });
  context.process.stdout.write(text);
}
