/**
 * Credentials from an exec plugin (client.authentication.k8s.io), as client-go runs it: told of its
 * task in KUBERNETES_EXEC_INFO, its words to the person passed on, what it gives kept until it ends or
 * is refused. The official client tells the plugin nothing, waits for it for ever, and runs it anew
 * for each request where it names no end. What a plugin printed is never shown: it may be a token.
 */
import path from 'node:path';
import { execa } from 'execa';
import { RegaugeError } from '../../base/errors.ts';
import type { ChosenContext, Tree } from './kubeconfig.ts';

export interface ExecCredential {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Milliseconds since 1970; undefined when it names no end. */
  readonly expires: number | undefined;
}

export interface PluginOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A plugin may ask for a login in a browser and wait for it. */
  readonly timeoutMs: number;
  /** Where its messages go: to the person, who may have to act on them, or nowhere. */
  readonly messages: 'inherit' | 'ignore';
}

interface Plugin {
  readonly command: string;
  readonly args: readonly string[];
  readonly apiVersion: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly installHint: string | undefined;
}

const STDERR_SHOWN_MAX = 300;

export async function runExecPlugin(
  chosen: ChosenContext,
  options: PluginOptions,
): Promise<ExecCredential> {
  const plugin = pluginOf(chosen);
  const info = execInfo(plugin, chosen, options.messages === 'inherit');
  const result = await execa(plugin.command, plugin.args, {
    env: { ...options.environment, ...plugin.environment, KUBERNETES_EXEC_INFO: info },
    extendEnv: false,
    reject: false,
    timeout: options.timeoutMs,
    maxBuffer: 1_000_000,
    stdin: options.messages === 'inherit' ? 'inherit' : 'ignore',
    stderr: options.messages === 'inherit' ? ['pipe', 'inherit'] : 'pipe',
  });
  const { exitCode, timedOut, stdout, stderr } = result;
  if (timedOut) throw failed(plugin, `did not end within ${options.timeoutMs / 1_000} s`);
  if (exitCode === undefined) throw failed(plugin, notStarted(result.code), plugin.installHint);
  if (exitCode !== 0) {
    const said = lastLine(textOf(stderr));
    throw failed(plugin, `failed with exit code ${exitCode}${said === '' ? '' : `: ${said}`}`);
  }
  return credentialOf(plugin, textOf(stdout));
}

function pluginOf({ user, directory }: ChosenContext): Plugin {
  const exec = treeOf(user['exec']);
  const { command, args, apiVersion, env, installHint } = exec;
  if (typeof command !== 'string' || command === '') {
    throw new RegaugeError('bad-input', 'the user’s exec plugin in the kubeconfig has no command');
  }
  const variables = Array.isArray(env) ? env.map(treeOf) : [];
  return {
    // As client-go: a path with a slash is the kubeconfig's, a bare name is looked for in PATH.
    command: command.includes('/') ? path.resolve(directory, command) : command,
    args: Array.isArray(args) ? args.map(String) : [],
    apiVersion: typeof apiVersion === 'string' ? apiVersion : 'client.authentication.k8s.io/v1',
    environment: Object.fromEntries(
      variables.map(({ name, value }) => [String(name), String(value ?? '')]),
    ),
    installHint: typeof installHint === 'string' ? installHint : undefined,
  };
}

function execInfo({ apiVersion }: Plugin, chosen: ChosenContext, interactive: boolean): string {
  const { cluster, user } = chosen;
  const provide = treeOf(user['exec'])['provideClusterInfo'] === true;
  const shown = {
    server: cluster['server'],
    'tls-server-name': cluster['tls-server-name'],
    'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
    'certificate-authority-data': cluster['certificate-authority-data'],
    'proxy-url': cluster['proxy-url'],
  };
  const spec = { interactive, ...(provide ? { cluster: shown } : {}) };
  return JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
}

function credentialOf(plugin: Plugin, stdout: string): ExecCredential {
  const value = parsed(stdout);
  const status = treeOf(treeOf(value)['status']);
  const text = (key: string): string | undefined => {
    const found = status[key];
    return typeof found === 'string' && found !== '' ? found : undefined;
  };
  const token = text('token');
  const certificate = text('clientCertificateData');
  const key = text('clientKeyData');
  if (token === undefined && (certificate === undefined || key === undefined)) {
    throw failed(
      plugin,
      value === undefined
        ? 'printed something that is no ExecCredential (not shown: it may hold a secret)'
        : 'printed an object without a token or a certificate with its key',
    );
  }
  const end = Date.parse(text('expirationTimestamp') ?? '');
  return { token, certificate, key, expires: Number.isNaN(end) ? undefined : end };
}

function parsed(stdout: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}

function failed(plugin: Plugin, what: string, hint?: string): RegaugeError {
  const name = path.basename(plugin.command);
  return new RegaugeError(
    'unauthenticated',
    `the credential plugin ${name} of the kubeconfig ${what}`,
    { hint: hint ?? `Run it by hand as the kubeconfig names it; log in where it asks to.` },
  );
}

function notStarted(code: string | undefined): string {
  if (code === 'ENOENT') return 'is not installed (not found in PATH)';
  return `could not be started${code === undefined ? '' : ` (${code})`}`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, STDERR_SHOWN_MAX) ?? '';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function treeOf(value: unknown): Tree {
  const isTree = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isTree ? (value as Tree) : {}; // as was just asked
}
