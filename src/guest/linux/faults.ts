/**
 * Calls inside of the guest's kernel that can be made to fail, as its fault injection does it (fail_function: the call
 * returns the error at once and does nothing; Documentation/fault-injection/fault-injection.rst). Each is one whose
 * errors the modelled drivers have to deal with.
 * What this leaves out: allocations that fail (failslab), and errors in the middle of a call.
 */
import { Place } from '../../sim/place.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Errno } from '../uapi/errno.ts';

/** Which devices a call is made for: synthetic NICs, VFs, or both. */
export type CalledFor = 'nic' | 'vf' | 'both';

interface CallRow {
  readonly of: CalledFor;
  /** What becomes of it: who looks at the error, and what he says. */
  readonly fails: string;
}

export const FALLIBLE_CALLS = {
  ndo_open: {
    of: 'both',
    fails: 'the device stays down; of a VF netvsc says "unable to open" once, and tries no more (reference D-50)',
  },
  ndo_change_mtu: {
    of: 'both',
    fails: 'the MTU stays; of a VF at its take-over netvsc says "unable to change mtu to"',
  },
  register_netdevice: { of: 'both', fails: "the driver's probe fails" },
  dev_change_name: { of: 'both', fails: 'the old name stays (reference D-49)' },
  dev_change_net_namespace: {
    of: 'both',
    fails: 'netvsc says "could not move to same namespace as", and the VF joins nobody (reference B.6)',
  },
  netdev_rx_handler_register: { of: 'vf', fails: 'the VF joins nobody (reference D-50)' },
  netdev_master_upper_dev_link: { of: 'vf', fails: 'the VF joins nobody (reference D-50)' },
  local_pci_probe: { of: 'vf', fails: "the VF's driver lets it be, and so there is no VF" },
  pci_create_slot: { of: 'vf', fails: 'the VF has no serial number, and joins nobody (reference B.5)' },
  vmbus_open: { of: 'both', fails: 'the probe fails' },
  vmbus_establish_gpadl: { of: 'nic', fails: 'the probe fails' },
  netvsc_switch_datapath: { of: 'nic', fails: 'netvsc says "Data path failed to switch" (reference D-23)' },
} as const satisfies Readonly<Record<string, CallRow>>;

export type FallibleCall = keyof typeof FALLIBLE_CALLS;

/** Plain data. */
export interface CallFault {
  readonly call: FallibleCall;
  /** The scenario's name of the device that the call is made for. */
  readonly dev: string;
  readonly errno: Errno;
  /** How often it strikes. */
  readonly times: number;
  /** The strategy is asked each time the call is made; else it always fails. */
  readonly may: boolean;
}

interface Armed {
  readonly fault: CallFault;
  left: number;
}

export class CallFaults {
  private readonly sim: Simulation;
  private readonly place: Place;
  private readonly armed: Armed[] = [];

  constructor(sim: Simulation) {
    this.sim = sim;
    this.place = new Place(sim);
  }

  arm(fault: CallFault): void {
    this.place.write();
    this.armed.push({ fault, left: fault.times });
  }

  /** The error with which a call fails now; undefined when it does not. To be asked where the call begins. */
  strike(call: FallibleCall, dev: string): Errno | undefined {
    this.place.read();
    if (this.armed.length === 0) return undefined;
    const armed = this.armed.find(({ fault }) => fault.call === call && fault.dev === dev && this.happens(fault));
    if (armed === undefined) return undefined;
    this.place.write();
    armed.left--;
    if (armed.left === 0) this.armed.splice(this.armed.indexOf(armed), 1);
    const { errno } = armed.fault;
    this.sim.trace.emit({ kind: 'fault', fault: 'fail', side: 'guest', dev, what: call, detail: errno });
    return errno;
  }

  private happens({ may, call, dev }: CallFault): boolean {
    return !may || this.sim.strategy.value(`fail ${call} of ${dev}`, 2) === 1;
  }
}
