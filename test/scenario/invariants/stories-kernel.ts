/** Of what a kernel says of itself, and of what a NIC can. */
import { flags, joined, moved, type Story, told } from './told.ts';

const fault = told('memory.fault', {
  fault: 'use after free',
  dev: 'nic1.vf',
  what: 'ifnet',
  by: 'netisr',
  freedBy: 'if_free_deferred',
});
const nothing = told('memory.fault', {
  fault: 'null dereference',
  dev: 'nic1',
  what: 'if_afdata[inet]',
  by: 'arp_iflladdr',
  freedBy: '',
});
const can = (dev: string, wasCapable: number, capabilities: number) =>
  told('netdev.capabilities', { dev, capabilities, enabled: capabilities, wasCapable, wasEnabled: wasCapable });

const held = (state: string) => told('ifnet.referenced', { dev: 'nic1.vf', state, ifindex: 2, vnet: 'vnet0' });
const counts = (count: number, listed: number) => told('vnet.count', { vnet: 'jail', count, listed });
const renamed = told('devctl', { system: 'IFNET', subsystem: 'em0', type: 'RENAME', data: 'name=lan', dev: 'nic1.vf' });

export const KERNEL_STORIES: Readonly<Record<string, Story>> = {
  'no-memory-fault': {
    broken: [fault],
    found: 'nic1.vf: use after free of its ifnet by netisr, freed by if_free_deferred (step 1)',
    held: [told('kernel.assert', { dev: 'nic1', what: 'no fault' })],
  },
  'kernel-asserts-hold': {
    broken: [told('kernel.assert', { dev: 'nic1', what: 'if_free: slot 5 is not its own' })],
    found: 'nic1: if_free: slot 5 is not its own (step 1)',
    held: [nothing],
  },
  'locks-in-order': {
    broken: [told('lock.order', { problem: 'reversal', thread: 'ifconfig', holds: 'if_addr_lock', takes: 'ifnet_sx' })],
    found: 'ifconfig: reversal: it has if_addr_lock and takes ifnet_sx (step 1)',
    held: [nothing],
  },
  'capabilities-come-back': {
    broken: [joined('nic1', true), can('nic1', 7, 4), joined('nic1', false)],
    found: 'nic1: since its VF came and left it has lost RXCSUM TXCSUM (step 3)',
    held: [
      ...[joined('nic1', true), can('nic1', 7, 4), can('nic1', 4, 7), joined('nic1', false)],
      ...[can('nic1', 7, 3), joined('nic1', true), joined('nic1', false), joined('nic2', true), can('nic2.vf', 7, 0)],
    ],
  },
  'references-attached': {
    broken: [held('allocated')],
    found: 'nic1.vf: number 2 is allocated and held (step 1)',
    held: [held('attached'), held('moving')],
  },
  'interfaces-counted': {
    broken: [counts(0, 0), counts(-1, 0)],
    found: 'jail: it counts -1 interfaces and has 0 (step 2)',
    held: [counts(2, 2)],
  },
  'dying-for-good': {
    broken: [flags('nic1.vf', 0x200002, 'DYING'), flags('nic1.vf', 0x2, '', 'UP DYING')],
    found: 'nic1.vf: IFF_DYING is cleared (step 2)',
    held: [flags('nic1.vf', 0x200002, 'DYING', 'UP')],
  },
  'devd-hears-of-its-own': {
    broken: [moved('nic1.vf', 'jail'), renamed],
    found: 'nic1.vf: RENAME of em0, which is in jail (step 2)',
    held: [renamed, moved('nic1.vf', 'jail'), moved('nic1.vf', 'vnet0'), renamed],
  },
  'packets-keep-their-vnet': {
    broken: [{ kind: 'packet.input', dev: 'nic1', vnet: 'vnet0', interfaceIn: 'jail' }],
    found: 'nic1: a packet of vnet0 came by it, and it is in jail (step 1)',
    held: [{ kind: 'packet.input', dev: 'nic1', vnet: 'jail', interfaceIn: 'jail' }],
  },
};
