/** What `check` found, as its renderers show it. */
import type { Bundle } from '../../intake/bundles.ts';
import type { CheckReport } from '../../model/finding.ts';
import type { Hazard } from '../../model/hazard.ts';
import type { LeftOut } from '../left-out.ts';

export interface Checked {
  readonly report: CheckReport;
  readonly hazards: readonly Hazard[];
  /** What was read but not understood or not needed, with the reason. */
  readonly leftOut: readonly LeftOut[];
  readonly bundles: readonly Bundle[];
  /** A line of a file that was read, for quoting. */
  lineOf(file: string, line: number): string | undefined;
}
