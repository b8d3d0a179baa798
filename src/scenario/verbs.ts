/**
 * Every line that a scenario can hold, as one table: usage (help, pattern and the nearest meaning of a typing error),
 * what it means, and the plain data that it stands for. The shell and the API have the same verbs.
 */
import { ms, seconds } from '../base/time.ts';
import type { HostAction } from '../host/action.ts';
import { callFault, messageFault, nicOf, requestFault, silence } from './faults.ts';
import { GUEST_VERBS } from './guest-verbs.ts';
import type { FlowPlan, Question } from './stage.ts';
import type { StepBody } from './step-body.ts';
import { type Built, type Verb, verb } from './verb.ts';
import type { Names } from './vocabulary.ts';

/** Gap of a firmware update when a scenario names none: what an Azure kernel log shows (reference E.1: 63.5 s). */
export const USUAL_GAP = seconds(64);
const USUAL_FRAME_BYTES = 128;

const host = (action: HostAction): StepBody => ({ kind: 'host', action });
const expecting = (question: Question): StepBody => ({ kind: 'expect', question });

export const VERBS: readonly Verb[] = [
  // -- host --
  verb('host offer <nic>', 'offers the synthetic NIC to the guest', ({ nic }) => host({ do: 'offer', nic })),
  verb('host rescind <nic>', 'takes the synthetic NIC away', ({ nic }) => host({ do: 'rescind', nic })),
  verb(
    'host plug vf of <nic> [as <family>] [serial <serial>]',
    'the usual arrival of a VF: VF_ASSOCIATION, then the PCI channel',
    ({ nic, family, serial }, names) =>
      vfOf(nic, family, names, host({ do: 'plug-vf', nic, ...choice(family, serial) })),
  ),
  verb('host associate vf of <nic>', 'sends only VF_ASSOCIATION(1)', ({ nic }) => host({ do: 'associate', nic })),
  verb('host disassociate vf of <nic>', 'sends only VF_ASSOCIATION(0)', ({ nic }) => host({ do: 'disassociate', nic })),
  verb(
    'host offer vf of <nic> [as <family>] [serial <serial>]',
    'offers only the PCI channel',
    ({ nic, family, serial }, names) =>
      vfOf(nic, family, names, host({ do: 'offer-vf', nic, ...choice(family, serial) })),
  ),
  verb('host revoke vf of <nic> [by <order>]', 'takes the VF away (default: eject-first)', ({ nic, order }) =>
    host({ do: 'revoke-vf', nic, order: order ?? 'eject-first' }),
  ),
  verb('host link of vf of <nic> is up|down', "the VF's cable", ({ nic, 'up|down': link }) =>
    host({ do: 'vf-link', nic, up: link === 'up' }),
  ),
  verb('host link of <nic> is up|down', 'the link that the synthetic NIC reports', ({ nic, 'up|down': link }) =>
    host({ do: 'nic-link', nic, up: link === 'up' }),
  ),
  verb(
    'host send frame|fragment|query to <nic>',
    'a station sends it a datagram, the first fragment of one whose others never come, or the IGMP query of a router',
    (values) => host({ do: 'send-frame', nic: values.nic, what: values['frame|fragment|query'] }),
  ),
  verb(
    'host update firmware [by <order>] [gap <duration>] [times <times>] [serial same|different] [as <family>]',
    'withdraws every VF, updates, and brings them back (default: eject-first, gap 64s, once, same serial)',
    ({ order, duration, times, 'same|different': serial, family }) =>
      host({
        do: 'update-firmware',
        order: order ?? 'eject-first',
        gap: duration ?? USUAL_GAP,
        times: times ?? 1,
        serial: serial ?? 'same',
        ...(family === undefined ? {} : { family }),
      }),
  ),
  ...GUEST_VERBS,
  // -- faults; with may a search decides, each time, whether it happens, and the usual order has none of them --
  verb(
    'host [may] drop|duplicate|reorder <message> [from host|guest] of <dev> [times <times>]',
    'a message is lost, comes twice, or waits and comes behind the next one of its channel (once, or so many times)',
    (words, names) => messageFault({ fault: words['drop|duplicate|reorder'] }, words, names),
  ),
  verb(
    'host [may] delay <message> [from host|guest] of <dev> by <duration> [times <times>]',
    'a message comes late',
    (words, names) => messageFault({ fault: 'delay', by: words.duration }, words, names),
  ),
  verb(
    'host [may] fail <request> of <dev> [with <status>] [times <times>]',
    'a request of the guest is not carried out, and its answer says so; that to switchDataPath is empty all the same',
    (words, names) => requestFault(words, names),
  ),
  verb(
    'host [may] fall silent to <dev>',
    "the host takes everything from the device's channel and sends nothing there; may: from any of its messages on",
    (words, names) => silence(words, names),
  ),
  verb('host answers <dev> again', 'ends a silence; what was not said in it is never said', ({ dev }, names) =>
    host({ do: 'answer-again', nic: nicOf(dev, names), dev }),
  ),
  verb(
    'guest [may] fail <call> of <dev> with <errno> [times <times>]',
    "a call inside of the guest's kernel gives the error at once and does nothing",
    (words, names) => callFault(words, names),
  ),
  // -- traffic --
  verb(
    'flow echo on <nic> every <duration> [of <bytes> bytes] [called <label>]',
    'asks a station on the switch and counts the answers (called echo-<nic> when it has no other name)',
    (values, names) => flow('echo', values, names),
  ),
  verb(
    'flow stream on <nic> every <duration> [of <bytes> bytes] [called <label>]',
    'sends frames both ways (called stream-<nic> when it has no other name)',
    (values, names) => flow('stream', values, names),
  ),
  verb('flow stop <flow>', 'stops a flow', ({ flow: name }) => ({ kind: 'stop-flow', flow: name })),
  // -- expectations --
  verb('expect datapath of <nic> is vf|synthetic', 'the path on which host and guest agree', (values) =>
    expecting({ ask: 'datapath', nic: values.nic, path: values['vf|synthetic'] }),
  ),
  verb('expect <dev> is present|absent|up|down', 'the guest has the device; it is up', (values) =>
    expecting(presence(values.dev, values['present|absent|up|down'])),
  ),
  verb('expect <dev> has master <master>', 'the device belongs to the other one', ({ dev, master }) =>
    expecting({ ask: 'master', dev, master }),
  ),
  verb('expect <dev> has no master', 'the device belongs to none', ({ dev }) =>
    expecting({ ask: 'master', dev, master: undefined }),
  ),
  verb('expect <dev> is named <ifname>', 'the name in the guest', ({ dev, ifname }) =>
    expecting({ ask: 'ifname', dev, ifname }),
  ),
  verb('expect <dev> is in namespace <netns>', 'the network namespace in the guest', ({ dev, netns }) =>
    expecting({ ask: 'netns', dev, netns }),
  ),
  verb('expect <dev> has mtu <mtu>', 'the MTU in the guest', ({ dev, mtu }) => expecting({ ask: 'mtu', dev, mtu })),
  verb('expect <dev> has [no] flag SLAVE|UP|PROMISC|ALLMULTI', 'an interface flag', ({ dev, no, ...flag }) =>
    expecting({ ask: 'flag', dev, flag: flag['SLAVE|UP|PROMISC|ALLMULTI'], set: no === undefined }),
  ),
  verb('expect [no] lease on <dev>', 'a DHCP client of the guest holds an address there', ({ dev, no }, names) =>
    names.observers.includes('manager') || names.observers.includes('dhclient')
      ? expecting({ ask: 'lease', dev, held: no === undefined })
      : { problem: 'nobody asks for a lease: add manager to user:' },
  ),
  verb(
    'expect errno <errno>',
    'the last line above that says guest was refused so; that line must begin with guest try',
    ({ errno }, names) => ofTry(names, { kind: 'expect-errno', errno }),
  ),
  verb('expect no errno', 'the last line above that says guest try was not refused', (_, names) =>
    ofTry(names, { kind: 'expect-errno', errno: undefined }),
  ),
  verb('expect [no] log <text>', "a line of the guest's kernel log holds the text", ({ text, no }) =>
    expecting({ ask: 'log', text, seen: no === undefined }),
  ),
  verb('expect cloud-init <version> to <outcome>', 'what that version ended with', ({ version, outcome }) =>
    expecting({ ask: 'cloud-init', version, outcome }),
  ),
  verb('expect flow <flow> lost at most <frames>', 'frames that never arrived, both ways', ({ flow: name, frames }) =>
    expecting({ ask: 'lost-at-most', flow: name, frames }),
  ),
  verb(
    'expect servicing done',
    'the firmware update is over: every VF carries again, or the host has given up on it after 30 s',
    () => expecting({ ask: 'servicing-done' }),
  ),
  // -- what a search is about --
  verb(
    'from here on, all orders',
    'a search leaves the orders before this line as they usually are (without the line it searches all of the run)',
    () => ({ kind: 'orders', all: true }),
  ),
  verb('from here on, the usual order', 'ends what a search is about', () => ({ kind: 'orders', all: false })),
];

/** Without `try` a refusal ends the run, so that nobody is left to ask. */
function ofTry({ lastGuestLine }: Names, body: StepBody): Built {
  if (lastGuestLine === 'try') return body;
  if (lastGuestLine === undefined) return { problem: 'no line above it does anything in the guest' };
  return { problem: 'the last line that does anything in the guest has no "try": write "guest try ..." there' };
}

function choice(family: string | undefined, serial: number | undefined): { family?: string; serial?: number } {
  return { ...(family === undefined ? {} : { family }), ...(serial === undefined ? {} : { serial }) };
}

function vfOf(nic: string, family: string | undefined, names: Names, body: StepBody): Built {
  if (family !== undefined || names.nicsWithVf.includes(nic)) return body;
  return { problem: `${nic} has no VF model: write "vf: mlx5" (or another) at the NIC, or "as <family>" here` };
}

function presence(dev: string, what: 'present' | 'absent' | 'up' | 'down'): Question {
  return what === 'present' || what === 'absent'
    ? { ask: 'present', dev, present: what === 'present' }
    : { ask: 'up', dev, up: what === 'up' };
}

interface FlowValues {
  readonly nic: string;
  readonly duration: number;
  readonly bytes: number | undefined;
  readonly label: string | undefined;
}

function flow(kind: FlowPlan['kind'], values: FlowValues, names: Names): Built {
  const name = values.label ?? `${kind}-${values.nic}`;
  if (names.flows.includes(name)) return { problem: `a flow called ${name} was started before: give this one a name` };
  if (values.duration < ms(0.001)) return { problem: 'a flow cannot send more often than every 1us' };
  const bytes = values.bytes ?? USUAL_FRAME_BYTES;
  return { kind: 'start-flow', flow: { name, kind, nic: values.nic, every: values.duration, bytes } };
}
