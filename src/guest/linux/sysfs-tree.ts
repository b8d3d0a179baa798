/**
 * The guest's /sys as files and links: what real programs can be shown. Which entries udev and cloud-init look at was
 * found by tracing them. Source of the layout: net/core/net-sysfs.c, drivers/hv/vmbus_drv.c, drivers/pci/pci-sysfs.c.
 * What this leaves out: queues, statistics, configuration space, devices without a network interface.
 */
import type { SysfsAttribute, SysfsNode } from '../uapi/linux.ts';
import type { Netdev, ParentDevice, PciParent } from './netdev.ts';
import { attributeText, type SysfsNet } from './sysfs.ts';
import { devpathOf, VMBUS_PATH } from './sysfs-path.ts';

const ATTRIBUTES: readonly SysfsAttribute[] = [
  'address',
  'addr_assign_type',
  'carrier',
  'dev_id',
  'dormant',
  'flags',
  'ifindex',
  'iflink',
  'mtu',
  'name_assign_type',
  'operstate',
  'tx_queue_len',
  'type',
];

const NIC_MODALIAS = 'vmbus:f8615163df3e46c5913ff2d2f965ed0e';
const hex4 = (value: number): string => value.toString(16).padStart(4, '0');

export function sysfsTree(sysfs: SysfsNet): readonly SysfsNode[] {
  const nodes: SysfsNode[] = [
    ...['/class/net', '/bus/pci/devices', '/bus/pci/slots', '/bus/vmbus/devices'].map(directory),
    ...loopback(),
  ];
  for (const [name, dev] of sysfs.devices()) {
    if (dev.parent !== undefined) nodes.push(...parentNodes(dev.parent));
    nodes.push(...netdevNodes(name, dev));
  }
  return nodes;
}

const directory = (path: string): SysfsNode => ({ path, kind: 'directory' });
const file = (path: string, text: string): SysfsNode => ({ path, kind: 'file', text });

/** A link as the kernel makes them: relative, so that the tree works wherever it is mounted. */
function link(path: string, to: string): SysfsNode {
  const from = path.split('/').slice(1, -1);
  const target = to.split('/').slice(1);
  let shared = 0;
  while (shared < from.length && from[shared] === target[shared]) shared++;
  return { path, kind: 'link', target: [...from.slice(shared).map(() => '..'), ...target.slice(shared)].join('/') };
}

function loopback(): SysfsNode[] {
  const path = '/devices/virtual/net/lo';
  const texts = { address: '00:00:00:00:00:00', addr_assign_type: '0', flags: '0x9', ifindex: '1', iflink: '1' };
  const more = { mtu: '65536', operstate: 'unknown', type: '772', dev_id: '0x0', carrier: '1' };
  return [
    ...Object.entries({ ...texts, ...more }).map(([name, text]) => file(`${path}/${name}`, `${text}\n`)),
    file(`${path}/uevent`, 'INTERFACE=lo\nIFINDEX=1\n'),
    link(`${path}/subsystem`, '/class/net'),
    link('/class/net/lo', path),
  ];
}

function netdevNodes(name: string, dev: Netdev): SysfsNode[] {
  const path = devpathOf(dev, name);
  const nodes: SysfsNode[] = [
    link(`/class/net/${name}`, path),
    link(`${path}/subsystem`, '/class/net'),
    ...(dev.parent === undefined ? [] : [link(`${path}/device`, `${VMBUS_PATH}/${dev.parent.path}`)]),
    file(`${path}/uevent`, `INTERFACE=${name}\nIFINDEX=${dev.ifindex}\n`),
  ];
  for (const attribute of ATTRIBUTES) {
    const text = attributeText(dev, attribute);
    // Where the kernel answers with an error a file can only be empty.
    nodes.push(file(`${path}/${attribute}`, text.ok ? `${text.value}\n` : ''));
  }
  nodes.push(file(`${path}/dev_port`, '0\n'));
  if (dev.master !== undefined) {
    const master = devpathOf(dev.master, dev.master.name);
    nodes.push(link(`${path}/master`, master), link(`${path}/upper_${dev.master.name}`, master));
  }
  for (const slave of dev.slaves) nodes.push(link(`${path}/lower_${slave.name}`, devpathOf(slave, slave.name)));
  return nodes;
}

/** The device behind a network interface, with the VMBus device that a PCI function hangs below. */
function parentNodes(parent: ParentDevice): SysfsNode[] {
  const path = `${VMBUS_PATH}/${parent.path}`;
  if (parent.pci === undefined) return vmbusDevice(path, parent.driver, NIC_MODALIAS);
  const bridge = path.slice(0, path.indexOf('/pci'));
  return [...vmbusDevice(bridge, 'hv_pci', ''), ...pciDevice(path, parent.driver, parent.pci)];
}

function vmbusDevice(path: string, driver: string, modalias: string): SysfsNode[] {
  const text = `DRIVER=${driver}\n${modalias === '' ? '' : `MODALIAS=${modalias}\n`}`;
  return [
    file(`${path}/uevent`, text),
    ...boundTo(path, 'vmbus', driver),
    file(`${path}/vendor`, '0x1414\n'),
    file(`${path}/device`, '0x1\n'),
  ];
}

function pciDevice(path: string, driver: string, pci: PciParent): SysfsNode[] {
  const { vendorId, deviceId, domain, device } = pci;
  const address = path.slice(path.lastIndexOf('/') + 1);
  const ids = `${hex4(vendorId).toUpperCase()}:${hex4(deviceId).toUpperCase()}`;
  const slot = pci.slotName();
  const nodes = [
    file(`${path}/uevent`, `DRIVER=${driver}\nPCI_CLASS=20000\nPCI_ID=${ids}\nPCI_SLOT_NAME=${address}\n`),
    ...boundTo(path, 'pci', driver),
    file(`${path}/vendor`, `0x${hex4(vendorId)}\n`),
    file(`${path}/device`, `0x${hex4(deviceId)}\n`),
    file(`${path}/class`, '0x020000\n'),
  ];
  if (slot === undefined) return nodes;
  const place = `${hex4(domain)}:00:${device.toString(16).padStart(2, '0')}`;
  return [...nodes, file(`/bus/pci/slots/${slot}/address`, `${place}\n`)];
}

function boundTo(path: string, bus: string, driver: string): SysfsNode[] {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return [
    link(`${path}/subsystem`, `/bus/${bus}`),
    directory(`/bus/${bus}/drivers/${driver}`),
    link(`${path}/driver`, `/bus/${bus}/drivers/${driver}`),
    link(`/bus/${bus}/devices/${name}`, path),
  ];
}
