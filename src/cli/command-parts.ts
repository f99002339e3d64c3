/** What commands are put together from: loading their code, one voice for failures, flags alike. */
import type { CliContext } from './context.ts';
import { reportFailure } from './failure.ts';

type Run<Flags extends object> = (
  this: CliContext,
  flags: Flags,
  ...args: string[]
) => Promise<void> | void;

/** Loads a command and gives its failures one voice. */
export function guarded<Flags extends object>(load: () => Promise<{ readonly run: Run<Flags> }>) {
  return async function guardedRun(
    this: CliContext,
    flags: Flags,
    ...args: string[]
  ): Promise<void> {
    try {
      const command = await load();
      this.process.onLoaded?.();
      await command.run.call(this, flags, ...args);
    } catch (error) {
      const { output } = flags as { readonly output?: string };
      this.process.exitCode = await reportFailure(this, output, error);
    }
  };
}

export const text = (brief: string, placeholder: string) =>
  ({ kind: 'parsed', parse: String, brief, placeholder, optional: true }) as const;

const versionText = (brief: string) =>
  ({
    ...text(brief, 'version'),
    parse: (input: string): string => {
      if (!/^v?\d+\.\d+(\.\d+)?([-+][\w.+-]+)?$/.test(input))
        throw new SyntaxError(`${input} is not a version, as 1.18.3 is`);
      return input;
    },
  }) as const;

export const wholeNumber = (brief: string, least = 0) =>
  ({
    kind: 'parsed',
    parse: (input: string): number => {
      if (!/^\d{1,10}$/.test(input)) throw new SyntaxError(`${input} is not a whole number`);
      if (Number(input) < least) throw new SyntaxError(`${input} is less than ${least}`);
      return Number(input);
    },
    brief,
    placeholder: 'n',
    optional: true,
  }) as const;

export const outputOf = <const Formats extends readonly [string, ...string[]]>(formats: Formats) =>
  ({
    kind: 'enum',
    values: formats,
    default: 'text',
    brief: `Format: ${formats.join(', ')}`,
  }) as const;

export const files = (brief: string) =>
  ({ kind: 'array', parameter: { parse: String, brief, placeholder: 'file' } }) as const;

export const versions = {
  ciliumVersion: versionText('Cilium chart version the values are for'),
  talosVersion: versionText('Talos version, where no file tells it'),
};

export const clusterFlags = {
  kubeconfig: text('Kubeconfig of the cluster (default: KUBECONFIG, ~/.kube/config)', 'file'),
  context: text('Context of the kubeconfig', 'name'),
  as: text('User to act as', 'user'),
};

export const talosFlags = {
  talosconfig: text('Talosconfig of the machines (default: TALOSCONFIG, ~/.talos/config)', 'file'),
  talosContext: text('Context of the talosconfig', 'name'),
  endpoints: text('Talos endpoints instead of the talosconfig’s, separated by commas', 'addresses'),
};

/** What of the machines is read. */
export const nodeFlags = {
  ...talosFlags,
  nodes: text('Files of these nodes only, by name or address, separated by commas', 'nodes'),
};

export const hostImageFlags = {
  hostAccessImage: text('Image of host access pods (default: busybox, by digest)', 'image'),
  registryMirror: text('Registry to pull such images from instead of their own', 'host/path'),
};

/** How paths are probed. */
export const probeFlags = {
  probeImage: text(
    'Image with Node in it for the probes (default: the official one, by digest)',
    'image',
  ),
  egress: text(
    'Address outside the cluster that probes connect to, or none (default 1.1.1.1:443)',
    'host:port',
  ),
  externalName: text(
    'Name outside the cluster that probes ask for (default kubernetes.io)',
    'name',
  ),
};

export const hostAccessFlags = {
  hostAccess: {
    kind: 'boolean',
    optional: true,
    withNegated: false,
    brief: 'Make a pod on nodes whose files cannot be read otherwise, and remove it',
  },
  ...hostImageFlags,
} as const;
