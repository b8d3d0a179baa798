/**
 * What takes time on real systems, as one table. A row that a device model has its own figure for takes that one;
 * a scenario can change every row.
 */
import { assert } from '../base/assert.ts';
import { ms, type Nanoseconds, seconds, us } from '../base/time.ts';

interface Row {
  readonly span: Nanoseconds;
  /** Whether the device model's own figure replaces {@link span}. */
  readonly perDevice?: true;
  readonly meaning: string;
  readonly source: string;
}

export const LATENCY = {
  'host.reply': {
    span: us(20),
    meaning: 'the host answers a control request (NVSP, RNDIS, vPCI, VMBus)',
    source: 'invented',
  },
  'host.vf-offer': {
    span: seconds(1),
    perDevice: true,
    meaning: 'from VF_ASSOCIATION until the PCI channel is offered',
    source: 'openvmm netvsp, VF_DEVICE_DELAY',
  },
  'host.switch-datapath': {
    span: ms(1),
    perDevice: true,
    meaning: "the host's filter moves to the other path",
    source: 'invented',
  },
  'host.disassociate': {
    span: ms(1100),
    perDevice: true,
    meaning: 'from the end of an eject until VF_ASSOCIATION(0)',
    source: 'Azure documentation, kernel log example (reference E.1)',
  },
  'host.eject-timeout': {
    span: seconds(60),
    meaning: 'how long the host waits for EJECTION_COMPLETE before it rescinds',
    source: 'Linux Documentation/virt/hyperv/vpci.rst',
  },
  'vf.probe': {
    span: ms(460),
    perDevice: true,
    meaning: "the VF driver's probe until register_netdev",
    source: 'Azure documentation, kernel log example (reference E.1)',
  },
  'vf.link': {
    span: ms(240),
    perDevice: true,
    meaning: 'from ndo_open until the link is up',
    source: 'Azure documentation, kernel log example (reference E.1)',
  },
  'vf.stop': { span: ms(5), perDevice: true, meaning: 'ndo_stop: queues drained and torn down', source: 'invented' },
  'host.surprise-rescind': {
    span: ms(50),
    meaning: 'from the death of a VF until the host rescinds its channel',
    source: 'invented',
  },
  'guest.vf-takeover': {
    span: ms(100),
    meaning: 'VF_TAKEOVER_INT: from the join until the VF follows its master',
    source: 'Linux drivers/net/hyperv/netvsc_drv.c (HZ / 10)',
  },
  'guest.link-change': {
    span: seconds(2),
    meaning: 'LINKCHANGE_INT: spacing of link events',
    source: 'Linux drivers/net/hyperv/netvsc_drv.c (2 * HZ)',
  },
  'guest.switch-retry': {
    span: us(7500),
    meaning: 'pause before a switch message is sent again when the ring was full',
    source: 'Linux drivers/net/hyperv/hyperv_net.h (RETRY_US_LO 5000, RETRY_US_HI 10000): the middle',
  },
  'hn.vf-attach-wait': {
    span: seconds(2),
    meaning: 'from the pairing with a VF until it may carry, so that its driver has time to set it up',
    source: 'FreeBSD sys/dev/hyperv/netvsc/if_hn.c (hw.hn.vf_xpnt_attwait: 2, the least)',
  },
  'hn.network-change': {
    span: seconds(5),
    meaning: "how long hn's link seems down when the network has changed",
    source: 'FreeBSD if_hn.c (hn_netchg_init_taskfunc(): 5 * hz)',
  },
  'hn.grace': {
    span: ms(200),
    meaning: 'what hn gives the host where that answers nothing: to flush frames, to let go of a buffer',
    source: 'FreeBSD if_hn.c, hn_nvs.c ((200 * hz) / 1000)',
  },
  'devd.react': {
    span: ms(10),
    meaning: "from devd's notice until the script that it starts has begun",
    source: 'invented',
  },
  'jail.life': {
    span: seconds(5),
    meaning: 'how long a jail runs before its manager stops it, if nothing else makes it',
    source: 'invented',
  },
  'udev.rename': {
    span: ms(10),
    meaning: 'from the uevent until udev has renamed the device',
    source: 'LISA serial logs: 10 to 20 ms after the join (reference C.8)',
  },
  'manager.react': {
    span: ms(1),
    meaning: 'from a link message or udev event until the manager acts on it',
    source: 'invented',
  },
  'dhcp.retry': {
    span: seconds(4),
    meaning: 'a DHCP client asks again',
    source: 'RFC 2131, 4.1: first retransmission after 4 s',
  },
} as const satisfies Readonly<Record<string, Row>>;

export type LatencyRow = keyof typeof LATENCY;

export const isLatencyRow = (name: string): name is LatencyRow => Object.hasOwn(LATENCY, name);

/** A figure that a run took, and whose it was. */
export interface Used {
  readonly row: LatencyRow;
  readonly span: Nanoseconds;
  readonly from: 'scenario' | 'device' | 'table';
}

/** The table with a run's own changes. */
export class Latency {
  private readonly asked = new Map<LatencyRow, Used>();
  private readonly changed: Readonly<Record<string, Nanoseconds>>;

  constructor(changed: Readonly<Record<string, Nanoseconds>> = {}) {
    for (const name of Object.keys(changed)) assert(isLatencyRow(name), `the latency table has no row ${name}`);
    this.changed = changed;
  }

  /** The span of a row; `ofDevice` is the device model's own figure where it has one. */
  of(row: LatencyRow, ofDevice?: Nanoseconds): Nanoseconds {
    const changed = this.changed[row];
    const span = changed ?? ofDevice ?? LATENCY[row].span;
    if (!this.asked.has(row)) {
      const from = changed !== undefined ? 'scenario' : ofDevice !== undefined ? 'device' : 'table';
      this.asked.set(row, { row, span, from });
    }
    return span;
  }

  /** The rows that the run took up to now, in the table's order; of a row that devices differ in, the first figure. */
  get used(): readonly Used[] {
    return (Object.keys(LATENCY) as LatencyRow[]).flatMap((row) => this.asked.get(row) ?? []);
  }
}
