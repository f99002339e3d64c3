/** Helm with the settings that all calls share: which cluster, as whom, whose environment. */
import { RegaugeError } from '../../base/errors.ts';
import type { Bounds } from './bounded.ts';
import { type ChartSource, chartSource } from './chart-source.ts';
import { failureOf, secretsIn } from './failures.ts';
import { type Ended, type HelmProgram, runHelm } from './helm-process.ts';
import { helmVersion } from './helm-version.ts';

export interface ClientSettings extends HelmProgram {
  /** Global flags: `--kube-context …`. */
  readonly cluster: readonly string[];
  readonly chart: string | undefined;
}

export class HelmClient {
  private readonly settings: ClientSettings;
  private known: Promise<string> | undefined;
  private readonly checkedCharts = new Map<string, Promise<void>>();

  constructor(settings: ClientSettings) {
    this.settings = settings;
  }

  /** Asked once; a Helm that was not there is looked for again. */
  version(): Promise<string> {
    this.known ??= helmVersion(this.settings).catch((error: unknown) => {
      this.known = undefined;
      throw error;
    });
    return this.known;
  }

  /** What a command prints; values are sent through its standard input. */
  run(
    args: readonly string[],
    { namespace, values }: { readonly namespace: string; readonly values?: unknown },
    bounds: Bounds,
  ): Promise<string> {
    return this.call([...args, '--namespace', namespace], bounds, values);
  }

  /** As `run`, for what may wait for hooks: no longer than there is time. */
  write(
    args: readonly string[],
    request: { readonly namespace: string; readonly values?: unknown },
    bounds: Bounds,
  ): Promise<string> {
    const seconds = Math.max(1, Math.floor(bounds.left() / 1_000));
    return this.run([...args, '--timeout', `${seconds}s`], request, bounds);
  }

  /**
   * Helm 4 applies on the server and stops at fields that somebody else edited; Helm 3 sets them. The
   * release's values are what is wanted, so both set them.
   */
  async overwriting(): Promise<readonly string[]> {
    const isThird = (await this.version()).startsWith('3.');
    return isThird ? [] : ['--server-side=true', '--force-conflicts'];
  }

  /** Arguments that name the chart; one without a version must be of the one asked for. */
  async chart(chart: string, asked: string, bounds: Bounds): Promise<readonly string[]> {
    const version = asked.replace(/^v/, '');
    const source = chartSource(this.settings.chart, chart, version);
    if (source.unversioned !== undefined) {
      const key = `${source.unversioned} ${version}`;
      const check =
        this.checkedCharts.get(key) ?? this.checkVersion(source, { chart, version }, bounds);
      this.checkedCharts.set(key, check);
      await check.catch((error: unknown) => {
        this.checkedCharts.delete(key);
        throw error;
      });
    }
    return source.args;
  }

  private async checkVersion(
    { unversioned = '' }: ChartSource,
    wanted: { readonly chart: string; readonly version: string },
    bounds: Bounds,
  ): Promise<void> {
    const text = await this.call(['show', 'chart', unversioned], bounds);
    const name = /^name: *["']?([\w.-]+)/m.exec(text)?.[1];
    const version = /^version: *["']?v?([\w.+-]+)/m.exec(text)?.[1];
    if (name === wanted.chart && version === wanted.version) return;
    throw new RegaugeError(
      'bad-input',
      `the chart ${unversioned} is ${name ?? '?'} ${version ?? '?'}, and ${wanted.chart} ${wanted.version} is wanted`,
      { hint: 'Name the right one with --chart; {version} in it stands for the version.' },
    );
  }

  private async call(
    args: readonly string[],
    { signal }: Bounds,
    values?: unknown,
  ): Promise<string> {
    await this.version();
    const ended = await runHelm(this.settings, {
      args: [...args, ...this.settings.cluster],
      signal,
      // JSON is YAML, and leaves nothing to the reader's taste.
      ...(values === undefined ? {} : { input: JSON.stringify(values) }),
    });
    return answered(ended, args, values);
  }
}

function answered(
  { exitCode, stdout, stderr }: Ended,
  args: readonly string[],
  values: unknown,
): string {
  if (exitCode === 0) return stdout;
  throw failureOf(stderr, args.slice(0, 2).join(' '), secretsIn(values));
}
