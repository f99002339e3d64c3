/** `ApplyConfiguration`: the whole config, in Talos's modes and words (v1alpha1_server.go@v1.13.9). */
import { durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { ApplyConfigurationRequest_Mode as Mode } from '../../../knowledge/talos-api/machine/configuration.ts';
import { MachineService } from '../../../knowledge/talos-api/machine/machine.ts';
import type { PatchMode } from '../../../ports/node-host.ts';
import type { ConfigAnswer } from '../../machine/systems.ts';
import { type Apid, unknown } from './apid.ts';

const MODES = new Map<Mode, PatchMode>([
  [Mode.REBOOT, 'reboot'],
  [Mode.AUTO, 'auto'],
  [Mode.NO_REBOOT, 'no-reboot'],
  [Mode.STAGED, 'staged'],
  [Mode.TRY, 'try'],
]);

const CHOSEN = {
  reboot: Mode.REBOOT,
  'no-reboot': Mode.NO_REBOOT,
  staged: Mode.STAGED,
  try: Mode.TRY,
} as const;

const DETAILS = {
  reboot: 'Applied configuration with a reboot',
  'no-reboot': 'Applied configuration without a reboot',
  staged: 'Staged configuration to be applied after the next reboot',
  try: 'Applied configuration without a reboot',
} as const;

export function addConfigurationRoute(apid: Apid, router: ConnectRouter): void {
  apid.unary(router, MachineService.method.applyConfiguration, ({ talos }, request) => {
    const { dryRun, tryModeTimeout } = request;
    const config = Buffer.from(request.data).toString('utf8');
    const tried = tryModeTimeout === undefined ? {} : { tryMs: durationMs(tryModeTimeout) };
    const mode = MODES.get(request.mode);
    if (mode === undefined) throw unknown(`incorrect mode '${request.mode}' specified`);
    const answer = talos.applyConfig(config, mode, { dryRun, ...tried });
    if (!answer.ok) throw refusal(answer);
    const details = DETAILS[answer.mode];
    return {
      messages: [
        {
          mode: CHOSEN[answer.mode],
          modeDetails: dryRun ? `Dry run summary:\n${details} (skipped in dry-run).` : details,
        },
      ],
    };
  });
}

function refusal({ message }: ConfigAnswer & { readonly ok: false }): ConnectError {
  const isMissing = message.startsWith('the REBOOT mode is not supported');
  return new ConnectError(message, isMissing ? Code.Unimplemented : Code.InvalidArgument);
}
