/** Writes the HTML report, whole or not at all. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { RegaugeError } from '../base/errors.ts';
import { reportPage, type ReportContent } from '../report/page.ts';

const DEFAULT_NAME = 'regauge-report.html';

/** Returns the absolute path. The default is `regauge-report.html` in the current directory. */
export function writeReport(name: string | undefined, content: ReportContent): string {
  const path = resolve(name ?? DEFAULT_NAME);
  const unfinished = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(unfinished, reportPage(content));
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
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
