/** A Kubernetes port with one pod on one node: what is run in it runs here, with `/host` as a directory. */
import { spawn } from 'node:child_process';
import type { KubeObject, PodObject } from '../../../src/model/kubernetes.ts';
import type { ExecRequest, ExecResult, KubernetesPort } from '../../../src/ports/index.ts';

/** `prefix` goes before each program: `['busybox']`. */
export function localNode(root: string, prefix: readonly string[]): KubernetesPort {
  let pod: PodObject | undefined;
  const port: Partial<KubernetesPort> = {
    apply: (object) => Promise.resolve(object),
    list: () => Promise.resolve([]),
    create: <T extends KubeObject>(object: T) => {
      const created = object as unknown as PodObject; // the adapter makes nothing else
      pod = { ...created, status: { phase: 'Running' } };
      return Promise.resolve(object);
    },
    get: <T extends KubeObject>() => Promise.resolve(pod as unknown as T | undefined), // as asked
    exec: (request) => run(request, root, prefix),
  };
  return port as KubernetesPort; // what the adapter uses of it
}

function run(
  { command, stdin }: ExecRequest,
  root: string,
  prefix: readonly string[],
): Promise<ExecResult> {
  const words = command.map((word) => word.replace(/(^|=)\/host(?=\/|$)/, `$1${root}`));
  const [program = '', ...args] = [...prefix, ...words];
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, LC_ALL: 'C' } });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (data: Buffer) => out.push(data));
    child.stderr.on('data', (data: Buffer) => err.push(data));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({
        exitCode: code ?? 137,
        stdout: Buffer.concat(out).toString('utf8').replaceAll(root, '/host'),
        stderr: Buffer.concat(err).toString('utf8').replaceAll(root, '/host'),
      }),
    );
    // What ends without reading says why by its exit code.
    child.stdin.on('error', () => undefined);
    // Not closed, as a server before Kubernetes 1.30 does not: the command must know how much it reads.
    if (stdin === undefined) child.stdin.end();
    else child.stdin.write(stdin);
  });
}
