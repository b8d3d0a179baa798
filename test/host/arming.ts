/** Faults in short, and what became of them. */
import { ms } from '../../src/base/time.ts';
import type { HostFault, MessageFault } from '../../src/host/fault-points.ts';
import type { FakeGuest } from './fake-guest.ts';

type Kind = MessageFault['fault'];

export const ofHost = (fault: Kind, message: string, more: Partial<HostFault> = {}): HostFault =>
  ({ fault, message, from: 'host', dev: 'nic1', times: 1, may: false, by: ms(3), ...more }) as HostFault;
export const ofGuest = (fault: Kind, message: string, more: Partial<HostFault> = {}): HostFault =>
  ofHost(fault, message, { from: 'guest', ...more } as Partial<HostFault>);
export const fail = (message: string, status: number | undefined, dev = 'nic1'): HostFault => ({
  fault: 'fail',
  message,
  dev,
  status,
  times: 1,
  may: false,
});

export const arm = (guest: FakeGuest, fault: HostFault): string => guest.act({ do: 'arm-fault', nic: 'nic1', fault });
export const struck = (guest: FakeGuest): string[] =>
  guest.story('fault', ({ fault, what, detail }) => `${fault} ${what} (${detail})`);
export const faultsOf = (guest: FakeGuest, worker = 'host.nic1'): unknown => guest.host.save().workers[worker]?.faults;
