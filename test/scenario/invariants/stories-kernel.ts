/** Of what a kernel says of itself, and of what a NIC can. */
import { joined, type Story, told } from './told.ts';

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
    found: 'nic1: it could 0x7 (on: 0x7) before its VF came, and can 0x4 (on: 0x4) now (step 3)',
    held: [
      ...[joined('nic1', true), can('nic1', 7, 4), can('nic1', 4, 7), joined('nic1', false)],
      ...[can('nic1', 7, 3), joined('nic1', true), joined('nic1', false), joined('nic2', true), can('nic2.vf', 7, 0)],
    ],
  },
};
