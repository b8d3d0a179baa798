/**
 * The data path: which way the host's filter lets a NIC's frames go, and the guest's request to move it.
 * Source: drivers/net/hyperv/netvsc.c, netvsc_switch_datapath(); reference B.8, C.8: a request is completed with an
 * empty payload whatever becomes of it, so a guest cannot tell refusal from success.
 * What this leaves out: the failing switch that openvmm follows with a message of its own.
 */
import type { Path } from '../trace/event.ts';
import type { RequestHead } from './item.ts';
import type { Nic } from './nic.ts';
import { SERVICING, SWITCH } from './plan.ts';

export function movePath(nic: Nic, path: Path, why: string): void {
  if (nic.state.path === path) return;
  nic.state.path = path;
  nic.worker.emit({ kind: 'host.datapath', nic: nic.name, path, why });
  nic.worker.tell(SWITCH, { what: 'path', port: nic.name, path });
  if (path === 'vf' && nic.state.vf.reporting) {
    nic.state.vf.reporting = false;
    nic.worker.tell(SERVICING, { what: 'vf-carrying', nic: nic.name });
  }
}

/** Begins to move it for the guest. */
export function startSwitch(nic: Nic, head: RequestHead, to: Path): void {
  const { channel } = nic.state;
  if (channel === undefined) return;
  // Before the timer is set: a span of 0 finishes at once.
  nic.state.switching = { token: 0, to, head, session: channel.session };
  const span = nic.span('host.switch-datapath', nic.model.timing.switchDatapath);
  const token = nic.worker.after(span, { what: 'path-due' });
  const { switching } = nic.state;
  if (switching !== undefined) nic.state.switching = { ...switching, token };
}

/** The filter has moved: the guest hears of it, if it still has the channel open from which it asked. */
export function finishSwitch(nic: Nic): void {
  const { switching } = nic.state;
  if (switching === undefined) return;
  movePath(nic, switching.to, 'the guest asked');
  answer(nic);
}

/** The VF is about to go: a switch to it does not happen, one away from it happens at once. Either is completed. */
export function settleSwitch(nic: Nic): void {
  const { switching } = nic.state;
  if (switching === undefined) return;
  nic.worker.disarm(switching.token);
  if (switching.to === 'synthetic') finishSwitch(nic);
  else answer(nic);
}

function answer(nic: Nic): void {
  const { switching, channel } = nic.state;
  nic.state.switching = undefined;
  if (switching === undefined || channel?.session !== switching.session) return;
  nic.complete(switching.head, undefined);
}
