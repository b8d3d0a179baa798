/**
 * Where in the kernel's struct net_device some fields stand. That differs from kernel to kernel and is not said anywhere
 * in a running one (no BTF in Debian's for i386), so it is found out: the loopback device gets a flag and an MTU that
 * nothing else has, and what changes in it is the field. Its name is the first member in all kernels so far.
 * Source: linux include/linux/netdevice.h; uapi/linux/if.h for the flags.
 */
import type { Task } from '../../sim/operation.ts';
import { FOLDER, writeScript } from './guest-files.ts';
import type { RunInGuest } from './guest-record.ts';

/** Offsets in bytes. */
export interface FieldOffsets {
  readonly flags: number;
  readonly ifindex: number;
  readonly mtu: number;
}

const WORDS = 64;
const WORD_SIZE = 4;
/** Nothing else in the structure has that value. */
const ODD_MTU = 34_567;
/** The loopback device: IFF_LOOPBACK, which then gets IFF_ALLMULTI; its index in every namespace is 1. */
const [FLAGS, FLAGS_WITH_ALLMULTI] = [0x8, 0x208];
const LO_INDEX = 1;

const SCRIPT = `${FOLDER}/fields`;

/** Each change of the MTU raises two events of the device, and so two lines. */
const FIND = `#!/bin/sh
cd /sys/kernel/tracing
echo x86-tsc >trace_clock || exit 1
echo 'p:netvsim/raw call_netdevice_notifiers_info name=+0(+0(%dx)):string words=+0(+0(%dx)):x32[${WORDS}]' >>kprobe_events || exit 1
read mtu </sys/class/net/lo/mtu
echo 1 >events/netvsim/raw/enable
ip link set dev lo mtu ${ODD_MTU}
ip link set dev lo allmulticast on
ip link set dev lo mtu $mtu
ip link set dev lo allmulticast off
echo 0 >events/netvsim/raw/enable
cat trace
echo '-:netvsim/raw' >>kprobe_events
`;

/** The offsets, or why they cannot be found. */
export function* fieldOffsets(run: RunInGuest): Task<FieldOffsets | string> {
  for (const line of writeScript(SCRIPT, FIND)) yield* run(line);
  const { output } = yield* run(`sh ${SCRIPT} 2>&1`);
  const dumps = [...output.matchAll(/name="lo" words=\{([^}]*)\}/g)].map(([, words = '']) =>
    words.split(',').map(Number),
  );
  const [, plain, marked] = dumps;
  if (plain === undefined || marked === undefined) return `its kernel cannot trace its functions: ${lastLine(output)}`;
  const flags = plain.findIndex((word, i) => word === FLAGS && marked[i] === FLAGS_WITH_ALLMULTI);
  const mtu = plain.indexOf(ODD_MTU);
  // In all kernels so far the index stands before the MTU, and nothing between them can be 1.
  const ifindex = plain.lastIndexOf(LO_INDEX, mtu);
  if (flags < 0 || mtu < 0 || ifindex < 0) return 'the fields of its network devices are not where they are looked for';
  return { flags: flags * WORD_SIZE, ifindex: ifindex * WORD_SIZE, mtu: mtu * WORD_SIZE };
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
