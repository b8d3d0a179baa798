/** The text of the guest's trace buffers, one behind the other, as what it says. Source: linux Documentation/trace/{ftrace,kprobetrace}.rst. */
import type { DeviceNow, GuestAccount, LinkMessage, RecordBody, RecordEntry } from './guest-record.ts';

/** `comm-pid [cpu] flags stamp: event: text`. */
const LINE = /^ *(.+)-(\d+) +\[\d+\] \S+ +(\d+): (\w+): (.*)$/;
const COUNTS = /^# entries-in-buffer\/entries-written: (\d+)\/(\d+)/gm;
/** `name="eth0" flags=0x1003`. */
const FIELD = /(\w+)=(?:"([^"]*)"|(\S+))/g;
const RTM_DELLINK = 17;

type Fields = ReadonlyMap<string, string>;

export function readAccount(text: string): GuestAccount {
  const lost = [...text.matchAll(COUNTS)].map(([, kept, written]) => Math.max(0, Number(written) - Number(kept)));
  const lines = text.split('\n').flatMap((line) => readLine(line) ?? []);
  const entries = entriesOf(lines.sort((a, b) => a.head.at - b.head.at));
  return { entries, lost: lost.reduce((sum, one) => sum + one, 0) };
}

interface Line {
  readonly head: Pick<RecordEntry, 'at' | 'task'>;
  readonly event: string;
  readonly said: string;
  readonly fields: Fields;
}

function readLine(line: string): Line | undefined {
  const [, comm, pid, stamp, event, said] = LINE.exec(line) ?? [];
  if (event === undefined || said === undefined) return undefined;
  const found = [...said.matchAll(FIELD)];
  const fields = new Map(found.map(([, key = '', quoted, plain]) => [key, quoted ?? plain ?? '']));
  return { head: { at: Number(stamp), task: `${comm}-${pid}` }, event, said, fields };
}

function entriesOf(lines: readonly Line[]): readonly RecordEntry[] {
  const entries: RecordEntry[] = [];
  /** A message stands where it was made at first: RTM_DELLINK of a device that is unregistered is sent much later. */
  const made = new Map<string, RecordEntry & LinkMessage>();
  const asked = new Asked();
  for (const { head, event, said, fields } of lines) {
    const link = event === 'link_sent' ? made.get(nameIn(fields)) : undefined;
    if (link !== undefined) {
      made.delete(nameIn(fields));
      entries.splice(entries.lastIndexOf(link), 1);
      entries.push({ ...link, ...head, reported: numberIn(fields, 'reported') });
    }
    if (event === 'asked') asked.note(head.task, fields);
    const body = event === 'answered' ? asked.answer(head.task, fields) : bodyOf(event, fields, said);
    if (body === undefined) continue;
    entries.push({ ...head, ...body });
    const added = entries.at(-1);
    if (added?.what === 'rtnetlink') made.set(added.ifname, added);
  }
  return entries;
}

/** What hv_netvsc's notifier has been asked and not answered: while it answers, its own calls ask it again. */
class Asked {
  private readonly open = new Map<string, Fields[]>();

  note(task: string, fields: Fields): void {
    const all = this.open.get(task);
    if (all === undefined) this.open.set(task, [fields]);
    else all.push(fields);
  }

  answer(task: string, said: Fields): RecordBody | undefined {
    const fields = this.open.get(task)?.pop();
    if (fields === undefined) return undefined;
    const [event, verdict] = [numberIn(fields, 'event'), numberIn(said, 'verdict')];
    return { what: 'answered', event, verdict, ...deviceIn(fields) };
  }
}

const READERS: Readonly<Record<string, (fields: Fields, said: string) => RecordBody | undefined>> = {
  notifier: (fields) => ({ what: 'notifier', event: numberIn(fields, 'event'), ...deviceIn(fields) }),
  sysfs_add: (fields) => ({ what: 'sysfs', present: true, ...deviceIn(fields) }),
  sysfs_del: (fields) => ({ what: 'sysfs', present: false, ...deviceIn(fields) }),
  list: (fields) => ({ what: 'listed', present: true, ...deviceIn(fields) }),
  unlist: (fields) => ({ what: 'listed', present: false, ...deviceIn(fields) }),
  uevent: (fields) => {
    const action = /^ACTION=(.+)$/.exec(fields.get('action') ?? '')?.[1];
    const path = /^DEVPATH=(.+)$/.exec(fields.get('path') ?? '')?.[1];
    // The same function fills the file `uevent` in sysfs, which somebody may read.
    if (action === undefined || path === undefined) return undefined;
    return { what: 'uevent', action, path, ifname: path.split('/').at(-1) ?? '' };
  },
  link: (fields) => {
    const message = numberIn(fields, 'type') === RTM_DELLINK ? 'RTM_DELLINK' : 'RTM_NEWLINK';
    return { what: 'rtnetlink', message, event: numberIn(fields, 'event'), reported: undefined, ...deviceIn(fields) };
  },
  master: (fields) => ({ what: 'master', ifname: nameIn(fields), master: fields.get('master') ?? '', linked: true }),
  no_master: (fields) => ({
    what: 'master',
    ifname: nameIn(fields),
    master: fields.get('master') ?? '',
    linked: false,
  }),
  rename: (fields) => ({ what: 'renamed', ifname: nameIn(fields), to: fields.get('to') ?? '' }),
  netns: (fields) => ({ what: 'netns', ifname: nameIn(fields), net: numberIn(fields, 'net') }),
  carrier_on: (fields) => ({ what: 'carrier', ifname: nameIn(fields), up: true }),
  carrier_off: (fields) => ({ what: 'carrier', ifname: nameIn(fields), up: false }),
  free: (fields) => ({ what: 'freed', ifname: nameIn(fields) }),
  bound: (fields) => ({ what: 'bound', device: fields.get('device') ?? '', bound: true }),
  unbound: (fields) => ({ what: 'bound', device: fields.get('device') ?? '', bound: false }),
  module_load: (_, said) => ({ what: 'module', module: said.split(' ')[0] ?? '', loaded: true }),
  module_free: (_, said) => ({ what: 'module', module: said.split(' ')[0] ?? '', loaded: false }),
  nvsp_send: (fields) => ({ what: 'nvsp', from: 'guest', ...messageIn(fields) }),
  nvsp_recv: (fields) => ({ what: 'nvsp', from: 'host', ...messageIn(fields) }),
  rndis_send: (fields) => ({ what: 'rndis', from: 'guest', ...messageIn(fields) }),
  rndis_recv: (fields) => ({ what: 'rndis', from: 'host', ...messageIn(fields) }),
  console: (_, said) => ({ what: 'log', text: said }),
};

function bodyOf(event: string, fields: Fields, said: string): RecordBody | undefined {
  if (event.startsWith('vmbus_')) return { what: 'vmbus', event, detail: said };
  return READERS[event]?.(fields, said);
}

const nameIn = (fields: Fields): string => fields.get('name') ?? '';

/** A figure as the kernel prints it, decimal or 0x...; NaN for what it could not read. */
const numberIn = (fields: Fields, key: string): number => Number(fields.get(key) ?? Number.NaN);

const deviceIn = (fields: Fields): DeviceNow => ({
  ifname: nameIn(fields),
  flags: numberIn(fields, 'flags'),
  ifindex: numberIn(fields, 'ifindex'),
  mtu: numberIn(fields, 'mtu'),
});

const messageIn = (fields: Fields): { readonly ifname: string; readonly type: string } => ({
  ifname: fields.get('dev') ?? '',
  type: fields.get('type') ?? '',
});
