/** Writes the HTML report, whole or not at all. */
import { resolve } from 'node:path';
import { RegaugeError } from '../base/errors.ts';
import { reportPage, type ReportContent } from '../report/page.ts';
import { writeWhole } from './write-whole.ts';

const DEFAULT_NAME = 'regauge-report.html';

/** Returns the absolute path. The default is `regauge-report.html` in the current directory. */
export function writeReport(name: string | undefined, content: ReportContent): string {
  const path = resolve(name ?? DEFAULT_NAME);
  try {
    writeWhole([{ path, text: reportPage(content) }]);
  } catch (error) {
    throw new RegaugeError(
      'refused',
      `the report could not be written to ${path}: ${error instanceof Error ? error.message : String(error)}`,
      {
        hint: 'Name another place with --report.',
        cause: error,
      },
    );
  }
  return path;
}
