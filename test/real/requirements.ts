/** What the lane needs of the machine; throws Skipped with a plain word where it is not there. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Skipped } from './skipped.ts';

export function checkMachine(): void {
  if (process.platform !== 'linux') throw new Skipped('needs Linux');
  if (process.getuid?.() !== 0) throw new Skipped('needs root, for namespaces and mounts');
  if (!existsSync('/sys/fs/cgroup')) throw new Skipped('no control groups here');
  if (!runs('unshare', ['--mount', '--net', '--pid', '--ipc', '--uts', '--fork', 'true'])) {
    throw new Skipped('no namespaces can be made here');
  }
  if (!haveIptables()) throw new Skipped('no iptables here, and none could be installed');
}

/** The portmap plugin calls it, in a network namespace that the machine does not see. */
function haveIptables(): boolean {
  if (iptablesWork()) return true;
  if (!existsSync('/usr/bin/apt-get')) return false;
  const install = ['install', '-y', '--no-install-recommends', 'iptables'];
  if (!runs('apt-get', install)) {
    runs('apt-get', ['update']);
    runs('apt-get', install);
  }
  return iptablesWork();
}

function iptablesWork(): boolean {
  return runs('unshare', ['--net', 'iptables', '-t', 'nat', '-L', '-n']);
}

function runs(command: string, args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(command, args, { stdio: 'ignore', env, timeout: 300_000 }).status === 0;
}
