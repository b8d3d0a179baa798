/** Trees that stand for /sys: made by hand for states that no scenario reaches, written to disk, and read back. */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { PciLocation } from '../../src/guest/uapi/linux.ts';
import type { NicScan } from '../../src/user/cloud-init-rules.ts';

const VMBUS = 'devices/LNXSYSTM:00/LNXSYBUS:00/ACPI0004:00/VMBUS:00';

/** One NIC of a tree that is made by hand. */
export interface HandMadeNic {
  readonly name: string;
  readonly ifindex: number;
  readonly driver: string;
  readonly flags: number;
  /** Undefined where the kernel gives EINVAL, because the device is down. */
  readonly carrier: string | undefined;
  readonly operstate: string;
  readonly addrAssignType: string;
  readonly master: string | undefined;
  /** For a VF: its PCI domain and the name of its slot. */
  readonly pci: { readonly domain: number; readonly slot: string | undefined } | undefined;
}

const SYNTHETIC: HandMadeNic = {
  name: 'eth0',
  ifindex: 2,
  driver: 'hv_netvsc',
  flags: 0x1003,
  carrier: '1',
  operstate: 'up',
  addrAssignType: '3',
  master: undefined,
  pci: undefined,
};

const VF: HandMadeNic = {
  ...SYNTHETIC,
  name: 'eth1',
  ifindex: 3,
  driver: 'mlx5_core',
  flags: 0x1002,
  carrier: undefined,
  operstate: 'down',
  addrAssignType: '0',
  pci: { domain: 1, slot: '1' },
};

export const synthetic = (changes: Partial<HandMadeNic> = {}): HandMadeNic => ({ ...SYNTHETIC, ...changes });
export const vf = (changes: Partial<HandMadeNic> = {}): HandMadeNic => ({ ...VF, ...changes });

/** Writes a tree with these NICs, which all have one address. */
export function writeHandMade(root: string, nics: readonly HandMadeNic[]): void {
  for (const folder of ['class/net', 'bus/pci/devices', 'bus/pci/slots', 'bus/vmbus/devices']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  const paths = new Map(nics.map((nic) => [nic.name, `${parentOf(nic)}/net/${nic.name}`]));
  for (const nic of nics) {
    writeParent(root, nic);
    writeNic(root, nic, paths.get(nic.name) ?? '', nic.master === undefined ? undefined : paths.get(nic.master));
  }
}

const hex4 = (value: number): string => value.toString(16).padStart(4, '0');

function parentOf({ ifindex, pci }: HandMadeNic): string {
  const device = `${VMBUS}/00000000-0000-0000-0000-${ifindex.toString().padStart(12, '0')}`;
  return pci === undefined ? device : `${device}/pci${hex4(pci.domain)}:00/${hex4(pci.domain)}:00:02.0`;
}

function writeParent(root: string, nic: HandMadeNic): void {
  const path = parentOf(nic);
  const { pci, driver } = nic;
  const bus = pci === undefined ? 'vmbus' : 'pci';
  put(root, `${path}/uevent`, `DRIVER=${driver}\n`);
  put(root, `${path}/vendor`, '0x15b3\n');
  put(root, `${path}/device`, '0x1016\n');
  mkdirSync(join(root, `bus/${bus}/drivers/${driver}`), { recursive: true });
  link(root, `${path}/driver`, `bus/${bus}/drivers/${driver}`);
  link(root, `${path}/subsystem`, `bus/${bus}`);
  if (pci?.slot !== undefined) put(root, `bus/pci/slots/${pci.slot}/address`, `${hex4(pci.domain)}:00:02\n`);
}

function writeNic(root: string, nic: HandMadeNic, path: string, master: string | undefined): void {
  const attributes = {
    address: '00:0d:3a:12:34:56',
    addr_assign_type: nic.addrAssignType,
    dormant: '0',
    flags: `0x${nic.flags.toString(16)}`,
    ifindex: String(nic.ifindex),
    iflink: String(nic.ifindex),
    name_assign_type: '1',
    operstate: nic.operstate,
    type: '1',
  };
  for (const [name, text] of Object.entries(attributes)) put(root, `${path}/${name}`, `${text}\n`);
  put(root, `${path}/carrier`, nic.carrier === undefined ? '' : `${nic.carrier}\n`);
  put(root, `${path}/uevent`, `INTERFACE=${nic.name}\nIFINDEX=${nic.ifindex}\n`);
  link(root, `${path}/subsystem`, 'class/net');
  link(root, `${path}/device`, parentOf(nic));
  if (master !== undefined) link(root, `${path}/master`, master);
  link(root, `class/net/${nic.name}`, path);
}

function put(root: string, path: string, text: string): void {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const link = (root: string, path: string, to: string): void =>
  symlinkSync(relative(dirname(path), to), join(root, path));

/** What cloud-init's functions would read of a tree, in the order that they were given. */
export const scanTree = (root: string, order: readonly string[]): readonly NicScan[] =>
  order.map((name) => {
    const nic = join(root, 'class/net', name);
    const read = (attribute: string) => reading(() => readFileSync(join(nic, attribute), 'utf8').trim());
    return {
      name,
      address: read('address'),
      addrAssignType: read('addr_assign_type'),
      driver: reading(() => basename(readlinkSync(join(nic, 'device/driver')))),
      hasMaster: reading(() => readlinkSync(join(nic, 'master'))) !== undefined,
      carrier: read('carrier'),
      dormant: read('dormant'),
      operstate: read('operstate'),
    };
  });

/** Where the PCI function behind a NIC stands, as the tree tells it. */
export function locationIn(root: string, name: string): PciLocation | undefined {
  const parent = reading(() => basename(realpathSync(join(root, 'class/net', name, 'device')))) ?? '';
  const [, domain, bus, device, fn] = /^(\w{4,}):(\w\w):(\w\w)\.(\d)$/.exec(parent) ?? [];
  if (domain === undefined || bus === undefined || device === undefined) return undefined;
  const slots = join(root, 'bus/pci/slots');
  const address = `${domain}:${bus}:${device}`;
  const slot = readdirSync(slots).find((one) => readFileSync(join(slots, one, 'address'), 'utf8').trim() === address);
  const hex = (text: string): number => Number.parseInt(text, 16);
  return { domain: hex(domain), bus: hex(bus), device: hex(device), function: Number(fn), slot };
}

/** The value, or undefined where the file system says no. */
function reading(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
