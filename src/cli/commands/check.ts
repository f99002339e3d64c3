/** `regauge check`: files to facts, every hazard put to them, and the report in the form asked for. */
import { RegaugeError } from '../../base/errors.ts';
import { readFiles } from '../../drivers/files/read-files.ts';
import type { FilesRead, TextFile } from '../../drivers/files/read-files.ts';
import { evaluateHazards, HAZARDS } from '../../hazards/registry.ts';
import { bundlesIn } from '../../intake/bundles.ts';
import { deriveFacts } from '../../intake/facts.ts';
import { readInput } from '../../intake/read-input.ts';
import { SEVERITIES } from '../../model/finding.ts';
import type { CheckReport, Finding, Severity } from '../../model/finding.ts';
import type { Hazard } from '../../model/hazard.ts';
import { EXIT, textWidth, wantsColour } from '../context.ts';
import type { CliContext } from '../context.ts';
import type { CheckFlags } from '../flags.ts';
import { liveFiles, together } from '../input/given-files.ts';
import { leftOutOf } from '../left-out.ts';
import type { Checked } from '../output/checked.ts';
import { writeDocument } from '../output-format.ts';

export interface CheckOptions {
  readonly paths: readonly string[];
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** What was read of the cluster itself. */
  readonly live?: FilesRead;
  readonly ciliumVersion?: string;
  readonly talosVersion?: string;
  /** Hazards or failure modes; all when absent. */
  readonly only?: readonly string[];
  /** Hazards or failure modes whose findings are shown as `info`. */
  readonly ignore?: readonly string[];
}

export async function run(this: CliContext, flags: CheckFlags, ...paths: string[]): Promise<void> {
  const checked = await check({
    paths,
    stdin: this.process.stdin,
    live: await liveFiles(this, flags),
    ...(flags.ciliumVersion === undefined ? {} : { ciliumVersion: flags.ciliumVersion }),
    ...(flags.talosVersion === undefined ? {} : { talosVersion: flags.talosVersion }),
    only: idsOf(flags.only),
    ignore: idsOf(flags.ignore),
  });
  await writeReport(this, flags, checked);
  this.process.exitCode = isFailing(checked.report, flags.failOn) ? EXIT.findings : EXIT.clean;
}

/** The report alone. Throws `bad-input` and `usage` errors. */
export async function runCheck(options: CheckOptions): Promise<CheckReport> {
  return (await check(options)).report;
}

async function check(options: CheckOptions): Promise<Checked> {
  const { paths, stdin, live, ciliumVersion, talosVersion, only = [], ignore = [] } = options;
  if (paths.length === 0 && (live === undefined || live.files.length === 0)) {
    throw new RegaugeError('usage', 'no files were given', {
      hint: 'Give Helm values, Talos configs, CNI confs, manifests or a snapshot; "-" reads standard input, --live the cluster itself.',
    });
  }
  const hazards = only.length === 0 ? HAZARDS : HAZARDS.filter((hazard) => isNamed(hazard, only));
  refuseUnknownIds([...only, ...ignore]);
  const given = await readFiles(paths, stdin === undefined ? {} : { stdin });
  const read = together(given, live);
  if (read.files.length === 0) {
    throw new RegaugeError('bad-input', `there is no text file in ${paths.join(', ')}`);
  }
  const versions = talosVersion === undefined ? {} : { talosVersion };
  const input = readInput(read.files, {
    ...versions,
    runbookValues: true,
    ...(ciliumVersion === undefined ? {} : { ciliumVersion: normalised(ciliumVersion) }),
  });
  const report = demoted(evaluateHazards(deriveFacts(input, versions), hazards), ignore);
  return {
    report,
    hazards,
    leftOut: leftOutOf(read, input),
    bundles: bundlesIn(read.files.map(({ path }) => path)),
    lineOf: lineReader(read),
  };
}

function normalised(version: string): string {
  if (/^v?\d+\.\d+\.\d+([-+].*)?$/.test(version)) return version.replace(/^v/, '');
  throw new RegaugeError('usage', `--cilium-version ${version} is not a full version`, {
    hint: 'Write it as 1.16.5.',
  });
}

function idsOf(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');
}

function isNamed(hazard: Pick<Hazard, 'id' | 'covers'>, ids: readonly string[]): boolean {
  return ids.some((id) => id === hazard.id || hazard.covers.includes(id.toUpperCase()));
}

function refuseUnknownIds(ids: readonly string[]): void {
  const unknown = ids.find((id) => !HAZARDS.some((hazard) => isNamed(hazard, [id])));
  if (unknown === undefined) return;
  throw new RegaugeError('usage', `no hazard is called "${unknown}"`, {
    hint: 'regauge explain lists them all.',
  });
}

/** Ignored findings stay visible, as notes: what is not shown is forgotten. */
function demoted(report: CheckReport, ids: readonly string[]): CheckReport {
  if (ids.length === 0) return report;
  const marked = report.findings.map((finding): Finding =>
    isNamed({ id: finding.hazard, covers: finding.covers }, ids)
      ? { ...finding, severity: 'info' }
      : finding,
  );
  const findings = SEVERITIES.flatMap((severity) =>
    marked.filter((finding) => finding.severity === severity),
  );
  const counts = SEVERITIES.map((severity) => [
    severity,
    findings.filter((finding) => finding.severity === severity).length,
  ]);
  return { ...report, findings, summary: { ...report.summary, ...Object.fromEntries(counts) } };
}

/** True when a finding is at the threshold or graver. */
function isFailing(report: CheckReport, failOn: Severity): boolean {
  const threshold = SEVERITIES.indexOf(failOn);
  return report.findings.some(({ severity }) => SEVERITIES.indexOf(severity) <= threshold);
}

/** Lines are split when a file is first quoted; very large files are not worth quoting. */
function lineReader({ files }: FilesRead): Checked['lineOf'] {
  const texts = new Map<string, TextFile>(files.map((file) => [file.path, file]));
  const lines = new Map<string, readonly string[]>();
  return (file, line) => {
    const text = texts.get(file)?.text;
    if (text === undefined || text.length > 4 * 2 ** 20) return undefined;
    const known = lines.get(file) ?? text.split(/\r?\n/);
    lines.set(file, known);
    return known[line - 1];
  };
}

/** Each form is loaded when it is asked for. */
async function writeReport(
  context: CliContext,
  flags: CheckFlags,
  checked: Checked,
): Promise<void> {
  const { stdout } = context.process;
  switch (flags.output) {
    case 'json':
    case 'yaml':
      return writeDocument(context, flags.output, checked.report);
    case 'sarif': {
      const { toSarif } = await import('../output/check-sarif.ts');
      stdout.write(`${JSON.stringify(toSarif(checked), undefined, 2)}\n`);
      return;
    }
    case 'junit': {
      const { toJunit } = await import('../output/check-junit.ts');
      stdout.write(toJunit(checked, flags.failOn));
      return;
    }
    default: {
      const { renderCheck } = await import('../output/check-text.ts');
      stdout.write(
        renderCheck(checked, { colour: wantsColour(context), width: textWidth(context) }),
      );
    }
  }
}
