/**
 * The guest's own account of what happens in its kernel: function tracing switched on, read and put into words. This is
 * the one place where that is done; {@link ./guest-events.ts} makes events of it.
 *
 * Its clock: `x86-tsc` counts the emulated processor's time stamp counter, of which a tick is one nanosecond and which
 * was zero when the machine was switched on (v86, cpu.rs, TSC_RATE). So a stamp of the record is a moment of virtual
 * time, to the nanosecond, as far as the instruction counter goes (it moves once a compiled block). The stamps that
 * printk shows run behind it by the time that firmware and kernel took before they set their clock (2.3 s).
 *
 * Source: linux Documentation/trace/{ftrace,kprobetrace,events}.rst; drivers/hv/hv_trace.h and
 * drivers/net/hyperv/netvsc_trace.h (events); net/core/{dev,rtnetlink,net-sysfs}.c (functions). Arguments are in the
 * registers eax, edx and ecx, as arch/x86 compiles for 32 bits (-mregparm=3), and pointers have four bytes.
 * What this leaves out: functions that the kernel does not let be probed (lib/kobject_uevent.c: a uevent is seen when
 * netdev_uevent() is asked what to put into it), messages with packets in them, and what was overwritten.
 */
import type { Nanoseconds } from '../../base/time.ts';
import type { Task } from '../../sim/operation.ts';
import { readAccount } from './account.ts';
import { FOLDER, writeScript } from './guest-files.ts';
import { FIND_FIELDS, type FieldOffsets, fieldOffsets } from './netdev-fields.ts';

/** One thing that the guest's kernel did. */
export type RecordBody =
  /** The chain of a netdevice event is about to be called, whoever listens. `event` as enum netdev_cmd has it. */
  | ({ readonly what: 'notifier'; readonly event: number } & DeviceNow)
  /** hv_netvsc's notifier has answered; `verdict` as NOTIFY_* has it. */
  | ({ readonly what: 'answered'; readonly event: number; readonly verdict: number } & DeviceNow)
  /** The device appears in sysfs, or goes from there. */
  | ({ readonly what: 'sysfs'; readonly present: boolean } & DeviceNow)
  /** It can be found by name and index, or no more. */
  | ({ readonly what: 'listed'; readonly present: boolean } & DeviceNow)
  /** `path`: DEVPATH. */
  | { readonly what: 'uevent'; readonly action: string; readonly path: string; readonly ifname: string }
  /** `event`: IFLA_EVENT, 0 for none. */
  | LinkMessage
  | { readonly what: 'master'; readonly ifname: string; readonly master: string; readonly linked: boolean }
  | { readonly what: 'renamed'; readonly ifname: string; readonly to: string }
  /** `net`: the address of the namespace that it is about to move to. */
  | { readonly what: 'netns'; readonly ifname: string; readonly net: number }
  | { readonly what: 'carrier'; readonly ifname: string; readonly up: boolean }
  /** The last reference is gone. */
  | { readonly what: 'freed'; readonly ifname: string }
  /** `device`: its name on its bus: a GUID on VMBus, an address on PCI. */
  | { readonly what: 'bound'; readonly device: string; readonly bound: boolean }
  | { readonly what: 'module'; readonly module: string; readonly loaded: boolean }
  /** What hv_netvsc sends or takes; `type` as netvsc_trace.h prints it. */
  | { readonly what: 'nvsp' | 'rndis'; readonly from: 'guest' | 'host'; readonly ifname: string; readonly type: string }
  /** What hv_vmbus does; `event` as hv_trace.h calls it. */
  | { readonly what: 'vmbus'; readonly event: string; readonly detail: string }
  | { readonly what: 'log'; readonly text: string };

/** `event`: IFLA_EVENT, 0 for none. `reported`: the flags that it tells of; undefined when it was not sent. */
export type LinkMessage = {
  readonly what: 'rtnetlink';
  readonly message: 'RTM_NEWLINK' | 'RTM_DELLINK';
  readonly event: number;
  readonly reported: number | undefined;
} & DeviceNow;

/** A device as it was at that moment. */
export interface DeviceNow {
  readonly ifname: string;
  readonly flags: number;
  readonly ifindex: number;
  readonly mtu: number;
}

/** `task`: comm and process id of whoever did it. */
export type RecordEntry = { readonly at: Nanoseconds; readonly task: string } & RecordBody;

export interface GuestAccount {
  /** In the order in which they happened. */
  readonly entries: readonly RecordEntry[];
  /** Entries that there was no room for. */
  readonly lost: number;
}

/** Runs a command line in the guest and gives what it printed. */
export type RunInGuest = (line: string) => Task<{ readonly code: number; readonly output: string }>;

/** Of a module that is yet to be loaded; the one at its other end is `asked`. */
const ANSWERED = 'answered hv_netvsc:netvsc_netdev_event verdict=$retval:x32';

const TRACING = '/sys/kernel/tracing';
const [SCRIPT, WATCH] = [`${FOLDER}/record`, `${FOLDER}/watch-drivers`];
/**
 * A buffer of its own for what the drivers trace: the kernel clears the one in which events of a module were, when that is
 * unloaded (kernel/trace/trace_events.c, trace_module_remove_events()).
 */
const DRIVERS = `${TRACING}/instances/drivers`;
const BUFFERS = [`${TRACING}/trace`, `${DRIVERS}/trace`];
const GROUP = 'netvsim';
/** Of all messages those about links (uapi/linux/rtnetlink.h). */
const RTNLGRP_LINK = 1;
/** Events of the drivers' own that are kept: all but those that come with every interrupt and every packet. */
const VMBUS_EVENTS = [
  'vmbus_onoffer',
  'vmbus_onoffer_rescind',
  'vmbus_onopen_result',
  'vmbus_onversion_response',
  'vmbus_open',
  'vmbus_close_internal',
  'vmbus_release_relid',
];
/** NVSP_MSG1_TYPE_SEND_RNDIS_PKT and its completion; RNDIS_MSG_PACKET (hyperv_net.h, rndis.h). */
const FILTERS: Readonly<Record<string, string>> = {
  'netvsc/nvsp_send': 'msg_type != 107 && msg_type != 108',
  'netvsc/nvsp_recv': 'msg_type != 107 && msg_type != 108',
  'netvsc/rndis_send': 'msg_type != 1',
  'netvsc/rndis_recv': 'msg_type != 1',
};

function watchText(): string {
  const vmbus = VMBUS_EVENTS.map((event) => `echo 1 >events/hyperv/${event}/enable`);
  const netvsc = Object.entries(FILTERS).map(
    ([event, filter]) => `echo '${filter}' >events/${event}/filter; echo 1 >events/${event}/enable`,
  );
  return [`cd ${DRIVERS}`, 'exec 2>/dev/null', ...vmbus, ...netvsc, ''].join('\n');
}

/** Probed functions, with what is taken down of each. */
function probes(at: FieldOffsets): Readonly<Record<string, string>> {
  const now = (device: string): string =>
    `name=+0(${device}):string flags=+${at.flags}(${device}):x32 ifindex=+${at.ifindex}(${device}):u32 mtu=+${at.mtu}(${device}):u32`;
  const name = 'name=+0(%ax):string';
  return {
    notifier: `call_netdevice_notifiers_info event=%ax:u32 ${now('+0(%dx)')}`,
    sysfs_add: `netdev_register_kobject ${now('%ax')}`,
    sysfs_del: `netdev_unregister_kobject ${now('%ax')}`,
    list: `list_netdevice ${now('%ax')}`,
    unlist: `unlist_netdevice ${now('%ax')}`,
    // struct kobj_uevent_env: three pointers argv, then envp: ACTION, DEVPATH, SUBSYSTEM (lib/kobject_uevent.c).
    uevent: 'netdev_uevent action=+0(+12(%dx)):string path=+0(+16(%dx)):string',
    link: `rtmsg_ifinfo_build_skb type=%ax:u32 event=+4(%sp):u32 ${now('%dx')}`,
    // Behind struct nlmsghdr (16 bytes) stand struct ifinfomsg (16 bytes, flags at 8) and IFLA_IFNAME with a header of 4
    // (uapi/linux/{netlink,rtnetlink,if_link}.h).
    link_sent: `nlmsg_notify group=+4(%sp):u32 name=+36(+${at.data}(%dx)):string reported=+24(+${at.data}(%dx)):x32`,
    asked: `hv_netvsc:netvsc_netdev_event event=%dx:u32 ${now('+0(%cx)')}`,
    master: `netdev_master_upper_dev_link ${name} master=+0(%dx):string`,
    no_master: `netdev_upper_dev_unlink ${name} master=+0(%dx):string`,
    rename: `dev_change_name ${name} to=+0(%dx):string`,
    netns: `__dev_change_net_namespace ${name} net=%dx:x32`,
    carrier_on: `netif_carrier_on ${name}`,
    carrier_off: `netif_carrier_off ${name}`,
    free: `free_netdev ${name}`,
    bound: 'driver_bound device=+0(+0(%ax)):string',
    unbound: 'device_unbind_cleanup device=+0(+0(%ax)):string',
  };
}

/** All that is put into the guest for it, as text. */
export const RECORD_SCRIPTS = JSON.stringify([
  FIND_FIELDS,
  probes({ flags: 0, ifindex: 0, mtu: 0, data: 0 }),
  ANSWERED,
  watchText(),
]);

export class GuestRecord {
  /** Probes that this kernel does not have: it was compiled in another way, or is another. */
  missing: readonly string[] = [];
  /** Why there is no record, if there is none. */
  problem: string | undefined;
  private readonly run: RunInGuest;

  constructor(run: RunInGuest) {
    this.run = run;
  }

  /** Switches on what does not need the drivers. */
  *start(): Task {
    const offsets = yield* this.findFields();
    if (offsets === undefined) return;
    const all = Object.entries(probes(offsets));
    const lines = [
      ...all.map(([event, rest]) => `echo 'p:${GROUP}/${event} ${rest}' >>kprobe_events || echo missing ${event}`),
      `echo 'r:${GROUP}/${ANSWERED}' >>kprobe_events || echo missing answered`,
    ];
    const filter = `echo 'group == ${RTNLGRP_LINK}' >events/${GROUP}/link_sent/filter`;
    const enable = ['module', 'printk/console', GROUP].map((name) => `echo 1 >events/${name}/enable`);
    const drivers = `mkdir ${DRIVERS}; echo x86-tsc >${DRIVERS}/trace_clock`;
    const text = ['#!/bin/sh', `cd ${TRACING}`, ...lines, filter, ...enable, drivers, 'echo >trace', ''].join('\n');
    const started = yield* this.runScript(text);
    for (const line of writeScript(WATCH, watchText())) yield* this.run(line);
    this.missing = [...started.matchAll(/^missing (\S+)$/gm)].flatMap(([, event]) => event ?? []);
  }

  /** Switches on what the drivers trace themselves, as far as they are loaded. */
  *watchDrivers(): Task {
    if (this.problem === undefined) yield* this.run(`. ${WATCH}`);
  }

  /** What has happened since the record was switched on, or was read last. */
  *read(): Task<GuestAccount> {
    if (this.problem !== undefined) return { entries: [], lost: 0 };
    const { output } = yield* this.run(BUFFERS.map((buffer) => `cat ${buffer}; echo >${buffer}`).join(';'));
    return readAccount(output);
  }

  private *findFields(): Task<FieldOffsets | undefined> {
    const found = yield* fieldOffsets(this.run);
    if (typeof found !== 'string') return found;
    this.problem = found;
    return undefined;
  }

  private *runScript(text: string): Task<string> {
    for (const line of writeScript(SCRIPT, text)) yield* this.run(line);
    return (yield* this.run(`sh ${SCRIPT} 2>/dev/null`)).output;
  }
}
