/** Programs that are run to their end: what they printed and how they ended, never an exception. */
import { execFile } from 'node:child_process';

export interface Ended {
  /** -1 when it was ended, by its time limit or by somebody. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 120_000;
const OUTPUT_BYTES = 128 * 1_024 * 1_024;

export async function run(
  binary: string,
  args: readonly string[],
  { input = '', env = {}, cwd, timeoutMs = TIMEOUT_MS }: RunOptions = {},
): Promise<Ended> {
  return await new Promise((resolve) => {
    const child = execFile(
      binary,
      [...args],
      {
        env: { ...process.env, ...env },
        ...(cwd === undefined ? {} : { cwd }),
        timeout: timeoutMs,
        maxBuffer: OUTPUT_BYTES,
      },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      },
    );
    // A program that ends before it read its input closes it.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** What it printed; its complaint when it did not end well. */
export async function printed(
  binary: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(binary, args, options);
  if (code === 0) return stdout;
  const shown = args.map((word) => (word.length > 80 ? `${word.slice(0, 80)}…` : word)).join(' ');
  throw new Error(`${shown}: exit ${code}\n${(stderr.trim() || stdout.trim()).slice(0, 4_000)}`);
}

/** Helm keeps to itself: neither repositories nor plugins of the machine's user. */
export function helmHome(directory: string): Readonly<Record<string, string>> {
  return {
    HELM_CACHE_HOME: `${directory}/helm/cache`,
    HELM_CONFIG_HOME: `${directory}/helm/config`,
    HELM_DATA_HOME: `${directory}/helm/data`,
  };
}
