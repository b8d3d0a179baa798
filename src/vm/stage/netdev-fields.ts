/**
 * Where in the kernel's struct net_device and struct sk_buff some fields stand. That differs from kernel to kernel and is not said anywhere
 * in a running one (no BTF in Debian's for i386), so it is found out: the loopback device gets a flag and an MTU that
 * nothing else has, and what changes in it is the field. Its name is the first member in all kernels so far. A message
 * that is about to be sent begins where its buffer begins.
 * Source: linux include/linux/{netdevice,skbuff}.h; uapi/linux/if.h for the flags.
 */
import type { Task } from '../../sim/operation.ts';
import { FOLDER, writeScript } from './guest-files.ts';
import type { RunInGuest } from './guest-record.ts';

/** Offsets in bytes. */
export interface FieldOffsets {
  readonly flags: number;
  readonly ifindex: number;
  readonly mtu: number;
  /** Of struct sk_buff. */
  readonly data: number;
}

const WORDS = 64;
const WORD_SIZE = 4;
/** Nothing else in the structure has that value. */
const ODD_MTU = 34_567;
/** The loopback device: IFF_LOOPBACK, which then gets IFF_ALLMULTI; its index in every namespace is 1. */
const [FLAGS, FLAGS_WITH_ALLMULTI] = [0x8, 0x208];
const LO_INDEX = 1;

/** The kernel's addresses begin here (CONFIG_PAGE_OFFSET, with 3 GB for processes). */
const KERNEL = 0xc000_0000;

const SCRIPT = `${FOLDER}/fields`;

/** Each change of the MTU raises two events of the device, and so two lines. */
export const FIND_FIELDS = `#!/bin/sh
cd /sys/kernel/tracing
echo x86-tsc >trace_clock || exit 1
echo 'p:netvsim/raw call_netdevice_notifiers_info name=+0(+0(%dx)):string words=+0(+0(%dx)):x32[${WORDS}]' >>kprobe_events || exit 1
echo 'p:netvsim/message nlmsg_notify words=+0(%dx):x32[${WORDS}]' >>kprobe_events || exit 1
read mtu </sys/class/net/lo/mtu
echo 1 >events/netvsim/enable
ip link set dev lo mtu ${ODD_MTU}
ip link set dev lo allmulticast on
ip link set dev lo mtu $mtu
ip link set dev lo allmulticast off
echo 0 >events/netvsim/enable
cat trace
echo '-:netvsim/raw' >>kprobe_events
echo '-:netvsim/message' >>kprobe_events
`;

/** The offsets, or why they cannot be found. */
export function* fieldOffsets(run: RunInGuest): Task<FieldOffsets | string> {
  for (const line of writeScript(SCRIPT, FIND_FIELDS)) yield* run(line);
  const { output } = yield* run(`sh ${SCRIPT} 2>&1`);
  const [, plain, marked] = dumpsOf('raw', output);
  const [message] = dumpsOf('message', output);
  if (plain === undefined || marked === undefined || message === undefined)
    return `its kernel cannot trace its functions: ${lastLine(output)}`;
  const flags = plain.findIndex((word, i) => word === FLAGS && marked[i] === FLAGS_WITH_ALLMULTI);
  const mtu = plain.indexOf(ODD_MTU);
  // In all kernels so far the index stands before the MTU, and nothing between them can be 1.
  const ifindex = plain.lastIndexOf(LO_INDEX, mtu);
  const data = message.findIndex((_, i) => isData(message, i));
  if (Math.min(flags, mtu, ifindex, data) < 0)
    return 'the fields of its network devices and messages are not where they are looked for';
  return { flags: flags * WORD_SIZE, ifindex: ifindex * WORD_SIZE, mtu: mtu * WORD_SIZE, data: data * WORD_SIZE };
}

/** `tail`, `end`, `head`, `data` follow on each other, as addresses; nothing has been put before the message. */
function isData(words: readonly number[], at: number): boolean {
  const [tail = 0, end = 0, head = 0, data = 0] = words.slice(Math.max(0, at - 3), at + 1);
  return data >= KERNEL && data === head && head < tail && tail <= end;
}

const dumpsOf = (probe: string, output: string): readonly (readonly number[])[] =>
  [...output.matchAll(new RegExp(`\\b${probe}: \\([^)]*\\) (?:name="lo" )?words=\\{([^}]*)\\}`, 'g'))].map(
    ([, words = '']) => words.split(',').map(Number),
  );

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
