/** Which Helm it is; the adapter is held to what 3.8 and later, and 4, do. */
import { RegaugeError } from '../../base/errors.ts';
import { bounded } from './bounded.ts';
import { type HelmProgram, runHelm } from './helm-process.ts';

const OLDEST = { major: 3, minor: 8 };
const NEWEST_MAJOR = 4;
const DEADLINE_MS = 30_000;

/** `3.19.0`. */
export async function helmVersion(program: HelmProgram): Promise<string> {
  const args = ['version', '--template', '{{.Version}}'];
  const { stdout, stderr } = await bounded({}, DEADLINE_MS, ({ signal }) =>
    runHelm(program, { args, signal }),
  );
  // Warnings may stand before it; Helm 2 has another form and cannot be asked like this.
  const found = /^v?((\d+)\.(\d+)\S*)\s*$/m.exec(stdout);
  if (found === null) {
    const said = (stdout.trim() || stderr.trim()).split('\n').at(-1) ?? '';
    throw unusable(
      `${program.binary} does not say its version as Helm does: "${said.slice(0, 120)}"`,
    );
  }
  const [, version = '', major, minor] = found;
  const isOld =
    Number(major) < OLDEST.major ||
    (Number(major) === OLDEST.major && Number(minor) < OLDEST.minor);
  if (isOld) throw unusable(`${program.binary} is Helm ${version}, which is too old`);
  if (Number(major) > NEWEST_MAJOR) {
    throw unusable(`${program.binary} is Helm ${version}, which regauge does not know`);
  }
  return version;
}

function unusable(message: string): RegaugeError {
  return new RegaugeError('bad-input', message, {
    hint: 'Helm 3.8 or later, or 4, is needed (https://helm.sh/docs/intro/install/); name another with HELM_BIN.',
  });
}
