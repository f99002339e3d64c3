#!/usr/bin/env node
/** The executable: versions answer at once, everything else goes through the command tree. */
import { outliveReaders } from './closed-output.ts';
import { VERSION } from './version.ts';

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`${VERSION}\n`);
} else {
  void runCommand();
}

async function runCommand(): Promise<void> {
  const { runApp } = await import('./app.ts');
  const { stdout, stderr, env } = process;
  outliveReaders(stdout, stderr);
  // Should nothing be left to wait for before there is an answer, that is no success.
  process.exitCode = 1;
  process.exitCode = await runApp(args, {
    stdout,
    stderr,
    // Node takes a millisecond to open it, and few commands read it.
    get stdin() {
      return process.stdin;
    },
    env,
    entry: process.argv[1],
    // Flags are the whole process's: a thread leaves them as the command wants them that started it.
    ...(args[0] === 'fault-worker' ? {} : { onLoaded: () => setPace(SHORT_RUN) }),
    onLongRun: () => setPace(LONG_RUN),
  });
}

/**
 * Most commands are over before code that V8 optimises has paid for being optimised: at the budget
 * of Node 20 (66 KiB of bytecode run in a function) that is a third of what a small rehearsal
 * takes. And they are over before it has paid to mark the heap beside the work: V8 begins that at
 * 20 MB, and it is a twelfth of the instructions of a small rehearsal.
 */
const SHORT_RUN = '--interrupt-budget=1000000 --no-incremental-marking';
/**
 * As Node 20 starts, but for marking: a long run marks its heap two or three times, and doing so beside
 * the work costs each write of the run more than these pauses.
 */
const LONG_RUN = `--interrupt-budget=${66 * 1024}`;

/**
 * Later Nodes have a compiler between, and no such budget. Not before the bundles are loaded: V8
 * takes compiled code of equal flags only.
 */
function setPace(flags: string): void {
  if (!process.version.startsWith('v20.')) return;
  process.getBuiltinModule('node:v8').setFlagsFromString(flags);
}
