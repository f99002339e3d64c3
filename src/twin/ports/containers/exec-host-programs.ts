/**
 * Programs of a container that act on the host rather than on files: as far as the namespaces and the
 * rights of the container let them. A sandbox is held by its pause process, and ends with it.
 */
import type { ExecResult } from '../../../ports/index.ts';
import type { PodObject } from '../../../model/kubernetes.ts';
import type { ExecContext } from './exec-context.ts';
import { hostChangesOf } from '../host-changes.ts';

const DONE: ExecResult = { exitCode: 0, stdout: '', stderr: '' };
/** As many as Linux has at most on 64 bits. */
const PID_MAX = 4_194_304;
const FIRST_PID = 300;

/** `ip link delete [dev] NAME`. */
export function ip(args: readonly string[], context: ExecContext): ExecResult {
  const [object, action, ...rest] = args;
  if (object !== 'link' || !/^del(ete)?$/.test(action ?? '')) {
    return refused(1, 'ip: the twin plays "ip link delete" only');
  }
  const name = rest.filter((word) => word !== 'dev')[0] ?? '';
  const { node, world, pod, isPrivileged } = context;
  if (pod.spec.hostNetwork !== true || !node.network.links().includes(name)) {
    return refused(1, `Cannot find device "${name}"`);
  }
  if (!isPrivileged) return refused(2, 'RTNETLINK answers: Operation not permitted');
  hostChangesOf(world.kernel).link(node.name, name, () => node.network.removeLink(name));
  return DONE;
}

/** `nsenter -t 1 -m … -- systemctl …`: Talos's init brings no such program. */
export function nsenter(args: readonly string[], context: ExecContext): ExecResult {
  const cut = args.indexOf('--');
  const [program = '', ...words] = cut < 0 ? [] : args.slice(cut + 1);
  if (context.pod.spec.hostPID !== true || !context.isPrivileged) {
    return refused(1, 'nsenter: reassociate to namespace "ns/mnt" failed: Operation not permitted');
  }
  const isTalos = context.node.machine.talos !== undefined;
  if (isTalos || program !== 'systemctl') {
    return refused(127, `nsenter: failed to execute ${program}: No such file or directory`);
  }
  return systemctl(words, context);
}

function systemctl(words: readonly string[], { node }: ExecContext): ExecResult {
  const [verb, unit = ''] = words.filter((word) => !word.startsWith('-'));
  if (verb === 'reboot') {
    node.machine.reboot();
    return DONE;
  }
  if (verb !== 'restart') return refused(1, `Unknown command verb ${verb ?? ''}.`);
  const answer = node.machine.restartService(unit.replace(/\.service$/, ''));
  return answer.ok ? DONE : refused(5, answer.message);
}

/** `pgrep -x pause`: of the host only where the container shares its process namespace. */
export function pgrep(args: readonly string[], context: ExecContext): ExecResult {
  if (args.at(-1) !== 'pause') return refused(1, '');
  const pids = context.pod.spec.hostPID === true ? [...pausesOf(context).keys()] : [];
  return {
    ...DONE,
    exitCode: pids.length === 0 ? 1 : 0,
    stdout: pids.map((pid) => `${pid}\n`).join(''),
  };
}

/** `grep -H -F -e TEXT… FILE…` over `/proc/<pid>/cgroup` of pause processes. */
export function grep(args: readonly string[], context: ExecContext): ExecResult {
  const texts = args.filter((_, index) => args[index - 1] === '-e');
  const paths = args.filter((arg) => arg.startsWith('/'));
  const pauses = pausesOf(context);
  const outputs: string[] = [];
  const errors: string[] = [];
  for (const path of paths) {
    const pid = Number(/^\/proc\/(\d+)\/cgroup$/.exec(path)?.[1]);
    const held = context.pod.spec.hostPID === true ? pauses.get(pid) : undefined;
    if (held === undefined) errors.push(`grep: ${path}: No such file or directory\n`);
    else {
      const line = cgroupOf(held, context);
      if (texts.some((text) => line.includes(text))) outputs.push(`${path}:${line}\n`);
    }
  }
  const exitCode = errors.length > 0 ? 2 : outputs.length > 0 ? 0 : 1;
  return { exitCode, stdout: outputs.join(''), stderr: errors.join('') };
}

/** `kill -9 PID`: the sandbox ends with its pause process, and the kubelet makes another. */
export function kill(args: readonly string[], context: ExecContext): ExecResult {
  const pid = Number(args.at(-1));
  const held = context.pod.spec.hostPID === true ? pausesOf(context).get(pid) : undefined;
  if (held === undefined) return refused(1, `kill: (${pid}) - No such process`);
  if (!context.isPrivileged) return refused(1, `kill: (${pid}) - Operation not permitted`);
  context.node.kubelet.restartSandbox(held.metadata.uid ?? '');
  return DONE;
}

/** Process ids are not played: each follows from its sandbox, so that it stays what it is. */
function pausesOf({ world, node }: ExecContext): ReadonlyMap<number, PodObject> {
  const found = new Map<number, PodObject>();
  for (const pod of world.store.podsOn(node.name)) {
    const sandbox = node.runtime.sandboxOf(pod.metadata.uid ?? '');
    if (sandbox !== undefined) found.set(pidOf(sandbox.id), pod);
  }
  return found;
}

function pidOf(sandbox: string): number {
  let hash = 2_166_136_261;
  for (const char of sandbox) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  }
  return FIRST_PID + (hash % (PID_MAX - FIRST_PID));
}

/** As the kubelet names it with either driver (KK pkg/kubelet/cm/cgroup_manager_linux.go). */
function cgroupOf({ metadata }: PodObject, { node }: ExecContext): string {
  const uid = metadata.uid ?? '';
  return node.machine.talos === undefined
    ? `0::/../../kubepods-besteffort-pod${uid.replaceAll('-', '_')}.slice/cri-containerd.scope`
    : `0::/../../kubepods/besteffort/pod${uid}/pause`;
}

function refused(exitCode: number, text: string): ExecResult {
  return { exitCode, stdout: '', stderr: text === '' ? '' : `${text}\n` };
}
