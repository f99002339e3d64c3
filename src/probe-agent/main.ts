/**
 * The probe agent: what runs in regauge's probe pods, on a plain Node image. Needs no API server, no
 * files but its config, and nothing that it is not told there.
 */
import { writeSync } from 'node:fs';
import { Agent } from './agent.ts';
import { settingsFrom } from './settings.ts';

// Nobody reads where an answer that has not come was missed, and to find out takes longer than to ask.
Error.stackTraceLimit = 0;

const agent = new Agent({
  settings: settingsFrom(process.env, process.argv[2]),
  print: (line) => {
    try {
      writeSync(1, `${line}\n`);
    } catch {
      // Nobody takes the log now: the next line tells all of it again.
    }
  },
});
process.on('uncaughtException', (error) => {
  writeSync(2, `probe: ${error.message}\n`);
  process.exit(1);
});
agent.start();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    agent.stop();
    process.exit(0);
  });
}
